"""The targets that are shipped: storm files with profiles, to run as they are or to begin one's own from."""

from __future__ import annotations

from pathlib import Path

from onceproof.conformance.storms.profile import Profile

FOLDER = Path(__file__).parent / "queues"
BLANK = "blank"
TEMPLATE = '''"""A task queue for `onceproof storm`: fill in what is in capitals."""

from onceproof.storm import Queue, work

# valkey, postgresql, nats or nats-3 is started for you, "none", or the URL of a broker of your own. lease: after how
# many seconds an unfinished task is given to another worker; leave it out to have it measured; 0: never.
queue = Queue(broker="valkey")
app = YOUR_LIBRARY(queue.url)


def job(task, seconds):  # register it with your library; it must call work, or `await work_async` in a coroutine
    work(task, seconds)


# Where tables or streams must be made first: `@queue.prepare` before a function makes it run once, before any worker.
# Two copies are started, with this file's folder on PYTHONPATH; {worker} is a name of each one's own.
queue.worker("COMMAND THAT STARTS A WORKER")
# Returning False says: the ID is known already, the task is not taken again.
queue.submit(lambda task, seconds: ENQUEUE(job, task, seconds))
'''


def names() -> list[str]:
    """Their names, which are those of their files."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def files(profile: Profile) -> list[Path]:
    """The files of a target: the storm file first."""
    return [profile.storm_file, profile.path, *([profile.model] if profile.model is not None else [])]


def matching(name: str) -> str | None:
    """The target of this name, or the only or first one whose name begins so: ``celery`` is ``celery_late``."""
    known = names()
    if name in known:
        return name
    found = [each for each in known if each.split("_")[0] == name]
    preferred = [each for each in found if each.endswith("_late")] or found
    return preferred[0] if preferred else None
