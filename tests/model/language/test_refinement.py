"""Refinement: what a mapping is, what it must not be, and how the abstract model is set."""

from collections.abc import Callable
from typing import Any

import pytest

from onceproof.model.language import (
    Count,
    Int,
    Model,
    ModelError,
    Optional,
    Sort,
    action,
    build,
    choose_from,
    fault,
    field,
    parameter,
    refines,
    require,
    switch,
)
from onceproof.model.language.refinement import refinement_of


class Light(Sort, default=2):
    """A light."""


@action
def brighten(st: Any) -> None:
    """One more is on."""
    require(st.total < st.most)
    st.total += 1


@fault
def blow(st: Any) -> None:
    """All go out at once."""
    st.total = 0
    st.colour = None


@action
def paint(st: Any, light: Light) -> None:
    """The colour is that of one of them."""
    st.colour = light


NUMBER = Model(
    "number",
    {
        "__name__": "number",
        "total": field(Count(5)),
        "colour": field(Optional[Light]),
        "most": parameter(default=5),
        "brighten": brighten,
        "paint": paint,
        "blow": blow,
    },
)


@action
def switch_on(st: Any, light: Light) -> None:
    """It is switched on."""
    require(not st.on[light] or not st.careful)
    st.on[light] = True
    st.count += 1


@fault
def power_cut(st: Any) -> None:
    """All go out."""
    for light in Light:
        st.on[light] = False
    st.count = 0


def right(st: Any, spec: Any) -> None:
    """What is on counts."""
    spec.total = sum(1 for light in Light if st.on[light])
    spec.colour = None


def lights(mapping: Callable[..., None], abstract: Any = NUMBER, **more: Any) -> Model:
    """A model of lights, with this mapping."""
    return Model(
        "lights",
        {
            "on": field(Light, bool),
            "count": field(Int(0, 9)),
            "careful": switch(on="a light is switched on once", off="again and again"),
            "switch_on": switch_on,
            "power_cut": power_cut,
            "mapped": refines(abstract, mapping),
            **more,
        },
    )


def keeps_all(model: Model, **switches: bool) -> bool:
    """Whether each step from the states that few steps reach is one of the abstract model, and the start its start."""
    system = build(model, model.configure(switches=switches, budgets={"power_cut": 1}))
    refinement = refinement_of(system, model.properties["mapped"])
    states = [system.initial]
    for state in states[:50]:
        states += [after for _, after in system.successors(state)]
    return refinement.starts_well(states[0]) and all(
        refinement.keeps(state, after) for state in states[:50] for _, after in system.successors(state)
    )


def test_steps_are_steps_of_the_abstract_model_or_change_nothing_there() -> None:
    assert keeps_all(lights(right)) and keeps_all(lights(right), careful=False)


def doubled(st: Any, spec: Any) -> None:
    """Each light counts twice."""
    spec.total = 2 * sum(1 for light in Light if st.on[light])
    spec.colour = None


def late(st: Any, spec: Any) -> None:
    """It does not start as the other one."""
    spec.total = 1 + sum(1 for light in Light if st.on[light])
    spec.colour = None


def counted(st: Any, spec: Any) -> None:
    """It leaves the range after five times."""
    spec.total = st.count
    spec.colour = None


def test_two_steps_at_once_are_none() -> None:
    assert not keeps_all(lights(doubled))


def test_start_must_have_the_image_of_a_start() -> None:
    model = lights(late)
    system = build(model)
    refinement = refinement_of(system, model.properties["mapped"])
    assert not refinement.starts_well(system.initial)
    assert refinement.image(system.initial) == (1, 0)


def test_state_has_no_image_where_a_value_leaves_its_range() -> None:
    model = lights(counted)
    system = build(model, model.configure(switches={"careful": False}))
    refinement = refinement_of(system, model.properties["mapped"])
    five, six = ((1, 0, 5), (1, 0, 6))
    assert refinement.image(five) == (5, 0) and refinement.image(six) is None
    assert not refinement.keeps(five, six) and refinement.keeps(six, six)


def test_abstract_model_takes_sizes_and_parameters_of_the_same_name() -> None:
    model = lights(right, most=parameter(default=3))
    system = build(model, model.configure(sizes={"lights": 4}))
    abstract = refinement_of(system, model.properties["mapped"]).abstract
    assert abstract.config.sizes["lights"] == 4 and abstract.config.parameters["most"] == 3
    assert abstract.config.budgets == {"blow": None}


def misses(st: Any, spec: Any) -> None:
    """It forgets the colour."""
    spec.total = 0


def invents(st: Any, spec: Any) -> None:
    """It knows a field that is not there."""
    spec.totl = 0
    spec.colour = None


def reads_what_is_not_there(st: Any, spec: Any) -> None:
    """The same, read."""
    spec.colour = None
    spec.total = spec.number


def writes(st: Any, spec: Any) -> None:
    """It changes the model itself."""
    spec.total = 0
    spec.colour = None
    st.count = 1


def guards(st: Any, spec: Any) -> None:
    """It says when it is good."""
    require(st.count == 0)
    spec.total = 0
    spec.colour = None


def chooses(st: Any, spec: Any) -> None:
    """It leaves something open."""
    spec.total = choose_from([0, 1])
    spec.colour = None


def confuses(st: Any, spec: Any) -> None:
    """A number is no light."""
    spec.total = 0
    spec.colour = st.count


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (misses, "it gives `colour` of `number` no value: write `spec.colour = ...`"),
        (invents, "the abstract model `number` has no field `totl`; did you mean `total`?"),
        (reads_what_is_not_there, "the abstract model `number` has no field `number`"),
        (writes, "a mapping does not change the state of its model: `count` is written"),
        (guards, "a mapping gives every state one abstract state: it has no guards and no choices; use `if`"),
        (chooses, "a mapping gives every state one abstract state: it has no guards and no choices; use `if`"),
        (confuses, "`number.colour`: expected a Light or None, found a number"),
    ],
)
def test_wrong_mapping_is_refused_with_its_place(mapping: Callable[..., None], message: str) -> None:
    model = lights(mapping)
    with pytest.raises(ModelError) as caught:
        refinement_of(build(model), model.properties["mapped"])
    line = mapping.__code__.co_firstlineno
    assert message in str(caught.value)
    assert f"refinement `{mapping.__name__}`, test_refinement.py:" in str(caught.value).replace(
        "mapped", mapping.__name__
    )
    assert int(str(caught.value).split("test_refinement.py:")[1].split(":")[0]) in range(line, line + 6)


@action(budget="times")
def sometimes(st: Any) -> None:
    """So often."""
    st.total = 0


def nothing(st: Any, spec: Any) -> None:
    """A mapping to whatever there is."""


class Other:
    """Declares nothing."""


def another_light() -> type[Sort]:
    """A sort of the same name."""

    class Light(Sort, default=2):
        """Another light."""

    return Light


@pytest.mark.parametrize(
    ("abstract", "message"),
    [
        (Other, "`Other` declares no model: it needs at least a field and an action"),
        (7, "its abstract model `7`: a component is a module, a class or a dictionary, not 7"),
        (
            {"total": field(bool), "sometimes": sometimes},
            "its action `sometimes` has the budget `times`, which no mapping could follow: count in a field",
        ),
        (
            {"lit": field(another_light(), bool), "paint": paint},
            "two sorts are called `Light`",
        ),
    ],
)
def test_abstract_model_that_cannot_be_one_is_refused(abstract: Any, message: str) -> None:
    model = lights(nothing, abstract)
    with pytest.raises(ModelError) as caught:
        refinement_of(build(model), model.properties["mapped"])
    assert message in str(caught.value) and "refinement `mapped`, test_refinement.py:" in str(caught.value)


def test_refinement_is_declared_with_its_abstract_model_once() -> None:
    with pytest.raises(ModelError, match="`right` is no abstract model: write @refines"):
        refines(right)
    with pytest.raises(ModelError, match=r"a mapping is a function, with one @refines.* before it, and not `right`"):
        refines(NUMBER, refines(NUMBER, right))  # type: ignore[call-overload]


def test_mapping_takes_the_two_states_and_nothing_else() -> None:
    with pytest.raises(ModelError, match=r"needs just two parameters, .*: <lambda>\(st, spec\)"):
        refines(NUMBER, lambda st: None)
