"""The exported TLA+ has the states and invariants of the model, by the count of an independent reader."""

from typing import Any

import pytest

from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.tla.export import export
from onceproof.model.language import Count, Model, ModelError, Optional, Sort, System, action, build, field
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.model.checker.tla.tla_grammar import check_module
from tests.model.checker.tla.tla_reader import Module
from tests.models.jugs import JUGS
from tests.models.philosophers import PHILOSOPHERS


def states_of(system: System, most: int) -> set[PackedState] | None:
    """All reachable states; None where there are more than that."""
    generated = GeneratedSystem(system)
    seen = {system.initial}
    queue = [system.initial]
    for state in queue:
        for _, after in generated.successors(state):
            if after not in seen:
                seen.add(after)
                queue.append(after)
        if len(seen) > most:
            return None
    return seen


def violations(system: System, states: set[PackedState]) -> dict[str, int]:
    """For each invariant in how many states it is false."""
    claims = [claim for claim in system.properties() if claim.kind == "always"]
    return {
        claim.name: sum(
            any(system.holds(claim, state, arguments) is False for arguments in system.instances(claim))
            for state in states
        )
        for claim in claims
    }


def compare(system: System, most: int) -> bool:
    """Exported and read again there are as many states, and as many that violate each invariant."""
    expected = states_of(system, most)
    if expected is None:
        return False
    exported = export(system, "some spec", system.properties())
    text, configuration = exported.module, exported.configuration
    check_module(text)
    module = Module(text.split("\nvars == ")[0])  # the reader counts states; runs without end are not its business
    found = module.reachable()
    assert len(found) == len(expected)
    wrong = violations(system, expected)
    assert {name: sum(not module.true_in(name, state) for state in found) for name in wrong} == wrong
    assert ("SPECIFICATION Spec" in configuration) == any(claim.is_liveness for claim in system.properties())
    invariants = [line.split()[1] for line in configuration.splitlines() if line.startswith("INVARIANT")]
    assert invariants == ["TypeOK", *wrong, "NoDeadlock"]
    return True


@pytest.mark.parametrize("start", range(0, 80, 20))
def test_random_models_have_as_many_states_in_tla(start: int) -> None:
    assert sum(compare(random_system(seed), 300) for seed in range(start, start + 20)) > 8


def test_the_jugs_have_sixteen_states_in_tla() -> None:
    exported = export(build(JUGS), "Die Hard", [])
    text, configuration = exported.module, exported.configuration
    assert len(Module(text).reachable()) == 16
    assert text.startswith("---- MODULE Die_Hard ----\nEXTENDS Integers\n")
    remarks = "".join(f"\\* {remark}\n" for remark in exported.remarks)
    assert configuration == f"{remarks}INIT Init\nNEXT Next\nINVARIANT TypeOK\nINVARIANT RangesKept\n"


@pytest.mark.parametrize(
    ("switches", "budgets"),
    [({}, {}), ({"agent_dedup": False, "atomic_admission": False}, {"agent_crash": 1}), ({}, {"scheduler_pause": 1})],
)
def test_the_protocol_has_as_many_states_in_tla(switches: dict[str, bool], budgets: dict[str, int | None]) -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"agents": 1}, switches, budgets))
    assert compare(system, 6000)


def test_every_action_keeps_its_name_in_tla_and_is_short() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({}, {}, {"agent_crash": 1, "scheduler_crash": 1}))
    text = export(system, "protocol", []).module
    for name, taken in system.actions.items():
        body = text.split(f"\n{name}(", 1)[1].split("\n\n", 1)[0] if f"\n{name}(" in text else ""
        assert body or not system.readings[name].paths
        assert len(body.splitlines()) <= 20, taken.name


def test_liveness_and_fairness_are_exported_to_tla() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1}))
    exported = export(system, "protocol", system.properties())
    text, configuration = exported.module, exported.configuration
    check_module(text)
    assert "no_lost_task ==\n  \\A task \\in Task : (" in text and ") ~> (" in text
    assert "WF_vars(receive(scheduler, message))" in text
    assert "WF_vars(scheduler_crash" not in text
    assert "WF_vars(submit" not in text
    assert "PROPERTY no_lost_task" in configuration and "SPECIFICATION Spec" in configuration
    philosophers = build(PHILOSOPHERS)
    strong = export(philosophers, "philosophers", philosophers.properties()).module
    check_module(strong)
    assert "SF_vars(eat(philosopher))" in strong
    assert compare(philosophers, 100)


class Box(Sort, default=2):
    """Where things are."""


def put(st: Any, box: Box) -> None:
    st.full[box] = True


def model(**more: object) -> System:
    return build(Model("boxes", {"__name__": "boxes", "full": field(Box, bool), "put": action(put), **more}))


def test_tla_type_invariant_has_all_variables() -> None:
    fields = {"last": field(Optional[Box]), "held": field(Box, Box, Count(2)), "first": field(Box)}
    system = model(**fields, fill=action(fill))
    assert export(system, "boxes", []).module.split("TypeOK ==\n")[1].split("\n\n")[0].splitlines() == [
        "  /\\ full \\in [Box -> BOOLEAN]",
        "  /\\ last \\in Box \\cup {None}",
        "  /\\ held \\in [Box -> [Box -> 0..2]]",
        "  /\\ first \\in Box",
    ]


def fill(st: Any, box: Box) -> None:
    st.last = st.first = box
    st.held[box, box] += 1


@pytest.mark.parametrize("name", ["Init", "Next", "CHOOSE", "vars", "Can_put", "größe"])
def test_name_reserved_by_tla_is_changed(name: str) -> None:
    with pytest.raises(ModelError, match=f"`{name}` cannot be called that in TLA"):
        export(model(**{name: field(bool)}), "boxes", [])


def test_parameter_with_a_name_that_tla_has_not_is_called_otherwise() -> None:
    def mark(st: Any, _: Box, größe: Box) -> None:
        st.full[_] = st.full[größe]

    mark.__annotations__ = {"_": Box, "größe": Box}
    text = export(model(mark=action(mark)), "boxes", []).module
    check_module(text)
    assert "mark(i, i_) ==" in text


@pytest.mark.parametrize(("name", "module"), [("a__b_", "a__b_"), ("2pc", "2pc"), ("a spec-2", "a_spec_2")])
def test_tla_module_is_named_like_its_file(name: str, module: str) -> None:
    assert export(model(), name, []).module.startswith(f"---- MODULE {module} ----\n")
