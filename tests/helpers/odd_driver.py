"""A driver of a system with one action, which goes wrong in the way that its argument names."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

MODE = sys.argv[1]
PERFORMS = {"unknown-action": ["submit", "submitt"], "performs-nothing": []}.get(MODE, ["submit"])
OBSERVES = {"unknown-field": ["call", "cal"]}.get(MODE, ["call"])

SAYS: dict[str, Any] = {
    "interrupts-a-list": {"interruptions": ["submit"]},
    "interrupts-numbers": {"interruptions": {"deaths": {"submit": 1}}},
    "interrupts-what": {"interruptions": {"deaths": {"submitt": ""}}},
    "interrupts-by-what": {"interruptions": {"deaths": {"submit": "api_crush"}}},
    "interrupts-whatever": {"interruptions": {"deaths": {"submit": ""}}},
}
DATA: dict[str, Any] = {"data-list": [], "data-texts": {"payload": "x"}, "data-number": {"payload": {"wanted": 1}}}

sent: dict[str, str] = {}
FLAG = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
slips: list[dict[str, str]] = []


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def result(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "reset":
        sent.clear()
        return {
            **SAYS.get(MODE, {}),
            "ok": True,
            "protocol": 2 if MODE == "version" else 1,
            "performs": "all" if MODE == "no-list" else PERFORMS,
            "observes": OBSERVES,
        }
    if request["do"] == "step":
        key = ",".join(request["arguments"].values())
        if MODE == "refuses-all":
            return {"ok": False, "error": "not today", "definite": True}
        if MODE == "no-reason":
            return {"ok": False}
        if MODE == "uncertain":
            return {"ok": False, "error": "the line broke", "definite": False}
        if request["action"] != "submit" or key in sent:
            return {"ok": False, "error": "no", "definite": True}
        sent[key] = "WAITING"
        if MODE == "stalls-once" and not FLAG.exists():
            FLAG.touch()
            time.sleep(1000)
        return {"ok": True}
    if request["do"] == "interrupt":
        return {"ok": True}
    if request["do"] == "observe":
        if MODE == "unknown-value":
            return {"ok": True, "state": {"call": {"task1,submission1": "WAITIN"}}}
        if MODE == "no-state":
            return {"ok": True}
        if MODE == "forgets" and sent:
            return {"ok": True, "state": {}}
        if MODE == "forgets-once" and sent and not slips:
            slips.append(dict(sent))
            return {"ok": True, "state": {}}
        return {"ok": True, "state": {"call": sent}, **({"data": DATA[MODE]} if MODE in DATA else {})}
    return {"ok": request["do"] == "quit"} if request["do"] == "quit" else {"ok": False, "error": "?"}


def main() -> None:
    if MODE == "floods-stderr":
        sys.stderr.write("words without end\n" * 200_000)
    if MODE == "speaks-first":
        write("ready!\n")
    for line in sys.stdin:
        request = json.loads(line)
        answer = json.dumps({"id": request["id"], **result(request)}) + "\n"
        if MODE == "garbage":
            write("Segmentation fault\n")
        elif MODE == "no-object":
            write("[1, 2]\n")
        elif MODE == "no-ok":
            write(json.dumps({"id": request["id"]}) + "\n")
        elif MODE == "never" or (MODE == "late" and request["do"] == "step"):
            time.sleep(3600)
        elif MODE == "exits" and request["do"] == "step":
            sys.stderr.write("out of luck\n")
            sys.exit(7)
        elif MODE == "killed" and request["do"] == "step":
            os.kill(os.getpid(), 9)
        elif MODE == "closes" and request["do"] == "step":
            os.close(1)
            time.sleep(3600)
        elif MODE == "twice":
            write(answer * 2)
        elif MODE == "out-of-order":
            write(json.dumps({"id": request["id"] + 1, "ok": True}) + "\n")
        elif MODE == "true-id":
            write(json.dumps({"id": True, "ok": True}) + "\n")
        elif MODE == "endless-line":
            write("x" * 5_000_000)
        elif MODE == "half-a-line":
            write(answer.rstrip())
            sys.exit(0)
        elif MODE == "deep":
            write("[" * 100_000 + "\n")
        elif MODE == "stays" and request["do"] == "quit":
            write(answer)
            time.sleep(3600)
        else:
            write(answer)


main()
