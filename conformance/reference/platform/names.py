"""What the platform calls what the model calls message1: ids are its own, so they are learnt when they are made."""

from __future__ import annotations

from typing import Any

from onceproof.implementation.clock import Clock
from onceproof.implementation.in_process.observation import MessageRow, Observer, PlacementRow, RunRow, TaskRow
from onceproof.implementation.stores.database import Database


class Names:
    """Ids of messages and requests, and the model's names for them. A task is known by user, function and TaskID."""

    def __init__(self) -> None:
        self._real: dict[Any, Any] = {}
        self._modelled: dict[Any, Any] = {}

    def bind(self, modelled: Any, real: Any) -> None:
        """From now on this is that; a submission is bound as (task, submission)."""
        self._real[modelled] = real
        self._modelled[real] = modelled

    def real(self, name: Any) -> Any:
        """The platform's word for one of the model's; what is not bound stays as it is."""
        return self._real.get(name, name)

    def modelled(self, name: Any) -> Any:
        """The model's word for one of the platform's."""
        return self._modelled.get(name, name)

    def knows(self, name: Any) -> bool:
        """Whether the model's name is bound."""
        return name in self._real

    def task(self, key: str) -> str:
        """The model's name of a task by its key: its TaskID."""
        return key.rpartition("/")[2]

    def submission(self, request_id: str) -> str:
        """The model's name of a request."""
        bound = self._modelled.get(request_id)
        return request_id if bound is None else str(bound[1])

    def clear(self) -> None:
        """Nothing is bound."""
        self._real.clear()
        self._modelled.clear()


class NamedObserver(Observer):
    """The rows of the tables, in the model's names."""

    def __init__(self, database: Database, clock: Clock, names: Names) -> None:
        super().__init__(database, clock)
        self.names = names

    def tasks(self) -> dict[str, TaskRow]:
        return {self.names.task(key): row for key, row in super().tasks().items()}

    def outbox(self) -> dict[tuple[str, str], bool]:
        names = self.names
        return {(names.task(t), names.submission(n)): relayed for (t, n), relayed in super().outbox().items()}

    def messages(self) -> dict[str, MessageRow]:
        names = self.names
        return {
            names.modelled(message): row._replace(
                task=names.task(row.task), submission=names.submission(row.submission)
            )
            for message, row in super().messages().items()
        }

    def placements(self) -> dict[str, PlacementRow]:
        return {self.names.modelled(message): placed for message, placed in super().placements().items()}

    def runs(self) -> dict[str, RunRow]:
        names = self.names
        return {
            names.modelled(message): run._replace(task=names.task(run.task)) for message, run in super().runs().items()
        }

    def failed_attempts(self) -> dict[tuple[str, int], str]:
        return {(self.names.modelled(message), k): error for (message, k), error in super().failed_attempts().items()}
