"""Stores and queues by the settings that name them; and that nothing else knows of a particular one."""

import re

import pytest

from onceproof.implementation.backends import QUEUES, STORES, Backend, Registry
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.config import ConfigError, checked
from tests.paths import ROOT


@pytest.mark.parametrize(
    ("registry", "setting", "title"),
    [
        (STORES, "sqlite", "SQLite"),
        (STORES, "postgresql://host/db", "PostgreSQL"),
        (STORES, "postgres://host/db", "PostgreSQL"),
        (QUEUES, "store", "a table of the store"),
        (QUEUES, "nats://host:4222,nats://other:4222", "JetStream"),
    ],
)
def test_setting_names_its_backend(registry: Registry, setting: str, title: str) -> None:
    assert registry.knows(setting) and registry.find(setting).title == title


@pytest.mark.parametrize("setting", ["", "mysql://x", "nats", "nats:/x", "sqlite://x", "xnats://x"])
def test_unknown_setting_is_refused_with_all_that_is_known(setting: str) -> None:
    assert not QUEUES.knows(setting) and not STORES.knows(setting)
    with pytest.raises(
        ValueError, match=re.escape(f"found {setting!r}, expected `store` or a URL that begins with nats://")
    ):
        QUEUES.find(setting)


def test_every_backend_has_what_its_kind_needs() -> None:
    for backend in STORES.backends:
        assert callable(backend.load().open_database)
    for backend in QUEUES.backends:
        module = backend.load()
        assert callable(module.open_queue)
        assert all(isinstance(note, str) for note in module.REPLAY_NOTES.values())


def test_missing_package_of_a_backend_is_named() -> None:
    backend = Backend("Elsewhere", "onceproof_has_no_such_module", schemes=("elsewhere",))
    with pytest.raises(StoreUnavailable, match="Elsewhere needs the package `onceproof_has_no_such_module`"):
        backend.load()


def test_new_queue_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"begins with nats://$"):
        checked("queue", "amqp://host", "--queue")
    table = QUEUES.backends[0].module
    monkeypatch.setattr(QUEUES, "backends", (*QUEUES.backends, Backend("RabbitMQ", table, schemes=("amqp",))))
    assert checked("queue", "amqp://host", "--queue") == "amqp://host"
    assert "the amqp:// URL of a RabbitMQ server" in QUEUES.described()
    with pytest.raises(ConfigError, match=r"begins with nats:// or amqp://$"):
        checked("queue", "kafka://host", "--queue")


STORMS = (
    *("conformance/storms", "conformance/reference/storm"),
    *("onceproof/commands/storm.py", "onceproof/api/platform_storm.py"),
)


def test_only_its_own_modules_and_the_registry_know_a_broker() -> None:
    """Settings, help texts, processes, gate and drivers take what they need from the registry.

    Storms are on other people's task queues, too, and have a registry of their own; those on the platform name what
    it is to run on.
    """
    own = {"implementation/backends.py", "implementation/queues/jetstream.py", "implementation/queues/nats_link.py"}
    found = set()
    for folder in ("implementation", "conformance", "onceproof/commands", "onceproof/api", "onceproof/reports"):
        for path in (ROOT / folder).rglob("*.py"):
            if any(path.is_relative_to(ROOT / storms) for storms in STORMS):
                continue
            if re.search(r"jetstream|\bnats\b", path.read_text(encoding="utf-8"), re.IGNORECASE):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == own
