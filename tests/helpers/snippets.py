"""Snippets of ordinary Python as bodies of an action, and what becomes of each: read right, or refused with a line.

Blocks are separated by lines of dashes. A block that is refused ends with ``#!`` and a part of the message.
"""

HEADER = '''
import functools
import math
import random
import time
from collections import Counter, defaultdict, namedtuple
from enum import Enum, IntEnum
from types import SimpleNamespace
from onceproof import *


class Node(Sort, default=2):
    """A node."""


class Color(Enum):
    RED, GREEN, BLUE = range(3)


class Other(Enum):
    RED, GREEN, BLUE = range(3)


class Grade(IntEnum):
    LOW, HIGH = range(2)


class Holder:
    found = 0
    LIMIT = 2

    @staticmethod
    def double(x):
        return x + x

    @classmethod
    def made(cls, x):
        return x

    @property
    def given(self):
        return 1


mark = field(Node, bool)
pair = field(Node, Node, bool)
color = field(Node, Color)
grade = field(Node, Grade)
owner = field(Node, Optional[Node])
peer = field(Node, Node)
level = field(Node, Count(3, saturate=True))
total = field(Count(4, saturate=True))
flag = field(bool)
node_1 = field(bool)
fast = switch(on="fast", off="slow")

LIMIT = 2
TABLE = {Color.RED: Color.GREEN, Color.GREEN: Color.BLUE, Color.BLUE: Color.RED}
ORDER = (Color.RED, Color.GREEN, Color.BLUE)
LISTED = [1, 2]
SEEN = []
SPACE = SimpleNamespace(Node=Node, limit=1)
Point = namedtuple("Point", "x y")
cache = {}
counter = 0


def is_red(st, x):
    return st.color[x] == Color.RED


def early(st, x):
    if st.mark[x]:
        return Color.RED
    if st.flag:
        return Color.GREEN
    return Color.BLUE


def paint(st, x, color=Color.GREEN, *, hard=False):
    if hard:
        st.mark[x] = True
    st.color[x] = color


def collect(found, x, yes):
    if yes:
        found.append(x)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def endless(n):
    return endless(n + 1)


def remember(x, memory=[]):
    memory.append(x)
    return len(memory)


def generated(st):
    for n in Node:
        yield st.mark[n]


@functools.lru_cache
def cached(x):
    return x


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        function(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapper


@twice
def up(st):
    st.total += 1


def maker(k):
    def made(st):
        st.total = k

    return made


set_two = maker(2)
'''

RIGHT = """
st.mark[n] = True
---
st.mark[n] = not st.mark[m]
---
st.mark[n], st.mark[m] = st.mark[m], st.mark[n]
---
st.color[n], st.color[m] = st.color[m], st.color[n]
---
a, b = st.color[n], st.color[m]
st.color[m] = a
st.color[n] = b
---
require(st.mark[n])
st.mark[n] = False
---
require(n != m)
st.mark[n] = True
st.mark[m] = False
---
st.mark[n] = True
st.mark[m] = False
---
if st.mark[n]:
    st.color[n] = Color.RED
else:
    st.color[n] = Color.BLUE
---
if st.mark[n]:
    st.color[n] = Color.RED
elif st.flag:
    st.color[n] = Color.GREEN
elif st.mark[m]:
    st.color[m] = Color.BLUE
else:
    st.flag = True
---
if st.mark[n]:
    return
st.flag = True
---
if not st.mark[n]:
    st.flag = True
    return
st.mark[n] = False
---
if st.mark[n]:
    if st.flag:
        return
    st.total += 1
st.flag = not st.flag
---
require(st.flag or st.mark[n])
st.total += 1
---
require(st.flag and st.mark[n] or st.mark[m])
st.total += 1
---
require(not (st.flag and st.mark[n]))
st.total += 1
---
require(st.total < 3)
st.total += 1
---
require(1 <= st.total <= 2)
st.total -= 1
---
require(st.level[n] == st.level[m] == 1)
st.level[n] = 2
---
require(st.level[n] > st.level[m])
st.level[m] = st.level[n]
---
st.level[n] = st.level[n] + st.level[m]
---
st.level[n] = st.level[n] - 1
---
st.level[n] += st.level[m] - 1
---
st.total = 2 * st.level[n]
---
st.total = 3 - st.level[n]
---
st.total = st.level[n] * 2 - st.level[m]
---
st.total = (1 if st.mark[n] else 2) + (1 if st.flag else 0)
---
st.color[n] = Color.RED if st.flag else Color.BLUE
---
st.color[n] = Color.RED if st.flag else st.color[m]
---
x = st.color[n]
st.color[n] = Color.GREEN
if x == Color.RED:
    st.flag = True
---
st.color[n] = Color.GREEN
if st.color[n] == Color.GREEN:
    st.flag = True
---
st.color[n] = Color.GREEN
if st.color[m] == Color.GREEN:
    st.flag = True
---
require(st.color[n] in (Color.RED, Color.BLUE))
st.color[n] = Color.GREEN
---
require(st.color[n] not in ORDER[:2])
st.color[n] = ORDER[0]
---
require(st.color[n] in {Color.RED, Color.GREEN})
st.flag = True
---
require(st.color[n] in [Color.RED, st.color[m]])
st.flag = True
---
require(st.owner[n] is None)
st.owner[n] = m
---
require(st.owner[n] is not None)
st.owner[n] = None
---
x = st.owner[n]
if x is not None:
    st.mark[x] = True
---
x = st.owner[n]
if x is None:
    return
st.mark[x] = st.flag
---
x = st.owner[n]
require(x is not None and st.mark[x])
st.owner[n] = None
---
require(st.owner[n] is None or st.mark[st.owner[n]])
st.flag = True
---
require(st.owner[n] == m)
st.flag = True
---
require(st.owner[n] != m)
st.flag = True
---
require(st.owner[n] == st.owner[m])
st.flag = True
---
st.owner[n] = st.owner[m]
---
st.owner[n] = m if st.flag else None
---
st.owner[n] = None if st.mark[n] else n
---
st.peer[n] = m
---
st.peer[n] = st.peer[m]
---
st.peer[st.peer[n]] = n
---
st.mark[st.peer[st.peer[n]]] = True
---
require(st.peer[n] == n)
st.peer[n] = m
---
st.mark[st.peer[n]] = not st.mark[n]
st.flag = st.mark[m]
---
require(forall(Node, lambda x: st.mark[x]))
st.flag = True
---
require(exists(Node, lambda x: st.mark[x] and x != n))
st.flag = True
---
require(exists(Node, Node, lambda x, y: x != y and st.pair[x, y]))
st.flag = True
---
require(forall(Node, lambda x: exists(Node, lambda y: st.pair[x, y])))
st.flag = True
---
st.flag = forall(Node, lambda x: not st.mark[x] or st.color[x] == st.color[n])
---
st.flag = not exists(Node, lambda x: st.owner[x] == n)
---
st.flag = exists(Node, lambda x: st.owner[x] is not None and st.mark[st.owner[x]])
---
st.mark[n] = True
st.flag = forall(Node, lambda x: st.mark[x])
---
for x in Node:
    st.mark[x] = False
---
for x in Node:
    if st.mark[x]:
        st.color[x] = Color.RED
---
for x in Node:
    for y in Node:
        st.pair[x, y] = st.mark[x] and not st.mark[y]
---
for x in Node:
    if x == n:
        continue
    st.mark[x] = True
---
for x in Node:
    if st.mark[x]:
        st.owner[n] = x
        break
---
for x in Node:
    if st.mark[x]:
        st.owner[n] = x
        break
else:
    st.flag = True
---
for x in Node:
    if st.mark[x]:
        return
st.flag = True
---
for x in Node:
    require(st.mark[x])
st.flag = True
---
for x in Node:
    st.mark[x] = st.flag
    st.flag = True
---
before = n
for x in Node:
    st.peer[x] = before
    before = x
---
count = 0
for x in Node:
    if st.mark[x]:
        count += 1
st.total = count
---
count = 0
for x in Node:
    count = count + st.level[x]
st.flag = count > 2
---
last = None
for x in Node:
    if st.mark[x]:
        last = x
st.owner[n] = last
---
best = n
for x in Node:
    if st.level[x] > st.level[best]:
        best = x
st.owner[n] = best
---
found = []
for x in Node:
    if st.mark[x]:
        found.append(x)
st.total = len(found)
---
found = []
for x in Node:
    collect(found, x, st.mark[x])
if found:
    st.flag = True
---
found = [x for x in Node if st.mark[x]]
st.flag = n in found
---
found = [x for x in Node if st.mark[x]]
for x in found:
    st.color[x] = Color.BLUE
---
found = [x for x in Node if st.mark[x]]
for x in found:
    if st.flag:
        break
    st.flag = True
    st.owner[n] = x
---
values = [st.level[x] for x in Node]
st.total = values[0] + values[1]
---
values = [st.level[x] for x in Node]
st.level[n] = max(values)
---
st.level[n] = min(st.level[x] for x in Node)
---
st.level[n] = max(st.level[n], st.level[m])
---
st.level[n] = min(st.level[n], 1)
---
st.level[n] = max((st.level[x] for x in Node if st.mark[x]), default=0)
---
st.owner[n] = max([n, m], key=lambda x: st.level[x])
---
st.total = sum(st.level[x] for x in Node)
---
st.total = sum(1 for x in Node if st.mark[x])
---
st.total = sum(st.mark[x] for x in Node)
---
st.flag = sum([st.level[n], st.level[m], 1]) == 3
---
require(any(st.mark[x] for x in Node))
st.flag = True
---
require(all(st.mark[x] or x == n for x in Node))
st.flag = True
---
require(any([st.mark[n], st.flag]))
st.mark[n] = False
---
require(all((st.mark[n], st.flag)))
st.mark[n] = False
---
st.owner[n] = next((x for x in Node if st.mark[x]), None)
---
st.peer[n] = next((x for x in Node if st.mark[x]), n)
---
st.flag = len([x for x in Node if st.mark[x]]) == len(Node)
---
for i, x in enumerate(Node):
    if i == 0:
        st.mark[x] = True
---
for x, y in zip(Node, [True, False]):
    st.mark[x] = y
---
for x in reversed([n, m]):
    st.owner[n] = x
---
for i in range(3):
    st.total += 1
---
for i in range(2):
    if st.total == i:
        st.total = 4
        break
---
for c in Color:
    if st.color[n] == c:
        st.color[m] = c
---
for here, there in TABLE.items():
    if st.color[n] == here:
        st.color[n] = there
        return
---
for c in ORDER:
    if st.color[n] != c:
        st.color[n] = c
        break
---
i = 0
while i < 2:
    st.total += 1
    i += 1
---
match st.color[n]:
    case Color.RED:
        st.color[n] = Color.GREEN
    case Color.GREEN:
        st.color[n] = Color.BLUE
    case _:
        st.flag = True
---
match st.mark[n]:
    case True:
        st.flag = True
    case False:
        st.flag = False
---
match st.owner[n]:
    case None:
        st.flag = True
    case x:
        st.mark[x] = True
---
match (st.mark[n], st.flag):
    case (True, True):
        st.total = 1
    case (True, _):
        st.total = 2
    case (_, True):
        st.total = 3
---
match st.color[n], st.mark[n]:
    case Color.RED | Color.GREEN, True:
        st.flag = True
    case (Color.BLUE, x):
        st.flag = x
---
match st.level[n]:
    case 0:
        st.level[n] = 1
    case 1 | 2:
        st.level[n] = 3
    case x:
        st.total = x
---
match st.color[n]:
    case c if c == st.color[m] and st.flag:
        st.total = 1
    case Color.RED if st.mark[n]:
        st.total = 2
    case Color.RED:
        st.total = 3
---
match st.level[n]:
    case True:
        st.total = 1
    case _:
        st.total = 2
---
st.color[n] = early(st, n)
---
if early(st, n) == Color.GREEN:
    st.flag = False
---
require(is_red(st, n) and not is_red(st, m))
st.flag = True
---
paint(st, n)
---
paint(st, n, Color.BLUE)
---
paint(st, n, color=Color.RED, hard=True)
---
paint(st, n, *[Color.BLUE], **{"hard": True})
---
up(st)
---
set_two(st)
---
st.total = Holder.double(st.level[n])
---
st.total = depth(3)
---
st.total = Holder.LIMIT
---
st.total = LISTED[1]
---
st.total = SPACE.limit
---
for x in SPACE.Node:
    st.mark[x] = True
---
f = lambda x: st.mark[x]
st.flag = f(n) and f(m)
---
def put(x, y=True):
    st.mark[x] = y

put(n)
put(m, st.flag)
---
total = 0

def add(x):
    nonlocal total
    total += x

add(1)
if st.mark[n]:
    add(2)
st.total = total
---
functions = [lambda: n, lambda: m]
st.peer[n] = functions[1]()
---
functions = []
for x in Node:
    functions.append(lambda: x)
st.peer[n] = functions[0]()
---
choose = is_red if st.flag else (lambda st, x: st.mark[x])
st.mark[n] = choose(st, m)
---
target = st.color if True else None
st.mark[n] = target[n] == Color.RED
---
cells = st.mark
cells[n] = not cells[m]
---
if st.fast:
    st.flag = True
else:
    st.flag = random.random()
---
st.flag = st.fast and st.mark[n]
---
st.node_1 = exists(Node, lambda node_1: st.mark[node_1])
---
node_2 = n
st.node_1 = exists(Node, lambda x: exists(Node, lambda y: st.mark[y] and y != node_2))
---
x = 1
if st.flag:
    x = 2
if st.mark[n]:
    x = x + 1
st.total = x
---
x: int = 1
x += 1
st.total = x
---
x = y = st.mark[n]
st.mark[m] = x and y
---
if (x := st.level[n]) > 1:
    st.total = x
---
pair = (st.mark[n], st.color[n])
if pair == (True, Color.RED):
    st.flag = True
---
a, (b, c) = 1, (st.mark[n], n)
st.mark[c] = not b
---
x = [st.mark[n]]
y = x
y.append(st.flag)
st.total = len(x)
---
x = [st.mark[n]]
y = x.copy()
y.append(st.flag)
st.total = len(x)
---
x = []
x += [n]
x.extend([m])
st.total = len(x)
---
x = [1, 2]
x[0] = 3 if st.flag else 0
st.total = x[0]
---
d = {"a": 0}
d["a"] += 1
if st.flag:
    d["a"] += 1
st.total = d["a"]
---
d = {Color.RED: 1}
st.total = d.get(Color.RED, 0) + d.get(Color.BLUE, 2)
---
st.flag = Color.RED in TABLE
---
st.flag = [n, m] == [m, n]
---
st.flag = (st.level[n], st.level[m]) < (1, 2)
---
st.flag = st.mark[n] == st.mark[m]
---
st.flag = st.mark[n] != st.flag
---
st.flag = st.mark[n] & st.mark[m] | st.flag
---
st.flag = st.mark[n] ^ st.flag
---
st.flag = bool(st.mark[n])
---
st.flag = bool([x for x in Node if st.mark[x]])
---
x = st.level[n] if st.flag else None
if x is not None:
    st.total = x
---
x = n if st.flag else None
st.mark[n] = x is None
---
x = st.color[n] if st.flag else st.mark[n]
if st.flag:
    st.color[m] = x
---
if st.flag:
    x = 1
else:
    x = "none"
st.total = 0 if x == "none" else 1
---
st.total = abs(st.level[n] - st.level[m])
---
st.total = 7 // 2
---
st.total = len("abc")
---
st.mark[n] = True if st.mark[n] else True
---
pass
---
"a text that says something"
st.flag = True
---
require(True)
st.flag = not st.flag
---
require(False)
st.flag = not st.flag
---
require(st.flag and not st.flag)
st.total = 1
---
assert st.total <= 4
st.flag = True
---
assert not st.mark[n]
st.flag = True
---
if st.mark[n]:
    raise ValueError("marked")
st.flag = True
---
if st.flag:
    x = n
st.mark[x] = True
---
st.mark[st.owner[n]] = True
---
st.total = st.level[st.owner[n]]
---
st.peer[n] = st.owner[n]
---
st.flag = exists(Node, lambda x: st.mark[st.owner[x]])
---
st.total = max(st.level[x] for x in Node if st.mark[x])
---
st.peer[n] = next(x for x in Node if st.mark[x])
---
x = [y for y in Node if st.mark[y]]
y = [z for z in x if st.color[z] == Color.RED]
st.total = len(y) + len(x)
---
x = [(y, z) for y in Node for z in Node if st.pair[y, z]]
st.total = len(x)
---
st.flag = any(st.pair[y, z] for y in Node if st.mark[y] for z in Node if z != y)
---
x = [x for x in [n, m]]
st.peer[n] = x[0]
---
setattr(st, "flag", getattr(st, "flag") and st.mark[n])
---
st.total = sorted([2, 1])[0]
---
st.flag = tuple(x for x in Node) == (n, m)
---
st.mark[n] = st.color[n].__class__ is None if False else st.flag
---
del_ = 1
st.total = del_
---
st.level[n] += 1
st.level[m] += 1
---
st.level[n] = st.level[m] = 2
---
if n == m:
    st.flag = True
st.mark[n] = True
if st.mark[m]:
    st.total = 3
---
st.color[n] = Color["GREEN"]
---
st.grade[n] = Grade.HIGH
---
require(st.grade[n] == Grade.LOW)
st.grade[n] = st.grade[m]
---
st.flag = not not st.mark[n]
---
st.flag = (st.mark[n] or st.flag) if st.mark[m] else (st.mark[n] and st.flag)
---
def inner(x):
    if st.mark[x]:
        return 1
    for y in Node:
        if st.pair[x, y]:
            return 2
    return 0

st.total = inner(n) + inner(m)
---
for x in Node:
    for y in Node:
        if st.pair[x, y]:
            break
        st.pair[x, y] = True
    else:
        continue
    st.flag = True
---
x = n
for y in Node:
    x = st.peer[x]
st.peer[n] = x
---
while True:
    st.total += 1
    break
---
st.flag = ("%d" % 1) == "1"
"""

REFUSED = """
import os
#! `import`
---
from math import floor
#! `import`
---
st.flag = random.random() < 0.5
#! cannot be read
---
st.total = random.choice([0, 1])
#! cannot be read
---
st.total = random.randint(0, 1)
#! cannot be read
---
st.flag = time.time() > 0
#! cannot be read
---
st.total = math.floor(1.5)
#! cannot be read
---
open("file")
#! cannot be read
---
print(st.total)
#! cannot be read
---
input()
#! cannot be read
---
st.flag = eval("True")
#! cannot be read
---
exec("st.flag = True")
#! cannot be read
---
globals()["counter"] = 1
#! cannot be read
---
st.total = cached(1)
#! cannot be read
---
st.total = remember(n)
#! made outside the function and changed here
---
SEEN.append(n)
#! made outside the function and changed here
---
LISTED[0] = 2
#! made outside the function and changed here
---
cache[1] = n
#! made outside the function and changed here
---
TABLE[Color.RED] = Color.RED
#! made outside the function and changed here
---
Holder.found = 1
#! what an action changes is a field of the state
---
Holder.found += 1
#! what an action changes is a field of the state
---
SPACE.limit = 2
#! what an action changes is a field of the state
---
global counter
counter += 1
#! what an action changes is a field of the state
---
st.total = Holder.made(1)
#! runs code of its class
---
st.total = Holder().given
#! cannot be read
---
st.total = Counter([1])[1]
#! cannot be read
---
d = defaultdict(int)
#! cannot be read
---
p = Point(1, 2)
#! cannot be read
---
try:
    st.total = st.total + 1
except Exception:
    st.total = 0
#! `try`
---
try:
    st.total += 1
finally:
    st.flag = True
#! `try`
---
with open("x") as f:
    st.flag = True
#! `with`
---
class Inner:
    x = 1
#! a class
---
x = 1
del x
#! `del`
---
while st.total < 3:
    st.total += 1
#! a `while` that asks the state
---
while st.flag:
    st.flag = False
#! a `while` that asks the state
---
while True:
    st.flag = True
#! passes
---
st.total = endless(0)
#! calls inside one another
---
st.flag = any(generated(st))
#! yield
---
x = (st.mark[y] for y in Node)
st.flag = any(x)
#! a generator outside
---
require(st.color[n] is Color.RED)
st.flag = True
#! `is` compares objects
---
st.flag = st.mark[n] is True
#! `is` compares objects
---
st.flag = n is m
#! `is` compares objects
---
st.flag = ~st.mark[n]
#! write `not`
---
st.flag = st.color[n] == Other.RED
#! a Color is compared with
---
st.color[n] = Other.RED
#! expected a Color
---
st.color[n] = 0
#! expected a Color
---
st.color[n] = "RED"
#! expected a Color
---
st.mark[n] = 1
#! expected a condition
---
st.mark[n] = None
#! expected a condition
---
st.mark[n] = n
#! expected a condition
---
st.total = True
#! expected a number
---
st.total = "1"
#! expected a number
---
st.total = 1.5
#! expected a number
---
st.total = n
#! an index does not allow this
---
st.owner[n] = 0
#! expected a Node or None
---
st.peer[n] = 1
#! expected a Node
---
st.mark[0] = True
#! is indexed by [Node], found 0
---
st.mark[n, m] = True
#! found 2 indices
---
st.pair[n] = True
#! found 1 indices
---
st.mark = True
#! is an array
---
st.flag[n] = True
#! cannot be
---
st.colour[n] = Color.RED
#! did you mean `color`
---
st.flagg = True
#! did you mean `flag`
---
st.fast = False
#! is a switch
---
require(n)
#! expected a condition
---
require(st.total)
#! expected a condition
---
require(st.color[n])
#! expected a condition
---
require(st.owner[n])
#! expected a condition
---
require(1)
#! expected a condition
---
require([n])
#! expected a condition
---
if st.total:
    st.flag = True
#! a number has no truth
---
if st.color[n]:
    st.flag = True
#! an enum value has no truth
---
if st.owner[n]:
    st.flag = True
#! has no truth
---
if n:
    st.flag = True
#! has no truth
---
if st.mark:
    st.flag = True
#! is an array
---
if Color.RED:
    st.flag = True
#! an enum value has no truth
---
st.flag = n < m
#! for an order
---
st.flag = n == 0
#! elements are compared with
---
st.peer[n] = n + 1
#! an index does not allow this
---
st.flag = st.color[n] < st.color[m]
#! an enum value does not allow this
---
st.flag = st.color[n].value > 0
#! an enum value has no `value`
---
st.flag = st.color[n].name == "RED"
#! an enum value has no `name`
---
st.total = st.total % 2
#! a number does not allow this
---
st.total = st.total // 2
#! a number does not allow this
---
st.total = st.total ** 2
#! a number does not allow this
---
st.total = st.total * st.total
#! multiplied by a constant
---
st.total = st.total / 2
#! a number does not allow this
---
st.color[n] = TABLE[st.color[n]]
#! not a key of a dictionary
---
x = {st.color[n]: 1}
#! not a key of a dictionary
---
st.total = LISTED[n]
#! a list is indexed by a number
---
st.flag = f"{st.total}" == "0"
#! has no text
---
st.flag = str(st.color[n]) == "Color.RED"
#! has no text
---
st.flag = isinstance(st.mark[n], bool)
#! asks what Python object there is
---
st.flag = type(st.total) == int
#! asks what Python object there is
---
st.total = id(n)
#! asks what Python object there is
---
st.total = hash(n)
#! asks what Python object there is
---
st.flag = repr(n) == "0"
#! asks what Python object there is
---
match st.mark[n]:
    case bool():
        st.flag = True
#! asks for the class
---
match st.total:
    case int(x):
        st.total = x
#! asks for the class
---
match st.mark[n]:
    case {"a": 1}:
        st.flag = True
#! a pattern that a model cannot use
---
match [n, m]:
    case [first, *rest]:
        st.flag = True
#! `*` in a pattern
---
first, *rest = [n, m]
#! cannot use `*`
---
for x in {n, m}:
    st.owner[n] = x
#! a set has no order
---
for x in range(st.total):
    st.flag = True
#! `range` of a number that depends on the state
---
for x in st.mark:
    st.flag = True
#! is an array
---
for x in st.total:
    st.flag = True
#! has no members
---
for x in Color.RED:
    st.flag = True
#! has no members
---
st.flag = forall(Node, lambda x: st.total)
#! expected a condition
---
st.flag = forall(Node, Node, lambda x: True)
#! TypeError
---
st.flag = exists(lambda x: True)
#! expected exists
---
def writes(x):
    st.mark[x] = True
    return True

require(exists(Node, writes))
#! a quantifier must not write
---
found = []

def note(x):
    found.append(x)
    return True

require(forall(Node, note))
#! a quantifier must not change
---
given(st.flag)
#! the guard of an action is `require`
---
require(exists(Node, lambda x: require(st.mark[x])))
#! a guard inside a quantifier
---
st.total = len(st.mark)
#! is an array
---
st.total = undefined_name
#! is not defined
---
undefined_function(st)
#! is not defined
---
paint(st)
#! misses its argument
---
paint(st, n, shade=1)
#! has no argument `shade`
---
is_red(st, n, m)
#! takes 2 arguments
---
step(st, n, m)
#! is an action
---
st.flag = mark[n]
#! is read from the state
---
x = [y for y in Node if st.mark[y]]
st.peer[n] = x[0]
#! whose length depends on the state
---
x = [y for y in Node if st.mark[y]]
st.flag = x == [n]
#! whose lengths depend on the state
---
x = [y for y in Node if st.mark[y]]
a, b = x
#! whose length depends on the state
---
st.total = functools.reduce(lambda a, b: a + b, [1, 2])
#! cannot be read
---
st.total = list(map(lambda x: 1, [n]))[0]
#! cannot be read
---
st.flag = "a" in "abc"
#! a text is searched
---
st.flag = st.color[n].is_red()
#! an enum value has no `is_red`
---
x = lambda: (yield)
st.flag = x()
#! cannot use
---
async def later():
    pass
#! cannot use
---
@twice
def inner():
    pass
#! a decorated function
---
st.flag = ...
#! has no meaning
---
require(st.flag, st.mark[n])
#! takes one condition
---
n.mark = True
#! what an action changes is a field of the state
---
st.total = 10 ** 10
#! cannot use the operator
---
st.flag = not st.mark
#! is an array
---
vars(st)["flag"] = True
#! asks what Python object there is
---
st.mark[n] = st
#! expected a condition
---
x = st.__dict__
#! no field `__dict__`
"""
