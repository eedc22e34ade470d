"""The result of `replay` and `test` as JUnit XML, which CI systems read: one test case, and what it does not cover."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path

from onceproof.reports.style import unstyle

GOOD, OPEN = ("agrees",), ("undecided",)


def write_junit(
    path: Path, command: str, name: str, verdict: str, lines: Sequence[str], replaced: Mapping[str, str], extent: str
) -> None:
    """Write the report; OSError where that is impossible.

    lines: the report as text. replaced: as of `Abilities`. extent: in how much the verdict was found: nobody is to take
    a part for the whole.
    """
    text = unstyle("\n".join(lines))
    root = ElementTree.Element("testsuites", name=f"onceproof {command}")
    suite = ElementTree.SubElement(root, "testsuite", name=name, timestamp=_now(), hostname="localhost", tests="1")
    properties = ElementTree.SubElement(suite, "properties")
    not_covered = {f"not covered: {key}": why for key, why in replaced.items()}
    for what, instead in {"verdict": verdict, "extent": extent, **not_covered}.items():
        ElementTree.SubElement(properties, "property", name=what, value=instead)
    case = ElementTree.SubElement(suite, "testcase", name=name, classname=command)
    failed, skipped = verdict not in (*GOOD, *OPEN), verdict in OPEN
    suite.attrib.update({"failures": str(int(failed)), "skipped": str(int(skipped))})
    if failed:
        ElementTree.SubElement(case, "failure", message=verdict).text = text
    elif skipped:
        ElementTree.SubElement(case, "skipped", message=f"{verdict}: {extent}")
    ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds")
