"""Profiles: all that are shipped can be read, and what is wrong in one is said with file, line and key."""

from pathlib import Path

import pytest

from onceproof.conformance.storms.profile import Topology
from onceproof.conformance.storms.targets import FOLDER, files, matching, names
from onceproof.errors import InputError
from onceproof.inputs.profiles import load_profile

RIGHT = "system: mine\ntopology: embedded\nmechanisms:\n  renewal: {is: on, because: a thread, source: worker.py}\n"


@pytest.mark.parametrize("name", names())
def test_a_shipped_target_has_a_storm_file_and_a_profile(name: str) -> None:
    profile = load_profile(FOLDER / f"{name}.yaml")
    assert all(path.is_file() for path in files(profile))
    assert profile.system and profile.mechanisms
    assert profile.model is None or profile.model.is_file()


def test_a_target_is_found_by_the_name_of_its_library() -> None:
    assert [matching(name) for name in ("celery", "rq", "celery_early", "nothing")] == [
        *("celery_late", "rq_retry", "celery_early", None)
    ]


def test_a_mechanism_comes_with_where_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(RIGHT)
    profile = load_profile(file)
    assert profile.topology is Topology.EMBEDDED
    assert (profile.mechanisms["renewal"].on, profile.mechanisms["renewal"].source) == (True, "worker.py")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("renewal", "renewel", "4: mechanisms.renewel: unknown mechanism `renewel`; did you mean `renewal`?"),
        ("embedded", "embeded", "2: topology: unknown topology `embeded`; did you mean `embedded`?"),
        ("topology: embedded\n", "", "1: the key `topology` is missing"),
        ("is: on", "is: perhaps", "4: mechanisms.renewal.is: expected `on` or `off`, found `perhaps`"),
        ("is: on, ", "", "4: mechanisms.renewal: the key `is` is missing"),
        ("system", "sytem", "1: sytem: unknown key `sytem`; did you mean `system`?"),
        ("mechanisms", 'parts: {worker: "("}\nmechanisms', "3: parts.worker: not a regular expression"),
    ],
)
def test_what_is_wrong_in_a_profile_is_said_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(RIGHT.replace(old, new))
    with pytest.raises(InputError) as raised:
        load_profile(file)
    assert str(raised.value).startswith(f"{file}:{said}")
