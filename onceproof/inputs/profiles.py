"""Profile files: which mechanisms a task queue claims, where it says so, and how its parts map to the model's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from onceproof.conformance.storms.profile import Change, Mechanism, Profile, Topology, mechanisms_of
from onceproof.inputs.yaml_places import Located, load
from onceproof.model.language.errors import nearest

KEYS = (
    *("system", "about", "file", "variables", "topology", "mechanisms", "requirements", "settings", "model"),
    *("changes", "parts"),
)
MECHANISM_KEYS = ("is", "because", "source")
CHANGE_KEYS = ("mechanism", "is", "setting", "variables")


def load_profile(path: Path) -> Profile:
    """The profile in a file; InputError (file, line, key, what was found and expected) where it is wrong."""
    top = load(path)
    parts = top.mapping("a profile: a mapping with `system`, `topology` and `mechanisms`")
    _require_known(top, KEYS, "key")
    for key in ("system", "topology", "mechanisms"):
        if key not in parts:
            raise top.error(f"the key `{key}` is missing")
    topologies = [each.value for each in Topology]
    topology = _text(parts["topology"])
    if topology not in topologies:
        hint = nearest(topology, topologies) or f"; expected one of {', '.join(topologies)}"
        raise parts["topology"].error(f"unknown topology `{topology}`{hint}")
    mechanisms = parts["mechanisms"]
    claimed = mechanisms.mapping("a mapping from mechanisms to what the system claims of them")
    known = mechanisms_of(Topology(topology))
    _require_known(mechanisms, known, "mechanism")
    model, file = parts.get("model"), parts.get("file")
    return Profile(
        path=path,
        system=_text(parts["system"]),
        topology=Topology(topology),
        mechanisms={name: _mechanism(place) for name, place in claimed.items()},
        file=None if file is None else path.parent / _text(file),
        variables=_variables(parts.get("variables")),
        about=_text(parts["about"]) if "about" in parts else "",
        requirements=_texts(parts.get("requirements")),
        model=None if model is None else path.parent / _text(model),
        settings=_texts(parts.get("settings")),
        changes=tuple(_change(each, known) for each in _list(parts.get("changes"))),
        parts=_parts(parts.get("parts")),
    )


def _mechanism(place: Located) -> Mechanism:
    if not isinstance(place.value, dict):
        return Mechanism(_on(place))
    _require_known(place, MECHANISM_KEYS, "key")
    parts = place.value
    if "is" not in parts:
        raise place.error("the key `is` is missing: `on` or `off`")
    texts = [_text(parts[key]) if key in parts else "" for key in ("because", "source")]
    return Mechanism(_on(parts["is"]), *texts)


def _parts(place: Located | None) -> dict[str, str]:
    if place is None:
        return {}
    found = {}
    for name, pattern in place.mapping("a mapping from names of parts to regular expressions").items():
        found[name] = _text(pattern)
        try:
            re.compile(found[name])
        except re.error as error:
            raise pattern.error(f"not a regular expression: {error}") from None
    return found


def _change(place: Located, known: list[str]) -> Change:
    parts = place.mapping("a mapping with `mechanism`, `is`, `setting` and `variables`")
    _require_known(place, CHANGE_KEYS, "key")
    for key in CHANGE_KEYS:
        if key not in parts:
            raise place.error(f"the key `{key}` is missing")
    name = _text(parts["mechanism"])
    if name not in known:
        raise parts["mechanism"].error(f"unknown mechanism `{name}`{nearest(name, known)}")
    return Change(name, _on(parts["is"]), _text(parts["setting"]), _variables(parts["variables"]))


def _variables(place: Located | None) -> dict[str, str]:
    if place is None:
        return {}
    found = place.mapping("a mapping from variables of the environment to their values")
    return {key: _text(value) for key, value in found.items()}


def _on(place: Located) -> bool:
    if not isinstance(place.value, bool):
        raise place.error(f"expected `on` or `off`, found {place.shown()}")
    return place.value


def _text(place: Located) -> str:
    if isinstance(place.value, bool) or not isinstance(place.value, str | int | float) or not str(place.value).strip():
        raise place.error(f"expected text, found {place.shown()}")
    return " ".join(str(place.value).split())


def _list(place: Located | None) -> list[Located]:
    if place is None:
        return []
    if not isinstance(place.value, list):
        raise place.error(f"expected a list, found {place.shown()}")
    return place.value


def _texts(place: Located | None) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(place))


def _require_known(place: Located, known: Iterable[str], what: str) -> None:
    names = list(known)
    for name, line in place.key_lines.items():
        if name not in names:
            hint = nearest(name, names) or f"; expected one of {', '.join(names)}"
            raise place.at(name).error(f"unknown {what} `{name}`{hint}", line)
