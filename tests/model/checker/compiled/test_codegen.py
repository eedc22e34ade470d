"""The generated functions: packed states, machine code, and Python's reading of the same text."""

import ast
import ctypes
import random
import types
from typing import Any

import numpy as np
import pytest

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.codegen.packing import Packing, signed
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.llvm.object_code import MOST_EFFORT, effort, to_object
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language import Count, Model, Optional, Sort, System, action, build, field, require
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.models.jugs import JUGS


def functions_of(system: System) -> Functions:
    return Functions(GeneratedSystem(system), system.properties())


def some_states(functions: Functions, most: int) -> list[PackedState]:
    seen = {functions.system.initial}
    queue = [functions.system.initial]
    for state in queue:
        for _, after in functions.generated.successors(state):
            if after not in seen:
                seen.add(after)
                queue.append(after)
        if len(seen) > most:
            break
    return random.Random(1).sample(queue, min(len(queue), 200))


def expanded(functions: Functions, expand: Any, state: PackedState) -> list[tuple[int, PackedState]]:
    """The successors that compiled code writes down, as the plain ones are."""
    words = functions.packing.words
    packed = np.array(functions.packing.pack(state), np.int64)
    out = np.zeros((functions.most_records + 1) * (words + 1), np.int64)
    found = []
    moves = np.array(functions.row_of_moves(idle=True), np.int64)
    for at in range(0, expand(packed, out, moves), words + 1):
        move = int(out[at])
        after = functions.packing.unpack(out[at + 1 : at + 1 + words].tolist())
        assert move >= 0 or after == state, "only a step that changes nothing is marked as idle"
        found.append((move if move >= 0 else -1 - move, after))
    count = functions.move_words
    enabled = sum((int(word) & (1 << 64) - 1) << 64 * n for n, word in enumerate(moves[count : 2 * count]))
    assert enabled == sum(1 << move for move, _ in found)
    return sorted(found)


def machine(library: Library, name: str) -> Any:
    arrays = 3 if name == "expand" else 2
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * arrays)(library.address(name))
    return lambda *places: function(*(place.ctypes.data for place in places))


@pytest.mark.parametrize("system", [build(JUGS), random_system(0), random_system(16), build(PROTOCOL)], ids=range(4))
def test_machine_code_takes_the_same_steps_as_generated_python(system: System) -> None:
    functions = functions_of(system)
    library = Library(to_object(functions.source()))
    for state in some_states(functions, 2000):
        assert expanded(functions, machine(library, "expand"), state) == functions.generated.successors(state)


@pytest.mark.parametrize("system", [build(JUGS), random_system(4)], ids=range(2))
def test_kernel_text_run_by_python_takes_the_same_steps(system: System) -> None:
    functions = functions_of(system)
    namespace: dict[str, Any] = {}
    exec(functions.source(), namespace)
    library = Library(to_object(functions.source()))
    for name, written in namespace.items():
        if isinstance(written, types.FunctionType):
            by_machine = machine(library, name)
            for state in some_states(functions, 300)[:60]:
                packed = functions.packing.pack(state)
                rooms = [[-1] * 4096, functions.row_of_moves(idle=True)][: 1 + (name == "expand")]
                places = [np.array(room, np.int64) for room in rooms]
                assert by_machine(np.array(packed, np.int64), *places) == signed(written(packed, *rooms))
                assert [place.tolist() for place in places] == [[signed(word) for word in room] for room in rooms]


def test_packed_states_are_unpacked_unchanged() -> None:
    rand = random.Random(2)
    known = [rand.choice((1, 2, 3, 7, 31, (1 << 20) - 1)) << rand.choice((0, 0, 2)) for _ in range(60)]
    packing = Packing(known)
    assert packing.words > 1
    for _ in range(100):
        state = tuple(rand.choice([v for v in range(mask.bit_length()) if mask >> v & 1]) for mask in known)
        words = packing.pack(state)
        assert packing.unpack(words) == state
        assert all(signed(word) == word for word in words)


def test_constant_fields_take_no_bits_in_packed_states() -> None:
    small = functions_of(build(PROTOCOL)).packing
    large = functions_of(build(PROTOCOL, PROTOCOL.configure({}, {}, {"api_crash": 1}))).packing
    assert small.bits < large.bits < 64


def test_chain_of_a_thousand_branches_compiles_without_deep_recursion() -> None:
    chain = "".join(f"    {'elif' if n else 'if'} a == {n}:\n        return {n * n % 7}\n" for n in range(1500))
    library = Library(to_object(f"def expand(state, out, moves):\n    a = state[0]\n{chain}    return -1\n"))
    function = machine(library, "expand")
    nothing = np.zeros(1, np.int64)
    found = [function(np.array([n], np.int64), nothing, nothing) for n in (0, 3, 1499, 1500)]
    assert found == [0, 2, 1499**2 % 7, -1]


@pytest.mark.parametrize(("lamps", "words", "hastily"), [(12, 2, False), (50, 8, False), (140, 20, True)])
def test_states_of_many_words_are_copied_completely(lamps: int, words: int, hastily: bool) -> None:
    system = build(LAMPS, LAMPS.configure({"lamps": lamps}, {}, {}))
    functions = functions_of(system)
    assert functions.packing.words == words
    parts = [part for part in ast.parse(functions.source()).body if isinstance(part, ast.FunctionDef)]
    assert (max(map(effort, parts)) > MOST_EFFORT) == hastily
    library = Library(to_object(functions.source()))
    for state in some_states(functions, 150)[:50]:
        assert expanded(functions, machine(library, "expand"), state) == functions.generated.successors(state)


class Lamp(Sort, default=3):
    """What shines."""


class Wire(Sort, default=4):
    """What leads to a lamp."""


def switch_on(st: Any, lamp: Lamp, wire: Wire) -> None:
    st.power[lamp, wire] += 1
    st.last = lamp


def rest(st: Any) -> None:
    require(st.last is not None)
    st.lit[st.last] = True
    st.last = None


LAMPS = Model(
    "lamps",
    {
        "__name__": "lamps",
        "power": field(Lamp, Wire, Count(2, saturate=True)),
        "lit": field(Lamp, bool),
        "last": field(Optional[Lamp]),
        "switch_on": action(switch_on),
        "rest": action(rest),
    },
)
