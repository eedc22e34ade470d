"""The settings of a platform: defaults, then one YAML file, then environment variables, then the command line.

Every setting is a field of PlatformConfig with its rule; the file uses the same names, and the environment ONCEPROOF_
followed by the name in capitals (ONCEPROOF_PORT=9000). A name or a value that is not known raises ConfigError with one
line, before anything starts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.platform.places import BadFile, Placed, read
from onceproof.implementation.platform.rules import (
    Choice,
    Known,
    Listed,
    Named,
    Number,
    Secret,
    Text,
    Wrong,
    unknown_name,
)
from onceproof.implementation.settings import SECOND_NS, Mechanisms, Settings

PREFIX = "ONCEPROOF_"
# Variables of other commands of ours, and of the tests, that may be set where a platform is started.
OTHER_VARIABLES = ("ENDPOINT", "KEY", "SECRET", "UPDATE", "ROUNDS", "SEED", "EXAMPLES")
DAY_SECONDS = 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS
CENTURY_HOURS = 876_600.0
GIB = 1 << 30

whole = partial(Number, whole=True)
positive = partial(Number, 0, above=True)
FUNCTION_LIMITS = {
    "timeout_seconds": positive(WEEK_SECONDS),
    "memory_mb": Number(32, 1 << 20),
    "file_mb": Number(0, 1 << 30),
    "processes": whole(0, 1 << 20),
}
KEY_PARTS = {
    "secret": Secret(r"[\x21-\x7e]{8,1024}", "a secret of at least 8 visible ASCII characters"),
    "user": Text(r"[A-Za-z0-9_-]{1,64}", "a user: at most 64 letters, digits, _ and -"),
}


class ConfigError(Exception):
    """The settings are wrong: one line that says where, what was found, and what was expected."""


def setting(default: Any, rule: Any) -> Any:
    """A field with its default and its rule."""
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True)
class PlatformConfig:
    """All settings. Paths are relative to the working directory; times are seconds; sizes are bytes.

    data: folder of the database and its locks. store and queue: a word or a URL, see backends.py.
    functions: folder of users' functions. hosts: names that requests may call this server by, beside its address and
    localhost. port 0 means any free one. keys: access key to {secret, user}; when there
    are any, every request must be signed. duplicate_status: 400, or 409 as newer pages of the public API say.
    limits: function to {timeout_seconds, memory_mb, file_mb, processes}, where it is to have others than the
    platform's (function_timeout_seconds and so on); file_mb is the size of any file that it writes, processes how many
    it may have started that live. log_bytes_max: how much is kept of what an attempt writes, the end of it.
    drain_seconds: how long functions that run may take to end when the platform is stopped. stop_grace_seconds: how
    long after it was asked to (SIGTERM) the function of a stopped task is killed.
    destination_chain_max: how many destinations are called one after another, each after the end of the one before.
    retention_hours: how long an ended task is kept, its TaskID with it (720: 30 days); 0 keeps all for ever.
    connections_max: how many clients may be connected; then the one that is idle longest makes room. hang_seconds: a
    process whose loop stands still for so long is killed and started again, an agent's tasks are those of a dead
    one; 0: never.
    store_wait_seconds: how long to wait for a lock in the store before saying that it is unavailable.
    lease_seconds: how long a received message stays invisible without renewal. on_agent_loss: fail or rerun.
    gate: the socket of a replay that permits each action of each process; empty: no gate. without: mechanisms
    that a replay switches off, with commas between; only under a gate.
    """

    data: str = setting("onceproof-data", Text())
    functions: str = setting("functions", Text())
    host: str = setting("127.0.0.1", Text(r"[A-Za-z0-9.:_%-]+", "a host name or an address"))
    port: int = setting(8700, whole(0, 65535))
    store: str = setting(STORES.default, Known(STORES.knows, STORES.expected))
    queue: str = setting(QUEUES.default, Known(QUEUES.knows, QUEUES.expected))
    hosts: list[str] = field(
        default_factory=list, metadata={"rule": Listed(Text(r"[A-Za-z0-9.:_-]+", "a host name without a port"))}
    )
    schedulers: int = setting(2, whole(1, 64))
    agents: int = setting(2, whole(1, 64))
    slots: int = setting(4, whole(1, 1024))
    lease_seconds: float = setting(10.0, positive(DAY_SECONDS))
    beat_seconds: float = setting(3.0, positive(DAY_SECONDS))
    request_timeout_seconds: float = setting(20.0, positive(DAY_SECONDS))
    on_agent_loss: str = setting("fail", Choice(("fail", "rerun")))
    duplicate_status: int = setting(400, Choice((400, 409)))
    connections_max: int = setting(512, whole(8, 100_000))
    body_bytes_max: int = setting(1 << 20, whole(1, GIB))
    header_bytes_max: int = setting(32 << 10, whole(256, 1 << 24))
    read_timeout_seconds: float = setting(20.0, positive(DAY_SECONDS))
    sync_timeout_seconds: float = setting(120.0, positive(WEEK_SECONDS))
    function_timeout_seconds: float = setting(60.0, FUNCTION_LIMITS["timeout_seconds"])
    function_memory_mb: float = setting(512.0, FUNCTION_LIMITS["memory_mb"])
    function_file_mb: float = setting(1024.0, FUNCTION_LIMITS["file_mb"])
    function_processes: int = setting(256, FUNCTION_LIMITS["processes"])
    log_bytes_max: int = setting(64 << 10, whole(0, 1 << 26))
    result_bytes_max: int = setting(1 << 20, whole(1, GIB))
    hang_seconds: float = setting(30.0, Number(0, DAY_SECONDS))
    drain_seconds: float = setting(30.0, Number(0, WEEK_SECONDS))
    store_wait_seconds: float = setting(5.0, positive(DAY_SECONDS))
    stop_grace_seconds: float = setting(5.0, Number(0, DAY_SECONDS))
    destination_chain_max: int = setting(16, whole(1, 1000))
    retention_hours: float = setting(720.0, Number(0, CENTURY_HOURS))
    in_hand_max: int = setting(64, whole(1, 100_000))
    replicas: int = setting(1, whole(1, 5))
    keys: dict[str, dict[str, str]] = field(
        default_factory=dict,
        metadata={
            "rule": Named(
                Text(r"[A-Za-z0-9._@-]{1,128}", "an access key: at most 128 letters, digits and . _ @ -"),
                KEY_PARTS,
                ("secret",),
                "part of a key",
            )
        },
    )
    limits: dict[str, dict[str, float]] = field(
        default_factory=dict,
        metadata={
            "rule": Named(
                Text(r"([A-Za-z_][A-Za-z0-9_-]*/)?[A-Za-z_][A-Za-z0-9_-]*", "a function: NAME or SERVICE/NAME"),
                FUNCTION_LIMITS,
                (),
                "limit",
            )
        },
    )
    probe_log: str = setting("", Text(r"[^\x00]*"))
    gate: str = setting("", Text(r"[^\x00]*"))
    without: str = setting("", Text(r"[a-z_,]*", "names of mechanisms with commas between"))

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
        """A limit of a function (of FUNCTION_LIMITS): its own, or the platform's."""
        own = self.limits.get(function, {})
        return float(own[name] if name in own else getattr(self, f"function_{name}"))

    def to_json(self) -> str:
        """All settings as JSON, for the processes of the platform."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PlatformConfig":
        """The settings that to_json wrote."""
        return cls(**json.loads(text))


RULES: dict[str, Any] = {item.name: item.metadata["rule"] for item in fields(PlatformConfig)}


def load_config(
    path: Path | None = None, environment: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> PlatformConfig:
    """Put the settings together; later sources win. given: options of the command line, None where not given."""
    values: dict[str, Any] = {}
    if path is not None:
        values.update(_from_file(path))
    for name, text in (environment or {}).items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in OTHER_VARIABLES:
            values.update(_from_variable(name, text))
    options = {key: value for key, value in (given or {}).items() if value is not None}
    values.update({key: checked(key, value, f"--{key.replace('_', '-')}") for key, value in options.items()})
    config = PlatformConfig(**values)
    if config.without and not config.gate:
        raise ConfigError("without: mechanisms can be switched off only under the gate of a replay")
    try:
        config.core_settings()
    except ValueError as error:
        raise ConfigError(f"without: {error}") from None
    return config


def checked(key: str, given: Any, where: str) -> Any:
    """The value of a setting in its right type; ConfigError if it is of another, or out of range."""
    try:
        return RULES[key].check(given)
    except Wrong as wrong:
        raise ConfigError(f"{'.'.join((where, *wrong.path))}: {wrong.problem}") from None


def _from_variable(name: str, text: str) -> dict[str, Any]:
    """The setting that an environment variable says."""
    key = name.removeprefix(PREFIX).lower()
    if key not in RULES or name != name.upper():
        known = [PREFIX + known.upper() for known in RULES]
        raise ConfigError(f"{name}: {unknown_name(name, known, 'environment variable')}")
    try:
        return {key: RULES[key].parsed(text)}
    except Wrong as wrong:
        raise ConfigError(f"{'.'.join((name, *wrong.path))}: {wrong.problem}") from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        placed = read(path)
    except BadFile as error:
        raise ConfigError(str(error)) from None
    return {key: _placed_value(placed, key, value) for key, value in placed.values.items()}


def _placed_value(placed: Placed, key: Any, value: Any) -> Any:
    if key not in RULES:
        raise ConfigError(f"{placed.where((str(key),))}: {unknown_name(key, RULES, 'setting')}")
    try:
        return RULES[key].check(value)
    except Wrong as wrong:
        raise ConfigError(f"{placed.where((key, *wrong.path))}: {wrong.problem}") from None
