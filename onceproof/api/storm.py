"""``storm``: run a real task queue under real faults, and say what each of them did to its tasks."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onceproof.api.sources import installed_first
from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.conformance.storms import targets
from onceproof.conformance.storms.aiming import aimed
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.outcomes import Shown
from onceproof.conformance.storms.pinned import environment
from onceproof.conformance.storms.plan import fixed, sweep
from onceproof.conformance.storms.prediction import predictions
from onceproof.conformance.storms.profile import Profile, Topology
from onceproof.conformance.storms.remedies import remedies
from onceproof.conformance.storms.schedule import Fault, Schedule, parse
from onceproof.conformance.storms.site import Site
from onceproof.conformance.storms.storm import Storm, StormOptions
from onceproof.errors import InputError
from onceproof.inputs.profiles import load_profile
from onceproof.model.language.errors import nearest
from onceproof.reports.storm_data import document
from onceproof.reports.storm_outcome import Stormed
from onceproof.reports.storm_text import report_lines
from onceproof.reports.style import unstyle

_PREDICTING = threading.Lock()  # one model is checked at a time, which uses all processors that help


class StormReport(Stormed):
    """The result of ``storm``; ``str()`` of it is the report that the command line prints."""

    def __str__(self) -> str:
        return unstyle("\n".join(report_lines(self)))

    def to_json(self) -> dict[str, Any]:
        """The document of the command line's ``--json``."""
        return document(self)


@installed_first
def storm(
    file: str | Path,
    *,
    profile: str | Path | None = None,
    folder: str | Path | None = None,
    python: str | Path | None = None,
    schedules: Sequence[str] = (),
    sweeps: bool = False,
    random_seconds: float = 0.0,
    tries: int = 3,
    seed: int = 1,
    max_seconds: float | None = None,
    expect: Guarantee | None = None,
    variables: dict[str, str] | None = None,
    remedy: bool = False,
    ending: threading.Event | None = None,
    progress: Callable[[str], None] | None = None,
) -> StormReport:
    """Run the queue that a storm file declares under faults. Ctrl-C ends it early; what was seen by then is judged.

    file: may also be a profile that names it, or the name of a shipped target. profile: a YAML file with what the queue
    claims; None for the one beside the file that has its name, if there is one. folder: where ledgers and logs go; None
    for a new one in the folder for temporary files. python: the environment of the file.
    schedules: these (``pause@after-start,hold=2``) instead of the fixed scenarios. sweeps: the other moments and
    faults of the network, too. random_seconds: how long random faults follow. variables: of the environment.
    remedy: run what broke again with each setting of the profile that, as the model says, would prevent it.
    ending: ends the storm early when another thread sets it; Ctrl-C reaches the main thread alone.

    InputError where the file, its profile, its broker or its workers are wrong, with the last lines of the log.
    """
    say = progress or (lambda text: None)
    path, known = _subject(file, profile)
    chosen = _schedules(schedules)
    where = Path(folder) if folder is not None else new_folder(path)
    try:
        home = _python(known, python, say)
        with _PREDICTING:
            aims = [] if chosen else _aimed(known, say)
        planned = chosen or (*aims, *fixed(known.parts if known else ()), *(sweep() if sweeps else []))
        parts = dict(known.parts) if known is not None else {}
        _require_parts(planned, parts)
        with _PREDICTING:
            predicted = predictions(known, planned, say) if known is not None else {}
        options = StormOptions(
            tries=tries,
            seed=seed,
            seconds=max_seconds,
            schedules=tuple(planned),
            gust_seconds=random_seconds,
            python=home,
            variables={**(known.variables if known is not None else {}), **(variables or {})},
            parts=parts,
            ending=ending or threading.Event(),
            predictions=predicted,
        )
        report = StormReport(Storm(path, where, options, say).run(), known, expect)
        if remedy and known is not None and not report.result.stopped:
            broken = [row for row in report.rows if row.shown is Shown.BROKEN]
            report.remedies = remedies(known, broken, options, path, where, say)
        return report
    except StormError as error:
        raise StormFailed(path, error) from None


@installed_first
def check_storm(
    file: str | Path,
    *,
    profile: str | Path | None = None,
    python: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[str]:
    """Start the queue that a storm file declares, have one task done, and end it; what was found, a line each.

    InputError, with the last lines of the log, where something is wrong.
    """
    say = progress or (lambda text: None)
    path, known = _subject(file, profile)
    try:
        with Site(path, new_folder(path) / "site1", _python(known, python, say)) as site:
            say("starting broker and workers, and waiting for a first task")
            began = time.monotonic()
            site.variables.update(known.variables if known is not None else {})
            site.start()
            passed = sum(relay.passed for relay in site.relays)
            return [
                f"broker: {site.broker.version or site.broker.url or 'none'}",
                f"workers: {', '.join(worker.name for worker in site.workers)}",
                f"a first task was submitted, started and finished, {time.monotonic() - began:.1f} s after the start",
                "lease: " + ("not stated, it will be measured" if site.lease is None else f"{site.lease:g} s, stated"),
                *_without_network(site, passed),
                "profile: " + (f"{known.path} ({known.system})" if known else "none; nothing will be predicted"),
            ]
    except StormError as error:
        raise StormFailed(path, error) from None


def _without_network(site: Site, passed: int) -> list[str]:
    """A line that says why connections cannot be disturbed; none where they can be."""
    if not site.broker.url or (site.relays and passed):
        return []
    why = "workers do not use queue.url" if site.relays else "no relay can stand before several nodes or brokers"
    return [f"network faults: not possible, {why}"]


def _python(profile: Profile | None, given: str | Path | None, say: Callable[[str], None]) -> Path | None:
    """The Python that was given, or that of the environment that a profile asks for; None for the usual one."""
    if given is not None or profile is None or not profile.requirements:
        return _path(given)
    return environment(profile.path.stem, profile.requirements, say)


class StormFailed(InputError):
    """A storm cannot run, through a fault of its file. log: the last lines of the log of whatever failed."""

    def __init__(self, path: Path, error: StormError) -> None:
        super().__init__(f"{path}: {error}")
        self.log = error.log


def new_folder(path: Path) -> Path:
    """A new folder for a storm: ledgers and logs stay there for the reader of its report."""
    home = Path(tempfile.gettempdir()) / "onceproof-storms"
    home.mkdir(mode=0o755, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-", dir=home))
    made.chmod(0o755)  # a database server runs as another user
    return made


def _require_parts(schedules: Sequence[Schedule], parts: Mapping[str, str]) -> None:
    for schedule in schedules:
        if schedule.part and schedule.part not in parts:
            hint = nearest(schedule.part, parts) or f"; the profile names {', '.join(parts) or 'none'}"
            raise InputError(f"schedule {schedule}: unknown part `{schedule.part}`{hint}")


def _aimed(profile: Profile | None, say: Callable[[str], None]) -> list[Schedule]:
    if profile is None or profile.topology is Topology.SEPARATE:
        return []
    say("asking the model for its shortest counterexamples")
    return aimed(profile, (Fault.NONE, Fault.PAUSE, Fault.KILL, Fault.KILL_PARENT, Fault.RESUBMIT))


def _subject(given: str | Path, profile: str | Path | None) -> tuple[Path, Profile | None]:
    """The storm file and its profile, from the path of either, or the name of a target; InputError if there is none."""
    path = Path(given)
    if not path.is_file() and str(given) in targets.names():
        path = targets.FOLDER / f"{given}.yaml"
    if not path.is_file():
        hint = nearest(str(given), targets.names())
        raise InputError(f"{path}: no such file, and no target is called so{hint}")
    if path.suffix in (".yaml", ".yml") and profile is None:
        known = load_profile(path)
        if not known.storm_file.is_file():
            raise InputError(f"{path}: there is no storm file {known.storm_file}; `file: NAME.py` names another")
        return known.storm_file, known
    if profile is not None:
        return path, load_profile(Path(profile))
    beside = path.with_suffix(".yaml")
    return path, _beside(beside, path) if beside.is_file() else None


def _beside(profile: Path, file: Path) -> Profile:
    try:
        return load_profile(profile)
    except InputError as error:
        taken = f"{profile.name} was taken for the profile of {file.name}, beside which it lies"
        raise InputError(f"{error} ({taken}; rename it if it is something else)") from None


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _schedules(texts: Sequence[str]) -> tuple[Schedule, ...]:
    try:
        return tuple(map(parse, texts))
    except ValueError as error:
        raise InputError(f"schedule: {error}") from None
