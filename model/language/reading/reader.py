"""The reader: an action as one guarded update, a property as two terms, each read from its source."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any

from onceproof.model.language.arguments import Parameter, grouped
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import ModelError, located
from onceproof.model.language.initials import Initial, together
from onceproof.model.language.model import Config, Model
from onceproof.model.language.pairs import with_primed_fields
from onceproof.model.language.reading.calls import call_function
from onceproof.model.language.reading.elements import value_at
from onceproof.model.language.reading.expressions import EXPRESSIONS
from onceproof.model.language.reading.interpreter import Ended, Interpreter
from onceproof.model.language.reading.operators import condition
from onceproof.model.language.reading.result import ActionReading, Obligation, Path, PropertyReading, touched_by
from onceproof.model.language.reading.statements import STATEMENTS
from onceproof.model.language.reading.values import STATE, STATE_AFTER, RecordValue, StateValue, Value
from onceproof.model.language.terms import FALSE, TRUE, Var, and_, not_, or_

# Kinds of properties that have no use for `given`, and what to write instead.
UNCONDITIONAL = {
    "infinitely_often": "@infinitely_often speaks of each run as a whole and has no `given`: where it is to come after "
    "something, write @leads_to",
    "stays": "@stays speaks of each run as a whole and has no `given`: return `not (...) or (...)`",
}
NO_PREMISE = (
    "@leads_to says what follows on what, and needs `given(...)` for the first part; without one write @eventually (at "
    "some time) or @infinitely_often (again and again)"
)
MOST_SWITCHES = 6  # that are tried in all settings, of those that one action asks


class Reader:
    """Reads the functions of one model under one configuration.

    unbounded: for any number of elements of each sort. whole: composite values as wholes, not as their scalar parts;
        with ``unbounded`` what goes through a sort is a quantifier or one update where it can be, and sizes are known.
    """

    def __init__(self, model: Model, config: Config, unbounded: bool = False, whole: bool = False) -> None:
        model = model.under(config)
        self._setting = model, config, unbounded, whole
        self._reader_of_steps: Reader | None = None  # made when it is first needed
        self._interpreter = Interpreter(model, config, unbounded, whole, EXPRESSIONS, STATEMENTS, call_function)

    def action(self, action: Action) -> ActionReading:
        """An action as its author wrote it; ModelError (with file, line and column) for what cannot be read."""
        interpreter = self._interpreter
        interpreter.guard_word = "mapping" if action.gives else "require"
        interpreter.gives = action.gives
        variables = _variables(action.parameters)
        try:
            self._result(action.what, action.functions, action.parameters)
        except Ended:
            return ActionReading(action, variables, (), self._obligations(), tuple(interpreter.choices))
        guard = tuple(dict.fromkeys(interpreter.guard))
        paths = () if and_(*guard) is FALSE else (Path(guard, interpreter.world.writes),)
        if interpreter.choices and any(parameter.fresh for parameter in action.parameters):
            name = interpreter.choices[0].name
            fresh = next(parameter.name for parameter in action.parameters if parameter.fresh)
            raise located(
                f"`{fresh}` is Fresh, and `{name}` is chosen: take `{fresh}` as a plain parameter",
                action.what,
                action.function,
            )
        return ActionReading(action, variables, paths, self._obligations(), tuple(interpreter.choices))

    def start(self, initials: Sequence[Initial]) -> ActionReading | None:
        """All @initial functions as one reading; None where there are none.

        ModelError where one of them reads or writes what another one writes: it would matter which comes first.
        """
        whole = together(initials)
        if whole is None:
            return None
        if len(initials) > 1:
            self._check_apart(initials)
        return self.action(whole)

    def _check_apart(self, initials: Sequence[Initial]) -> None:
        """ModelError where one of these functions reads or writes what another one writes."""
        touched = {one.name: tuple(map(self._declared, touched_by(self.action(one)))) for one in initials}
        for one, other in itertools.permutations(initials, 2):
            (reads, writes), (_, theirs) = touched[one.name], touched[other.name]
            if both := sorted(writes & theirs or reads & theirs):
                does = "writes" if writes & theirs else "reads"
                text = (
                    f"it {does} `{both[0]}`, which `{other.name}` writes: it would matter which of the two comes "
                    "first, so say both in one function"
                )
                raise located(text, one.what, one.function)

    def _declared(self, fields: Iterable[str]) -> set[str]:
        """The names that the author gave these fields: parts of a composite one are called as the whole."""
        found = (self._interpreter.model.fields[name] for name in fields)
        return {one.part.of.name if one.part else one.name for one in found}

    @property
    def functions(self) -> tuple[FunctionType, ...]:
        """The functions whose source was read so far: the model's own, and the helpers that they call."""
        own = self._interpreter.sources
        return tuple(own if self._reader_of_steps is None else {**own, **self._reader_of_steps._interpreter.sources})

    @property
    def switches_asked(self) -> frozenset[str]:
        """The switches that the last function read asks for."""
        return frozenset(self._interpreter.switches_asked)

    @property
    def parameters_asked(self) -> frozenset[str]:
        """The parameters that the last function read asks for."""
        return frozenset(self._interpreter.parameters_asked)

    def property(self, claim: Property) -> PropertyReading:
        """The antecedent and the claim of a property as terms; ModelError for what cannot be read.

        The claim is true where the antecedent is not, except for liveness: an obligation stands by itself. What is said
        of the state after a step is read of fields with primed names (see ``primes``).
        """
        if claim.kind == "step":
            if self._reader_of_steps is None:
                model, config, unbounded, whole = self._setting
                self._reader_of_steps = Reader(with_primed_fields(model), config, unbounded, whole)
            return self._reader_of_steps._property(claim)
        return self._property(claim)

    def _property(self, claim: Property) -> PropertyReading:
        interpreter = self._interpreter
        interpreter.guard_word, interpreter.presupposes = "given", False
        interpreter.gives = ""
        variables = _variables(claim.parameters)
        antecedent, body = self._claim(claim)
        if claim.kind in UNCONDITIONAL and interpreter.presupposes:
            raise located(UNCONDITIONAL[claim.kind], claim.what, claim.function)
        if claim.kind == "leads_to" and not interpreter.presupposes:
            raise located(NO_PREMISE, claim.what, claim.function)
        if claim.is_liveness:
            interpreter.skips_given = True
            try:
                _, body = self._claim(claim)
            finally:
                interpreter.skips_given = False
        ordered, obligations = frozenset(interpreter.ordered), self._obligations()
        presupposes, meanwhile = interpreter.presupposes, TRUE
        if claim.goal is not None:
            meanwhile, (_, body) = body, self._claim(claim, claim.goal)
            if interpreter.guard or interpreter.presupposes is not presupposes:
                raise located(
                    "what ends an @until has no `given`: say it in the property itself", claim.what, claim.goal
                )
            ordered, obligations = ordered | interpreter.ordered, obligations + self._obligations()
        return PropertyReading(claim, variables, antecedent, body, obligations, ordered, presupposes, meanwhile)

    def _claim(self, claim: Property, function: Callable[..., Any] | None = None) -> tuple[Any, Any]:
        interpreter = self._interpreter
        function = function or claim.function
        what = f"property `{claim.name}`"
        try:
            states = (STATE, STATE_AFTER) if claim.kind == "step" else (STATE,)
            value = self._result(what, (function,), claim.parameters, states)
        except Ended:
            return FALSE, TRUE
        if interpreter.world.writes:
            raise located("a property must not write", what, function)
        try:
            found = condition(interpreter, value)
        except ModelError as error:
            raise located(f"it must return a condition: {error.message}", what, function) from None
        antecedent = and_(*interpreter.guard)
        return antecedent, or_(*(not_(part) for part in interpreter.guard), found)

    def _result(
        self,
        what: str,
        functions: Sequence[Callable[..., Any]],
        parameters: tuple[Parameter, ...],
        states: tuple[StateValue, ...] = (STATE,),
    ) -> Value:
        """What the last of these functions returns, of which each goes on where the one before ended."""
        interpreter, variables = self._interpreter, _variables(parameters)
        interpreter.begin(what, variables)
        if interpreter.gives:
            states = (STATE, StateValue(interpreter.gives))
        values = [value_at(one.holds, variable) for one, variable in zip(parameters, variables, strict=True)]
        arguments = [*states, *grouped(parameters, values, lambda kind, parts: RecordValue(kind, tuple(parts)))]
        value: Value = None
        for function in functions:
            try:
                value = interpreter.call(function, arguments)
            except ModelError as error:
                if error.place is None:
                    raise located(error.message, what, function) from None
                raise
            except RecursionError:
                raise located("an expression, or calls, too deep to be read", what, function) from None
        return value

    def _obligations(self) -> tuple[Obligation, ...]:
        return tuple(dict.fromkeys(self._interpreter.obligations))


def can_be_switched_on(action: Action, model: Model, config: Config) -> bool:
    """Whether an action that cannot happen in a configuration could under another setting of what it asks.

    What it may do with other parameters is not tried out: one that asks a parameter is taken to be ruled out by it.
    """
    reader = Reader(model, config)
    reader.action(action)
    if reader.parameters_asked:
        return True
    settings = itertools.product((True, False), repeat=min(len(reader.switches_asked), MOST_SWITCHES))
    for setting in settings:
        other = Reader(model, config.with_switches(**dict(zip(sorted(reader.switches_asked), setting, strict=False))))
        try:
            if other.action(action).possible:
                return True
        except ModelError:  # what cannot be read there is told when it is switched on
            return True
    return False


def _variables(parameters: tuple[Parameter, ...]) -> tuple[Var, ...]:
    return tuple(Var(parameter.name, parameter.sort) for parameter in parameters)
