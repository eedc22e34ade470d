"""Whether a counterexample of one case is one of another case too: found out by taking its steps, without exploring.

This is what makes a search over thousands of sets of mechanisms possible: most sets are broken by a run that is known.
Nothing is taken on trust. A run that can be taken step for step under other mechanisms, and that is false at its end
there, is a counterexample there; and since a run asks only after some of the mechanisms, the answer is the same for
every set that agrees on those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

from onceproof.model.checker.matrix.cases import Case, Finding, Setting
from onceproof.model.checker.obligations import unmet
from onceproof.model.checker.safety import violates
from onceproof.model.language import Config, Model, Step, System
from onceproof.model.language.declare import DEADLOCK, Fairness, Property, choose, choose_from
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.judging import Judge, names_with_values
from onceproof.model.language.layout import LEFT, Layout, State, budget_of
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.run import RunMode, RunState
from onceproof.model.language.system import bounds_of

LANGUAGE = "onceproof.model.language"


class _Switches(dict[str, bool]):
    """The mechanisms, noting which are asked after."""

    def __init__(self, switches: Mapping[str, bool], noted: set[str]) -> None:
        super().__init__(switches)
        self.noted = noted

    def __getitem__(self, name: str) -> bool:
        self.noted.add(name)
        return super().__getitem__(name)


class _Names:
    """What ``when`` gets, noting which mechanisms are asked after."""

    def __init__(self, config: Config, noted: set[str]) -> None:
        self._names, self._switches, self._noted = config.names(), config.switches, noted

    def __getattr__(self, name: str) -> Any:
        if name in self._switches:
            self._noted.add(name)
        return getattr(self._names, name)


class _View(RunState):
    """What actions get as ``st``, noting which mechanisms they ask after."""

    def __init__(self, layout: Layout, config: Config, noted: set[str]) -> None:
        super().__init__(layout, config)
        for name in config.switches:
            del self.__dict__[name]  # so that __getattr__ is asked
        self.__dict__.update(_noted=noted, _switches=dict(config.switches))

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_switches"]:
            self._noted.add(name)
            return self._switches[name]
        return super().__getattr__(name)


class _Choices(dict[str, ActionReading]):
    """What actions choose, read when first asked for. Of an action that cannot choose nothing is read."""

    def __init__(self, model: Model, config: Config) -> None:
        self._model, self._config = model, config

    def __missing__(self, name: str) -> ActionReading:
        action = self._model.actions[name]
        chooses = may_choose(action.function)
        self[name] = Reader(self._model, self._config).action(action) if chooses else ActionReading(action, (), (), ())
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return name in self._model.actions


@lru_cache(maxsize=4096)
def may_choose(function: Callable[..., None]) -> bool:
    """Whether an action may call ``choose``: whether that is anywhere among the names of its file and its helpers'."""
    waiting, seen = [function.__globals__], set[int]()
    while waiting:
        names = waiting.pop()
        if id(names) in seen or str(names.get("__name__", "")).startswith(LANGUAGE):
            continue
        seen.add(id(names))
        for value in list(names.values()):
            if value is choose or value is choose_from:
                return True
            if isinstance(value, FunctionType):
                waiting.append(value.__globals__)
            elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] == "onceproof":
                return True  # by an attribute: `onceproof.choose`
    return False


class UntracedSystem(System):
    """A system that can only be run: built in a fraction of the time, since nothing is reading.

    ``noted`` are the mechanisms that were asked after so far. Without traces an action that can never happen is not
    left out of ``actions``; its guard refuses it.
    """

    def __init__(self, setting: Setting, case: Case) -> None:
        self.noted: set[str] = set()
        self.model, self.config = setting.model, setting.config(case)
        if self.model.derive:
            # Asked once more, only to note which mechanisms the sizes depend on.
            noting = replace(self.config, switches=_Switches(self.config.switches, self.noted))
            self.model.derive(noting, setting.given_sizes(case))
        self.layout = Layout(self.model, self.config)
        self.sizes = self.layout.sizes
        self.beginning = Reader(self.model, self.config).start(list(self.model.initials.values()))
        self.actions = {a.name: a for a in self.model.actions.values() if budget_of(a, self.config) != 0}
        self.readings = self.all_readings = _Choices(self.model, self.config)
        self._mode = RunMode(self.sizes)
        self._view = _View(self.layout, self.config, self.noted)
        self._states = (self._view,)
        self.bounds, self._looked_at = bounds_of(self.model, self.config), None
        self._ordered = names_with_values(self.model)
        self._judge = Judge(self.sizes, self._view, lambda: _View(self.layout, self.config, self.noted), self._ordered)
        self._left = {
            name: self.layout.places[LEFT + a.budget].offset
            for name, a in self.actions.items()
            if a.budget is not None and LEFT + a.budget in self.layout.places
        }

    def presupposes(self, claim: Property) -> bool:
        """As in ``System``, found out by running the property where the system starts."""
        self._judge.claims.presupposed = False
        for arguments in self.instances(claim):
            self.holds(claim, self.layout.initial, arguments)
        return self._judge.claims.presupposed

    def applies(self, name: str) -> bool:
        """Whether a property should be asked of this configuration."""
        claim = self.model.properties.get(name)
        return claim is None or claim.when is None or bool(claim.when(_Names(self.config, self.noted)))


def breaks(system: UntracedSystem, finding: Finding) -> bool:
    """Whether the counterexample of a finding is one in this system as well."""
    if not system.applies(finding.name):
        return False
    first = system.begun(finding.start)
    if first is None:
        return False
    states = [first]
    for step in finding.steps:
        # The layouts differ where sizes do, so the run is taken anew from the initial state.
        after = system.step(states[-1], step) if _exists(system, step) else None
        if after is None:
            return False
        states.append(after)
    if finding.name == DEADLOCK:
        return system.stuck(states[-1])
    claim = system.model.properties[finding.name]
    sizes = [system.sizes[parameter.sort.__name__] for parameter in claim.parameters]
    if any(argument >= size for argument, size in zip(finding.arguments, sizes, strict=True)):
        return False
    if claim.kind == "refines":
        system.noted |= refinement_of(system, claim).switches_asked
    if claim.is_safety:
        return violates(system, claim, finding.arguments, states)
    start = finding.loop
    if start is None:
        return unmet(system, claim, finding.arguments, states, None)
    if states[start] != states[-1]:
        return False
    return unmet(system, claim, finding.arguments, states, start) and _fair(system, finding, states)


def _exists(system: System, step: Step) -> bool:
    parameters = system.parameters_of(step.action)
    pairs = zip(step.arguments, parameters, strict=False)
    return len(parameters) == len(step.arguments) and all(a < cardinality(p.sort, system.sizes) for a, p in pairs)


def _fair(system: System, finding: Finding, states: Sequence[State]) -> bool:
    """Whether the loop is fair: a step possible in all its states (strong fairness: in any of them) must be taken."""
    start = finding.loop or 0
    loop = states[start:]
    steps = finding.steps[start:]
    if any(system.actions[step.action].fault for step in steps):
        return False
    taken = {
        system.instance(step) for step, (before, after) in zip(steps, pairwise(loop), strict=True) if before != after
    }
    could: list[set[Step]] = []
    for state in loop:  # a step that changes nothing is none: no fairness asks for it, and none is met by it
        could.append(
            {
                system.instance(step)
                for step, after in system.successors(state)
                if after != state and not system.actions[step.action].fault
            }
        )
    always = set.intersection(*could) - taken
    if any(system.actions[step.action].fairness is not Fairness.NONE for step in always):
        return False
    ever = set().union(*could) - taken
    return all(system.actions[step.action].fairness is not Fairness.STRONG for step in ever)


class Witness:
    """A known counterexample, asked again and again whether it breaks another set of mechanisms under its faults.

    breaks(on) takes the set as a mask over ``mechanisms``; what is not among those stays on.
    """

    def __init__(self, setting: Setting, mechanisms: Sequence[str], faults: tuple[str, ...], finding: Finding) -> None:
        self.setting, self.mechanisms = setting, list(mechanisms)
        self.faults, self.finding = faults, finding
        self.kills = 0
        self._answers: list[tuple[int, int, bool]] = []  # mask of what was asked after, how it was, what came out

    def breaks(self, on: int) -> bool:
        """Whether the run is a counterexample with just these mechanisms on."""
        answer = next((answer for mask, value, answer in self._answers if on & mask == value), None)
        if answer is None:
            answer, mask = self._asked(on)
            self._answers.append((mask, on & mask, answer))
        self.kills += answer
        return answer

    def _asked(self, on: int) -> tuple[bool, int]:
        off = tuple(name for bit, name in enumerate(self.mechanisms) if not on >> bit & 1)
        system = UntracedSystem(self.setting, Case(off, self.faults))
        answer = breaks(system, self.finding)
        mask = sum(1 << bit for bit, name in enumerate(self.mechanisms) if name in system.noted)
        return answer, mask
