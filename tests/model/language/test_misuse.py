"""What an author can do wrong in a model is an error that names the action, the line and the fix."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, cast

import pytest

from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.results import Verdict
from onceproof.model.language import (
    ConfigError,
    Count,
    Model,
    ModelError,
    Optional,
    Sort,
    action,
    always,
    build,
    ending,
    exists,
    fault,
    field,
    given,
    require,
)
from onceproof.model.protocol.system import PROTOCOL


class Color(Enum):
    RED, GREEN = range(2)


class Taste(Enum):
    SWEET, SOUR = range(2)


class Door(Sort, default=2):
    """A door."""


class Key(Sort, default=2):
    """A key."""


FIELDS = {
    "__name__": "house",
    "color": field(Door, Color),
    "opened_by": field(Door, Optional[Key]),
    "fits": field(Key, Door, bool),
    "tries": field(Key, Count(2)),
    "steps": field(Count(3)),
    "built": field(Door, Color, constant=True),
}


def write_undeclared(st: Any, door: Door) -> None:
    st.colour = Color.RED


def read_undeclared(st: Any, door: Door) -> None:
    require(st.colour[door] == Color.RED)


def write_wrong_enum(st: Any, door: Door) -> None:
    st.color[door] = Taste.SOUR


def compare_wrong_enum(st: Any, door: Door) -> None:
    require(st.color[door] == Taste.SOUR)


def truth_of_index(st: Any, door: Door) -> None:
    opener = st.opened_by[door]
    require(opener is not None)
    require(opener)


def truth_of_enum(st: Any, door: Door) -> None:
    if st.color[door]:
        st.color[door] = Color.RED


def truth_of_number(st: Any, key: Key) -> None:
    if st.tries[key]:
        st.tries[key] = 0


def mix_sorts(st: Any, door: Door, key: Key) -> None:
    require(door == key)  # type: ignore[comparison-overlap]


def wrong_sort_as_index(st: Any, door: Door, key: Key) -> None:
    st.color[key] = Color.RED


def wrong_number_of_indices(st: Any, door: Door) -> None:
    st.fits[door] = True


def write_constant(st: Any, door: Door) -> None:
    st.built[door] = Color.GREEN


def write_whole_array(st: Any, door: Door) -> None:
    st.color = Color.RED


def not_by_tilde(st: Any, key: Key, door: Door) -> None:
    require(~st.fits[key, door])


def write_key_as_bool(st: Any, key: Key, door: Door) -> None:
    st.fits[key, door] = key


def number_as_index(st: Any, door: Door) -> None:
    st.opened_by[door] = 0


def arithmetic_on_index(st: Any, key: Key) -> None:
    st.tries[key + 1] = 0  # type: ignore[operator]


def maximum(st: Any, key: Key) -> None:
    st.tries[key] = max(st.tries[key], st.color)


def index_by_enum_in_dict(st: Any, door: Door) -> None:
    st.color[door] = {Color.RED: Color.GREEN, Color.GREEN: Color.RED}[st.color[door]]


def is_an_enum_member(st: Any, door: Door) -> None:
    require(st.color[door] is Color.RED)


def is_not_another(st: Any, door: Door) -> None:
    st.color[door] = Color.RED if st.color[door] is not Color.GREEN else Color.GREEN


def is_in_a_helper(st: Any, key: Key, door: Door) -> None:
    st.tries[key] = 1 if same(st.fits[key, door], True) else 0


def same(one: object, other: object) -> bool:
    return one is other


def value_of_enum(st: Any, door: Door) -> None:
    require(st.color[door].value > 0)


def order_of_elements(st: Any, key: Key, other: Key) -> None:
    require(key < other)  # type: ignore[operator]


def power(st: Any, key: Key) -> None:
    st.tries[key] = (st.tries[key] + 1) ** 2


def text_of_enum(st: Any, door: Door) -> None:
    require(str(st.color[door]) == "Color.RED")


def text_of_number(st: Any, key: Key) -> None:
    require(f"{st.tries[key]}" == "0")


def kind_of_value(st: Any, key: Key, door: Door) -> None:
    require(isinstance(st.fits[key, door], bool))


def truth_of_array(st: Any, key: Key) -> None:
    if st.tries:
        st.tries[key] = 0


def array_compared(st: Any, key: Key) -> None:
    st.tries[key] = 1 if st.color == Color.RED else 0


def element_by_number(st: Any, key: Key) -> None:
    require(key == 0)  # type: ignore[comparison-overlap]


def loop_without_end(st: Any, key: Key) -> None:
    while st.tries[key] < 3:
        st.tries[key] = st.tries[key] + 1


def write_in_quantifier(st: Any, door: Door) -> None:
    require(exists(Key, lambda key: unlocked(st, key, door)))


def unlocked(st: Any, key: Key, door: Door) -> bool:
    st.fits[key, door] = True
    return True


MISUSES = [
    (write_undeclared, "no field `colour`; did you mean `color`"),
    (read_undeclared, "no field `colour`; did you mean `color`"),
    (write_wrong_enum, "expected a Color (RED, GREEN), found <Taste.SOUR"),
    (compare_wrong_enum, "a Color is compared with <Taste.SOUR"),
    (truth_of_index, "expected a condition, found a Key, which has no truth"),
    (truth_of_enum, "an enum value has no truth"),
    (truth_of_number, "a number has no truth"),
    (mix_sorts, "a Door is compared with a Key"),
    (wrong_sort_as_index, "`color` is indexed by [Door], found a Key"),
    (wrong_number_of_indices, "`fits` is indexed by [Key, Door], found 1 indices"),
    (write_constant, "`built` is constant"),
    (write_whole_array, "`color` is an array"),
    (not_by_tilde, "write `not`"),
    (write_key_as_bool, "expected a condition, found a Key"),
    (number_as_index, "expected a Key or None, found 0"),
    (arithmetic_on_index, "an index does not allow this"),
    (maximum, "`color` is an array"),
    (index_by_enum_in_dict, "not a key of a dictionary"),
    (is_an_enum_member, "write `==` or `!=`"),
    (is_not_another, "write `==` or `!=`"),
    (value_of_enum, "an enum value has no `value`"),
    (order_of_elements, "for an order declare `class Node(Sort, ordered=True)`"),
    (power, "a number does not allow this"),
    (text_of_enum, "an enum value has no text"),
    (text_of_number, "a number has no text"),
    (kind_of_value, "`isinstance` asks what Python object there is"),
    (truth_of_array, "`tries` is an array: read one of its cells, st.tries[key]"),
    (array_compared, "`color` is an array: read one of its cells, st.color[door]"),
    (element_by_number, "a Key is compared with 0: elements are compared"),
    (loop_without_end, "a `while` that asks the state need not end"),
    (write_in_quantifier, "a quantifier must not write"),
]


@pytest.mark.parametrize(("function", "message"), MISUSES, ids=lambda value: getattr(value, "__name__", ""))
def test_misuse_in_an_action_is_refused_with_its_line(function: Callable[..., None], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        build(Model("house", {**FIELDS, function.__name__: action(function)}))
    text = str(caught.value)
    assert text.startswith(f"action `{function.__name__}`, test_misuse.py:"), text
    line = int(text.split(":")[1])
    first = function.__code__.co_firstlineno
    assert first < line <= max(number for *_, number in function.__code__.co_lines() if number)
    assert message in text


def test_property_must_return_a_condition() -> None:
    def odd(st: Any, key: Key) -> bool:
        return st.tries[key]

    system = build(Model("house", {**FIELDS, "odd": always(odd)}))
    with pytest.raises(ModelError, match=r"property `odd`.*must return a condition"):
        system.property_reading(system.model.properties["odd"])
    with pytest.raises(ModelError, match=r"property `odd`, test_misuse.py.*has no truth"):
        system.holds(system.model.properties["odd"], system.initial, (0,))


def test_parameter_without_a_sort_is_refused() -> None:
    with pytest.raises(ModelError, match="parameter `door` of `opened` needs a sort"):

        @action
        def opened(st, door) -> None:  # type: ignore[no-untyped-def]
            pass


def requires(st: Any, key: Key) -> bool:
    require(st.tries[key] > 0)
    return True


@pytest.mark.parametrize("engine", ["plain", "direct"])
def test_require_in_a_property_is_refused(engine: str) -> None:
    system = build(Model("house", {**FIELDS, "open": action(write_nothing), "odd": always(requires)}))
    with pytest.raises(ModelError, match=r"property `odd`, test_misuse.py:\d+(:\d+)?: `require` is the guard"):
        explicit.check(system, engine=engine)


@pytest.mark.parametrize("engine", ["plain", "direct"])
@pytest.mark.parametrize("claim", [lambda st: not st.fits, lambda st: st.fits != 1], ids=["truth", "compared"])
def test_property_of_a_whole_array_is_refused(engine: str, claim: Callable[..., bool]) -> None:
    system = build(Model("house", {**FIELDS, "open": action(write_nothing), "odd": always(claim)}))
    with pytest.raises(
        ModelError, match=r"property `odd`, test_misuse.py:\d+(:\d+)?: `fits` is an array: read one of its cells"
    ):
        explicit.check(system, engine=engine)


def write_nothing(st: Any, key: Key) -> None:
    st.tries[key] = st.tries[key]


def presupposes(st: Any, key: Key) -> None:
    given(st.tries[key] > 0)
    st.tries[key] = 0


def test_given_in_an_action_is_refused() -> None:
    with pytest.raises(ModelError, match=r"action `odd`, test_misuse.py:\d+:\d+: .*guard of an action is `require`"):
        build(Model("house", {**FIELDS, "odd": action(presupposes)}))


async def later(st: Any, key: Key) -> None:
    st.tries[key] = 0


def by_and_by(st: Any, key: Key) -> Iterator[Any]:
    yield st.tries[key]


def stateless() -> None:
    pass


def any_number(st: Any, *keys: Key) -> None:
    pass


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: action(later), "`later` must be a plain function"),  # type: ignore[arg-type]
        (lambda: action(by_and_by), "`by_and_by` must be a plain function"),  # type: ignore[arg-type]
        (lambda: action(stateless), r"`stateless` needs a first parameter for the state: stateless\(st\)"),
        (lambda: action(any_number), r"parameter `\*keys.*` of `any_number` must be a plain one"),
        (lambda: field(Count(cast(int, "2"))), r"Count\(n\): expected a whole number from 1 to 10,000, found '2'"),
        (lambda: field(Count(10**7)), r"Count\(n\): expected a whole number from 1 to 10,000, found 10000000"),
        (lambda: field(Count(0)), "a field holds bool, an Enum, a Sort"),
        (lambda: field(cast(Any, Enum("Nothing", []))), "a field holds bool, an Enum, a Sort"),
        (lambda: declared_sort(default=0), "sort `Hall`: its default must be .* found 0"),
        (lambda: house(_color=field(bool)), "a field, a switch or a parameter cannot be called `_color`"),
        (lambda: house(left_of_go=field(bool)), "a field, a switch or a parameter cannot be called `left_of_go`"),
        (lambda: house(one=ending(write_nothing), two=ending(requires)), "`one` and `two` are both an @ending"),
        (lambda: house(odd=always(broken_by=("fire",))(requires)), "broken by an unknown fault `fire`"),
        (lambda: build(house(odd=field(bool, init=1))), "field `odd`, its init: expected True or False, found 1"),
        (lambda: build(house(odd=field(Key, bool, init=cast(Any, lambda: True)))), "field `odd`, its init: TypeError"),
        (lambda: build(house(odd=always(when=lambda c: c.fire)(requires))).properties(), "`odd`.*: its `when`"),
    ],
)
def test_meaningless_declaration_is_refused(declare: Callable[[], object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        declare()


def declared_sort(default: int) -> type[Sort]:
    class Hall(Sort, default=default):
        """A hall."""

    return Hall


def house(**more: object) -> Model:
    return Model("house", {**FIELDS, **more})


@pytest.mark.parametrize(
    ("sizes", "budgets", "message"),
    [
        ({"keys": 100_000}, {}, "too large: `fits` has 200,000 combinations of elements, and 100,000 are the most"),
        ({}, {"write_nothing": 10**9}, "the budget of `write_nothing` is at most 10,000, or `any`"),
    ],
)
def test_sizes_beyond_every_engine_are_refused(
    sizes: dict[str, int], budgets: dict[str, int | None], message: str
) -> None:
    model = house(same=always(two_keys), lose=fault(write_nothing))
    with pytest.raises(ConfigError, match=message):
        model.configure(sizes, {}, budgets)


def two_keys(st: Any, one: Key, other: Key) -> bool:
    return st.tries[one] == st.tries[other]


def test_name_declared_twice_is_refused() -> None:
    with pytest.raises(ModelError, match=r"`color` is declared twice, in test_misuse.py:\d+ and in test_misuse.py:\d+"):
        Model("house", FIELDS, {"__name__": "garden", "color": field(Door, bool)})


@pytest.mark.parametrize(
    ("sizes", "switches", "budgets", "message"),
    [
        ({"task": 2}, {}, {}, "unknown size `task`; did you mean `tasks`?"),
        ({"tasks": 0}, {}, {}, "size `tasks` must be a whole number of at least 1, found 0"),
        ({"tasks": "two"}, {}, {}, "size `tasks` must be a whole number of at least 1, found 'two'"),
        ({"tasks": True}, {}, {}, "size `tasks` must be a whole number of at least 1, found True"),
        ({}, {"renewals": False}, {}, "unknown mechanism `renewals`; did you mean `renewal`?"),
        ({}, {"renewal": 1}, {}, "mechanism `renewal` is on or off, found 1"),
        ({}, {}, {"shceduler_crash": 1}, "unknown fault `shceduler_crash`; did you mean `scheduler_crash`?"),
        ({}, {}, {"scheduler_crash": -1}, "the budget of `scheduler_crash` must be a whole number or `any`"),
        ({}, {"idempotent_relay": False}, {"relay_crash": None}, "say how many: sizes.messages"),
    ],
)
def test_configuration_unknown_to_the_model_is_refused(
    sizes: dict[str, int], switches: dict[str, bool], budgets: dict[str, int | None], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        PROTOCOL.configure(sizes, switches, budgets)
    assert message in str(caught.value)


def test_sum_over_two_hundred_elements_is_not_too_deep() -> None:
    """Two hundred summands are no deeper than two."""
    system = build(house(open=action(write_nothing), few=always(few_tries)), house().configure({"keys": 200}))
    assert explicit.check(system).verdict is Verdict.HOLDS


def few_tries(st: Any) -> bool:
    return sum(st.tries[key] for key in Key) < 3


def test_running_a_function_refuses_a_wrong_value() -> None:
    """A wrong value is found on values too, in the state where it is written."""

    def spoil(st: Any, door: Door) -> None:
        st.color[door] = Taste.SOUR

    system = build(Model("house", FIELDS))
    system.actions["spoil"] = action(spoil)
    with pytest.raises(ModelError, match=r"action `spoil`, test_misuse.py:\d+: `color`: expected a Color"):
        system._run("spoil", system.initial, (0,))
