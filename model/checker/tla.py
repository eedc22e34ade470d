"""Export a system as plain TLA+: the same initial states, actions, invariants and promises, for an independent checker.

One operator per action, under its own name, made from the same traces as everything else. TLC reads the module and its
.cfg and must count the same distinct states. L. Lamport, "Specifying Systems", is the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.checker.tla_terms import Printer, cell, constant, told
from model.language.declare import Action, Fairness, Property
from model.language.layout import LEFT, Place, bounded_budgets
from model.language.system import System
from model.language.terms import TRUE, Term, Var, and_, conjuncts, eq, ite, not_, or_, parts_of, substitute
from model.language.trace import Path, TracedAction, Tracer, Write

AND = " /\\ "


def export(system: System, name: str, properties: Sequence[Property]) -> tuple[str, str]:
    """The TLA+ module ``name`` and its .cfg, for these properties (``sometimes`` ones come as their negation).

    Raises ModelError where the model has a loop that has no meaning all at once (its passes depend on each other).
    """
    module = _Module(system, name, properties)
    return module.text(), module.configuration()


class _Module:
    def __init__(self, system: System, name: str, properties: Sequence[Property]) -> None:
        self.system, self.name, self.properties = system, name, properties
        tracer = Tracer(system.model, system.config, unbounded=True)
        self.actions = {name: tracer.action(action) for name, action in system.actions.items()}
        written = {write.field for traced in self.actions.values() for way in traced.paths for write in way.writes}
        budgets = [LEFT + budget for budget in sorted(bounded_budgets(system.model, system.config))]
        self.places = system.layout.places
        self.constants = [p for p in self.places.values() if p.name not in written and p.name not in budgets]
        taken = {*self.places, *self.actions, *system.sizes, "vars", "other", "Init", "Next", "Spec", "Fairness"}
        self.printer = Printer(taken | {claim.name for claim in properties})
        self.variables = [p.name for p in self.places.values() if p.name in written or p.name in budgets]

    def text(self) -> str:
        parts = [
            f"---- MODULE {self.name} ----",
            "EXTENDS Integers, FiniteSets",
            f"VARIABLES {', '.join(self.variables)}",
            f"vars == <<{', '.join(self.variables)}>>",
            "",
            "Clamp(value, most) == IF value < 0 THEN 0 ELSE IF value > most THEN most ELSE value",
            *(f"{sort} == 1..{size}" for sort, size in self.system.sizes.items()),
            *(f"{place.name} == {self._initial(place)}" for place in self.constants),
            "",
            "Init ==",
            *(f"  /\\ {name} = {self._initial(self.places[name])}" for name in self.variables),
            "",
            *(line for traced in self.actions.values() for line in self._operator(traced)),
            "Next ==",
            *(f"  \\/ {self._instance(traced)}" for traced in self.actions.values()),
            "",
            "Fairness ==",
            *self._fairness(),
            "",
            "Spec == Init /\\ [][Next]_vars /\\ Fairness",
            "",
            *(line for claim in self.properties for line in self._property(claim)),
            "====",
        ]
        return "\n".join(parts) + "\n"

    def configuration(self) -> str:
        always = [claim.name for claim in self.properties if claim.kind == "always"]
        eventually = [claim.name for claim in self.properties if claim.kind == "eventually"]
        lines = ["SPECIFICATION Spec" if eventually else "INIT Init\nNEXT Next", "CHECK_DEADLOCK FALSE"]
        lines += [f"INVARIANT {name}" for name in always] + [f"PROPERTY {name}" for name in eventually]
        never_seen = [claim.name for claim in self.properties if claim.kind == "sometimes"]
        lines += [f"\\* sometimes: INVARIANT never_{name} is violated by a run that shows it" for name in never_seen]
        return "\n".join(lines) + "\n"

    def _initial(self, place: Place) -> str:
        codes = self.system.initial[place.offset : place.offset + place.cells]
        if not place.shape:
            return constant(place.kind, codes[0])
        bound = ", ".join(f"i{axis} \\in {sort.__name__}" for axis, sort in enumerate(place.sorts))
        usual = max(set(codes), key=codes.count)
        value = constant(place.kind, usual)
        for indices, code in zip(place.all_indices(), codes, strict=True):
            if code != usual:
                here = AND.join(f"i{axis} = {index + 1}" for axis, index in enumerate(indices))
                value = f"IF {here} THEN {constant(place.kind, code)} ELSE {value}"
        return f"[{bound} |-> {value}]"

    # -- actions

    def _operator(self, traced: TracedAction) -> Iterator[str]:
        action = traced.action
        parameters = (
            f"({', '.join(self.printer(variable) for variable in traced.variables)})" if traced.variables else ""
        )
        common, choice = _guard(traced.paths)
        known = frozenset(common) | conjuncts(choice)
        printer = self.printer
        guards = [printer.tight(term) for term in told((*common, *parts_of(choice))) if term != TRUE]
        yield f"\\* {action.doc.splitlines()[0]}" if action.doc else f"\\* {action.name}"
        if any(parameter.fresh for parameter in action.parameters):
            yield f"can_{action.name}{parameters} == {AND.join(guards) or 'TRUE'}"
            guards = [f"can_{action.name}{parameters}"]
        yield f"{action.name}{parameters} =="
        yield from (f"  /\\ {guard}" for guard in guards)
        written = list(dict.fromkeys(write.field for way in traced.paths for write in way.writes))
        for field in written:
            yield f"  /\\ {field}' = {self._after(field, traced, known)}"
        own = LEFT + (action.budget or "")
        same = [name for name in self.variables if name not in written and name != own]
        if same:
            yield f"  /\\ UNCHANGED <<{', '.join(same)}>>"
        yield ""

    def _after(self, field: str, traced: TracedAction, known: frozenset[Term]) -> str:
        """The value of a field after the step, whichever way it goes."""
        writes = _merged(field, traced.paths, known)
        printer = self.printer
        if any(write.binders for write in writes):
            return self._everywhere(field, writes)
        if not self.places[field].shape:
            value: str = field
            for write in writes:
                value = _if(printer, write.condition, printer(write.value), value)
            return value
        updates = []
        for write in writes:
            index = ", ".join(map(printer, write.indices))
            updates.append(f"![{index}] = {_if(printer, write.condition, printer(write.value), '@')}")
        return f"[{field} EXCEPT {', '.join(updates)}]"

    def _everywhere(self, field: str, writes: list[Write]) -> str:
        """The same where a loop writes many cells: the field is given anew, cell by cell."""
        place = self.places[field]
        here = tuple(Var(f"{sort.__name__.lower()}_{axis}_", sort) for axis, sort in enumerate(place.sorts))
        printer = self.printer
        value = cell(field, tuple(variable.name for variable in here))
        for write in writes:
            bound: dict[Var, Term] = {
                mine: variable
                for mine, variable in zip(write.indices, here, strict=True)
                if isinstance(mine, Var) and mine in write.binders
            }
            same = [eq(v, substitute(mine, bound)) for mine, v in zip(write.indices, here, strict=True)]
            condition = and_(*same, substitute(write.condition, bound))
            value = _if(printer, condition, printer(substitute(write.value, bound)), value)
        domain = ", ".join(f"{variable.name} \\in {variable.sort.__name__}" for variable in here)
        return f"[{domain} |-> {value}]"

    def _instance(self, traced: TracedAction) -> str:
        """Some step of an action, its budget spent and its ``Fresh`` parameters chosen as exploration does."""
        action = traced.action
        call = action.name
        if traced.variables:
            call += f"({', '.join(self.printer(variable) for variable in traced.variables)})"
        parts = [call]
        own = LEFT + (action.budget or "")
        if own in self.variables:
            parts = [f"{own} > 0", call, f"{own}' = {own} - 1"]
        parts += self._first_only(action)
        bound = ", ".join(f"{self.printer(v)} \\in {v.sort.__name__}" for v in traced.variables)
        body = AND.join(parts)
        return f"\\E {bound} : {body}" if bound else body

    def _first_only(self, action: Action) -> list[str]:
        fresh = [parameter for parameter in action.parameters if parameter.fresh]
        conditions = []
        for number, parameter in enumerate(fresh):
            names = {p: self.printer(Var(p.name, p.sort)) for p in action.parameters}
            arguments = ", ".join("other" if p is parameter else names[p] for p in action.parameters)
            if number:  # rare: several fresh choices; later ones are tried first, as in exploration
                raise NotImplementedError("more than one Fresh parameter")
            conditions.append(f"(\\A other \\in 1..({names[parameter]} - 1) : ~can_{action.name}({arguments}))")
        return conditions

    def _fairness(self) -> Iterator[str]:
        fair = [traced for traced in self.actions.values() if traced.action.fairness is not Fairness.NONE]
        for traced in fair:
            sign = "SF" if traced.action.fairness is Fairness.STRONG else "WF"
            names = [self.printer(variable) for variable in traced.variables]
            call = f"{traced.action.name}({', '.join(names)})" if names else traced.action.name
            step = AND.join([call, *self._first_only(traced.action)])
            bound = ", ".join(f"{self.printer(v)} \\in {v.sort.__name__}" for v in traced.variables)
            claim = f"{sign}_vars({step})"
            yield f"  /\\ \\A {bound} : {claim}" if bound else f"  /\\ {claim}"
        if not fair:
            yield "  TRUE"

    # -- properties

    def _property(self, claim: Property) -> Iterator[str]:
        traced = self.system.traced_property(claim)
        printer = self.printer
        bound = ", ".join(f"{self.printer(v)} \\in {v.sort.__name__}" for v in traced.variables)
        quantifier = f"\\A {bound} : " if bound else ""
        yield f"\\* {claim.doc.splitlines()[0]}" if claim.doc else f"\\* {claim.name}"
        if claim.kind == "always":
            body = printer(or_(not_(traced.antecedent), traced.body))
            yield f"{claim.name} == {quantifier}{body}"
        elif claim.kind == "eventually":
            promise = f"({printer(traced.antecedent)}) ~> ({printer(traced.body)})"
            yield f"{claim.name} == {quantifier}({promise})"
        else:
            yield f"never_{claim.name} == {quantifier}~({printer(and_(traced.antecedent, traced.body))})"
        yield ""


def _if(printer: Printer, condition: Term, then: str, other: str) -> str:
    return then if condition == TRUE else f"IF {printer(condition)} THEN {then} ELSE {other}"


def _guard(paths: tuple[Path, ...]) -> tuple[tuple[Term, ...], Term]:
    """What all ways through an action need, and the choice between them beyond that."""
    common = tuple(term for term in paths[0].guard if all(term in way.guard for way in paths))
    return common, _tree([tuple(term for term in way.guard if term not in common) for way in paths])


def _tree(guards: list[tuple[Term, ...]]) -> Term:
    """Whether one of these ways is open. They are branches of one decision tree, which folds them up again."""
    if not guards:
        return or_()
    if any(not guard for guard in guards):
        return TRUE
    first = guards[0][0]
    yes = [guard[1:] for guard in guards if guard[0] == first]
    no = [guard[1:] for guard in guards if guard[0] == not_(first)]
    rest = [guard for guard in guards if guard[0] not in (first, not_(first))]
    return or_(ite(first, _tree(yes), _tree(no)), _tree(rest))


def _merged(field: str, paths: tuple[Path, ...], known: frozenset[Term]) -> list[Write]:
    """The writes to a field on any way, one for each cell, under what the guard does not say already."""
    cells: dict[tuple[tuple[Term, ...], tuple[Var, ...]], list[tuple[int, Write]]] = {}
    for number, way in enumerate(paths):
        for write in _lasting([write for write in way.writes if write.field == field]):
            cells.setdefault((write.indices, write.binders), []).append((number, write))
    merged = []
    for (indices, binders), writes in cells.items():
        cases: dict[tuple[Term, Term], list[int]] = {}
        for number, write in writes:
            cases.setdefault((write.value, write.condition), []).append(number)
        conditions = [and_(_chosen(paths, ways, known), condition) for (_, condition), ways in cases.items()]
        values = [value for value, _ in cases]
        always = len({number for number, _ in writes}) == len(paths) and all(c == TRUE for _, c in cases)
        if always:
            value = values[-1]
            for one, condition in list(zip(values, conditions, strict=True))[-2::-1]:
                value = ite(condition, one, value)
            merged.append(Write(field, indices, value, TRUE, binders))
        else:
            merged += [Write(field, indices, v, c, binders) for v, c in zip(values, conditions, strict=True)]
    return merged


def _chosen(paths: tuple[Path, ...], ways: list[int], known: frozenset[Term]) -> Term:
    """That one of these ways is taken, given what the guard says."""
    if len(ways) == len(paths):
        return TRUE
    term = _tree([tuple(part for part in paths[way].guard if part not in known) for way in ways])
    return and_(*(part for part in parts_of(term) if part not in known))


def _lasting(writes: list[Write]) -> list[Write]:
    """The writes of one way that are not overwritten by a later one of the same way."""
    return [
        write
        for position, write in enumerate(writes)
        if not any(
            later.indices == write.indices and later.condition == TRUE and later.binders == write.binders
            for later in writes[position + 1 :]
        )
    ]
