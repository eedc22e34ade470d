"""The file that the author of a driver starts from: every action and field of a model as a stub, with its sentence."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from onceproof.model.language import System
from onceproof.model.language.declare import Action
from onceproof.model.language.layout import LEFT, Place, element_key

WIDTH = 116  # of a line of the stub
VALUES = 8  # so many values of a cell are listed

HEAD = '''"""Drives ... along the model `{model}`.

Write the body of a method and delete its `@todo`; from then on it takes part. At any time:

    onceproof driver check "python3 {file}" {spec}
    onceproof replay --cover {spec} --driver "python3 {file}"
"""

from onceproof.driver import Cells, Driver, Setting, run, todo


class {name}(Driver):
    """... what the system is, in one sentence.

    A `do_` method performs an action and returns when it has taken effect; it raises `Refused(reason)` where the system
    does not take the step, and `Uncertain(reason)` where nobody can know. A `see_` method reads a field; a cell that it
    leaves out counts as what the model declares it to start with, the first one of those listed unless it says so.
    With `deaths`, `refusals` and `self.point()` it takes part in `--crash-points` and `--store-failures`; `data` tells
    what payloads and results it holds (conformance/PROTOCOL.md).
    """

    settle = 0.0  # seconds for which the state may still change after a step
{mechanisms}
    def reset(self, setting: Setting) -> None:
        """Bring the system to its initial state; called before each run.

        `self.start("command", ready="text that it prints")` starts a process, which is ended for you.
        """
        raise NotImplementedError
'''

TAIL = """

if __name__ == "__main__":
    run({name})
"""


def stub(system: System, name: str, file: str, spec: str) -> str:
    """The text of a driver for a system. name: of its class; file and spec: as its commands call them."""
    mechanisms = list(_mechanisms(system))
    parts = [HEAD.format(model=system.model.name, name=name, file=file, spec=spec, mechanisms="\n".join(mechanisms))]
    for action in system.actions.values():
        parts.append(_method(f"do_{action.name}", _parameters(action), "None", _about(action)))
    for place in system.layout.places.values():
        if not place.name.startswith(LEFT) and place.field is not None and not place.field.ghost:
            result = "Cells" if place.shape else "object"
            parts.append(_method(f"see_{place.name}", [], result, _cells(system, place)))
    return "\n".join(parts) + TAIL.format(name=name)


def _mechanisms(system: System) -> Iterator[str]:
    if not system.config.switches:
        return
    yield ""
    yield "    # What the system has (True), and what it lacks (False); delete what this driver says nothing of."
    yield "    mechanisms = {"
    for name, switch in system.model.switches.items():
        claim = f"        {json.dumps(name)}: {system.config.switches[name]},"
        if len(claim) + len(switch.on) + 4 > WIDTH:
            yield from (f"        # {line}" for line in textwrap.wrap(switch.on, WIDTH - 10))
            yield claim
        else:
            yield f"{claim}  # {switch.on}"
    yield "    }"
    yield ""


def _parameters(action: Action) -> list[str]:
    return [f"{parameter.name}: str" for parameter in action.parameters]


def _about(action: Action) -> str:
    kind = "A fault: " if action.fault else ""
    return f"{kind}{' '.join(action.doc.split()) or action.name}"


def _cells(system: System, place: Place) -> str:
    codes = sorted(range(place.cardinality), key=lambda code: code != system.layout.initial[place.offset])
    values = [str(place.kind.show(code)) for code in codes[:VALUES]] + ["..."] * (place.cardinality > VALUES)
    listed = ", ".join(values[:-1]) + f" or {values[-1]}" if len(values) > 1 else values[0]
    about = f" ({place.field.doc})" if place.field is not None and place.field.doc else ""
    if not place.shape:
        return f"The field `{place.name}`{about}: {listed}."
    key = ", ".join(json.dumps(part) for part in element_key(place, next(place.all_indices())).split(","))
    index = f"({key})" if len(place.shape) > 1 else key
    return f"The field `{place.name}`{about}, {{{index}: value}}: {listed}."


def _method(name: str, parameters: list[str], result: str, about: str) -> str:
    lines = textwrap.wrap(about, WIDTH - 11)
    doc = f'"""{lines[0]}"""' if len(lines) == 1 else '"""' + "\n        ".join([*lines, '"""'])
    signature = ", ".join(["self", *parameters])
    return f"    @todo\n    def {name}({signature}) -> {result}:\n        {doc}\n        raise NotImplementedError\n"
