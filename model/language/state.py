"""State classes: ``class Lease(State): locked = field(bool)``, which say what a model function finds in its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onceproof.model.language.composites import CompositeField
from onceproof.model.language.declare import Action, Field, Property, Switch
from onceproof.model.language.errors import ModelError
from onceproof.model.language.parameters import ModelParameter

DECLARATIONS = (Field, CompositeField, Switch, ModelParameter)  # what a state class may hold
_COMPONENTS: dict[type[Any], str] = {}  # what state classes say of their component


class State:
    """The state of a model, or a part of it: a subclass declares fields, switches and parameters as its attributes.

    A function that is annotated with it, ``def acquire(st: Lease, worker: Worker)``, is checked by mypy and pyright,
    and an editor completes the names. A function that needs the parts of two classes takes a class made of both:
    ``class System(Queue, Schedulers): "All of it."``. Nothing is ever made of these classes when a model runs.

    component: the component whose state it is, where the class stands in another file (default: the file's).

    Raises ModelError for an attribute that is no declaration of these.
    """

    def __init_subclass__(cls, *, component: str | None = None) -> None:
        if component is not None:
            _COMPONENTS[cls] = component
        for name in (*vars(cls).get("__annotations__", {}), *vars(cls)):
            found = vars(cls).get(name)
            if isinstance(found, DECLARATIONS) or (name.startswith("__") and name.endswith("__")):
                continue
            if isinstance(found, Action | Property) or callable(found):
                raise ModelError(
                    f"`{name}` in state class `{cls.__name__}`: a state class holds fields, switches and parameters; "
                    "write actions, properties and helpers as functions beside it"
                )
            raise ModelError(f"`{name}` in state class `{cls.__name__}` is no field: write `{name} = field(...)`")


def declarations(component: Mapping[str, Any], home: str | None) -> Iterator[tuple[str | None, str, Any]]:
    """What a component declares: its names, and in the places of its state classes the names that these declare.

    Each comes with the component that a state class names for itself (None: it names none).
    home: the module of the component: only the state classes that it defines count, not those that it imports (None:
    all of them).
    """
    for name, value in component.items():
        if is_state_class(value):
            for one in _parts(value):
                if home in (None, one.__module__):
                    yield from ((_COMPONENTS.get(one), name, declared) for name, declared in _declared_in(one))
        else:
            yield None, name, value


def declared_in(state_class: type[State]) -> dict[str, Any]:
    """The fields and switches of a state class and of those that it is made of, in the order of their writing."""
    return dict(declared for one in _parts(state_class) for declared in _declared_in(one))


def _parts(state_class: type[State]) -> dict[type[State], None]:
    """The state classes that one is made of, in the order in which it names them, and itself."""
    parts: dict[type[State], None] = {}
    for base in filter(is_state_class, state_class.__bases__):
        parts |= _parts(base)
    return parts | {state_class: None}


def _declared_in(state_class: type[State]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(state_class).items() if isinstance(value, DECLARATIONS))


def is_state_class(value: Any) -> bool:
    """Whether it is a subclass of State."""
    return isinstance(value, type) and issubclass(value, State) and value is not State
