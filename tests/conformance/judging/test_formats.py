"""Every format: recognised by itself, and read into the events that its lines say."""

import gzip
import json
from pathlib import Path

import pytest

from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.formats import edn
from onceproof.conformance.judging.formats.base import formats
from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.run import Reading, read_logs

LOGS = Path(__file__).parent / "logs"


def names(reading: Reading) -> list[str]:
    """The events in the order of reading: ``started mail-7``."""
    table = reading.table
    return [
        " ".join([What(what).name.lower(), table.tasks.text(task) or ""]).strip()
        for what, task in zip(table.what, table.task, strict=True)
    ]


def read(tmp_path: Path, text: str, **options: object) -> Reading:
    path = tmp_path / "a.log"
    path.write_text(text)
    return read_logs([str(path)], **options)  # type: ignore[arg-type]


# How many events of each kind the logs have that the libraries themselves wrote.
PRINTED = {
    "arq": {"STARTED": 4, "FINISHED": 2, "FAILED": 1, "RETRIED": 1},
    "celery": {"RECEIVED": 4, "STARTED": 3, "FINISHED": 3, "RETRIED": 1},
    "dramatiq": {"STARTED": 3, "DELETED": 2, "RETRIED": 1, "FAILED": 2, "END": 1},
    "huey": {"STARTED": 3, "FINISHED": 1, "FAILED": 2, "RETRIED": 1},
    "rq": {"STARTED": 2, "FINISHED": 1, "FAILED": 1, "END": 1},
    "saq": {"STARTED": 2, "FINISHED": 1, "FAILED": 1},
    "saq-0.26": {"STARTED": 5, "FINISHED": 2, "FAILED": 2, "RETRIED": 1, "STOPPED": 1},
    "taskiq": {"STARTED": 2, "END": 1},
}


@pytest.mark.parametrize("name", PRINTED)
def test_worker_log_is_recognised_and_read(name: str) -> None:
    reading = read_logs([str(LOGS / f"{name}.log")])
    assert list(reading.formats.values()) == [name.partition("-")[0]]
    kinds = [What(what).name for what in reading.table.what]
    assert {kind: kinds.count(kind) for kind in kinds} == PRINTED[name]


def test_end_after_a_failure_or_a_stop_is_no_end_of_a_run() -> None:
    """SAQ says "Finished" of all three; its times are numbers of milliseconds inside the line."""
    reading = read_logs([str(LOGS / "saq-0.26.log")])
    events = names(reading)
    assert events[:3] == ["started add-1", "finished add-1", "started boom-1"]
    assert events.count("finished boom-1") == events.count("finished slow-1") == 0
    assert events[-2:] == ["started again-1", "finished again-1"]
    assert reading.table.time[1] - reading.table.time[0] == 4_000_000
    assert judge(reading.table, Options(lease=1_000_000_000)).findings == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("celery", "[2026-12-01 12:35:11,318: WARNING/MainProcess] consumer: Cannot connect to redis://"),
        (
            "dramatiq",
            "[2026-12-01 12:35:11,318] [PID 1] [MainThread] [dramatiq.MainProcess] [INFO] Dramatiq is booting up.",
        ),
        ("rq", "12:43:39 *** Listening on default..."),
        ("huey", "[2026-12-01 12:35:11,318] INFO:huey.consumer:MainThread:Huey consumer started with 2 thread, PID 7"),
        ("arq", "12:35:06: Starting worker for 1 functions: job"),
        ("taskiq", "[2026-12-01 12:49:16,913][taskiq.worker][INFO   ][MainProcess] Starting 1 worker processes."),
        ("saq", "INFO:saq:Worker starting: RedisQueue<...>"),
        ("procrastinate", "2026-11-25 13:25:31,446 INFO procrastinate.worker: Starting worker on all queues"),
    ],
)
def test_log_of_an_idle_worker_is_part_of_a_history(name: str, line: str, tmp_path: Path) -> None:
    """Alone it says nothing; with the log of another worker it is one that did nothing."""
    idle, empty, busy = tmp_path / "idle.log", tmp_path / "empty.log", LOGS / f"{name}.log"
    idle.write_text(f"{line}\n")
    empty.write_text("")
    with pytest.raises(
        LogError, match=f"no event of any task in .*idle.log \\(as {name}\\).*; {name} is read from: The log of"
    ):
        read_logs([str(idle)])
    if busy.exists():
        reading = read_logs([str(idle), str(busy), str(empty)])
        assert list(reading.formats.values()) == [name, name, "nothing: it is empty"]
        assert names(reading) == names(read_logs([str(busy)]))


@pytest.mark.parametrize("name", [name for name in formats() if name != "otlp"])
def test_examples_of_a_format_are_recognised_as_that_format(name: str, tmp_path: Path) -> None:
    reading = read(tmp_path, "\n".join(formats()[name].examples) + "\n")
    assert list(reading.formats.values()) == [name]
    assert {What.STARTED, What.ACCEPTED} & set(reading.table.what)


def test_celery_start_is_placed_by_the_duration_of_the_run(tmp_path: Path) -> None:
    line = "[2026-11-25 13:25:31,321: INFO/ForkPoolWorker-2] Task a.b[t1] succeeded in 0.25s: 3\n"
    table = read(tmp_path, line).table
    assert [What(what) for what in table.what] == [What.STARTED, What.FINISHED]
    assert table.time[1] - table.time[0] == 250_000_000
    assert (
        table.values.text(table.value[1]) == "3" and table.workers.text(table.worker[0]) == "ForkPoolWorker-2 (a.log)"
    )


LAMBDA = """2026-11-25T10:00:00.000Z START RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Version: $LATEST
2026-11-25T10:00:00.100Z [ERROR] ValueError: no Traceback (most recent call last):
2026-11-25T10:00:00.200Z END RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95
2026-11-25T10:00:00.200Z REPORT RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Duration: 200.00 ms
2026-11-25T10:01:00.000Z START RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Version: $LATEST
2026-11-25T10:01:00.200Z END RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95
2026-11-25T10:01:00.200Z REPORT RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Duration: 200.00 ms
"""


def test_lambda_retry_after_an_error_is_no_second_start(tmp_path: Path) -> None:
    """A request that raised is run again under its id; the error has no id, and END comes all the same."""
    reading = read(tmp_path, LAMBDA)
    task = "8f507cfc-0000-4697-b07a-ac58fc914c95"
    assert names(reading) == [f"{what} {task}" for what in ("started", "failed", "started", "finished")]
    assert judge(reading.table, Options(lease=1_000_000_000)).findings == []
    twice = read(tmp_path, LAMBDA.replace("[ERROR] ValueError: no Traceback", "INFO"))
    found = {each.anomaly.name for each in judge(twice.table, Options(lease=1_000_000_000)).findings}
    assert {"sequential_starts", "finished_twice"} <= found


def test_time_of_day_that_falls_back_is_the_next_day(tmp_path: Path) -> None:
    text = "23:59:59:   0.03s → t1:f()\n00:00:01:   0.03s ← t1:f ● 3\n"
    table = read(tmp_path, text).table
    assert table.time[1] - table.time[0] == 2_000_000_000


@pytest.mark.parametrize(
    ("first", "second", "nanoseconds"),
    [
        ("1.5", "2", 500_000_000),
        ("1700000000.25", "1700000001", 750_000_000),
        ("1700000000250", "1700000001000", 750_000_000),
        ("1700000000250000", "1700000001000000", 750_000_000),
        ("1700000000250000000", "1700000001000000000", 750_000_000),
        ('"2026-11-25T10:00:00Z"', '"2026-11-25T12:00:01+02:00"', 1_000_000_000),
    ],
)
def test_ledger_times_may_be_of_any_unit(first: str, second: str, nanoseconds: int, tmp_path: Path) -> None:
    lines = [f'{{"t": {time}, "what": "start", "task": {task}}}' for time, task in ((first, 1), (second, 2))]
    table = read(tmp_path, "\n".join(lines)).table
    assert table.time[1] - table.time[0] == nanoseconds and table.tasks.texts == ["1", "2"]


def test_history_follows_the_rules_of_jepsen(tmp_path: Path) -> None:
    rows = [
        ("invoke", "submit"),
        ("info", "submit"),
        ("ok", "submit"),
        ("fail", "submit"),
        ("event", "start"),
        ("invoke", "delete"),
        ("fail", "delete"),
        ("info", "delete"),
        ("ok", "delete"),
    ]
    lines = [
        json.dumps({"time": number, "process": f"p{number}", "type": kind, "f": f, "task": "t"})
        for number, (kind, f) in enumerate(rows)
    ]
    reading = read(tmp_path, "\n".join(lines))
    assert list(reading.formats.values()) == ["history"]
    assert names(reading) == ["submitted t", "unanswered t", "accepted t", "refused t", "started t", "deleted t"]


EDN = """{:index 0, :time 1, :type :invoke, :process 0, :f :enqueue, :value 7}
{:index 1, :time 2, :type :ok, :process 0, :f :enqueue, :value 7}
{:index 2, :time 3, :type :info, :process :nemesis, :f :kill, :value ["n1"]}
{:index 3, :time 4, :type :invoke, :process 1, :f :dequeue, :value nil}
{:index 4, :time 5, :type :ok, :process 1, :f :dequeue, :value 7}
{:index 5, :time 6, :type :info, :process 1, :f :enqueue, :value 8, :error [:timeout "no \\"answer\\""]}
{:index 6, :time 7, :type :ok, :process 2, :f :drain, :value [8 9]}
"""


def test_jepsen_history_is_read_from_edn_and_from_json(tmp_path: Path) -> None:
    wanted = ["submitted 7", "accepted 7", "fault", "started 7", "finished 7", "unanswered 8"]
    wanted += ["started 8", "finished 8", "started 9", "finished 9"]
    reading = read(tmp_path, EDN)
    assert list(reading.formats.values()) == ["jepsen"] and names(reading) == wanted
    as_json = "\n".join(json.dumps(edn.parse(line)) for line in EDN.splitlines())
    again = read(tmp_path, as_json)
    assert list(again.formats.values()) == ["jepsen"] and names(again) == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#jepsen.history.Op{:a 1, :b [2 3.5 nil true]}", {"a": 1, "b": [2, 3.5, None, True]}),
        ('"a\\n\\"b\\""', 'a\n"b"'),
        ("#{1 2}", [1, 2]),
        ("(:x -3N) ; a comment", ["x", -3]),
    ],
)
def test_edn_values_are_read(text: str, value: object) -> None:
    assert edn.parse(text) == value


@pytest.mark.parametrize("text", ["{:a 1", "{:a}", "]", '"open', "1 2", ""])
def test_edn_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        edn.parse(text)


def span(operation: str, begin: int, end: int, status: int = 1) -> dict[str, object]:
    attributes = {"messaging.operation.type": operation, "messaging.message.id": "m1"}
    return {
        "name": operation,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(end),
        "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in attributes.items()],
        "status": {"code": status},
    }


@pytest.mark.parametrize("pretty", [False, True])
def test_spans_of_opentelemetry_are_read(pretty: bool, tmp_path: Path) -> None:
    spans = [span("send", 1, 2), span("receive", 3, 4), span("process", 5, 6), span("process", 7, 8, 2)]
    spans += [span("settle", 9, 10), span("settle", 11, 12, 2)]
    resource = {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "w1"}}]}
    document = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    reading = read(tmp_path, json.dumps(document, indent=2 if pretty else None))
    kinds = ["submitted", "accepted", "received", "started", "finished", "started", "failed", "deleted"]
    assert names(reading) == [f"{kind} m1" for kind in kinds]
    assert list(reading.formats.values()) == ["otlp"] and reading.table.workers.texts == ["w1"]


def test_format_of_ones_own_takes_four_lines(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "name: mine\n"
        "start: '(?P<worker>\\S+) begins (?P<task>\\w+)'\n"
        "finish: '(?P<worker>\\S+) ends (?P<task>\\w+)'\n"
        "fault: '(?P<worker>\\S+) was killed'\n"
    )
    text = "2026-11-25 10:00:00 w1 begins a\nnoise\n2026-11-25 10:00:01 w1 ends a\n2026-11-25 10:00:02 w1 was killed\n"
    reading = read(tmp_path, text, format_name=str(mine))
    assert names(reading) == ["started a", "finished a", "fault"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("strat: 'x (?P<task>a)'", "unknown event `strat`; did you mean `start`?"),
        ("workers: each\nstart: '(?P<task>a)'", "workers: expected `per-file`, found 'each'"),
        ("ended: twice\nstart: '(?P<task>a)'", "ended: expected `once`, found 'twice'"),
        ("lines: '('\nstart: '(?P<task>a)'", "lines: not a regular expression"),
        ("start: '(?P<taks>a)'", "unknown group `taks`; did you mean `task`?"),
        ("start: 'a'", r"no group (?P<task>...)"),
        ("start: '('", "not a regular expression"),
        ("start: 3", "expected a regular expression, found 3"),
        ("name: x", "no event"),
        ("- a", "expected a mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_wrong_format_of_ones_own_is_one_clear_line(text: str, complaint: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    with pytest.raises(LogError) as error:
        read(tmp_path, "x\n", format_name=str(mine))
    assert complaint in str(error.value) and "mine.yaml" in str(error.value)


def test_compressed_logs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress((LOGS / "arq.log").read_bytes()))
    assert len(read_logs([str(path)]).table) == 8


def test_several_files_are_one_history(tmp_path: Path) -> None:
    (tmp_path / "one").write_text('{"t": 1, "what": "start", "task": "a", "pid": 1}\n')
    (tmp_path / "two").write_text('{"time": 2000000000, "process": 2, "type": "event", "f": "start", "task": "a"}\n')
    reading = read_logs([str(tmp_path / "one"), str(tmp_path / "two")])
    assert list(reading.formats.values()) == ["ledger", "history"]
    assert reading.table.tasks.texts == ["a"] and len(reading.table) == 2
