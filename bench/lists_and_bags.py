"""How fast the compiled engine explores lists and bags, beside the same model with hand-made ones of flat cells.

`python -m bench.lists_and_bags [--nodes N] [--runs N] [--json]`: both find the same states; the ratio is that of their
speeds.
"""

import argparse
import json
import sys
import time
from typing import Any

from onceproof import Bag, Count, Model, Optional, Seq, Sort, action, build, field, require
from onceproof.model.checker import compiled
from onceproof.model.checker.results import Limits

LEAST = 0.5  # of the speed of flat cells


class Node(Sort, default=4):
    """Who has a channel."""


class Value(Sort, default=3):
    """What is sent."""


def lists() -> Model:
    """Channels that are lists, and a bag of what was delivered."""
    chan = field(Node, Seq(Value, 3))
    delivered = field(Bag(Value, 1))

    @action
    def send(st: Any, node: Node, value: Value) -> None:
        require(len(st.chan[node]) < 3)
        st.chan[node].append(value)

    @action
    def receive(st: Any, node: Node) -> None:
        require(len(st.chan[node]) > 0)
        value = st.chan[node].pop(0)
        if value in st.delivered:
            st.delivered.remove(value)
        else:
            st.delivered.add(value)

    names = {"chan": chan, "delivered": delivered, "send": send, "receive": receive, "__name__": "lists"}
    return Model("lists", names)


def flat() -> Model:
    """The same by hand: a cell for each place of a channel, and a count for each value."""
    one, two, three = (field(Node, Optional[Value]) for _ in range(3))
    delivered = field(Value, Count(1))

    @action
    def send(st: Any, node: Node, value: Value) -> None:
        require(st.three[node] is None)
        if st.one[node] is None:
            st.one[node] = value
        elif st.two[node] is None:
            st.two[node] = value
        else:
            st.three[node] = value

    @action
    def receive(st: Any, node: Node) -> None:
        value = st.one[node]
        require(value is not None)
        st.one[node], st.two[node], st.three[node] = st.two[node], st.three[node], None
        st.delivered[value] = 0 if st.delivered[value] == 1 else 1

    fields = {"one": one, "two": two, "three": three, "delivered": delivered}
    return Model("flat", {**fields, "send": send, "receive": receive, "__name__": "flat"})


def speed(model: Model, nodes: int, runs: int) -> dict[str, Any]:
    """States and transitions, and the best of some runs in transitions a second of processor time."""
    system = build(model, model.configure(sizes={"nodes": nodes}))
    times = []
    for _ in range(runs):
        start = time.process_time()  # of this process: others may keep the machine busy
        found = compiled.check(system, [], Limits(), symmetry=False, workers=1)
        times.append(time.process_time() - start)
    return {
        "model": model.name,
        "states": found.states,
        "transitions": found.transitions,
        "seconds": round(min(times), 3),
        "transitions_per_second": round(found.transitions / min(times)),
    }


def main() -> None:
    """Prints a line for each model, and the ratio; exit status 1 where it is below half."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [speed(model(), options.nodes, options.runs) for model in (lists, flat)]
    ratio = rows[0]["transitions_per_second"] / rows[1]["transitions_per_second"]
    if options.json:
        print(json.dumps({"rows": rows, "ratio": round(ratio, 2)}))
    else:
        for row in rows:
            print(
                f"{row['model']:6} {row['states']:>10,} states {row['transitions']:>11,} transitions "
                f"{row['seconds']:>8.2f} s {row['transitions_per_second']:>12,} transitions/s"
            )
        print(f"lists and bags explore at {ratio:.2f} of the speed of flat cells")
    sys.exit(ratio < LEAST)


if __name__ == "__main__":
    main()
