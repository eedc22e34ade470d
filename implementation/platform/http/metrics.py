"""Metrics in Prometheus' format: what the API server counts itself, and what it reads from the store when asked."""

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from onceproof.implementation.platform.http.problems import Problem


class Metrics:
    """One registry for one API server's process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.submitted = Counter(
            "onceproof_submissions",
            "Submissions by API version and answer.",
            ["version", "answer"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "onceproof_admission_seconds",
            "Time from a submission's arrival to its record being on disk.",
            registry=self.registry,
        )
        self.gauges = {
            name: Gauge(f"onceproof_{name}", text, registry=self.registry)
            for name, text in (
                ("outbox_pending", "Accepted submissions whose message is not on the queue yet."),
                ("runs_open", "Tasks that a scheduler has taken and that have not ended."),
                ("schedulers_up", "Schedulers whose heartbeat holds."),
                ("agents_up", "Agents that are not known to be gone."),
            )
        }

    @contextlib.contextmanager
    def submissions(self, version: str) -> Iterator[None]:
        """Count and time one submission."""
        with self.seconds.time():
            try:
                yield
            except Problem as problem:
                self.submitted.labels(version, str(problem.status)).inc()
                raise
        self.submitted.labels(version, "accepted").inc()

    def page(self, counts: dict[str, int]) -> tuple[bytes, str]:
        """The page and its content type."""
        for name, gauge in self.gauges.items():
            gauge.set(counts[name])
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
