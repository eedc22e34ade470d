"""Short ledgers, written as text: one fact a line, ``TIME WHAT TASK [WORKER] [key=value ...]``."""

import json
from pathlib import Path

from onceproof.conformance.judging.judge import Judgement, Options, judge
from onceproof.conformance.judging.run import read_logs

SECOND = 1_000_000_000


def as_ledger(text: str) -> str:
    """The ledger of a text: ``1.5 start a w1 attempt=2``; ``-`` in place of a task or a worker that is not known."""
    lines = []
    for row in text.strip().splitlines():
        words = row.split()
        time, what, *rest = words
        fact: dict[str, object] = {"t": float(time), "what": what}
        names = [word for word in rest if "=" not in word]
        for key, name in zip(("task", "worker"), names, strict=False):
            if name != "-":
                fact[key] = name
        for word in rest:
            if "=" in word:
                key, value = word.split("=")
                fact[key] = int(value) if key in ("attempt", "seq") else value
        lines.append(json.dumps(fact))
    return "\n".join(lines) + "\n"


def judged(text: str, folder: Path, lease: float | None = 10, **options: float) -> Judgement:
    """The judgement of a ledger, with times in seconds."""
    path = folder / "ledger.ndjson"
    path.write_text(as_ledger(text))
    given = {key: round(value * SECOND) for key, value in options.items()}
    return judge(read_logs([str(path)]).table, Options(lease=None if lease is None else round(lease * SECOND), **given))


def found(judgement: Judgement) -> set[str]:
    """The findings as texts: ``lost: proven``."""
    return {f"{each.anomaly.name}: {each.certainty.value}" for each in judgement.findings}
