"""Whether properties are true, by running their functions: in a state, or of a step from one state to another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from onceproof.model.language.arguments import arguments_of
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import MISPLACED, Disabled, ModelError, Vacuous, locate
from onceproof.model.language.layout import State
from onceproof.model.language.mode import enter, leave
from onceproof.model.language.model import Model
from onceproof.model.language.run import RunMode, RunState, truth_of

Arguments = tuple[int, ...]


class Judge:
    """Runs the functions of properties. view: what they get as their state; make_view: makes one for a second state.

    ordered: the names of the properties that ``names_with_values`` says.
    """

    def __init__(
        self, sizes: Mapping[str, int], view: RunState, make_view: Callable[[], RunState], ordered: Collection[str]
    ) -> None:
        self.sizes, self.ordered = sizes, ordered
        self.claims = RunMode(dict(sizes))
        self._promises = RunMode(dict(sizes), skips_given=True)
        self._view, self._make_view = view, make_view
        self._after: RunState | None = None

    def in_state(self, claim: Property, state: State, arguments: Arguments) -> bool | None:
        """Whether a property is true in a state for these elements; None where its ``given`` is false."""
        found = self._truth(self.claims, claim, (self._view,), (state,), arguments)
        return found if claim.goal is None or found is None else self.keeps(claim, state, arguments)

    def keeps(self, claim: Property, state: State, arguments: Arguments) -> bool:
        """Whether it is true in a state, whatever its ``given`` says there."""
        return bool(self._truth(self._promises, claim, (self._view,), (state,), arguments, claim.goal))

    def lasts(self, claim: Property, state: State, arguments: Arguments) -> bool:
        """Whether what an ``until`` says of the time before its goal is true in a state."""
        return bool(self._truth(self._promises, claim, (self._view,), (state,), arguments))

    def of_step(self, claim: Property, before: State, after: State, arguments: Arguments) -> bool | None:
        """Whether a property of steps is true of the step between two states; None where its ``given`` is false."""
        if self._after is None:
            self._after = self._make_view()
        return self._truth(self.claims, claim, (self._view, self._after), (before, after), arguments)

    def _truth(
        self,
        mode: RunMode,
        claim: Property,
        views: tuple[RunState, ...],
        states: tuple[State, ...],
        arguments: Arguments,
        function: Callable[..., bool] | None = None,
    ) -> bool | None:
        function = function or claim.function
        for view, state in zip(views, states, strict=True):
            if view._loaded is not state:
                view._load(state)
        given: Sequence[Any] = arguments
        if claim.name in self.ordered:
            given = arguments_of(claim.parameters, arguments, self.sizes)
        enter(mode)
        try:
            return truth_of(function(*views, *given))
        except Vacuous:
            return None
        except Disabled as error:
            misplaced = ModelError(MISPLACED["require"]).with_traceback(error.__traceback__)
            raise locate(misplaced, claim.what, function) from None
        except Exception as error:
            raise locate(error, claim.what, function) from None
        finally:
            leave()


def names_with_values(model: Model) -> set[str]:
    """The actions and properties that get something else than the numbers of elements for their parameters."""
    functions: list[Action | Property] = [
        *model.actions.values(),
        *model.properties.values(),
        *model.axioms.values(),
        *model.bounds.values(),
    ]
    return {one.name for one in functions if any(p.sort.ordered or p.of for p in one.parameters)}
