"""What the functions of the API take: a model, a module, a spec, or a path to one, and how it is to be built."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar

from onceproof.errors import InputError
from onceproof.inputs import specs
from onceproof.inputs.models import ModelRef, reference_to, resolve
from onceproof.inputs.specs import ENDINGS, Expectation, Spec
from onceproof.isolation import InstalledFirst
from onceproof.model.language import ConfigError, Model
from onceproof.model.language.errors import nearest

# A Model; a module that declares one; a Spec; the path of a spec (YAML) or of a model (FILE.py, FILE.py:NAME or
# package.module:NAME); None for the protocol of this project.
Source = Model | ModuleType | Spec | Path | str | None
# How often each fault may happen; None (which is ``ANY``) or "any": any number of times.
Budgets = Mapping[str, int | str | None]

P = ParamSpec("P")
T = TypeVar("T")


def installed_first(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function so that what it imports is found among what is installed before the user's own files."""

    @functools.wraps(function)
    def isolated(*args: P.args, **kwargs: P.kwargs) -> T:
        with InstalledFirst():
            return function(*args, **kwargs)

    return isolated


@installed_first
def load_model(source: Model | ModuleType | Path | str | None = None) -> Model:
    """The model in a file (``FILE.py``, ``FILE.py:NAME``) or module (``package.module:NAME``); None: the protocol.

    A file is executed once. InputError where there is no such file, module or model.
    """
    return _reference(source).model


@installed_first
def load_spec(path: Path | str) -> Spec:
    """The spec in a YAML file, validated; InputError with file, line and key where it is wrong."""
    return specs.load_spec(_existing(Path(path)))


def spec_of(
    source: Source,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
) -> Spec:
    """The spec that a source and these settings make; what is not set is as the source says, or the default.

    sizes, mechanisms, faults, parameters: by name, changed on top of what a spec says. properties: names, None for all
    that apply (or those that a spec lists). InputError where a name is unknown or a value wrong.
    """
    spec = _spec(source)
    if all(one is None for one in (sizes, mechanisms, faults, parameters, properties)):
        return spec
    changed = {name: None if left == "any" else left for name, left in (faults or {}).items()}
    for name, left in changed.items():
        if isinstance(left, str):
            raise InputError(f"fault `{name}`: expected a budget: a whole number, or `any`; found `{left}`")
    budgets: dict[str, int | None] = {**spec.config.budgets, **changed}  # type: ignore[dict-item]
    given = {**spec.sizes, **(sizes or {})}
    try:
        switches = {**spec.config.switches, **(mechanisms or {})}
        config = spec.model.configure(given, switches, budgets, {**spec.config.parameters, **(parameters or {})})
    except ConfigError as error:
        raise InputError(str(error)) from None
    chosen = spec.chosen if properties is None else _chosen(spec.model, properties)
    # What the file expects was said of what the file describes.
    return replace(spec, config=config, chosen=chosen, sizes=given, expect=Expectation(), from_file=False)


def _spec(source: Source) -> Spec:
    if isinstance(source, Spec):
        return source
    if isinstance(source, Path | str) and Path(source).suffix in ENDINGS:
        return specs.load_spec(_existing(Path(source)))
    if isinstance(source, Path | str) and Path(source).is_dir():
        raise InputError(f"{source}: expected one model or spec, found a folder")
    reference = _reference(source)
    path = reference.file or Path(reference.model.name)
    return Spec(path, reference.model.name, "", reference, reference.model.configure(), None, Expectation())


def _existing(path: Path) -> Path:
    """The path, if it is that of a file; InputError with the nearest name beside it where it is not."""
    if not path.is_file():
        found = specs.load_specs([path])
        raise InputError(f"{path}: expected one spec, found a folder of {len(found)}")
    return path


def _reference(source: Model | ModuleType | Path | str | None) -> ModelRef:
    if isinstance(source, Model | ModuleType):
        return reference_to(source)
    return resolve(None if source is None else str(source), Path())


def _chosen(model: Model, properties: Sequence[str]) -> tuple[str, ...]:
    known = model.checkable
    if isinstance(properties, str) or not properties:
        raise InputError(f"expected a list of properties (or None for all), found {properties!r}")
    # Conjuncts of an invariant can be asked for, but nobody means one by a name that is near none.
    offered = [name for name in known if name not in model.properties or model.properties[name].invariant is None]
    for name in properties:
        if name not in known:
            hint = nearest(name, known) or f"; expected one of {', '.join(offered)}"
            raise InputError(f"unknown property `{name}`{hint}")
    return tuple(dict.fromkeys(properties))
