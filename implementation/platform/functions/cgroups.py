"""A control group for each process of a function, where the kernel and the rights of this user have one to give.

It counts and limits the processes of an attempt, and ends them all at once. Both layouts are known: the one hierarchy
of version 2, and version 1's hierarchy `pids`. Where neither can be written, `made` returns None, and the agent counts
and ends processes by the lists of children alone.
"""

import contextlib
import itertools
import os
import signal
from pathlib import Path

PREFIX = "onceproof-"
_serial = itertools.count(1)


class Cgroup:
    """One group; folder is its place in the hierarchy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, pid: int) -> None:
        """Put a process into the group; what it starts from then on is in it too."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """Kill all that is in the group."""
        with contextlib.suppress(OSError):
            if (self.folder / "cgroup.kill").exists():
                (self.folder / "cgroup.kill").write_text("1")
                return
            for pid in (self.folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def remove(self) -> None:
        """Remove the group, if all in it are gone."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def made(processes_max: int) -> Cgroup | None:
    """A new group with a limit on processes; None where there is none to be had."""
    parent = own_folder()
    if parent is None:
        return None
    group = Cgroup(parent / f"{PREFIX}{os.getpid()}-{next(_serial)}")
    try:
        group.folder.mkdir()
        (group.folder / "pids.max").write_text(str(processes_max))
    except OSError:
        group.remove()
        return None
    return group


def remove_leftovers() -> None:
    """Remove the groups of agents that are gone."""
    parent = own_folder()
    for folder in parent.glob(f"{PREFIX}*") if parent is not None else ():
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path(f"/proc/{owner}").exists():
            Cgroup(folder).kill()
            Cgroup(folder).remove()


def own_folder() -> Path | None:
    """Where this process is in the hierarchy that can count processes; None if there is no such hierarchy."""
    found = {}
    with contextlib.suppress(OSError):
        places = dict(_hierarchies(Path("/proc/self/cgroup").read_text()))
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            left, _, right = line.partition(" - ")
            kind, _, options = right.partition(" ")
            mount = Path(left.split()[4])
            if kind == "cgroup" and "pids" in options.rpartition(" ")[2].split(","):
                found[1] = mount / places.get("pids", "").lstrip("/")
            elif kind == "cgroup2":
                found[2] = mount / places.get("", "").lstrip("/")
    return found.get(1, found.get(2))


def _hierarchies(text: str) -> list[tuple[str, str]]:
    """(controller, path) of each hierarchy that a process is in; the controller of version 2 is empty."""
    found = []
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        found += [(controller, path) for controller in controllers.split(",")]
    return found
