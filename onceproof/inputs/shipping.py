"""Models on their way to other machines: as the text of their files, which are loaded there as they were here."""

from __future__ import annotations

import hashlib
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
    digest = hashlib.sha256(repr(one.files).encode()).hexdigest()[:16]
    folder = Path(tempfile.mkdtemp(prefix=f"onceproof-model-{digest}-"))
    for name, text in one.files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return resolve(one.reference, folder).model


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
