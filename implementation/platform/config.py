"""The settings of a platform: defaults, then one YAML file, then environment variables, then the command line.

Every setting is a field of PlatformConfig; the file uses the same names, and the environment ONCEPROOF_ followed by
the name in capitals (ONCEPROOF_PORT=9000). A name or a value that is not known raises ConfigError with one line.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.settings import SECOND_NS, Mechanisms, Settings

PREFIX = "ONCEPROOF_"


class ConfigError(Exception):
    """The settings are wrong: one line that says where, what was found, and what was expected."""


@dataclass(frozen=True)
class PlatformConfig:
    """All settings. Paths are relative to the working directory; times are seconds; sizes are bytes.

    data: folder of the database and its locks. store and queue: a word or a URL, see backends.py.
    functions: folder of users' functions. port 0 means any free one. keys: access key to {secret, user}; when there
    are any, every request must be signed. duplicate_status: 400, or 409 as newer pages of the public API say.
    retention_hours: how long an ended task is kept, its TaskID with it; 0 keeps all for ever.
    store_wait_seconds: how long to wait for a lock in the store before saying that it is unavailable.
    lease_seconds: how long a received message stays invisible without renewal. on_agent_loss: fail or rerun.
    gate: the socket of a replay that permits each action of each process; empty: no gate. without: mechanisms
    that a replay switches off, with commas between; only under a gate.
    """

    data: str = "onceproof-data"
    functions: str = "functions"
    host: str = "127.0.0.1"
    port: int = 8700
    store: str = STORES.default
    queue: str = QUEUES.default
    schedulers: int = 2
    agents: int = 2
    slots: int = 4
    lease_seconds: float = 10.0
    beat_seconds: float = 3.0
    request_timeout_seconds: float = 20.0
    on_agent_loss: str = "fail"
    duplicate_status: int = 400
    body_bytes_max: int = 1 << 20
    header_bytes_max: int = 32 << 10
    read_timeout_seconds: float = 20.0
    sync_timeout_seconds: float = 120.0
    function_timeout_seconds: float = 60.0
    function_memory_mb: int = 512
    result_bytes_max: int = 1 << 20
    drain_seconds: float = 30.0
    store_wait_seconds: float = 5.0
    retention_hours: float = 0.0
    in_hand_max: int = 64
    replicas: int = 1
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    probe_log: str = ""
    gate: str = ""
    without: str = ""

    def core_settings(self) -> Settings:
        """What the components of the core need of all this."""
        switches = {"fail_on_agent_loss": self.on_agent_loss == "fail"}
        if self.gate and self.without:
            switches.update(dict.fromkeys(self.without.split(","), False))
        mechanisms = Mechanisms.switched(switches)
        return Settings(
            schedulers=self.schedulers,
            agents=self.agents,
            mechanisms=mechanisms,
            lease_ns=int(self.lease_seconds * SECOND_NS),
            beat_ns=int(self.beat_seconds * SECOND_NS),
        )

    def limit(self, function: str, name: str) -> float:
        """A limit of a function (timeout_seconds, memory_mb): its own, or the platform's."""
        own = self.limits.get(function, {})
        general = {"timeout_seconds": self.function_timeout_seconds, "memory_mb": self.function_memory_mb}
        return float(own.get(name, general[name]))

    def to_json(self) -> str:
        """All settings as JSON, for the processes of the platform."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PlatformConfig":
        """The settings that to_json wrote."""
        return cls(**json.loads(text))


TYPES: dict[str, str] = {item.name: getattr(item.type, "__name__", "dict") for item in fields(PlatformConfig)}
CHOICES: dict[str, tuple[Any, ...]] = {"on_agent_loss": ("fail", "rerun"), "duplicate_status": (400, 409)}
POSITIVE = (
    "schedulers",
    "agents",
    "slots",
    "lease_seconds",
    "beat_seconds",
    "request_timeout_seconds",
    "body_bytes_max",
    "header_bytes_max",
    "read_timeout_seconds",
    "sync_timeout_seconds",
    "function_timeout_seconds",
    "function_memory_mb",
    "result_bytes_max",
    "in_hand_max",
    "store_wait_seconds",
    "replicas",
)
BACKENDS = {"store": STORES, "queue": QUEUES}


def load_config(
    path: Path | None = None, environment: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> PlatformConfig:
    """Put the settings together; later sources win. given: options of the command line, None where not given."""
    values: dict[str, Any] = {}
    if path is not None:
        values.update(_from_file(path))
    for name, text in (environment or {}).items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() in TYPES:
            key = name.removeprefix(PREFIX).lower()
            values[key] = checked(key, _parsed(key, text, name), name)
    options = {key: value for key, value in (given or {}).items() if value is not None}
    values.update({key: checked(key, value, f"--{key.replace('_', '-')}") for key, value in options.items()})
    return PlatformConfig(**values)


def checked(key: str, given: Any, where: str) -> Any:
    """The value of a setting in its right type; ConfigError if it is of another, or out of range."""
    kind = TYPES[key]
    whole = isinstance(given, int) and not isinstance(given, bool)
    value: Any = float(given) if kind == "float" and whole else given
    expected: Any = {"str": str, "int": int, "float": float}.get(kind, dict)
    if isinstance(value, bool) or not isinstance(value, expected):
        raise ConfigError(f"{where}: found {value!r}, expected {_kind_in_words(kind)}")
    if key in CHOICES and value not in CHOICES[key]:
        raise ConfigError(f"{where}: found {value!r}, expected one of {', '.join(map(str, CHOICES[key]))}")
    if key in POSITIVE and value <= 0:
        raise ConfigError(f"{where}: found {value!r}, expected a number above 0")
    if key == "port" and not 0 <= value <= 65535:
        raise ConfigError(f"{where}: found {value!r}, expected a port from 0 to 65535")
    if key in BACKENDS and not BACKENDS[key].knows(value):
        raise ConfigError(f"{where}: found {value!r}, expected {BACKENDS[key].expected()}")
    return value


def _from_file(path: Path) -> dict[str, Any]:
    import yaml  # by the one process that reads the file; the others need not carry it

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: found {type(loaded).__name__}, expected settings as `name: value` lines")
    for key in loaded:
        if key not in TYPES:
            near = difflib.get_close_matches(str(key), TYPES, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(TYPES)}"
            raise ConfigError(f"{path}: no setting is called {key!r}{hint}")
    return {key: checked(key, value, f"{path}: {key}") for key, value in loaded.items()}


def _parsed(key: str, text: str, where: str) -> Any:
    """An environment variable's text as the setting's type."""
    kind = TYPES[key]
    try:
        return (
            text
            if kind == "str"
            else int(text)
            if kind == "int"
            else float(text)
            if kind == "float"
            else (json.loads(text))
        )
    except ValueError:
        raise ConfigError(f"{where}: found {text!r}, expected {_kind_in_words(kind)}") from None


def _kind_in_words(kind: str) -> str:
    return {"str": "a text", "int": "a whole number", "float": "a number"}.get(kind, "names with values")
