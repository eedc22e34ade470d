"""Metrics in Prometheus' format, read from the store: they are the same whichever process counted, and outlive it.

What the API server counts itself is added to the store's numbers every few seconds, and when it ends; a crash forgets
the last of it. What schedulers bring to an end is counted in the store by the census.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from onceproof.implementation.components.census import BUCKETS, ENDED, LAPSES, RETRIES, RUN, WAIT, Key, histogram
from onceproof.implementation.platform.http.problems import Problem

SUBMISSIONS, ADMISSION = "submissions", "admission_seconds"
HISTOGRAMS = {
    ADMISSION: "Time from a submission's arrival to its record being on disk.",
    WAIT: "Time from a task's record to its start, of tasks that have ended.",
    RUN: "Time from a task's start to its end.",
}
COUNTERS = {
    RETRIES: "Attempts that failed and were followed by another.",
    LAPSES: "Messages that were received again, since a lease had lapsed or a queue had changed hands.",
}
GAUGES = {
    "outbox_pending": "Accepted submissions whose message is not on the queue yet.",
    "runs_open": "Tasks that a scheduler has taken and that have not ended.",
    "schedulers_up": "Schedulers whose heartbeat holds.",
    "agents_up": "Agents that make progress.",
}
Numbers = dict[Key, float]


class Metrics:
    """What one API server counts: taken out of here to be added to the store."""

    def __init__(self) -> None:
        self.pending: Counter[Key] = Counter()

    @contextlib.contextmanager
    def submissions(self, version: str) -> Iterator[None]:
        """Count and time one submission."""
        begin = time.perf_counter()
        answer = "accepted"
        try:
            yield
        except Problem as problem:
            answer = str(problem.status)
            raise
        finally:
            self.pending[SUBMISSIONS, f"{version} {answer}"] += 1
            for key, amount in histogram(ADMISSION, time.perf_counter() - begin).items():
                self.pending[key] += amount  # type: ignore[assignment]  # seconds are no whole number

    def taken(self) -> Numbers:
        """What was counted since this was last asked."""
        taken, self.pending = self.pending, Counter()
        return dict(taken)

    def put_back(self, numbers: Numbers) -> None:
        """The store did not take them."""
        for key, amount in numbers.items():
            self.pending[key] += amount  # type: ignore[assignment]


class Depth:
    """How much is in one state of the way to a result, and for how long the oldest has been."""

    def __init__(self, count: int, oldest_ns: int | None) -> None:
        self.count = count
        self.oldest_ns = oldest_ns

    def seconds(self, now_ns: int) -> float:
        """The age of the oldest."""
        return 0.0 if self.oldest_ns is None else max(0.0, (now_ns - self.oldest_ns) / 1e9)


class Snapshot(Collector):
    """All metrics at one moment."""

    def __init__(
        self, numbers: Numbers, counts: dict[str, int], depths: dict[str, Depth], restarts: dict[str, int]
    ) -> None:
        self.numbers = numbers
        self.counts = counts
        self.depths = depths
        self.restarts = restarts

    def collect(self) -> Iterable[Metric]:
        """Each metric with its samples."""
        submitted = CounterMetricFamily(
            "onceproof_submissions", "Submissions by API version and answer.", labels=["version", "answer"]
        )
        for labels, value in self._labelled(SUBMISSIONS):
            submitted.add_metric(labels.split(" ", 1), value)
        ended = CounterMetricFamily("onceproof_tasks_ended", "Tasks that have ended, by outcome.", labels=["outcome"])
        for labels, value in self._labelled(ENDED):
            ended.add_metric([labels.lower()], value)
        restarts = CounterMetricFamily(
            "onceproof_restarts", "Processes started again since the platform was started.", labels=["process"]
        )
        for name, value in sorted(self.restarts.items()):
            restarts.add_metric([name], value)
        yield from (submitted, ended, restarts)
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"onceproof_{name}", text, value=self.numbers.get((name, ""), 0.0))
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"onceproof_{name}", text, value=self.counts[name])
        yield from self._depths()
        for name, text in HISTOGRAMS.items():
            yield self._histogram(name, text)

    def _depths(self) -> Iterable[Metric]:
        depth = GaugeMetricFamily("onceproof_tasks", "Tasks on their way, by state.", labels=["state"])
        age = GaugeMetricFamily(
            "onceproof_oldest_task_seconds", "Age of the oldest task in each state.", labels=["state"]
        )
        now = time.time_ns()
        for state, found in self.depths.items():
            depth.add_metric([state], found.count)
            if found.oldest_ns is not None or not found.count:
                age.add_metric([state], found.seconds(now))
        return depth, age

    def _histogram(self, name: str, text: str) -> Metric:
        total, buckets = 0.0, []
        for limit in (*map(str, BUCKETS), "+Inf"):
            total += self.numbers.get((name, f"le={limit}"), 0.0)
            buckets.append((limit, total))
        return HistogramMetricFamily(
            f"onceproof_{name}", text, buckets=buckets, sum_value=self.numbers.get((name, "sum"), 0.0)
        )

    def _labelled(self, name: str) -> list[tuple[str, float]]:
        return sorted((labels, value) for (found, labels), value in self.numbers.items() if found == name)


def page(snapshot: Snapshot) -> tuple[bytes, str]:
    """The page and its content type."""
    registry = CollectorRegistry()
    registry.register(snapshot)
    return generate_latest(registry), CONTENT_TYPE_LATEST
