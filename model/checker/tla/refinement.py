"""A refinement as TLA+: an instance of the abstract model's module, with the image of the state for its variables."""

from __future__ import annotations

from collections.abc import Sequence

from onceproof.model.checker.tla.actions import merged
from onceproof.model.checker.tla.names import sets_of
from onceproof.model.checker.tla.scope import Scope
from onceproof.model.checker.tla.start import declared_value
from onceproof.model.checker.tla.text import AND, TlaText
from onceproof.model.checker.tla.updates import update
from onceproof.model.checker.tla.variables import Variable, variables_of
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading
from onceproof.model.language.refinement import Refinement
from onceproof.model.language.sorts import Int
from onceproof.model.language.traversal import free_variables


class _MappingText(TlaText):
    """Names of a mapping: those of the concrete model, and for the fields of the abstract one ``CLAIM_FIELD``."""

    def __init__(self, refinement: Refinement, variables: Sequence[Variable], outer: TlaText) -> None:
        self._start, self._claim = refinement.mapping.start, refinement.claim.name
        super().__init__(refinement.mapping, variables, set(outer.taken))
        self.records |= outer.records
        self.taken |= {self.field(one.name) for one in variables}

    def field(self, name: str) -> str:
        """What a field is called."""
        if name.startswith(self._start):
            return f"{self._claim}_{name.removeprefix(self._start)}"
        return super().field(name)


def instance_lines(outer: TlaText, refinement: Refinement, module: str) -> list[str]:
    """The definitions that make a refinement a property of the module whose names ``outer`` has.

    module: what the abstract model's module is called. ModelError for a name that is taken.
    """
    mapping, name = refinement.mapping, refinement.claim.name
    variables = list(variables_of(mapping))
    text = _MappingText(refinement, variables, outer)
    images = [one for one in variables if one.name.startswith(mapping.start)]
    for defined in (f"{name}_of", f"{name}_has_image", *(text.field(one.name) for one in images)):
        if defined in outer.taken:
            raise ModelError(f"`{defined}` is what the export of {refinement.claim.what} needs itself: rename it")
    reading = _read(refinement)
    writes, scope = merged(reading).writes, Scope(text, ())
    written = {write.field for write in writes}
    given = [
        f"{one.name.removeprefix(mapping.start)} <- "
        + (update(scope, one.name, writes) if one.name in written else text.field(one.name))
        for one in images
    ]
    needed = {one.name for one in images if any(text.field(one.name) in line for line in given)}
    known = sets_of(outer.system)
    sets = {key: sort for key, sort in sets_of(mapping).items() if key not in known}
    records = [line for kind, line in zip(text.records, text.definitions(), strict=True) if kind not in outer.records]
    leaving = _leaving(text, reading)
    start = [f"{name}_has_image =="] + [f"  /\\ {one}" for one in leaving] + [""] if leaving else []
    kept = f"[]{name}_has_image /\\ " if leaving else ""
    definitions = [
        *(f"{key} == {text.extension(sort)}" for key, sort in sets.items() if not isinstance(sort.values, Int)),
        *records,
        *(f"{text.field(one.name)} == {declared_value(text, one)}" for one in images if one.name in needed),
    ]
    return [
        *([*definitions, ""] if definitions else []),
        f"{name}_of == INSTANCE {module} WITH",
        *(f"  {line}{',' if number < len(given) else ''}" for number, line in enumerate(given, start=1)),
        "",
        *start,
        f"{name} == {kept}{name}_of!Spec",
    ]


def _read(refinement: Refinement) -> ActionReading:
    """The mapping with values as wholes, and with loops as loops where they can be followed so."""
    mapping = refinement.mapping
    try:
        return Reader(mapping.model, mapping.config, True, whole=True).action(mapping.mapping)
    except ModelError:
        return Reader(mapping.model, mapping.config, False, whole=True).action(mapping.mapping)


def _leaving(text: TlaText, reading: ActionReading) -> list[str]:
    """That no value of the image leaves the range of its field: a line for each way in which one could."""
    found = []
    for one in reading.obligations:
        if one.leaves:
            free = tuple(dict.fromkeys(v for term in one.guard for v in free_variables(term)))
            scope = Scope(text, free)
            bounds = ", ".join(
                f"{name} \\in {text.domain(variable.sort)}"
                for name, variable in zip(scope.parameters, free, strict=True)
            )
            guard = AND.join(scope.condition(term) for term in one.guard) or "TRUE"
            found.append(f"~(\\E {bounds} : {guard})" if bounds else f"~({guard})")
    return found
