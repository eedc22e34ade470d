"""The supervisor: starts every process of the platform, starts it again when it dies, and ends them all in order."""

import contextlib
import fcntl
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onceproof.implementation.errors import StoreUnavailable, TakenOver
from onceproof.implementation.platform.beat import Sign, sign_of
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.functions.descendants import become_subreaper, end_strangers
from onceproof.implementation.platform.functions.runner import mark_of
from onceproof.implementation.platform.isolation import isolated
from onceproof.implementation.platform.processes.base import log_to_stderr
from onceproof.implementation.platform.stores import claim_database
from onceproof.implementation.stores.database import Database

TICK_SECONDS = 0.5
RUNTIME_PREFIX = "onceproof-"  # sockets live in a short path: the kernel takes 107 characters
BACKOFF_SECONDS_MAX = 2.0
HOLD_SECONDS = 5.0
HANG_PAUSE_SECONDS = 2.0  # after one was killed, the others may go on by themselves
API_MODULES = ("fastapi", "httptools", "prometheus_client", "uvicorn")  # looked for before an API server is started
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


class CannotStart(Exception):
    """The platform cannot be started here; one line that says why and what would help."""


@dataclass(slots=True)
class Member:
    """One process that is to run: its role and name, and what became of it."""

    role: str
    name: str
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff: float = 0.05
    restarts: int = 0
    sign: Sign | None = None  # the last one that was read whole


class Supervisor:
    """announce(text) is called with what a person wants to read: the endpoint, and that it has ended."""

    def __init__(self, config: PlatformConfig, announce: Callable[[str], None]) -> None:
        self.config = config
        self.announce = announce
        self.log = log_to_stderr("supervisor")
        self.listener = listen(config.host, config.port)
        try:
            self.lock, self.database = take_folder(config)
        except BaseException:
            self.listener.close()
            raise
        remove_leftovers(config)
        self.folder = tempfile.mkdtemp(prefix=RUNTIME_PREFIX)
        self.hanging_at = 0.0
        self.hold_at = 0.0
        self.members = [Member(role, name) for role, name in roster(config)]

    @property
    def endpoint(self) -> str:
        """Where the platform answers."""
        host, port = self.listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, then drain; a second one ends everything at once. The exit status: 0.

        1 if another platform has taken the database over. These signals are blocked from now on, to the end of this
        process: whoever sends one more wants what has happened.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        become_subreaper()
        announced = False
        try:
            while (received := self._wait()) not in (signal.SIGTERM, signal.SIGINT):
                self._revive()
                self._end_hanging()
                if not self._hold_database():
                    return 1
                self._write_state()  # before anybody is told that it is there
                if not announced and os.path.exists(os.path.join(self.folder, "api.up")):
                    announced = True
                    self._tell(f"onceproof serves at {self.endpoint}")
                    if not self.config.keys and not is_loopback(self.config.host):
                        self._tell("warning: no keys are configured, and others than this machine can reach it")
            self._tell(f"{received.name if received else 'end'}: draining; a second signal ends everything at once")
            self._drain()
        finally:
            self._kill_all()
            self._write_state()
            self.listener.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.database.close()
            os.close(self.lock)
        self._tell("ended")
        return 0

    def _tell(self, text: str) -> None:
        """Say something to a person; that nobody reads any more is no reason to end."""
        with contextlib.suppress(BrokenPipeError):
            self.announce(text)

    def _wait(self) -> signal.Signals | None:
        """Start what is due, then sleep until a signal comes or something is due."""
        now = time.monotonic()
        due = [member.start_at for member in self.members if member.process is None]
        for member in self.members:
            if member.process is None and member.start_at <= now:
                self._start(member)
        seconds = max(0.01, min([TICK_SECONDS, *(when - now for when in due if when > now)]))
        info = signal.sigtimedwait(SIGNALS, seconds)
        return None if info is None else signal.Signals(info.si_signo)

    def _start(self, member: Member) -> None:
        module = "onceproof.implementation.platform.process"
        command = isolated(module, member.role, member.name, self.folder, str(os.getpid()))
        descriptors = []
        if member.role == "api":
            descriptors = [self.listener.fileno()]
            command.append(str(self.listener.fileno()))
        member.process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=descriptors, start_new_session=True)
        member.started_at = time.monotonic()
        stdin = member.process.stdin
        with contextlib.suppress(BrokenPipeError):
            if stdin is not None:
                stdin.write(self.config.to_json().encode())
                stdin.close()

    def _revive(self) -> None:
        """Note which processes have died, and when each is to be started again."""
        now = time.monotonic()
        for member in self.members:
            if member.process is None or member.process.poll() is None:
                continue
            lived = now - member.started_at
            member.backoff = 0.05 if lived > 2.0 else min(member.backoff * 2, BACKOFF_SECONDS_MAX)
            member.start_at = now + (0.0 if lived > 2.0 else member.backoff)
            member.restarts += 1
            self.log.warning(
                "died",
                extra={
                    "fields": {
                        "name": member.name,
                        "status": member.process.returncode,
                        "lived_seconds": round(lived, 3),
                    }
                },
            )
            member.process = None
            known = {other.process.pid for other in self.members if other.process is not None}
            end_strangers(known, mark_of(self.config))

    def _hold_database(self) -> bool:
        """Every few seconds: hold the database still; False if another platform has it now."""
        now = time.monotonic()
        if now < self.hold_at:
            return True
        self.hold_at = now + HOLD_SECONDS
        try:
            self.database.hold()
        except TakenOver as error:
            self._tell(f"{error}; this one ends")
            return False
        except StoreUnavailable:
            return True  # the processes that need it say so
        return True

    def _end_hanging(self) -> None:
        """Kill the process whose loop has stood still longest, and for too long; one at a time, since it may be what
        the others wait for."""
        now = time.monotonic()
        if not self.config.hang_seconds or now < self.hanging_at:
            return
        silent: list[tuple[float, Member]] = []
        for member in self.members:
            sign = member.sign = sign_of(self.folder, member.name) or member.sign
            if member.process is not None and sign is not None and sign.pid == member.process.pid:
                silent.append((sign.silent_seconds(now), member))
        seconds, longest = max(silent, key=lambda one: one[0], default=(0.0, None))
        # Who waits for a lock in the store, as long as the settings let it, does not hang.
        if longest is not None and seconds > max(self.config.hang_seconds, 3 * self.config.store_wait_seconds):
            fields = {"name": longest.name, "silent_seconds": round(seconds, 1)}
            self.log.error("hangs; it is killed and started again", extra={"fields": fields})
            self._signal(longest, signal.SIGKILL)
            self.hanging_at = now + HANG_PAUSE_SECONDS

    def _drain(self) -> None:
        """Nothing new starts from now on, what runs may end and be recorded; SIGKILL for what is not done in time."""
        for roles in (("api", "relay", "scheduler", "agent"), ("resources", "balancer")):
            living = [member for member in self.members if member.role in roles and member.process is not None]
            for member in living:
                self._signal(member, signal.SIGTERM)
            deadline = time.monotonic() + self.config.drain_seconds + 2.0
            while any(member.process is not None and member.process.poll() is None for member in living):
                info = signal.sigtimedwait(SIGNALS, 0.1)
                if info is not None and info.si_signo in (signal.SIGTERM, signal.SIGINT):
                    return
                if time.monotonic() > deadline:
                    break

    def _kill_all(self) -> None:
        for member in self.members:
            self._signal(member, signal.SIGKILL)
        for member in self.members:
            if member.process is not None:
                member.process.wait()
                member.process = None
        end_strangers(set(), mark_of(self.config))

    def _signal(self, member: Member, number: signal.Signals) -> None:
        if member.process is not None and member.process.poll() is None:
            member.process.send_signal(number)

    def _write_state(self) -> None:
        """Write which processes run, for people and tests: state.json in the data folder."""
        pids = {member.name: member.process.pid for member in self.members if member.process is not None}
        restarts = {member.name: member.restarts for member in self.members}
        path = Path(self.config.data) / "state.json"
        state = json.dumps(
            {
                "endpoint": self.endpoint,
                "pid": os.getpid(),
                "folder": self.folder,
                "processes": pids,
                "restarts": restarts,
            }
        )
        try:
            temporary = path.with_suffix(".new")
            temporary.write_text(state)
            temporary.replace(path)
        except OSError as error:
            self.log.log(logging.WARNING, "state.json cannot be written", extra={"fields": {"error": str(error)}})


def roster(config: PlatformConfig) -> list[tuple[str, str]]:
    """(role, name) of every process."""
    return [
        *(("agent", f"agent{number}") for number in range(1, config.agents + 1)),
        ("resources", "resources"),
        ("balancer", "balancer"),
        ("relay", "relay"),
        *(("scheduler", f"scheduler{number}") for number in range(1, config.schedulers + 1)),
        ("api", "api"),
    ]


def remove_leftovers(config: PlatformConfig) -> None:
    """Remove the runtime folder of a platform that was killed; the lock on the data folder says that it is dead."""
    try:
        folder = Path(json.loads((Path(config.data) / "state.json").read_text())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(RUNTIME_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def listen(host: str, port: int) -> socket.socket:
    """The platform's listening socket; it outlives the API server's process, so that clients wait and are served."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --port, or 0 for any free one"
        ) from None
    listener.listen(512)
    return listener


def take_folder(config: PlatformConfig) -> tuple[int, Database]:
    """Make the data folder and take its lock and the database, so that trouble shows before anything runs."""
    try:
        os.makedirs(config.data, mode=0o700, exist_ok=True)
        lock = os.open(os.path.join(config.data, "serve.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"the data folder {config.data} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise CannotStart(f"another serve runs on {config.data}; end it, or choose another --data") from None
    try:
        database = claim_database(config)
    except StoreUnavailable as error:
        os.close(lock)
        raise CannotStart(f"the store cannot be used: {error}") from None
    if not os.path.isdir(config.functions):
        os.close(lock)
        raise CannotStart(f"{config.functions}: there is no such folder of functions; name one with --functions")
    return lock, database


def run(config: PlatformConfig, announce: Callable[[str], None]) -> int:
    """Serve until a signal ends it; the exit status. CannotStart says in one line why it cannot."""
    missing = [name for name in API_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotStart(
            f"the API server needs the package `{missing[0]}`, which is not installed; "
            "`pip install 'onceproof[platform]'` installs all that the platform needs"
        )
    return Supervisor(config, announce).run()
