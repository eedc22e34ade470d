"""Random models over every construct of the language: the engines, the prover and a plain program say the same of them.

`python -m bench.soundness` does this with thousands of models.
"""

import pytest

from tests.helpers.soundness import carried, choices, matches, members, statements, values
from tests.helpers.soundness.comparison import ENGINES, SYMMETRY, compare, evaluated, forget, found, system_of
from tests.helpers.soundness.evaluator import TooLarge
from tests.helpers.soundness.writer import write

MODELS, BATCH = 200, 20
MOST_STATES, SECONDS = 100, 1.0  # of processor time; grounding some models takes more, these are left out
# Constructs without which a batch of models would say little; those of `used` in the writers.
CONSTRUCTS = """
if|loop over a sort|loop over a tuple of tuples|while|early return|break|continue|else of a loop|narrowed by if|local
local changed on a branch|swap of cells|swap of locals|tuple assignment|a = b = value|carried count|carried flag
carried element|list that is filled|list filled by a helper|list comprehension|enumerate|nonlocal|dictionary
function inside a function|lambda in a loop|lambda in a loop with a default|list indexed by a number|hidden name
range, reversed, zip|match of an enum|match of a truth|match of a number|match of None|match of a tuple
guard of a case|alternatives in a pattern|capture in a pattern|conditional expression|next|sum|min, max
max of a generator|constants of equal names|arithmetic of truths|default argument|helper|helper in another module
in a tuple|chained comparison|quantifier|any, all|lambda called at once|walrus|in a comprehension|narrowed by and
require after a write|saturating count|arithmetic of whole numbers|sequence|record|class pattern
record that is always there|optional member of an enum|strict count|set|set of records|bag|drop new|drop old
sequence of records|choose|choose_from|choice of a message|require_not_none|field indexed by an enum
field indexed by a number|sort with an order|parameter of the model|state class|fairness|bounded action|shared budget
eventually|leads_to|infinitely_often|stays|ending|axiom
"""


def names(batch: int, seed: int) -> tuple[str, ...]:
    """All engines for one model of a batch; else generated code, or the functions themselves."""
    return (*ENGINES, SYMMETRY) if seed % BATCH == batch else (("direct",) if seed % 4 == 0 else ("plain",))


@pytest.mark.parametrize("batch", range(MODELS // BATCH))
def test_engines_agree_with_a_program_that_shares_no_code(batch: int) -> None:
    outcomes = [
        compare(seed, names(batch, seed), prove=True, most=MOST_STATES, seconds=SECONDS)
        for seed in range(batch * BATCH, (batch + 1) * BATCH)
    ]
    wrong = [f"seed {one.seed}: {one.detail}" for one in outcomes if one.kind == "differs"]
    assert not wrong, "\n".join(wrong)
    assert sum(one.kind == "agrees" for one in outcomes) >= BATCH * 0.6, outcomes
    assert sum(one.proved for one in outcomes) > 0, "nothing was proved, so nothing is known of what is proved wrongly"


def test_models_have_every_construct() -> None:
    used = [write(seed).used for seed in range(MODELS)]
    wanted = [one for line in CONSTRUCTS.split("\n") for one in line.split("|") if one]
    seldom = {one: sum(one in some for some in used) for one in wanted if sum(one in some for some in used) < 3}
    assert not seldom
    assert set().union(*used) == set(wanted), "a construct is not listed, or never written"
    apart = [carried.KINDS, matches.KINDS, values.KINDS, members.KINDS, choices.KINDS]
    assert len(statements.KINDS) >= 16 + sum(map(len, apart))


def test_comparison_notices_a_single_step_that_differs() -> None:
    """A program of which one action cannot happen is told from its model."""
    noticed = []
    for seed in range(40):
        written = write(seed)
        lines = written.program.splitlines()
        place = next((n for n, line in enumerate(lines) if line.startswith("def drive0")), None)
        if place is None:
            continue
        lines[place + 1] = "    raise Off"
        try:
            honest = evaluated(written, MOST_STATES)
        except TooLarge:
            continue
        written.program = "\n".join(lines)
        noticed.append(evaluated(written, MOST_STATES) != honest)
    assert len(noticed) > 20
    assert all(noticed)  # its transitions are missing, at least


def test_comparison_notices_what_is_fair() -> None:
    """Promises of endless runs are kept or broken by what is assumed to happen."""
    changed = 0
    for seed in range(120):
        written = write(seed)
        try:
            honest = evaluated(written, MOST_STATES)
        except TooLarge:
            continue
        written.program = written.program.replace("'weak')", "'none')")
        changed += evaluated(written, MOST_STATES).found != honest.found
    assert changed > 3


def test_every_engine_is_asked() -> None:
    outcome = compare(0, ENGINES, most=MOST_STATES, seconds=60)
    assert (outcome.kind, outcome.compared) == ("agrees", ENGINES), outcome


def test_result_of_an_engine_is_in_the_same_terms() -> None:
    from onceproof.model.checker import engines

    written = write(3)
    system = system_of(written)
    result = engines.check(system, None, engines.Options("direct"))
    forget(written)
    assert found(result) == evaluated(written)
