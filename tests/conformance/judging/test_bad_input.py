"""Logs that are wrong: one line with file, line and reason; or, leniently, skipped and counted."""

import gzip
from pathlib import Path

import pytest

from onceproof.conformance.judging import sources
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.judging.run import read_logs

GOOD = '{"t": 1, "what": "start", "task": "a", "pid": 1}\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD + '{"t": 2, "what": "fin', ":2: the line is cut off"),
        (GOOD + "no json\n", ":2: not JSON; the log is read as a ledger"),
        (GOOD + '{"t": 2, "what": "strat", "task": "a"}\n', ":2: unknown event `strat`; did you mean `start`?"),
        (GOOD + '{"t": 2, "what": "start"}\n', ":2: a `start` without a `task`"),
        (GOOD + '{"t": 0.5, "what": "finish", "task": "a", "pid": 1}\n', ":2: time runs backwards by 0.5 s in 1"),
        (GOOD + '{"t": "soon", "what": "finish", "task": "a"}\n', ":2: `t` is not a time: 'soon'"),
        (GOOD + '{"t": 2, "what": "finish", "task": []}\n', ":2: not a line of a ledger"),
        (
            '{"t": 1, "what": "start", "task": "a", "pid": 1, "seq": 4}\n'
            '{"t": 1, "what": "start", "task": "b", "pid": 1, "seq": 4}\n',
            ":2: sequence number does not rise: 4 after 4",
        ),
        ('{"time": 1, "type": "sort", "f": "start", "task": "a"}\n', ":1: no known format"),
        (
            '{"time": 1, "type": "ok", "f": "submit", "task": "a"}\n'
            '{"time": 2, "type": "oh", "f": "submit", "task": "a"}\n',
            ":2: unknown type `oh`; expected one of invoke, ok, fail, info, event",
        ),
        ("", "the log is empty"),
        ("hello\n", ":1: no known format: found 'hello'"),
    ],
)
def test_wrong_line_is_refused_with_its_place(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(text)
    with pytest.raises(LogError) as error:
        read_logs([str(path)])
    assert complaint in str(error.value) and "a.log" in str(error.value)


def test_lenient_reading_skips_and_counts_by_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(GOOD + "x\ny\n" + '{"t": 2, "what": "strat", "task": "a"}\n' + GOOD)
    reading = read_logs([str(path)], lenient=True)
    assert len(reading.table) == 2
    assert sorted(reading.skipped.values()) == [1, 2]


def test_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(GOOD.encode() + b"\0\1\2")
    with pytest.raises(LogError, match="not text: it has a NUL byte"):
        read_logs([str(path)])


def test_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(GOOD.encode() * 10_000)[:60])
    with pytest.raises(LogError, match="cannot be unpacked"):
        read_logs([str(path)])


def test_endless_line_is_refused_without_reading_it_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BLOCK", 1 << 10)
    monkeypatch.setattr(sources, "LINE_MAX", 1 << 12)
    path = tmp_path / "a.log"
    path.write_text(GOOD + "x" * 100_000 + "\n" + GOOD)
    with pytest.raises(LogError, match=r":2: a line of more than 4,096 bytes"):
        read_logs([str(path)])
    reading = read_logs([str(path)], lenient=True)
    assert len(reading.table) == 2 and max(reading.table.line) == 3


def test_missing_file_and_folder_are_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.ndjson").write_text(GOOD)
    with pytest.raises(LogError, match=r"no such file or directory; did you mean `ledger\.ndjson`"):
        read_logs([str(tmp_path / "ledgr.ndjson")])
    with pytest.raises(LogError, match="is a folder"):
        read_logs([str(tmp_path)])


def test_unknown_format_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="unknown format `celry`; did you mean `celery`"):
        read_logs([str(tmp_path / "x")], "celry")


def test_log_of_a_known_format_without_any_event_is_no_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("nothing of interest\n")
    with pytest.raises(LogError, match="no event of any task"):
        read_logs([str(path)], "celery")
