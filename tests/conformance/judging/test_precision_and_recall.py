"""Simulated systems with faults that are known: what the judge finds of them, with all events and with some missing."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from onceproof.conformance.judging.anomalies import CLASSES
from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.table import EventTable

SECOND = 1_000_000_000
LEASE = 30
Row = tuple[float, What, str | None, str | None, int | None, str | None]
TASKS = 400
# Which classes a seeded fault must show in a complete log, and which may be shown beside them.
FAULTS: dict[str, tuple[set[str], set[str]]] = {
    "double": ({"sequential_starts", "finished_twice"}, {"started_on_two_workers"}),
    "overlap": ({"concurrent_starts", "started_on_two_workers", "finished_twice"}, set()),
    "death": ({"restarted_after_death", "started_on_two_workers"}, set()),
    "lost": ({"lost"}, set()),
    "unfinished": ({"unfinished"}, {"never_redelivered"}),
    "lost-with-worker": ({"lost_with_worker"}, {"never_redelivered"}),
    "early-ack": ({"acknowledged_unfinished"}, set()),
    "twice-accepted": ({"accepted_twice"}, set()),
    "refused": ({"refused_never_accepted"}, set()),
    "refused-but-started": ({"started_though_refused"}, set()),
    "early-redelivery": ({"redelivered_early"}, {"two_holders"}),
    "stale-ack": ({"stale_receipt_accepted"}, set()),
    "different-results": ({"result_different"}, set()),
    "early-result": ({"result_before_end"}, set()),
    "status-back": ({"status_backwards"}, set()),
}


def history(seed: int) -> tuple[list[Row], dict[str, str]]:
    """The rows of many tasks, and the fault of each task that has one."""
    r = random.Random(seed)
    rows: list[Row] = []
    faults: dict[str, str] = {}
    for number in range(TASKS):
        task, begin = f"task{number}", r.uniform(0, 1000)
        fault = r.choice(list(FAULTS)) if r.random() < 0.3 else ""
        if fault:
            faults[task] = fault
        rows += life(r, task, begin, fault)
    rows.append((2000.0, What.END, None, None, None, None))
    return sorted(rows, key=lambda row: row[0]), faults


def life(r: random.Random, task: str, begin: float, fault: str) -> list[Row]:
    """The rows of one task. All that is random are the times; what is wrong is what the fault says."""
    one, two = f"w{r.randrange(4)}", f"v{r.randrange(4)}"
    if fault in ("unfinished", "lost-with-worker"):
        one = f"{one} of {task}"  # nobody else's death is its own
    clock, rows = begin, list[Row]()

    def add(what: What, worker: str | None = None, value: str | None = None, wait: float = 0.0) -> None:
        nonlocal clock
        clock += wait + r.uniform(0.01, 0.5)
        rows.append((clock, what, None if what is What.FAULT else task, worker, None, value))

    add(What.SUBMITTED)
    if fault in ("refused", "refused-but-started"):
        add(What.REFUSED)
        if fault == "refused":
            return rows
    else:
        add(What.ACCEPTED)
    if fault == "twice-accepted":
        add(What.SUBMITTED)
        add(What.ACCEPTED)
    if fault == "lost":
        return rows
    if fault == "status-back":
        add(What.STATUS, value="Running")
        add(What.STATUS, value="Enqueued")
    add(What.RECEIVED, one, "r1")
    if fault == "early-redelivery":
        add(What.RECEIVED, two, "r2", wait=5)
    if fault == "stale-ack":
        add(What.RECEIVED, two, "r2", wait=LEASE + 1)
    add(What.STARTED, one)
    if fault == "lost-with-worker":
        add(What.FAULT, one, "kill")
    if fault in ("unfinished", "lost-with-worker"):
        return rows
    if fault == "early-ack":
        add(What.DELETED, one, "r1")
    if fault == "death":
        add(What.FAULT, one, "kill")
        add(What.STARTED, two, wait=LEASE)
    if fault == "overlap":
        add(What.STARTED, two)
    if fault == "early-result":
        add(What.RESULT, value="7")
    add(What.FINISHED, two if fault == "death" else one, "7")
    if fault == "overlap":
        add(What.FINISHED, two, "7")
    if fault == "double":
        add(What.STARTED, one)
        add(What.FINISHED, one, "7")
    if fault == "different-results":
        add(What.RESULT, value="8")
    if fault != "early-ack":
        add(What.DELETED, one, "r1" if fault in ("stale-ack", "") else "r2" if fault == "early-redelivery" else "r1")
    return rows


def proven(rows: list[Row], clock_error: float = 0.0) -> dict[str, set[str]]:
    """The proven classes of each task."""
    table = EventTable()
    table.open_file("simulated")
    for number, (time, what, task, worker, attempt, value) in enumerate(rows, 1):
        table.add(number, round(time * SECOND), what, task, worker, attempt, value)
    found: dict[str, set[str]] = {}
    options = Options(lease=LEASE * SECOND, clock_error=round(clock_error * SECOND))
    for each in judge(table, options).findings:
        if each.proven:
            found.setdefault(each.task, set()).add(each.anomaly.name)
    return found


def scores(seeds: range, spoil: Callable[[random.Random, list[Row]], list[Row]]) -> dict[str, tuple[float, float]]:
    """Precision and recall of each class over some histories, each spoilt in some way."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for seed in seeds:
        rows, faults = history(seed)
        found = proven(spoil(random.Random(seed), rows))
        for task in {*found, *faults}:
            must, may = FAULTS[faults[task]] if task in faults else (set[str](), set[str]())
            for name in found.get(task, set()):
                right[name] += name in must
                wrong[name] += name not in must | may
            for name in must - found.get(task, set()):
                missed[name] += 1
    return {
        name: (
            right[name] / max(1, right[name] + wrong[name]),
            right[name] / max(1, right[name] + missed[name]),
        )
        for name in (each.name for each in CLASSES)
        if right[name] + wrong[name] + missed[name]
    }


def test_complete_histories_give_every_class_precision_and_recall_of_one() -> None:
    table = scores(range(4), lambda _, rows: rows)
    assert {name: score for name, score in table.items() if score != (1.0, 1.0)} == {}
    assert set(table) == {name for must, _ in FAULTS.values() for name in must}


def dropped(part: float, *kinds: What) -> Callable[[random.Random, list[Row]], list[Row]]:
    return lambda r, rows: [row for row in rows if (kinds and row[1] not in kinds) or r.random() >= part]


@pytest.mark.parametrize(("part", "least"), [(0.1, 0.8), (0.3, 0.5), (0.5, 0.25)])
def test_duplicates_stay_certain_where_starts_and_ends_are_dropped(part: float, least: float) -> None:
    """A start that is logged twice happened twice, whatever else is missing: no false alarm, only less recall."""
    table = scores(range(4), dropped(part, What.STARTED, What.FINISHED))
    for name in ("concurrent_starts", "finished_twice", "started_on_two_workers"):
        precision, recall = table[name]
        assert precision >= 0.99, name
        assert recall >= least - 0.2, (name, recall)


def test_clocks_that_differ_prove_nothing_within_their_error() -> None:
    """Events of different workers closer than the error may have come in the other order."""

    def skewed(r: random.Random, rows: list[Row]) -> list[Row]:
        skew = {row[3]: r.uniform(-0.5, 0.5) for row in rows}
        return sorted(((row[0] + skew[row[3]], *row[1:]) for row in rows), key=lambda row: row[0])

    wrong = 0
    for seed in range(4):
        rows, faults = history(seed)
        for task, names in proven(skewed(random.Random(seed), rows), clock_error=1.0).items():
            must, may = FAULTS[faults[task]] if task in faults else (set[str](), set[str]())
            related = {"sequential_starts", "concurrent_starts", "restarted_after_death", "started_again"}
            allowed = must | may | (related if must & related else set())
            wrong += len(names - allowed)
    assert wrong == 0
