"""State classes: what a model declares by them, and what they refuse."""

from typing import TYPE_CHECKING, Any

import pytest

from onceproof.model.checker.engines import check
from onceproof.model.language import Model, ModelError, Sort, State, action, always, build, field, require, switch
from onceproof.model.language.arguments import parameters_of
from onceproof.model.protocol.system import PROTOCOL

if TYPE_CHECKING:
    from onceproof.model.protocol.state import Platform


class Worker(Sort, default=2):
    """A process."""


class Lease(State):
    """A lock."""

    fenced = switch(on="on", off="off")
    locked = field(bool)
    writing = field(Worker, bool)


class Audit(State, component="auditor"):
    """What is noted."""

    writes = field(Worker, bool, ghost=True)


class Both(Lease, Audit):
    """All of it."""

    last = field(bool)


@action
def acquire(st: Both, worker: Worker) -> None:
    """A worker takes the lock."""
    require(not st.locked)
    st.locked = st.writing[worker] = st.writes[worker] = True


@always
def one_writer(st: Lease, one: Worker, other: Worker) -> bool:
    """No two."""
    return one == other or not (st.writing[one] and st.writing[other])


@action
def waits(st: "Platform", worker: "Worker") -> None:
    """Its state class is there for checkers only."""


def test_fields_and_switches_of_a_state_class_are_those_of_its_file() -> None:
    names = {"__name__": __name__, "Lease": Lease, "acquire": acquire}
    model = Model("lease", {**names, "Audit": Audit})
    assert list(model.fields) == ["locked", "writing", "writes"]
    assert list(model.switches) == ["fenced"]
    assert [model.fields[name].component for name in model.fields] == ["test_state", "test_state", "auditor"]
    assert (model.fields["writing"].name, model.fields["writing"].indices) == ("writing", (Worker,))


def test_a_class_made_of_others_declares_what_they_declare_in_their_order() -> None:
    model = Model("both", {"__name__": "both", "Both": Both, "acquire": acquire, "one_writer": one_writer})
    assert list(model.fields) == ["locked", "writing", "writes", "last"]
    assert check(build(model)).states == 3


def test_a_state_class_by_itself_is_a_component() -> None:
    assert list(Model("both", Both, {"__name__": "steps", "acquire": acquire}).fields) == [
        *("locked", "writing", "writes", "last")
    ]


def test_a_class_that_is_imported_belongs_to_the_component_that_defines_it() -> None:
    user = {"__name__": "user", "Lease": Lease, "acquire": acquire}
    home = {"__name__": __name__, "Both": Both, "Lease": Lease}
    model = Model("both", user, home)
    assert {model.fields[name].component for name in ("locked", "writing", "last")} == {"test_state"}


def test_protocol_has_the_components_of_its_files() -> None:
    assert PROTOCOL.fields["stage"].component == PROTOCOL.actions["lapse"].component == "queue"
    assert PROTOCOL.switches["atomic_admission"].component == "api_server"
    assert list(PROTOCOL.fields)[:3] == ["call", "post", "admitting"]


def test_a_field_of_two_classes_is_refused() -> None:
    other = type("Other", (State,), {"locked": field(bool)})
    with pytest.raises(ModelError, match="`locked` is declared twice"):
        Model("twice", {"__name__": "twice", "Lease": Lease, "Other": other})


def test_annotation_of_the_state_is_not_evaluated() -> None:
    assert [parameter.sort for parameter in waits.parameters] == [Worker]


def test_annotation_that_means_nothing_is_refused() -> None:
    def step(st: Any, worker: "Wrker") -> None:  # type: ignore[name-defined]  # noqa: F821
        """Misspelt."""

    with pytest.raises(ModelError, match=r"annotation `Wrker` of parameter `worker` of `step` .*name 'Wrker' is not"):
        parameters_of(step)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"locked": False}, "`locked` in state class `Odd` is no field: write `locked = field"),
        ({"__annotations__": {"locked": bool}}, "`locked` in state class `Odd` is no field: write `locked = field"),
        (
            {"free": lambda st: True},
            "`free` in state class `Odd`: a state class holds fields, switches and parameters;",
        ),
        (
            {"acquire": acquire},
            "`acquire` in state class `Odd`: a state class holds fields, switches and parameters;",
        ),
        ({"Stage": int}, "`Stage` in state class `Odd`: a state class holds fields, switches and parameters;"),
    ],
)
def test_what_is_no_field_is_refused(names: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        type("Odd", (State,), names)
