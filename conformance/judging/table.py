"""The table of events: columns of small numbers, so that ten million events fit into little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onceproof.conformance.judging.events import NOTHING, Event, What

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]


class Names:
    """Texts as numbers, in the order in which they were first seen."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.texts: list[str] = []

    def number(self, text: str | None) -> int:
        """The number of a text; ``NOTHING`` for None."""
        if text is None:
            return NOTHING
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found

    def text(self, number: int) -> str | None:
        """The text of a number; None for ``NOTHING``."""
        return None if number < 0 else self.texts[number]


class EventTable:
    """All events of all files, in the order of reading. ``add`` is the inner loop of every reader: keep it short."""

    def __init__(self) -> None:
        self.time = array("q")
        self.what = array("B")
        self.task = array("i")
        self.worker = array("i")
        self.attempt = array("h")
        self.value = array("i")
        self.file = array("H")
        self.line = array("I")
        self.tasks, self.workers, self.values = Names(), Names(), Names()
        self.files: list[str] = []
        self.complete = True  # False: lines were skipped, or the reading was interrupted
        self.local: set[str] = set()  # files whose dates have no zone, which are taken as UTC
        self.starts_from_ends = False  # starts were computed from ends and durations

    def __len__(self) -> int:
        return len(self.time)

    def open_file(self, name: str) -> None:
        """All events added from now on come from this file."""
        self.files.append(name)

    def add(
        self,
        line: int,
        time: int,
        what: int,
        task: str | None,
        worker: str | None = None,
        attempt: int | None = None,
        value: str | None = None,
    ) -> None:
        """Add one event; time in nanoseconds."""
        self.time.append(time)
        self.what.append(what)
        self.task.append(self.tasks.number(task))
        self.worker.append(self.workers.number(worker))
        self.attempt.append(NOTHING if attempt is None else min(attempt, 32767))
        self.value.append(self.values.number(value))
        self.file.append(len(self.files) - 1)
        self.line.append(line)

    def cut(self) -> None:
        """Leave out a last row that an interrupt left half added: all columns get the length of the shortest."""
        columns = (self.time, self.what, self.task, self.worker, self.attempt, self.value, self.file, self.line)
        length = min(map(len, columns))
        for column in columns:
            del column[length:]

    def event(self, row: int) -> Event:
        """One row with its texts."""
        attempt = self.attempt[row]
        return Event(
            self.time[row],
            What(self.what[row]),
            self.workers.text(self.worker[row]),
            None if attempt < 0 else attempt,
            self.values.text(self.value[row]),
            self.files[self.file[row]],
            self.line[row],
        )

    def events(self, rows: Iterable[int]) -> list[Event]:
        """These rows, as events."""
        return [self.event(row) for row in rows]

    def ordered(self) -> Rows:
        """All rows by task, then time, then the order of reading; those of no task come first."""
        import numpy as np

        time = np.frombuffer(self.time, np.int64)
        task = np.frombuffer(self.task, np.int32)
        return np.lexsort((time, task))

    def by_task(self, rows: Rows) -> Iterator[tuple[int, Rows]]:
        """The rows of each task (``NOTHING`` for those of none), of rows that ``ordered`` gave."""
        import numpy as np

        task = np.frombuffer(self.task, np.int32)[rows]
        cuts = np.flatnonzero(np.diff(task)) + 1
        for part in np.split(rows, cuts):
            if len(part):
                yield int(self.task[int(part[0])]), part
