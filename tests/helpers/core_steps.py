"""The steps that most tests of the core share."""

from onceproof.implementation.in_process.core import Core


def submitted(core: Core, task: str = "task1", submission: str = "submission1") -> None:
    """A task is submitted, admitted and its answer heard."""
    core.step("submit", task=task, submission=submission)
    core.step("admit", task=task, submission=submission)
    core.step("hear_answer", task=task, submission=submission)


def relayed(core: Core, task: str = "task1", message: str = "message1") -> None:
    """A task is submitted and its message is on the queue."""
    submitted(core, task)
    core.step("relay", task=task, submission="submission1", message=message)
    core.step("mark_relayed", task=task, submission="submission1")


def held(core: Core, scheduler: str = "scheduler1", message: str = "message1") -> None:
    """A message is on the queue and a scheduler that owns it has it in hand."""
    relayed(core, message=message)
    core.step("assign", scheduler=scheduler, user="user1")
    core.step("receive", scheduler=scheduler, message=message)


def dispatched(core: Core, agent: str = "agent1") -> None:
    """message1 is at scheduler1, placed on the agent, and the request is on the wire."""
    held(core)
    core.step("place", scheduler="scheduler1", message="message1", agent=agent)
    core.step("dispatch", scheduler="scheduler1", message="message1", agent=agent)


def running(core: Core, agent: str = "agent1") -> None:
    """The function of message1 runs on the agent."""
    dispatched(core, agent)
    core.step("start", agent=agent, scheduler="scheduler1", message="message1", attempt="attempt1")


def heard(core: Core) -> None:
    """The function has returned and scheduler1 has the result in hand."""
    running(core)
    core.step("finish", agent="agent1", message="message1", attempt="attempt1")
    core.step("hear", scheduler="scheduler1", agent="agent1", message="message1", attempt="attempt1")


def taken_over(core: Core, old: str = "scheduler1", new: str = "scheduler2") -> None:
    """message1's lease lapses, its queue goes to another scheduler, and that one receives it."""
    core.step("lapse", message="message1")
    core.step("assign", scheduler=new, user="user1")
    core.step("receive", scheduler=new, message="message1")
