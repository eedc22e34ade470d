"""Random models that are to refine random abstract ones, which they mostly do not."""

import random

from onceproof.model.language import System, build
from tests.helpers.random_models import Writer
from tests.helpers.written_models import written_model

ABSTRACT = '''

class Rough:
    """What is seen from far away."""

    sum = field({sum})
    mark = field(Thing, bool)
    last = field(Optional[Thing])

    @action
    def grow(st):
        """It grows."""
        require(st.sum < {most})
        st.sum += 1

    @action
    def shrink(st):
        """It shrinks, by how much is open."""
        st.sum -= choose_from([1, 2])

    @action
    def flip(st, thing: Thing):
        """A mark is set or taken away, and that thing is the last one."""
        require({guard})
        st.mark[thing] = not st.mark[thing]
        st.last = choose(Thing) if {free} else thing

    @action
    def jump(st):
        """Much changes at once."""
        require({loose})
        st.sum = choose_from(range(3))
        for thing in Thing:
            st.mark[thing] = choose_from([True, False])
        st.last = {any}

    @fault
    def forget(st):
        """Nothing is the last any more."""
        st.last = None


@refines(Rough)
def seen(st, spec):
    """What is seen of it."""
    spec.sum = {total}
    spec.last = {last}
    for t in Thing:
        spec.mark[t] = {mark}
        {more}
'''


def seen_from_afar(seed: int) -> System:
    """A random model that is to refine another one, which it mostly does not."""
    writer, r = Writer(seed), random.Random(seed)
    text = ABSTRACT.format(
        sum=r.choice(("Count(2)", "Int(0, 2)", "Count(4)", "Int(-1, 3)")),
        most=r.choice((2, 2, 3)),
        guard=r.choice(("True", "st.sum < 2", "st.last != thing", "not st.mark[thing]")),
        free=r.choice(("True", "False", "st.sum == 1")),
        loose=r.choice(("False", "True", "True", "st.sum > 0")),
        any=r.choice(("st.last", "choose(Thing) if choose_from([True, False]) else None")),
        total=r.choice(("st.total", "0", "2 - st.total", "st.total + (1 if st.first is None else 0)", "st.total - 1")),
        last=r.choice(("None", "st.first", "st.first if st.total > 0 else None")),
        mark=r.choice(("False", "st.colour[t] == Colour.RED", writer.condition(["t"]))),
        more=r.choice(
            ("pass", "spec.sum = spec.sum if st.level[st.home[t]] > 0 else 0", "spec.mark[t] = spec.mark[t]")
        ),
    )
    model = written_model(writer.text() + text, f"seen{seed}_")
    faults = {name: r.choice((0, 1, 1, None)) for name in model.faults}
    sizes = {"things": r.choice((2, 2, 3))}
    return build(model, model.configure(sizes, {"switched": r.random() < 0.5}, faults))
