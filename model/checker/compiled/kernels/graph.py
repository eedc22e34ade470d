"""Searches on the graph of all steps, compiled once for all models: least costs, cycles, fairness.

The graph is in three arrays: the edges of state n are ``first[n]`` up to ``first[n + 1]``, each with a move and a
target. States that are left out have no edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import EXPAND, MOVE_BITS, REPRESENTATIVE
from onceproof.model.checker.compiled.kernels.visited import hash_of, is_at, number_of, slot_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import call, call_expand, prefetch

EXCHANGES = (1 << 30) - 1  # the bits of those that edges are marked with
GROUP = 64  # states whose successors are looked up together
NO_FAIRNESS, WEAK, STRONG = range(3)


@kernel
def make_edges(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, table, bits, start, stop, first, moves, targets, exchanged, out, hashes, row
) -> int:
    """The edges of the states from ``start`` up to ``stop``. With no room for them, only ``first`` is counted.

    exchanged: for each edge the bits of the exchanges that led to the representative of its target, if there is
    room. Returns how many edges lead from a state to another that it represents itself.
    """
    record = words + 1
    number_mask = np.uint32((1 << bits) - 1)
    counting = len(targets) == 0
    representative = functions[REPRESENTATIVE]
    alike = 0
    for group in range(start, stop, GROUP):
        last = min(group + GROUP, stop)
        n = 0
        for number in range(group, last):
            got = call_expand(functions[EXPAND], states, number * words, out, n, row, 0)
            if counting:
                first[number + 1] = got // record
                continue
            for at in range(n, n + got, record):
                if out[at] < 0:  # it stays where it is
                    for word in range(words):
                        out[at + 1 + word] = states[number * words + word]
                elif representative != 0 and not is_at(states, number, out, at + 1, words):
                    applied = call(representative, out, at + 1, out, n)
                    out[at] |= (applied & EXCHANGES) << MOVE_BITS
                    if is_at(states, number, out, at + 1, words):
                        alike += 1
            n += got
        if counting:
            continue
        count = n // record
        for i in range(count):
            hashes[i] = hash_of(out, i * record + 1, words)
            prefetch(table, slot_of(hashes[i], bits))
        for i in range(count):
            entry = table[slot_of(hashes[i], bits)]
            if entry != 0:
                prefetch(states, (int(entry & number_mask) - 1) * words)
        edge = first[group]
        for i in range(count):
            move = out[i * record] if out[i * record] >= 0 else -1 - out[i * record]
            moves[edge] = move & ((1 << MOVE_BITS) - 1)
            if len(exchanged) > 0:
                exchanged[edge] = move >> MOVE_BITS
            targets[edge] = number_of(out, i * record + 1, hashes[i], states, words, table, bits)
            edge += 1
    return alike


@kernel
def make_labels(function, states, words: Fixed, start, stop, labels, unused) -> int:  # type: ignore[no-untyped-def]
    """Puts what ``function`` says of each state into ``labels``; returns the first state where it fails, or -1."""
    for number in range(start, stop):
        found = call(function, states, number * words, unused, 0)
        if found < 0:
            return number
        labels[number] = found
    return -1


@kernel
def reach(first: Any, targets: Any, allowed: Any, reached: Any, queue: Any, count: int) -> int:
    """All that can be reached from the first ``count`` in the queue over allowed states; returns how many they are."""
    done = 0
    while done < count:
        number = queue[done]
        done += 1
        for edge in range(first[number], first[number + 1]):
            target = targets[edge]
            if allowed[target] and not reached[target]:
                reached[target] = True
                queue[count] = target
                count += 1
    return count


@kernel
def reach_by_symmetry(first, targets, exchanged, swaps, whole, instances, labels, reached, queue) -> None:  # type: ignore[no-untyped-def]
    """Marks where each instance of an obligation is open, on states that represent others.

    A state and an instance are one number: the state's, times ``instances``, and the instance's. On the way instances
    change places as elements do: ``swaps`` says for each arrangement (if ``whole``), or else for each exchange, and
    each instance which one it becomes. labels: whether the instance is unfulfilled there (1), and incurred too (3).
    """
    count, done = 0, 0
    for node in range(len(labels)):
        if labels[node] == 3:
            reached[node] = True
            queue[count] = node
            count += 1
    while done < count:
        node = queue[done]
        done += 1
        number = node // instances
        for edge in range(first[number], first[number + 1]):
            instance = node % instances
            bits, exchange = exchanged[edge], 0
            if whole:
                instance = swaps[bits * instances + instance]
                bits = 0
            while bits != 0:
                if bits & 1 != 0:
                    instance = swaps[exchange * instances + instance]
                bits >>= 1
                exchange += 1
            target = targets[edge] * instances + instance
            if labels[target] != 0 and not reached[target]:
                reached[target] = True
                queue[count] = target
                count += 1


@kernel
def least_costs(
    first: Any,
    moves: Any,
    targets: Any,
    is_fault: Any,
    allowed: Any,
    seeds: Any,
    seed_faults: Any,
    seed_steps: Any,
    faults: Any,
    steps: Any,
    queues: Any,
    noted: Any,
) -> int:
    """For each state the least (faults, steps) over allowed states from the seeds, which come in order of their own.

    They go into ``faults`` and ``steps``, which hold -1 before and where a state is not reached. ``queues`` is room for
    five numbers a state, ``noted`` for one: the number of faults for which a state waits already (-1 before).
    """
    now, later, later_steps, waiting, waiting_steps = queues[0], queues[1], queues[2], queues[3], queues[4]
    later_count, seed, spent = 0, 0, 0
    while later_count > 0 or seed < len(seeds):
        waiting_count = later_count
        for at in range(waiting_count):
            waiting[at], waiting_steps[at] = later[at], later_steps[at]
        later_count = 0
        if waiting_count == 0 and seed < len(seeds) and seed_faults[seed] > spent:
            spent = seed_faults[seed]
        here = 0
        done, count = 0, 0
        step = 0
        while done < count or here < waiting_count or (seed < len(seeds) and seed_faults[seed] == spent):
            if done == count:  # go on at the next number of steps for which something waits
                step = 1 << 30
                if here < waiting_count:
                    step = min(step, waiting_steps[here])
                if seed < len(seeds) and seed_faults[seed] == spent:
                    step = min(step, seed_steps[seed])
                done = count = 0
            while here < waiting_count and waiting_steps[here] <= step:
                number = waiting[here]
                here += 1
                if faults[number] < 0:
                    faults[number], steps[number] = spent, step
                    now[count] = number
                    count += 1
            while seed < len(seeds) and seed_faults[seed] == spent and seed_steps[seed] <= step:
                number = seeds[seed]
                seed += 1
                if faults[number] < 0:
                    faults[number], steps[number] = spent, step
                    now[count] = number
                    count += 1
            end = count
            step += 1
            while done < end:
                number = now[done]
                done += 1
                for edge in range(first[number], first[number + 1]):
                    target = targets[edge]
                    if not allowed[target] or faults[target] >= 0:
                        continue
                    if is_fault[moves[edge]]:
                        if noted[target] != spent:
                            noted[target] = spent
                            later[later_count], later_steps[later_count] = target, step
                            later_count += 1
                    else:
                        faults[target], steps[target] = spent, step
                        now[count] = target
                        count += 1
        spent += 1
    return spent


@part
def rests(first, moves, targets, is_fault, fairness, number) -> bool:  # type: ignore[no-untyped-def]
    """Whether a fair run may stay in one state for ever: whether no fair step leads out of it."""
    for edge in range(first[number], first[number + 1]):
        if targets[edge] != number and fairness[moves[edge]] != 0 and not is_fault[moves[edge]]:
            return False
    return True


@kernel
def peel(first, moves, targets, is_fault, fairness, entries, queue, resting) -> None:  # type: ignore[no-untyped-def]
    """Finds the states that no cycle of steps that are not faults leads to, and those in which a fair run may stay.

    Most graphs are peeled off altogether, in the order in which they were found. ``entries`` ends as -1 for each state
    that is (0 before); ``queue`` is room for all states.
    """
    count, done = 0, 0
    for number in range(len(first) - 1):
        resting[number] = rests(first, moves, targets, is_fault, fairness, number)
        for edge in range(first[number], first[number + 1]):
            if targets[edge] != number and not is_fault[moves[edge]]:
                entries[targets[edge]] += 1
    for number in range(len(first) - 1):
        if entries[number] == 0:
            queue[count] = number
            count += 1
    while done < count:
        number = queue[done]
        done += 1
        entries[number] = -1
        for edge in range(first[number], first[number + 1]):
            target = targets[edge]
            if target != number and not is_fault[moves[edge]]:
                entries[target] -= 1
                if entries[target] == 0:
                    queue[count] = target
                    count += 1


@kernel
def fair_sets(
    first: Any, moves: Any, targets: Any, is_fault: Any, fairness: Any, members: Any, group: Any, room: Any, counts: Any
) -> int:
    """Among ``members`` (numbers with ``group`` 0; all else is -1) finds the sets that a fair run can stay in.

    Fairness counts only steps that change the state, as WF and SF of TLA+ do. In the end ``group`` is the number of
    the set (from 1 on) of each state in one, and -1 for all others. Strongly connected sets come from Tarjan's
    algorithm over steps that are not faults; a set with states that enable a strongly fair step that it never takes is
    searched again without those. ``room`` is seven numbers a state (0 before), ``counts`` three for each
    move. Moves that are one instance of an action, and differ in what they choose, have one number.
    """
    index, low, edge_of, stack, path, component, again = room[0], room[1], room[2], room[3], room[4], room[5], room[6]
    enabled, taken, noted = counts[0], counts[1], counts[2]
    sets, components, clock = 0, 0, 0
    waiting = len(members)
    while waiting > 0:
        again_count = 0
        for position in range(waiting):
            root = members[position]
            if index[root] != 0 or group[root] != 0:
                continue
            depth, height = 0, 0
            path[0] = root
            clock += 1
            index[root] = low[root] = clock
            edge_of[root] = first[root]
            stack[height] = root
            height += 1
            while depth >= 0:
                number = path[depth]
                if edge_of[number] < first[number + 1]:
                    edge = edge_of[number]
                    edge_of[number] += 1
                    target = targets[edge]
                    if is_fault[moves[edge]] or group[target] != 0:
                        continue
                    if index[target] == 0:
                        clock += 1
                        index[target] = low[target] = clock
                        edge_of[target] = first[target]
                        stack[height] = target
                        height += 1
                        depth += 1
                        path[depth] = target
                    elif component[target] == 0:
                        low[number] = min(low[number], index[target])
                    continue
                depth -= 1
                if depth >= 0:
                    low[path[depth]] = min(low[path[depth]], low[number])
                if low[number] != index[number]:
                    continue
                components += 1
                if stack[height - 1] == number:
                    height -= 1
                    component[number] = components
                    if rests(first, moves, targets, is_fault, fairness, number):
                        sets += 1
                        group[number] = sets
                    else:
                        group[number] = -1
                    continue
                bottom = height
                while True:
                    bottom -= 1
                    component[stack[bottom]] = components
                    if stack[bottom] == number:
                        break
                for move in range(len(fairness)):
                    enabled[move] = taken[move] = noted[move] = 0
                for at in range(bottom, height):
                    for edge in range(first[stack[at]], first[stack[at] + 1]):
                        move = moves[edge]
                        if not is_fault[move] and targets[edge] != stack[at]:
                            if noted[move] != at + 1:  # once a state, however many choices there are
                                enabled[move] += 1
                                noted[move] = at + 1
                            if component[targets[edge]] == components and group[targets[edge]] == 0:
                                taken[move] = 1
                fair, avoided = True, 0
                for move in range(len(fairness)):
                    if fairness[move] != 0 and enabled[move] == height - bottom and taken[move] == 0:
                        fair = False
                if fair:
                    for at in range(bottom, height):
                        for edge in range(first[stack[at]], first[stack[at] + 1]):
                            move = moves[edge]
                            changes = targets[edge] != stack[at]
                            if fairness[move] == 2 and changes and not is_fault[move] and taken[move] == 0:
                                group[stack[at]] = -2
                        if group[stack[at]] == -2:
                            avoided += 1
                fair = fair and avoided < height - bottom
                if fair and avoided == 0:
                    sets += 1
                for at in range(bottom, height):
                    number = stack[at]
                    if not fair or group[number] == -2:
                        group[number] = -1
                    elif avoided == 0:
                        group[number] = sets
                    else:
                        again[again_count] = number
                        again_count += 1
                height = bottom
        waiting = again_count
        for position in range(waiting):
            members[position] = again[position]
            index[again[position]] = component[again[position]] = 0
    return sets


@kernel
def sources(
    first: Any,
    moves: Any,
    targets: Any,
    is_fault: Any,
    faults: Any,
    steps: Any,
    goal: int,
    goal_faults: int,
    found: Any,
) -> int:
    """The states from which the goal is reached at its least cost, into ``found``; returns how many there are."""
    count = 0
    wanted = steps[goal] - 1
    for number in range(len(first) - 1):
        if steps[number] != wanted or faults[number] < 0:
            continue
        for edge in range(first[number], first[number + 1]):
            if targets[edge] == goal and faults[number] + is_fault[moves[edge]] == goal_faults:
                found[count] = number
                count += 1
                break
    return count
