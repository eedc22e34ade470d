"""Why a search ended early, as text: the limit by the option that sets it."""

from __future__ import annotations

from onceproof.model.checker.results import Stop, StopReason

TEXTS = {
    StopReason.STATES: "--max-states {:d}",
    StopReason.DEPTH: "--max-depth {:d}",
    StopReason.STEPS: "--max-steps {:d}",
    StopReason.SECONDS: "--max-seconds {:g}",
    StopReason.MEMORY: "--max-memory",
    StopReason.SET_SIZE: "at most {:d} asked for",
    StopReason.SAMPLE: "a sample of {:d} paths",
    StopReason.INTERRUPTED: "interrupted",
    StopReason.DISK: "a full disk",
    StopReason.OUT_OF_MEMORY: "out of memory",
    StopReason.PROCESS_LOST: "its process died: out of memory?",
    StopReason.NOTHING_TO_JUDGE: "no property applies",
    StopReason.RANGE_LEFT: "a step that leaves the range of a field",
    StopReason.BOUND_LEFT: "runs that leave a bound of exploration (`@within`) are not followed",
    StopReason.MODEL_CUT_SHORT: "the exploration of the model was cut short",
}


def stop_text(stop: Stop | None) -> str:
    """The reason, and the limit that was reached: ``--max-states 1000``; "" for a search that was not stopped."""
    if stop is None:
        return ""
    text = TEXTS[stop.reason]
    return text.format(stop.limit) if stop.limit is not None else text.partition(" {")[0]


def stopped_by(stop: Stop) -> str:
    """The same as the start of a sentence: ``stopped by --max-states 1000``, or ``interrupted``."""
    return stop_text(stop) if stop.interrupted else f"stopped by {stop_text(stop)}"
