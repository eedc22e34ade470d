"""Spec files: what is checked, under which mechanisms and faults, and what the check must find."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from onceproof.errors import InputError
from onceproof.inputs.models import ModelRef, resolve
from onceproof.inputs.yaml_places import Located, load
from onceproof.model.language import Config, ConfigError, Model, System, build
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import nearest

KEYS = ("name", "about", "model", "sizes", "mechanisms", "faults", "parameters", "properties", "expect")
ENDINGS = (".yaml", ".yml")
# Files that are not specs, and what a user may have meant by them.
OTHER_FILES = {
    ".json": "a trace is not a spec: use `onceproof show` or `onceproof replay`",
}
ON_OFF = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True)
class Expectation:
    """What a check must find: every property holds (no names), or just these are violated.

    length: how many steps the shortest counterexample of the first name takes; None where the spec doesn't say.
    """

    violated: tuple[str, ...] = ()
    length: int | None = None

    def __str__(self) -> str:
        if not self.violated:
            return "holds"
        return f"violated: {', '.join(self.violated)}" + (f" in {self.length} steps" if self.length else "")

    def as_json(self) -> str | dict[str, Any]:
        """As a spec file says it: ``holds``, or {violated, length}."""
        if not self.violated:
            return "holds"
        names: Any = self.violated[0] if len(self.violated) == 1 else list(self.violated)
        return {"violated": names, **({} if self.length is None else {"length": self.length})}


@dataclass(frozen=True)
class Spec:
    """One spec, validated.

    chosen: the properties that it lists; None for all that apply. sizes: those that it gives; the others follow from
    them. from_file: whether a command line can name it: by ``path``, the file of a spec or of a model, and ``options``,
    which change what that file says.
    """

    path: Path
    name: str
    about: str
    source: ModelRef
    config: Config
    chosen: tuple[str, ...] | None
    expect: Expectation
    sizes: Mapping[str, int] = field(default_factory=dict)
    from_file: bool = False
    options: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """How a command line names it: its file, and the options that it takes."""
        return shlex.join([str(self.path), *self.options])

    @property
    def model(self) -> Model:
        """The model that it is about."""
        return self.source.model

    @cached_property
    def system(self) -> System:
        """The model built as the spec says; ModelError where the model is wrong."""
        return build(self.model, self.config)

    @cached_property
    def properties(self) -> list[Property]:
        """The properties that are checked."""
        return self.system.properties(None if self.chosen is None else list(self.chosen))

    @property
    def switched_off(self) -> list[str]:
        """The mechanisms that are off."""
        return [name for name, on in self.config.switches.items() if not on]


def load_specs(paths: Sequence[str | Path]) -> list[Spec]:
    """The specs in these files and folders (all below them, by name); InputError where none is, or a wrong one."""
    files: dict[Path, Path] = {}
    for path in map(Path, paths):
        for file in _files(path):
            files.setdefault(file.resolve(), file)
    return [load_spec(file) for file in files.values()]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS and file.is_file())
        if not found:
            raise InputError(f"{path}: the folder contains no specs (files ending in .yaml); nothing to check")
        return found
    if not path.exists():
        siblings = {file.stem: file for file in sorted(path.parent.glob("*")) if file.suffix in ENDINGS}
        close = difflib.get_close_matches(path.stem, siblings, n=1, cutoff=0.5)
        hint = f"; did you mean `{siblings[close[0]]}`?" if close else ""
        raise InputError(f"{path}: no such file or folder{hint}")
    return [path]


def load_spec(path: Path) -> Spec:
    """The spec in a file; InputError (file, line, key, what was found and expected) where it is wrong."""
    other = OTHER_FILES.get(path.suffix)
    if other is not None and path.is_file():
        raise InputError(f"{path}: {other.format(name=path.name)}")
    top = load(path)
    parts = top.mapping("a spec: a mapping with `name`, `sizes`, `faults` and so on")
    _known_keys(top, KEYS, "key")
    source = _model(parts.get("model"), path)
    sizes = _section(top, "sizes", "size", source.model.size_names, _size)
    config = _config(top, source.model, sizes)
    spec = Spec(
        path=path,
        name=_text(parts["name"]) if "name" in parts else path.stem,
        about=_text(parts["about"]) if "about" in parts else "",
        source=source,
        config=config,
        chosen=_chosen(parts.get("properties"), source.model),
        expect=_expectation(parts.get("expect")),
        sizes=sizes,
        from_file=True,
    )
    if spec.expect.violated:
        _expects_what_is_checked(spec, parts["expect"])
    return spec


def spec_of(source: ModelRef, settings: Mapping[str, Any], path: Path) -> Spec:
    """A spec from plain values, as ``settings_of`` gives them; ConfigError where they don't fit the model."""
    budgets = {name: None if left == "any" else left for name, left in settings.get("faults", {}).items()}
    parameters = settings.get("parameters")
    config = source.model.configure(settings.get("sizes"), settings.get("mechanisms"), budgets, parameters)
    return Spec(path, str(settings.get("name", path.stem)), "", source, config, None, Expectation())


def settings_of(config: Config) -> dict[str, Any]:
    """A configuration as plain values: all sizes, mechanisms and parameters, and the faults that have a budget.

    A bounded choice that may never be made has size 0, which no spec can say: it is left out.
    """
    return {
        "sizes": {name: size for name, size in config.sizes.items() if size},
        "mechanisms": dict(config.switches),
        "faults": {name: "any" if left is None else left for name, left in config.budgets.items() if left != 0},
        **({"parameters": dict(config.parameters)} if config.parameters else {}),
    }


def _known_keys(place: Located, known: Iterable[str], what: str) -> None:
    names = list(known)
    for name, line in place.key_lines.items():
        if name not in names:
            hint = nearest(name, names) or f"; expected one of {', '.join(names) or 'none'}"
            raise place.at(name).error(f"unknown {what} `{name}`{hint}", line)


def _text(place: Located) -> str:
    text = " ".join(str(place.value).split()) if isinstance(place.value, str | int | float) else ""
    if text and text.isprintable():
        return text
    raise place.error(f"expected text, found {place.shown()}")


def _model(place: Located | None, path: Path) -> ModelRef:
    if place is None:
        return resolve(None, path.parent)
    try:
        return resolve(_text(place), path.parent)
    except InputError as error:
        raise InputError(str(error)) if str(error).startswith(str(path)) else place.error(str(error)) from None


def _config(top: Located, model: Model, sizes: Mapping[str, int]) -> Config:
    switches = _section(top, "mechanisms", "mechanism", model.switches, _switch)
    budgets = _section(top, "faults", "fault", model.faults, _budget)
    parameters = _section(top, "parameters", "parameter", model.parameters, _parameter)
    try:
        return model.configure(sizes, switches, budgets, parameters)
    except ConfigError as error:
        for section in ("sizes", "mechanisms", "faults", "parameters"):
            if section in top.value and error.key in top.at(section).key_lines:
                raise top.at(section).at(str(error.key)).error(str(error)) from None
        raise top.error(str(error)) from None


def _section(top: Located, section: str, what: str, known: Iterable[str], read: Any) -> dict[str, Any]:
    if section not in top.value or top.at(section).value is None:
        return {}
    place = top.at(section)
    names = list(known)
    values = place.mapping(f"a mapping from {what} names")
    _known_keys(place, names, what)
    return {name: read(value) for name, value in values.items()}


def _size(place: Located) -> int:
    if type(place.value) is not int or place.value < 1:
        raise place.error(f"expected a whole number of at least 1, found {place.shown()}")
    return place.value


def _switch(place: Located) -> bool:
    value = ON_OFF.get(str(place.value).lower()) if isinstance(place.value, str | bool) else None
    if value is None:
        raise place.error(f"expected on or off, found {place.shown()}")
    return value


def _budget(place: Located) -> int | None:
    if place.value == "any":
        return None
    if type(place.value) is not int or place.value < 0:
        raise place.error(f"expected a budget (a whole number or `any`), found {place.shown()}")
    return place.value


def _parameter(place: Located) -> int:
    if type(place.value) is not int:
        raise place.error(f"expected a whole number, found {place.shown()}")
    return place.value


def _chosen(place: Located | None, model: Model) -> tuple[str, ...] | None:
    if place is None:
        return None
    if not isinstance(place.value, list) or not place.value:
        raise place.error(f"expected a list of properties (leave the key out for all), found {place.shown()}")
    names: list[str] = []
    for item in place.value:
        name = _property_name(item, model.checkable)
        if name in names:
            raise item.error(f"`{name}` is listed twice")
        names.append(name)
    return tuple(names)


def _property_name(place: Located, known: Sequence[str]) -> str:
    name = _text(place)
    if name not in known:
        hint = nearest(name, known) or f"; expected one of {', '.join(known)}"
        raise place.error(f"unknown property `{name}`{hint}")
    return name


def _expectation(place: Located | None) -> Expectation:
    if place is None or place.value == "holds":
        return Expectation()
    wanted = "`holds`, or {violated: PROPERTY, length: STEPS}"
    if not isinstance(place.value, dict):
        found = place.shown()
        raise place.error(f"expected {wanted}, found {found}{nearest(str(place.value), ['holds'])}")
    _known_keys(place, ("violated", "length"), "key")
    if "violated" not in place.value:
        raise place.error(f"expected {wanted}, found no `violated`")
    violated = place.at("violated")
    names = [_text(item) for item in violated.value] if isinstance(violated.value, list) else [_text(violated)]
    if not names:
        raise violated.error("expected the name of a property, found an empty list")
    length = None
    if "length" in place.value:
        number = place.at("length")
        if type(number.value) is not int or number.value < 0:
            raise number.error(f"expected the number of steps of the counterexample, found {number.shown()}")
        length = number.value
    return Expectation(tuple(names), length)


def _expects_what_is_checked(spec: Spec, place: Located) -> None:
    checked = [claim.name for claim in spec.properties]
    known = [*checked, *spec.model.ranges]
    for name in spec.expect.violated:
        if name not in known:
            what = "is not checked by this spec" if name in spec.model.checkable else "is not known"
            hint = nearest(name, known) or f"; it checks {', '.join(checked)}"
            raise place.at("violated").error(f"property `{name}` {what}{hint}")
