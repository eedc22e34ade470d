"""Models on their way to other machines: as the text of their files, which are loaded there as they were here."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from onceproof.errors import InputError
from onceproof.inputs.models import ModelRef, resolve, siblings_of
from onceproof.model.checker.matrix.cases import Setting
from onceproof.model.language import Model


@dataclass(frozen=True)
class ShippedModel:
    """A model that can travel.

    files: the text of each of its files, by its path from the folder of the model; none for the protocol of this
    project, which every node has. reference: how it is named there.
    """

    files: tuple[tuple[str, str], ...]
    reference: str | None

    def model(self) -> Model:
        """The model; on one machine the same for the same files."""
        return _loaded(self)


def shipped(source: ModelRef) -> ShippedModel:
    """A model with all that it imports from beside it; InputError where it is in no file of its own."""
    if not source.reference:
        return ShippedModel((), None)
    if source.file is None:
        raise InputError(
            f"the model `{source.reference}` cannot be sent to other machines: "
            "name it by its file, FILE.py or FILE.py:NAME"
        )
    folder = source.file.parent
    files = sorted({source.file, *siblings_of(folder)})
    texts = tuple((str(file.relative_to(folder)), file.read_text(encoding="utf-8")) for file in files)
    return ShippedModel(texts, f"{source.file.name}:{source.variable}" if source.variable else source.file.name)


@cache
def _loaded(one: ShippedModel) -> Model:
    if one.reference is None:
        return resolve(None, Path()).model
    folder = _home(hashlib.sha256(repr(one.files).encode()).hexdigest()[:16])
    for name, text in one.files:
        _put(folder / name, text)
    return resolve(one.reference, folder).model


def _home(digest: str) -> Path:
    """The folder of a model on this machine: one for all processes of a user. InputError where it is another's."""
    folder = Path(tempfile.gettempdir()) / f"onceproof-model-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise InputError(f"{folder}: belongs to another user; nothing is loaded from there")
    return folder


def _put(file: Path, text: str) -> None:
    """Writes a file as a whole, where it is not there: another process may load it at the same time."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


@dataclass(frozen=True)
class ShippedSetting:
    """The setting of a matrix that can travel: called, it makes it where it arrived."""

    model: ShippedModel
    sizes: tuple[tuple[str, int], ...]
    properties: tuple[str, ...] | None
    reference: str
    parameters: tuple[tuple[str, int], ...]

    def __call__(self) -> Setting:
        return _setting(self)


def shipped_setting(setting: Setting, source: ModelRef) -> ShippedSetting:
    """A setting as it travels; InputError as ``shipped``."""
    sizes, parameters = (_pairs(one) for one in (setting.sizes, setting.parameters))
    return ShippedSetting(shipped(source), sizes, setting.properties, setting.reference, parameters)


@cache
def _setting(one: ShippedSetting) -> Setting:
    return Setting(one.model.model(), dict(one.sizes), one.properties, one.reference, dict(one.parameters))


def _pairs(values: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(values.items()))
