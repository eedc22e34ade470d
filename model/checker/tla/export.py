"""A model under a configuration as plain TLA+: one operator for each action, under its own name, and its invariants.

    exported = export(system, "Failover", system.properties())
    exported.module, exported.configuration         # the text of Failover.tla and of Failover.cfg
    exported.remarks                                # what the two files do not say by themselves

TLC, given both, finds the same distinct states, transitions and violations as exploration without symmetry reduction.
Elements are strings (those of an ordered sort numbers), no value is the model value ``None``, and lists, records and
sets are those of TLA+; a bag is a function to counts. Fields that no action of the configuration writes are
definitions, not variables. Of a ``Fresh`` parameter the first element that will do is taken, as exploration does.

TLC takes a disjunction in an action for two branches and evaluates both, so that ``a = None \\/ f[a]`` would apply
``f`` to ``None``. So a condition of an action that has one is written ``TRUE = (...)``: TLC evaluates an expression
from the left, and only as far as needed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.obligations import Demand, demand_of
from onceproof.model.checker.tla.actions import Merged, merged, unmet_choices_are_first
from onceproof.model.checker.tla.fairness import fairness
from onceproof.model.checker.tla.names import IDENTIFIER, check_names, sets_of
from onceproof.model.checker.tla.refinement import instance_lines
from onceproof.model.checker.tla.scope import Scope
from onceproof.model.checker.tla.start import declared_value, init_lines
from onceproof.model.checker.tla.text import AND, NONE, OR, TlaText, bare
from onceproof.model.checker.tla.updates import update
from onceproof.model.checker.tla.variables import Variable, variables_of
from onceproof.model.language.composites import Seq
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.layout import LEFT
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading, PropertyReading, touched_by
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.sorts import Sort
from onceproof.model.language.system import System
from onceproof.model.language.terms import Var, not_, or_
from onceproof.model.language.traversal import free_variables

CLAMP = "Clamp(x, most) == IF x > most THEN most ELSE IF x < 0 THEN 0 ELSE x"
DIVISION = (
    "FloorDiv(a, b) == IF b > 0 THEN a \\div b ELSE (-a) \\div (-b)",
    "FloorMod(a, b) == a - (b * FloorDiv(a, b))",
)


@dataclass(frozen=True)
class Exported:
    """A module as text, and what belongs to it. remarks: one sentence each, for people, on how to run TLC.

    instances: the modules, by name, that this one has instances of, each in a file of its own beside it.
    """

    module: str
    configuration: str
    remarks: tuple[str, ...]
    instances: Mapping[str, str] = attribute(default_factory=dict)


def export(system: System, name: str, properties: Sequence[Property]) -> Exported:
    """A module (its name made from ``name``) and its .cfg file, which TLC 2.15 and newer versions read.

    Of the properties each ``always`` becomes an invariant (with ``TypeOK``: what every variable may hold), each
    ``step`` a property ``[][...]_vars`` of the steps that change something, each ``eventually`` a temporal property
    under the fairness of the actions, as exploration assumes it. TLC has nothing for a ``sometimes``: it becomes a
    definition, with an invariant ``Never_NAME`` whose violation shows it.
    ``RangesKept`` is the invariant that no step leaves the range of a field, where the model leaves that open.
    ``deadlock`` becomes the invariant ``NoDeadlock``: where no step but a fault is enabled, the model's ``ending`` is
    true. A refinement becomes the behaviour of an instance of the abstract model's module, with the image of the state
    for its variables. ModelError for a name that TLA+ needs itself.
    """
    module = name if IDENTIFIER.fullmatch(name) else re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "Model"
    check_names(system, [*properties, *system.bounds])
    check_agreement(system, properties)
    assert system.initials, "there is an initial state, or an error says why not"
    exporter = _Exporter(system, properties)
    instances: dict[str, str] = {}
    for claim in properties:
        if claim.kind == "until":
            raise ModelError(
                f"{claim.what} cannot be exported, as TLA+ has no `until`: name the properties to export, without it"
            )
        if claim.kind == "refines":
            refinement, name = refinement_of(system, claim), f"{module}_{claim.name}"
            check_names(refinement.abstract, ())
            instances[name] = _module(name, _Exporter(refinement.abstract, (), is_abstract=True).lines())
            *instance, behaviour = instance_lines(exporter.text, refinement, name)
            exporter.refined[claim.name] = [*instance, *_remark(claim.doc), behaviour]
    lines = exporter.lines()
    text = _module(module, lines)
    remarks = exporter.remarks()
    configuration = [*(f"\\* {remark}" for remark in remarks), *exporter.configuration(f"CONSTANT {NONE}" in lines), ""]
    return Exported(text, "\n".join(configuration), tuple(remarks), instances)


def _module(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"---- MODULE {name} ----", *lines, "====", ""])


class _Exporter:
    """Writes one module. refined: the definitions of each refinement.

    is_abstract: for an instance, so that all fields are variables, and of a ``Fresh`` parameter any element will do.
    """

    def __init__(self, system: System, claims: Sequence[Property], *, is_abstract: bool = False) -> None:
        self.system, self.is_abstract = system, is_abstract
        self.refined: dict[str, list[str]] = {}
        self.deadlock = any(claim.kind == "deadlock" for claim in claims)
        self.predicates = [claim for claim in claims if claim.kind in ("always", "sometimes")]
        self.obligations = [claim for claim in claims if claim.is_liveness]
        self.of_steps = [claim for claim in claims if claim.kind == "step"]
        self.actions = {name: self._read(name) for name in system.actions if system.readings[name].paths}
        self.merged: dict[str, Merged] = {name: merged(reading) for name, reading in self.actions.items()}
        written = {w.field for m in self.merged.values() for w in m.writes}
        budgets = {a.budget for a in system.actions.values() if a.budget}
        self.fields = list(variables_of(system))
        written |= {LEFT + budget for budget in budgets}
        self.beginning = self._read_beginning()
        if self.beginning is not None:
            written |= touched_by(self.beginning)[1]
        self.variables = [one.name for one in self.fields if is_abstract or one.name in written]
        taken = {one.name for one in self.fields} | set(system.model.actions) | set(system.sizes)
        self.text = TlaText(
            system,
            self.fields,
            taken
            | {"Clamp", "FloorDiv", "FloorMod", "NoDeadlock", "RangesKept", "vars"}
            | {claim.name for claim in (*claims, *system.bounds)},
        )
        self.departures = list(self._departures())

    def _read(self, name: str) -> ActionReading:
        """The action with loops kept as loops; unrolled where that cannot be followed."""
        action = self.system.actions[name]
        try:
            return self._reader(unbounded=True).action(action)
        except ModelError:
            return self._reader(unbounded=False).action(action)

    def _reader(self, *, unbounded: bool) -> Reader:
        return Reader(self.system.model, self.system.config, unbounded, whole=True)

    def _read_beginning(self) -> ActionReading | None:
        """The @initial functions as one, with values as wholes."""
        begins = self.system.beginning
        return begins and self._reader(unbounded=False).action(begins.action)

    def _property(self, claim: Property) -> PropertyReading:
        """The property with quantifiers over sorts as quantifiers, where it can be read so."""
        try:
            return self._reader(unbounded=True).property(claim)
        except ModelError:
            return self._reader(unbounded=False).property(claim)

    def configuration(self, none: bool) -> list[str]:
        """The lines of the .cfg file. none: whether the module has a constant for no value."""
        invariants = [
            *(["RangesKept"] if self.departures else []),
            *(claim.name for claim in self.predicates if claim.kind == "always"),
            *(["NoDeadlock"] if self.deadlock else []),
        ]
        return [
            *([f"CONSTANT {NONE} = {NONE}"] if none else []),
            *(["SPECIFICATION Spec"] if self.obligations else ["INIT Init", "NEXT Next"]),
            *(f"CONSTRAINT {bound.name}" for bound in self.system.bounds),
            *(f"INVARIANT {name}" for name in ["TypeOK", *invariants]),
            *(f"PROPERTY {claim.name}" for claim in (*self.of_steps, *self.obligations)),
            *(f"PROPERTY {name}" for name in self.refined),
        ]

    def remarks(self) -> list[str]:
        """What a user of TLC must know beside the module and the .cfg file."""
        found = ["Run TLC with -deadlock: a state without a next state is not an error by itself."]
        if self.deadlock:
            found.append("The invariant NoDeadlock says where no step but a fault is possible although it should be.")
        if self.departures:
            found.append(
                "The invariant RangesKept is false in the state before a step that leaves the range of a field: the "
                "step itself has no next state."
            )
        if self.system.bounds and self.obligations:
            found.append(
                "With a CONSTRAINT TLC says nothing of runs that leave it: that a temporal property is not violated is "
                "no proof that it holds."
            )
        found += [
            f"`{claim.name}` (sometimes) is not checked by this .cfg: TLC shows it as a violation of INVARIANT "
            f"Never_{claim.name}."
            for claim in self.predicates
            if claim.kind == "sometimes"
        ]
        return found

    def lines(self) -> list[str]:
        """Everything between the first line of the module and the last."""
        parameters = itertools.chain(*(a.parameters for a in self.system.actions.values() if not self.is_abstract))
        fresh = {p.sort.__name__: p.sort for p in parameters if p.fresh}
        sets = sets_of(self.system).values()
        constants = [one for one in self.fields if one.name not in self.variables]
        variables = [f"VARIABLES {', '.join(self.variables)}"] if self.variables else []
        rest = [
            "",
            *(f"{one.name} == {declared_value(self.text, one)}" for one in constants),
            *variables,
            "",
            *self._types(),
            "",
            *self._init(),
            *itertools.chain(*(["", *self._action(name)] for name in self.actions)),
            "",
            *self._next(),
            *itertools.chain(*(["", *self._predicate(claim)] for claim in (*self.system.bounds, *self.predicates))),
            *(["", "RangesKept ==", *self.departures] if self.departures else []),
            *(["", *self._no_deadlock()] if self.deadlock else []),
            *(["", self._vars()] if self.obligations or self.of_steps or self.is_abstract else []),
            *(["", "Spec == Init /\\ [][Next]_vars"] if self.is_abstract else []),
            *itertools.chain(*(["", *self._of_steps(claim)] for claim in self.of_steps)),
            *(["", *self._behaviour()] if self.obligations else []),
            *itertools.chain(*(["", *self._leads_to(claim)] for claim in self.obligations)),
            *itertools.chain(*(["", *lines] for lines in self.refined.values())),
        ]
        kinds = [one.kind for one in self.fields]
        modules = ["Integers"]
        modules += ["FiniteSets"] if any("Cardinality(" in line for line in rest) else []
        modules += ["Sequences"] if any(isinstance(kind, Seq) for kind in kinds) else []
        return [
            f"EXTENDS {', '.join(modules)}",
            *([f"CONSTANT {NONE}"] if _has_none(rest) else []),
            "",
            *(f"{sort.__name__} == {self.text.extension(sort)}" for sort in sets),
            *self.text.definitions(),
            *(self._before(fresh[name]) for name in sorted(fresh)),
            *([CLAMP] if any("Clamp(" in line for line in rest) else []),
            *(DIVISION if any("FloorDiv(" in line or "FloorMod(" in line for line in rest) else ()),
            *rest,
        ]

    # -- states

    def _init(self) -> list[str]:
        initial = {one.name: declared_value(self.text, one) for one in self.fields if one.name in self.variables}
        if self.beginning is not None:
            return init_lines(self.text, self.beginning, initial)
        parts = [f"  /\\ {name} = {value}" for name, value in initial.items()]
        return ["Init ==", *(parts or ["  TRUE"])]

    def _types(self) -> list[str]:
        """What every variable holds in every state, for a checker to hold the module itself against."""
        parts = [part for one in self.fields if one.name in self.variables for part in self._type(one)]
        return ["TypeOK ==", *(f"  /\\ {part}" for part in parts or ["TRUE"])]

    def _type(self, variable: Variable) -> Iterator[str]:
        values = self.text.all_of(variable.kind)
        for sort in reversed(variable.sorts):
            values = f"[{self.text.domain(sort)} -> {values}]"
        yield f"{variable.name} \\in {values}"
        if isinstance(variable.kind, Seq):
            names = self.text.bound(variable.sorts)
            pairs = zip(names, variable.sorts, strict=True)
            bounds = ", ".join(f"{name} \\in {self.text.domain(sort)}" for name, sort in pairs)
            cell = "".join([variable.name, *(f"[{name}]" for name in names)])
            length = f"Len({cell}) <= {variable.kind.most}"
            yield f"\\A {bounds} : {length}" if bounds else length

    def _before(self, sort: type[Sort]) -> str:
        elements = self.text.elements(sort)
        value = "{}"
        for number in range(len(elements) - 1, 0, -1):
            value = f"IF x = {elements[number]} THEN {{{', '.join(elements[:number])}}} ELSE {value}"
        return f"Before{sort.__name__}(x) == {value}"

    # -- actions

    def _action(self, name: str) -> list[str]:
        action, action_merged = self.system.actions[name], self.merged[name]
        reading = self.actions[name]
        scope = Scope(self.text, reading.all_variables)
        head = f"{name}({', '.join(scope.parameters)})" if scope.parameters else name
        left = LEFT + action.budget if action.budget and LEFT + action.budget in self.variables else None
        budget = [f"{left} > 0"] if left else []
        lines = _remark(action.doc)
        guard = (*action_merged.guard, *unmet_choices_are_first(reading))
        any_will_do = self.is_abstract
        fresh = [place for place, parameter in enumerate(action.parameters) if parameter.fresh and not any_will_do]
        if fresh or (self.deadlock and not action.fault):
            tests = budget + [scope.conjunct(part) for part in guard]
            lines += [f"{self._can(head)} ==" + " TRUE" * (not tests), *(f"  /\\ {test}" for test in tests)]
            earlier = [self._first(action, scope.parameters, fresh)] if fresh else []
            guards = [*([self._can(head)] if tests else []), *(f"TRUE = {part}" for part in earlier)]
        else:
            guards = budget + [scope.conjunct(part) for part in guard]
        updates = [f"{field}' = {update(scope, field, action_merged.writes)}" for field in action_merged.fields]
        if left:
            updates.append(f"{left}' = {left} - 1")
        changed = {*action_merged.fields, left}
        kept = [variable for variable in self.variables if variable not in changed]
        updates += [f"UNCHANGED <<{', '.join(kept)}>>"] if kept else []
        return [*lines, f"{head} ==", *(f"  /\\ {part}" for part in guards + updates)]

    def _can(self, head: str) -> str:
        name, bracket, arguments = head.partition("(")
        return f"Can_{name}{bracket}{arguments}"

    def _first(self, action: Action, parameters: Sequence[str], fresh: Sequence[int]) -> str:
        """That no earlier choice of the fresh parameters would do."""
        others = {position: f"{parameters[position]}_earlier" for position in fresh}
        sorts = {position: action.parameters[position].sort.__name__ for position in fresh}
        earlier = []
        for rank, position in enumerate(fresh):
            tests = [f"{others[p]} = {parameters[p]}" for p in fresh[:rank]]
            tests.append(f"{others[position]} \\in Before{sorts[position]}({parameters[position]})")
            earlier.append(f"({AND.join(tests)})")
        arguments = ", ".join(others.get(position, name) for position, name in enumerate(parameters))
        bounds = ", ".join(f"{others[position]} \\in {sorts[position]}" for position in fresh)
        return f"(\\A {bounds} : ({OR.join(earlier)}) => ~Can_{action.name}({arguments}))"

    def _next(self) -> list[str]:
        parts = [f"  \\/ {self._called(name, reading)}" for name, reading in self.actions.items()]
        return ["Next ==", *(parts or ["  FALSE"])]

    def _bounds(self, variables: Sequence[Var], scope: Scope, start: int = 0) -> str:
        pairs = list(zip(scope.parameters, variables, strict=False))[start:]
        return ", ".join(f"{name} \\in {self.text.domain(variable.sort)}" for name, variable in pairs)

    # -- properties

    def _predicate(self, claim: Property) -> list[str]:
        reading = self._property(claim)
        scope = Scope(self.text, reading.variables)
        term = reading.body if claim.kind == "sometimes" else or_(not_(reading.antecedent), reading.body)
        quantifier = "\\E" if claim.kind == "sometimes" else "\\A"
        bounds = self._bounds(reading.variables, scope)
        body = bare(scope.condition(term))
        lines = [
            *_remark(claim.doc),
            f"{claim.name} ==",
            f"  {quantifier} {bounds} : {body}" if bounds else f"  {body}",
        ]
        return lines + ([f"Never_{claim.name} == ~{claim.name}"] if claim.kind == "sometimes" else [])

    def _departures(self) -> Iterator[str]:
        """That no step leaves the range of a field: a line for each way in which one could."""
        for name, action in self.system.actions.items():
            reading = self.actions.get(name) or self._read(name)
            left = LEFT + action.budget if action.budget else ""
            budget = [f"{left} > 0"] if left in self.variables else []
            for one in reading.obligations:
                if one.leaves:
                    free = (v for term in one.guard for v in free_variables(term))
                    variables = tuple(dict.fromkeys([*reading.variables, *free]))
                    scope = Scope(self.text, variables)
                    bounds = self._bounds(variables, scope)
                    guard = AND.join(budget + [scope.condition(term) for term in one.guard]) or "TRUE"
                    beyond = "".join(f"~{bound.name}{OR}" for bound in self.system.bounds)
                    yield f"  /\\ {beyond}~(\\E {bounds} : {guard})" if bounds else f"  /\\ {beyond}~({guard})"

    def _no_deadlock(self) -> list[str]:
        """That some step is enabled which is not a fault, or the model's ``ending`` is true."""
        parts = []
        if self.system.ending is not None:
            reading = self._property(self.system.ending)
            scope = Scope(self.text, reading.variables)
            parts.append(scope.condition(or_(not_(reading.antecedent), reading.body)))
        for name, traced_action in self.actions.items():
            if not traced_action.action.fault:
                parts.append(self._called(f"Can_{name}", traced_action))
        parts += [f"~{bound.name}" for bound in self.system.bounds]
        return ["NoDeadlock ==", *(f"  \\/ {part}" for part in parts or ["FALSE"])]

    def _called(self, name: str, reading: ActionReading) -> str:
        """An operator of an action, for some elements."""
        scope = Scope(self.text, reading.all_variables)
        bounds = self._bounds(reading.all_variables, scope)
        call = f"{name}({', '.join(scope.parameters)})" if scope.parameters else name
        return f"\\E {bounds} : {call}" if bounds else call

    def _vars(self) -> str:
        return f"vars == <<{', '.join(self.variables)}>>"

    def _of_steps(self, claim: Property) -> list[str]:
        """A property of steps, as one of all steps that change something."""
        reading = self._property(claim)
        scope = Scope(self.text, reading.variables)
        bounds = self._bounds(reading.variables, scope)
        body = bare(scope.condition(or_(not_(reading.antecedent), reading.body)))
        every = f"\\A {bounds} : {body}" if bounds else body
        return [*_remark(claim.doc), f"{claim.name} ==", f"  [][{every}]_vars"]

    # -- runs without end

    def _behaviour(self) -> list[str]:
        """All fair runs: faults and free choices may stop, every other action goes on as its fairness says."""
        parts = [f"  /\\ {part}" for part in fairness(self.text, self.actions)]
        behaviour = "Spec == Init /\\ [][Next]_vars /\\ Fairness"
        endless = [name for name in self.actions if self._may_happen_for_ever(name)]
        if not endless:
            return ["Fairness ==", *(parts or ["  TRUE"]), behaviour]
        rest = [f"  \\/ {self._called(name, one)}" for name, one in self.actions.items() if name not in endless]
        return [
            f"\\* {', '.join(endless)}: any number of times, but not for ever.",
            "WithoutFaults ==",
            *(rest or ["  FALSE"]),
            "Fairness ==",
            *(parts or ["  TRUE"]),
            f"{behaviour} /\\ <>[][WithoutFaults]_vars",
        ]

    def _may_happen_for_ever(self, name: str) -> bool:
        """Whether nothing in the module but the demand that faults end keeps this action from going on."""
        action = self.system.actions[name]
        return action.fault and not (action.budget and LEFT + action.budget in self.variables)

    def _leads_to(self, claim: Property) -> list[str]:
        reading = self._property(claim)
        scope = Scope(self.text, reading.variables)
        bounds = self._bounds(reading.variables, scope)
        body = f"({scope.condition(reading.body)})"
        match demand_of(self.system, claim):
            case Demand.ONCE:
                leads = f"<>{body}"
            case Demand.RESPONSE:
                leads = f"({scope.condition(reading.antecedent)}) ~> {body}"
            case Demand.REPEATED:
                leads = f"[]<>{body}"
            case Demand.LASTING:
                leads = f"<>[]{body}"
        return [*_remark(claim.doc), f"{claim.name} ==", f"  \\A {bounds} : {leads}" if bounds else f"  {leads}"]


def _has_none(lines: Sequence[str]) -> bool:
    return any(re.search(rf"\b{NONE}\b", line) for line in lines if not line.startswith("\\*"))


def _remark(doc: str) -> list[str]:
    """An author's sentence as a comment, if there is one."""
    return [f"\\* {' '.join(doc.split())}"] if doc else []
