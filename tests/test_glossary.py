"""docs/glossary.md explains the terms of the field that code and pages use, each with a citation, and no others."""

import re
from functools import cache

import pytest

from tests.paths import ROOT

ENTRY = re.compile(r"^- (.+?)(?=^- |^## |\Z)", re.DOTALL | re.MULTILINE)
# (Authors, *Title*, year) at the end of an entry.
CITATION = re.compile(r"\([A-ZÀ-Ž][^()*]+,\s+\*[^*]+\*,\s+(?:19|20)\d\d\)$")
# What a newcomer would search for in a textbook; whichever of these the code uses must be explained.
TERMS = (
    *("adapter", "axiom", "checkpoint", "counterexample", "counterexample to induction", "concrete search", "deadlock"),
    *(
        "delayed duplicate detection",
        "dispatcher",
        "driver",
        "fault injection",
        "fairness",
        "fencing",
        "fingerprint",
        "fork server",
        "frontier",
    ),
    *("ghost", "grounding", "guard", "guarded update", "idempotent", "independent", "invariant", "lease", "liveness"),
    *("liveness obligation", "lockstep", "lowering", "minimum-cost flow", "mutant", "mutation testing"),
    *("negative test", "orbit", "outbox", "partial-order reduction", "permit", "probe", "property evaluator"),
    *("random walk", "replay", "representative", "safety", "shrink", "simulation", "sleep set", "SMT-LIB"),
    *("strongly connected", "symmetry", "transition", "vacuous", "verification condition", "visited set", "zombie"),
)


def entries() -> list[str]:
    return ENTRY.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))


def terms_of(entry: str) -> list[str]:
    """The terms that an entry explains: what is bold in it."""
    return re.findall(r"\*\*([^*]+)\*\*", entry)


@cache
def code() -> str:
    """All code and the pages for people, in lower case, with line breaks and hyphens as spaces."""
    folders = ("model", "implementation", "conformance", "onceproof")
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))] + sorted(ROOT.glob("*.md"))
    text = " ".join(path.read_text(encoding="utf-8") for path in paths)
    return re.sub(r"[\s_-]+", " ", text.lower())


def is_used(term: str) -> bool:
    return re.sub(r"[\s_-]+", " ", term.lower()) in code()


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: terms_of(entry)[0])
def test_glossary_entry_has_a_citation_and_its_term_is_used(entry: str) -> None:
    assert CITATION.search(" ".join(entry.split())), entry
    assert [term for term in terms_of(entry) if not is_used(term)] == []


def test_terms_of_the_field_that_the_code_uses_are_explained() -> None:
    explained = {term.lower() for entry in entries() for term in terms_of(entry)}
    assert [term for term in TERMS if is_used(term) and term.lower() not in explained] == []
