"""The program that speaks with a storm: it runs a storm file, and submits tasks when it is asked to.

``python -m onceproof.storm FILE`` speaks newline-delimited JSON on standard input and output. What the file prints goes
to standard error.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import os
import sys
import traceback
from typing import Any

from onceproof.storm.queue import Queue, Refused


class Conversation:
    """Lines to the storm and from it. Whatever else writes to standard output writes to standard error."""

    def __init__(self) -> None:
        self.out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self.lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def say(self, **message: Any) -> None:
        """Send one message."""
        self.out.write(json.dumps(message) + "\n")
        self.out.flush()

    def hear(self) -> dict[str, Any] | None:
        """The next message; None where the storm has gone."""
        line = self.lines.readline()
        if not line:
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    def connect(self, declared: dict[str, Any]) -> str:
        """Tell the storm which broker is needed, and wait until it runs; its URL."""
        self.say(queue=declared)
        message = self.hear()
        if message is None:
            raise SystemExit(0)
        return str(message["url"])


def load(path: str) -> None:
    """Import the storm file under its own name, so that tasks are called what they are called in workers.

    ImportError where its name cannot be that of a module, or is that of another one.
    """
    folder, file = os.path.split(os.path.abspath(path))
    name = file[: -len(".py")] if file.endswith(".py") else file
    if not name.isidentifier():
        raise ImportError(f"`{file}` is not a name of a module: use letters, digits and underscores")
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        raise ImportError(f"the file hides the module `{name}` from its workers: give it another name")
    sys.path.insert(0, folder)
    importlib.import_module(name)


def serve(conversation: Conversation, loop: asyncio.AbstractEventLoop) -> None:
    """Submit what the storm asks for, one task at a time, until it has no more to ask."""
    while True:
        request = conversation.hear()
        if request is None:
            return
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            function = Queue.declared[0].function
            assert function is not None
            taken = finished(function(request["task"], request["seconds"]), loop)
            answer.update({"ok": True} if taken is not False else {"ok": False, "refused": True})
        except Refused as error:
            answer.update({"ok": False, "refused": True, "error": str(error)})
        except Exception as error:
            traceback.print_exc()
            answer.update({"ok": False, "refused": False, "error": f"{type(error).__name__}: {error}"})
        conversation.say(**answer)


def finished(value: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """A value, or what comes of it where it is a coroutine."""
    return loop.run_until_complete(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value: Any) -> Any:
    return await value


def main() -> None:
    """Run the file that the command line names."""
    conversation = Conversation()
    Queue.connect = conversation.connect
    try:
        load(sys.argv[1])
        loop = asyncio.new_event_loop()  # not earlier: the file may run a loop of its own
        asyncio.set_event_loop(loop)
        if len(Queue.declared) != 1:
            raise TypeError(f"the file declares {len(Queue.declared)} queues; a storm is about one: Queue(...)")
        queue = Queue.declared[0]
        if queue.preparation is not None:
            finished(queue.preparation(), loop)
    except Exception as error:
        traceback.print_exc()
        conversation.say(error=f"{type(error).__name__}: {error}")
        return
    conversation.say(ready={"workers": queue.workers, "submits": queue.function is not None})
    serve(conversation, loop)


if __name__ == "__main__":
    main()
