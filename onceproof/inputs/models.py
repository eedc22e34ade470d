"""Which model a spec is about: the protocol of this project, or one that a user wrote in a file of theirs."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from onceproof.errors import InputError
from onceproof.model.language import Model, ModelError
from onceproof.model.language.errors import nearest


@dataclass(frozen=True)
class ModelRef:
    """A model, and how a spec or a trace names it. reference: "" for the protocol; file: of a model in a file."""

    model: Model
    reference: str = ""
    file: Path | None = None
    variable: str = ""


def resolve(reference: str | None, folder: Path) -> ModelRef:
    """The model that a reference names: ``path.py``, ``path.py:NAME`` or ``package.module:NAME``; None: the protocol.

    A path is relative to ``folder``. Without NAME it is the one Model of the module, or else all that the module
    declares. InputError where there is no such file, module or model.
    """
    if reference is None:
        from onceproof.model.protocol.system import PROTOCOL

        return ModelRef(PROTOCOL)
    place, _, variable = reference.partition(":")
    if place.endswith(".py"):
        file = (folder / place).resolve()
        if not file.is_file():
            raise InputError(f"no model file `{place}` (relative to {folder})")
        return ModelRef(_pick(_module_of_file(file), variable, place), reference, file, variable)
    try:
        with _importable(folder):
            module = importlib.import_module(place)
    except ImportError as error:
        raise InputError(f"no model `{reference}`: expected FILE.py, FILE.py:NAME or MODULE:NAME ({error})") from None
    return ModelRef(_pick(module, variable, place), reference, None, variable)


def names_a_model(text: str) -> bool:
    """Whether a text is meant as the reference of a model (see ``resolve``), rather than as the path of a spec."""
    place, colon, name = text.partition(":")
    return place.endswith(".py") or (bool(colon) and name.isidentifier() and not Path(text).exists())


def reference_to(model: Model | ModuleType) -> ModelRef:
    """A model that is at hand, as specs and traces name it: by the file that defines it, where there is one.

    A module is taken as ``resolve`` takes a file. InputError where it has no model.
    """
    if isinstance(model, ModuleType):
        file = Path(model.__file__) if model.__file__ else None
        return ModelRef(_pick(model, "", model.__name__), str(file or model.__name__), file)
    protocol = sys.modules.get("onceproof.model.protocol.system")
    if protocol is not None and protocol.PROTOCOL is model:
        return ModelRef(model)
    for name in {action.function.__module__: None for action in model.actions.values()}:
        module = sys.modules.get(name)
        if module is not None and module.__file__:
            for variable, value in vars(module).items():
                if value is model:
                    return ModelRef(model, f"{module.__file__}:{variable}", Path(module.__file__), variable)
    return ModelRef(model)


# Of each file of a model its version, when it was loaded, and its module.
_LOADED: dict[Path, tuple[tuple[int, int], ModuleType]] = {}
# Of each folder the modules in it that models imported by their bare names.
_SIBLINGS: dict[Path, dict[str, ModuleType]] = {}


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a model import what lies beside it, and not what lies, by the same name, beside a model loaded before.

    Last on the path: a file of a user's hides nothing that is installed.
    """
    folder = folder.resolve()
    _bring(folder)
    known = set(sys.modules)
    sys.path.append(str(folder))
    try:
        yield
    finally:
        # The last of equal entries is the one added above. An earlier one, the folder of the running script, stays.
        for place in range(len(sys.path) - 1, -1, -1):
            if sys.path[place] == str(folder):
                del sys.path[place]
                break
        siblings = _SIBLINGS.setdefault(folder, {})
        siblings |= {name: sys.modules[name] for name in set(sys.modules) - known if _lies_in(name, folder)}


def siblings_of(folder: Path) -> list[Path]:
    """The files that models in a folder imported from there."""
    modules = _SIBLINGS.get(folder.resolve(), {}).values()
    return [Path(module.__file__) for module in modules if module.__file__]


def _bring(folder: Path) -> None:
    """Makes bare names of modules mean those of a folder, as far as models gave them a meaning."""
    for modules in _SIBLINGS.values():
        for name, module in modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    sys.modules.update(_SIBLINGS.get(folder, {}))
    importlib.invalidate_caches()


def _lies_in(name: str, folder: Path) -> bool:
    """Whether a module, or the package that it is in, lies in a folder."""
    top = sys.modules.get(name.partition(".")[0])
    file = getattr(top, "__file__", None)
    places = [Path(file).parent] if file else [Path(path) for path in getattr(top, "__path__", ())]
    if hasattr(top, "__path__") and file:
        places = [places[0].parent]
    elif not file:
        places = [place.parent for place in places]
    return folder in [place.resolve() for place in places]


def _module_of_file(file: Path) -> ModuleType:
    """The module in a file, executed once however many specs name it, and again, with its siblings, when edited."""
    state = file.stat()
    version = state.st_mtime_ns, state.st_size
    if file in _LOADED and _LOADED[file][0] == version:
        return _LOADED[file][1]
    if file in _LOADED:
        for name, module in _SIBLINGS.pop(file.parent, {}).items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    module = _executed(file)
    _LOADED[file] = version, module
    return module


def _executed(file: Path) -> ModuleType:
    # Under a name of its own, which no installed module has; what a step is called by is the last part.
    spec = importlib.util.spec_from_file_location(f"onceproof_user_models.{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while it is executed
    try:
        with _importable(file.parent):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(f"{error.filename or file}:{error.lineno}: not Python: {error.msg}") from None
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = frames[-1].lineno if frames else 1
        what = str(error) if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
        raise InputError(f"{file}:{line}: the model cannot be loaded: {what}") from None
    return module


def _pick(module: ModuleType, variable: str, place: str) -> Model:
    models = {name: value for name, value in vars(module).items() if isinstance(value, Model)}
    if variable:
        if variable not in models:
            raise InputError(f"`{place}` has no model called `{variable}`{nearest(variable, models)}")
        return models[variable]
    if len(models) > 1:
        raise InputError(f"`{place}` has several models ({', '.join(models)}); say which: {place}:{next(iter(models))}")
    return next(iter(models.values())) if models else _whole(module, place)


@cache
def _whole(module: ModuleType, place: str) -> Model:
    try:
        model = Model(Path(place).stem if place.endswith(".py") else place.rpartition(".")[2], module)
    except ModelError as error:
        raise InputError(f"`{place}`: {error}") from None
    if not model.actions or not model.fields:
        raise InputError(f"`{place}` declares no model: it needs at least a field and an action")
    return model
