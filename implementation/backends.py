"""The stores and queues that a platform can run on, each named by a word or by the scheme of its URL.

To add one, write a module like `queues/jetstream.py` or `stores/postgres.py`, and add a line here. The module of a
store has `open_database(url, folder, wait_seconds)`; that of a queue has `open_queue(url, database, clock, settings,
replicas)`, and REPLAY_NOTES: by action, what is different on it when the platform is under a gate. It is imported
only where it is used, since it may need packages that others do without.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from onceproof.implementation.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Backend:
    """One store or queue. word: the setting that stands for it without a URL; schemes: those of its URLs."""

    title: str
    module: str
    word: str = ""
    schemes: tuple[str, ...] = ()

    def serves(self, setting: str) -> bool:
        """Whether a setting names this backend."""
        return setting.startswith(tuple(f"{scheme}://" for scheme in self.schemes)) or setting == self.word != ""

    def load(self) -> ModuleType:
        """Its module; StoreUnavailable where a package that it needs is not installed."""
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            raise StoreUnavailable(f"{self.title} needs the package `{error.name}`, which is not installed") from None


class Registry:
    """All backends of a kind; the first is the default."""

    def __init__(self, *backends: Backend) -> None:
        self.backends = backends

    @property
    def default(self) -> str:
        """The word for the first."""
        return self.backends[0].word

    def knows(self, setting: str) -> bool:
        """Whether a setting names one of them."""
        return any(backend.serves(setting) for backend in self.backends)

    def find(self, setting: str) -> Backend:
        """The backend that a setting names; ValueError where there is none."""
        for backend in self.backends:
            if backend.serves(setting):
                return backend
        raise ValueError(f"found {setting!r}, expected {self.expected()}")

    def urls(self) -> Iterator[str]:
        """How the URLs of those on a server begin, each with the first of its schemes."""
        return (f"{backend.schemes[0]}://" for backend in self.backends if backend.schemes)

    def expected(self) -> str:
        """What a setting may be, for messages."""
        words = " or ".join(f"`{backend.word}`" for backend in self.backends if backend.word)
        return f"{words} or a URL that begins with {' or '.join(self.urls())}"

    def described(self) -> str:
        """Those on a server, for help texts."""
        on_servers = (backend for backend in self.backends if backend.schemes)
        return " or ".join(f"the {backend.schemes[0]}:// URL of a {backend.title} server" for backend in on_servers)


STORES = Registry(
    Backend("SQLite", "onceproof.implementation.stores.sqlite", word="sqlite"),
    Backend("PostgreSQL", "onceproof.implementation.stores.postgres", schemes=("postgresql", "postgres")),
)
QUEUES = Registry(
    Backend("a table of the store", "onceproof.implementation.queues.table", word="store"),
    Backend("JetStream", "onceproof.implementation.queues.jetstream", schemes=("nats",)),
)
