"""A model: the declarations of its components, gathered, named and checked; and the configurations that it allows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import partial
from math import prod
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar

from onceproof.model.language.composites import CompositeField, PartOf, kind_under, parts_of
from onceproof.model.language.declare import DEADLOCK, Action, Field, Property, Switch, range_of
from onceproof.model.language.errors import ConfigError, ModelError, nearest
from onceproof.model.language.index_sets import index_set, is_sort, size_of
from onceproof.model.language.initials import INITIALLY, Initial, together
from onceproof.model.language.naming import check_defined_once, declared_twice
from onceproof.model.language.parameters import MOST_PARAMETER, ModelParameter
from onceproof.model.language.sorts import MOST_COUNTED, Index, Maybe, Sort
from onceproof.model.language.state import declarations, declared_in, is_state_class

ANY = None  # a budget without a bound
RESERVED = ("_", "left_of_")  # how no field's name may start: the state's own, and what is left of budgets
MOST_COMBINATIONS = 100_000  # of elements, that a field, an action or a property may have


@dataclass(frozen=True)
class Config:
    """One way to build a model: how many of each sort, which mechanisms are on, how often each fault may happen."""

    sizes: Mapping[str, int]
    switches: Mapping[str, bool]
    budgets: Mapping[str, int | None]  # None: any number of times
    parameters: Mapping[str, int] = attribute(default_factory=dict)

    def names(self) -> SimpleNamespace:
        """All of it under plain names, for the ``when`` of a property; a budget of ``any`` reads as a large number."""
        budgets = {name: 10**9 if left is None else left for name, left in self.budgets.items()}
        return SimpleNamespace(**{**self.switches, **budgets, **self.sizes, **self.parameters})

    def with_switches(self, **changes: bool) -> Config:
        """The same configuration with some mechanisms switched."""
        return replace(self, switches={**self.switches, **changes})

    def with_budgets(self, **changes: int | None) -> Config:
        """The same configuration with some budgets changed."""
        return replace(self, budgets={**self.budgets, **changes})


Derive = Callable[[Config, Mapping[str, int]], Mapping[str, int]]


@dataclass(eq=False)
class Model:
    """A model made of components (modules, classes or dictionaries), in the order given.

    A component declares by its names, and by the attributes of its state classes.

    derive: computes sizes that a user leaves out from the configuration and the sizes that were given.
    together: properties that people ask for together, under one name: ``{"exactly_once": ("once", "not_lost")}``.
    """

    name: str
    components: tuple[Any, ...]
    derive: Derive | None = None
    fields: dict[str, Field] = attribute(default_factory=dict)
    composites: dict[str, CompositeField] = attribute(default_factory=dict)
    switches: dict[str, Switch] = attribute(default_factory=dict)
    actions: dict[str, Action] = attribute(default_factory=dict)
    initials: dict[str, Initial] = attribute(default_factory=dict)
    properties: dict[str, Property] = attribute(default_factory=dict)
    axioms: dict[str, Property] = attribute(default_factory=dict)
    bounds: dict[str, Property] = attribute(default_factory=dict)
    parameters: dict[str, ModelParameter] = attribute(default_factory=dict)
    sorts: dict[str, type[Sort]] = attribute(default_factory=dict)
    together: dict[str, tuple[str, ...]] = attribute(default_factory=dict)

    def __init__(
        self,
        name: str,
        *components: Any,
        derive: Derive | None = None,
        together: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.name, self.components, self.derive = name, components, derive
        self.together = dict(together or {})
        self.composites = {}
        self.fields, self.switches, self.actions, self.properties, self.axioms, self.sorts = {}, {}, {}, {}, {}, {}
        self.parameters, self.initials, self.bounds = {}, {}, {}
        for component in components:
            self._gather(component, only_own=True)
        for component in components:  # a state class that a component imports, and that no component defines
            self._gather(component)
        self._gather_sorts()
        self._check()

    def _gather(self, component: Any, only_own: bool = False) -> None:
        default, names = _namespace(component)
        home = str(names.get("__name__") or names.get("__module__", "")) if only_own else None
        for component_named, name, declared in declarations(names, home):
            table, label = self._table_of(declared), component_named or default
            if table is None:
                continue
            if declared.component not in ("", label) and table.get(name) is declared:
                continue  # imported from the component that declares it
            for other in (
                self.fields,
                self.composites,
                self.switches,
                self.actions,
                self.properties,
                self.axioms,
                self.bounds,
                self.parameters,
                self.initials,
            ):
                if name in other and other[name] is not declared:
                    raise declared_twice(other[name], declared, label)
            declared.name, declared.component = name, label
            table[name] = declared
            if isinstance(declared, CompositeField):
                self.fields |= {part.name: part for part in fields_of_parts(declared)}

    def _table_of(self, declared: Any) -> dict[str, Any] | None:
        """Where a declaration belongs; None for what is not one."""
        if isinstance(declared, Property):
            return {"axiom": self.axioms, "within": self.bounds}.get(declared.kind, self.properties)
        if isinstance(declared, Field):
            return self.fields
        if isinstance(declared, CompositeField):
            return self.composites
        if isinstance(declared, Switch):
            return self.switches
        if isinstance(declared, ModelParameter):
            return self.parameters
        if isinstance(declared, Initial):
            return self.initials
        return self.actions if isinstance(declared, Action) else None

    def _gather_sorts(self) -> None:
        def add(sort: type[Sort]) -> None:
            known = self.sorts.setdefault(sort.__name__, sort)
            if known is not sort:
                raise ModelError(f"two sorts are called `{sort.__name__}`")

        for declared in self.fields.values():
            for sort in declared.indices:
                if sort.values is None:
                    add(sort)
            if isinstance(declared.kind, Index | Maybe):
                add(declared.kind.sort)
        parameters = [action.parameters for action in self.actions.values()]
        claims = (*self.properties.values(), *self.axioms.values(), *self.bounds.values())
        for parameter in itertools.chain(*parameters, *(claim.parameters for claim in claims)):
            if isinstance(parameter.holds, Index | Maybe):
                add(parameter.holds.sort)
        for component in self.components:
            for found in _namespace(component)[1].values():
                if is_sort(found) and found.__name__ not in self.sorts:
                    add(found)  # only functions name it, in a `forall` or in a loop, and it has a size as well
        for sort in self.index_sets.values():
            if sort.__name__ in self.sorts:
                raise ModelError(f"`{sort.__name__}` is the name of a sort and of an enum that indexes a field")

    @property
    def index_sets(self) -> dict[str, type[Sort]]:
        """The enums and the ranges of numbers that fields are indexed by, and sets of values of arguments, by name."""
        found: dict[str, type[Sort]] = {}
        claims = (*self.properties.values(), *self.axioms.values(), *self.bounds.values())
        functions: list[Action | Property] = [*self.actions.values(), *claims]
        asked = [tuple(one.sort for one in function.parameters) for function in functions]
        for sorts in (*(declared.indices for declared in self.fields.values()), *asked):
            for sort in sorts:
                if sort.values is not None and found.setdefault(sort.__name__, sort) is not sort:
                    raise ModelError(f"two enums are called `{sort.__name__}`")
        return found

    def under(self, config: Config) -> Model:
        """The same model with bounds that are parameters replaced by what a configuration sets these to."""
        resolved: dict[str, Field] = {}
        composites: dict[str, CompositeField] = {}
        for name, declared in self.fields.items():
            if declared.part is None:
                resolved[name] = _under(declared, declared.kind.under, config)
            elif declared.part.of.name not in composites:
                whole = declared.part.of
                composites[whole.name] = _under(whole, partial(kind_under, whole.kind), config)
                same = composites[whole.name] is whole
                mine = self._parts_of(whole) if same else fields_of_parts(composites[whole.name])
                resolved |= {part.name: part for part in mine}
        if all(resolved.get(name) is declared for name, declared in self.fields.items()):
            return self
        model = copy(self)
        model.fields, model.composites = resolved, composites
        return model

    def without_bounds(self) -> Model:
        """The same model where no state is left out of exploration."""
        model = copy(self)
        model.bounds = {}
        return model

    def _parts_of(self, whole: CompositeField) -> list[Field]:
        return [one for one in self.fields.values() if one.part is not None and one.part.of is whole]

    def _check(self) -> None:
        """ModelError for what cannot be meant."""
        for name in (*self.field_names, *self.switches, *self.parameters):
            if name.startswith(RESERVED):
                taken = " or ".join(f"`{start}`" for start in RESERVED)
                raise ModelError(
                    f"a field, a switch or a parameter cannot be called `{name}`: names that start with {taken} are "
                    "taken"
                )
        if DEADLOCK in self.properties:
            raise ModelError(
                f"a property cannot be called `{DEADLOCK}`: that is the built-in one, which says that no "
                "state is without a next step, unless @ending allows it"
            )
        endings = [claim.name for claim in self.properties.values() if claim.kind == "ending"]
        if len(endings) > 1:
            raise ModelError(f"`{endings[0]}` and `{endings[1]}` are both an @ending: say both in one, with `or`")
        if INITIALLY in self.actions:
            raise ModelError(f"an action cannot be called `{INITIALLY}`: that is what traces call the start")
        asked = (*self.properties.values(), *self.axioms.values(), *self.bounds.values())
        functions: list[Action | Property] = [*self.actions.values(), *self.initials.values(), *asked]
        check_defined_once(functions, (*self.fields.values(), *self.composites.values()))
        check_fair_together(self.actions.values())
        for claim in self.properties.values():
            for name in sorted(claim.broken_by - set(self.faults)):
                hint = nearest(name, self.faults) or f"; faults are {', '.join(self.faults) or 'none'}"
                raise ModelError(f"`{claim.name}` is broken by an unknown fault `{name}`{hint}")
        for title, claims in self.together.items():
            for name in claims:
                if name not in self.properties:
                    raise ModelError(f"together `{title}`: unknown property `{name}`{nearest(name, self.properties)}")
        for fault, needed in self.needs.items():
            for name in needed:
                if name not in self.size_names:
                    raise ModelError(f"`{fault}` needs an unknown size `{name}`{nearest(name, self.size_names)}")

    @property
    def start(self) -> Initial | None:
        """All its @initial functions as one; None where each field starts as it is declared."""
        return together(list(self.initials.values()))

    @property
    def checkable(self) -> list[str]:
        """The names of the properties that a check may be asked for."""
        return [*(name for name, claim in self.properties.items() if claim.kind != "ending"), DEADLOCK]

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields as their author declared them, in order: one of a composite kind stands for all its parts."""
        return tuple(dict.fromkeys(one.part.of.name if one.part else name for name, one in self.fields.items()))

    @property
    def ranges(self) -> list[str]:
        """The built-in claims that no step leaves the range of a field; they are always checked."""
        strict = {name for name, declared in self.fields.items() if declared.kind.strict}
        return [range_of(name) for name in self.field_names if name in strict or name in self.composites]

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the budgets that faults draw on."""
        return tuple(dict.fromkeys(a.budget or a.name for a in self.actions.values() if a.fault))

    @property
    def needs(self) -> dict[str, dict[str, int]]:
        """For each budget of faults: the sizes without which its faults can show nothing."""
        needed: dict[str, dict[str, int]] = {}
        for action in self.actions.values():
            if action.fault and action.needs:
                sizes = needed.setdefault(action.budget or action.name, {})
                sizes |= {name: max(size, sizes.get(name, 1)) for name, size in action.needs.items()}
        return needed

    @property
    def size_names(self) -> tuple[str, ...]:
        """The keys that ``sizes`` may have: one a sort, and one for each bounded choice."""
        bounded = (a.budget for a in self.actions.values() if a.budget and not a.fault)
        return tuple(dict.fromkeys([sort.size_name for sort in self.sorts.values()] + list(bounded)))

    def configure(
        self,
        sizes: Mapping[str, int] | None = None,
        switches: Mapping[str, bool] | None = None,
        budgets: Mapping[str, int | None] | None = None,
        parameters: Mapping[str, int] | None = None,
    ) -> Config:
        """A complete configuration from what is given; what is left out takes its default (no fault, all on).

        Raises ConfigError for an unknown name (with the nearest valid one) and for a number out of range.
        """
        given = dict(sizes or {})
        _check_names("size", given, self.size_names)
        _check_names("mechanism", switches or {}, self.switches)
        _check_names("fault", budgets or {}, self.faults)
        for name, size in given.items():
            if type(size) is not int or size < 1:
                raise ConfigError(f"size `{name}` must be a whole number of at least 1, found {size!r}", name)
        for name, left in (budgets or {}).items():
            if left is not None and (type(left) is not int or left < 0):
                raise ConfigError(f"the budget of `{name}` must be a whole number or `any`, found {left!r}", name)
            if left is not None and left > MOST_COUNTED:
                raise ConfigError(f"the budget of `{name}` is at most {MOST_COUNTED:,}, or `any`; found {left:,}", name)
        for name, value in (switches or {}).items():
            if type(value) is not bool:
                raise ConfigError(f"mechanism `{name}` is on or off, found {value!r}", name)
        all_parameters = {name: one.default for name, one in self.parameters.items()} | dict(parameters or {})
        self._check_parameters(parameters or {})
        all_switches = {name: s.default for name, s in self.switches.items()} | dict(switches or {})
        all_budgets: dict[str, int | None] = {**dict.fromkeys(self.faults, 0), **(budgets or {})}
        defaults = {sort.size_name: sort.default_size for sort in self.sorts.values()}
        bounded = {a.budget: 0 for a in self.actions.values() if a.budget and not a.fault}
        config = Config(defaults | bounded | given, all_switches, all_budgets, all_parameters)
        if self.derive:
            derived = self.derive(config, given)
            config = replace(config, sizes=dict(config.sizes) | dict(derived) | given)
        self.under(config)._check_sizes(config.sizes)
        return config

    def _check_parameters(self, given: Mapping[str, int]) -> None:
        """ConfigError for a parameter that the model does not have, or that is out of its range."""
        _check_names("parameter", given, self.parameters)
        for name, value in given.items():
            least = self.parameters[name].least
            if type(value) is not int or not least <= value <= MOST_PARAMETER:
                most = f" and at most {MOST_PARAMETER:,}" if type(value) is int and value > MOST_PARAMETER else ""
                wanted = f"parameter `{name}` must be a whole number of at least {least}{most}"
                raise ConfigError(f"{wanted}, found {value!r}", name)

    def _check_sizes(self, sizes: Mapping[str, int]) -> None:
        """ConfigError where there would be more combinations of elements than any engine can go through."""
        indices = {name: declared.indices for name, declared in self.fields.items()}
        claims = [claim for claim in self.properties.values() if not claim.optional]
        asked: list[Action | Property] = [*self.actions.values(), *claims, *self.axioms.values(), *self.bounds.values()]
        indices |= {one.name: tuple(parameter.sort for parameter in one.parameters) for one in asked}
        for name, sorts in indices.items():
            number = prod(size_of(sort, sizes) for sort in sorts)
            if number > MOST_COMBINATIONS:
                largest = max(sorts, key=lambda sort: size_of(sort, sizes)).size_name
                most = f"{MOST_COMBINATIONS:,} are the most"
                raise ConfigError(f"too large: `{name}` has {number:,} combinations of elements, and {most}", largest)
        for action in self.actions.values():
            if action.budget and not action.fault and sizes[action.budget] > MOST_COUNTED:
                raise ConfigError(f"`{action.budget}` is at most {MOST_COUNTED:,}", action.budget)


Declared = TypeVar("Declared", Field, CompositeField)


def _under(declared: Declared, kind_of: Callable[[Mapping[str, int]], Any], config: Config) -> Declared:
    """A field with bounds that are parameters replaced by what a configuration sets these to."""
    try:
        kind = kind_of(config.parameters)
        values = [one.values.under(config.parameters) if one.values else None for one in declared.indices]
    except ModelError as error:
        raise ModelError(error.message, f"field `{declared.name}`") from None
    indices = tuple(
        one if known is None else index_set(known) for one, known in zip(declared.indices, values, strict=True)
    )
    same = indices == declared.indices and kind == declared.kind
    return declared if same else replace(declared, kind=kind, indices=indices)


def fields_of_parts(declared: CompositeField) -> Iterator[Field]:
    """The fields that hold the parts of one of a composite kind."""
    for number, part in enumerate(parts_of(declared.kind)):
        init: Any = None
        if callable(declared.init) or (declared.init is not None and part.sorts):
            init = partial(_part_of_init, declared, number)
        elif declared.init is not None:
            try:
                init = declared.starts_with(number, ())
            except ModelError as error:
                raise ModelError(error.message, f"field `{declared.name}`, its init") from None
        yield Field(
            (*declared.indices, *part.sorts),
            part.kind,
            init,
            declared.ghost,
            declared.network,
            declared.constant,
            declared.name + part.name,
            declared.component,
            declared.doc,
            declared.line,
            PartOf(declared, part.text),
        )


def _part_of_init(declared: CompositeField, number: int, *indices: int) -> Any:
    return declared.starts_with(number, indices)


def _namespace(component: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(component, Mapping):
        return str(component.get("__name__", "model")).rsplit(".", 1)[-1], component
    if is_state_class(component):
        return component.__name__.lower(), declared_in(component)
    if isinstance(component, ModuleType | type):
        return component.__name__.rsplit(".", 1)[-1].lower(), vars(component)
    raise ModelError(f"a component is a module, a class or a dictionary, not {component!r}")


def check_fair_together(actions: Iterable[Action]) -> None:
    """ModelError where actions that are fair together differ in how, or in what is told apart."""
    first: dict[str, Action] = {}
    for one in actions:
        if one.fair_with is not None:
            other = first.setdefault(one.fair_with, one)
            if one.fairness is not other.fairness:
                raise ModelError(f"`{other.name}` and `{one.name}` are fair together (`{one.fair_with}`), not alike")
            kinds = [[(p.name, p.sort) for p in map(a.parameters.__getitem__, a.fair_places)] for a in (other, one)]
            if kinds[0] != kinds[1]:
                names = f"`{other.name}` and `{one.name}`"
                raise ModelError(f"{names} are fair together (`{one.fair_with}`): give both the same `fair_for`")


def _check_names(what: str, asked: Mapping[str, Any], known: Any) -> None:
    for name in asked:
        if name not in known:
            raise ConfigError(f"unknown {what} `{name}`{nearest(str(name), known)}", str(name))
