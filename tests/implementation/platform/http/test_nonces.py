"""Nonces are remembered across restarts, for as long as they matter, in a file that does not grow for ever."""

from pathlib import Path

import pytest

from onceproof.implementation.platform.http import nonces
from onceproof.implementation.platform.http.nonces import NonceFile


def test_nonce_is_remembered_until_it_has_lapsed_and_across_restarts(tmp_path: Path) -> None:
    path = tmp_path / "nonces.ndjson"
    one = NonceFile(path)
    assert one.is_new("AK", "n", 100.0, 200.0)
    assert not one.is_new("AK", "n", 150.0, 250.0)
    assert one.is_new("OTHER", "n", 150.0, 250.0)
    again = NonceFile(path)
    assert not again.is_new("AK", "n", 199.0, 300.0)
    assert again.is_new("AK", "n", 201.0, 300.0)


def test_file_of_nonces_with_torn_and_foreign_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "nonces.ndjson"
    path.write_bytes(b'["AK", "n", 200.0]\n[1]\n{}\n\xff\xfe\n["AK", "m", "late"]\n["AK", "to')
    kept = NonceFile(path)
    assert not kept.is_new("AK", "n", 100.0, 200.0)
    assert kept.is_new("AK", "m", 100.0, 200.0)
    assert not NonceFile(path).is_new("AK", "m", 100.0, 200.0), "the torn line has not swallowed it"


def test_file_of_nonces_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "REWRITE_AT", 20)
    path = tmp_path / "nonces.ndjson"
    kept = NonceFile(path)
    for number in range(500):
        assert kept.is_new("AK", f"n{number}", float(number), number + 5.0)
    assert len(path.read_text().splitlines()) < 40
    assert not NonceFile(path).is_new("AK", "n499", 500.0, 505.0)


def test_nonces_are_remembered_in_memory_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    kept = NonceFile(tmp_path / "none" / "nonces.ndjson")
    assert kept.is_new("AK", "n", 1.0, 2.0)
    assert not kept.is_new("AK", "n", 1.0, 2.0)
