"""What the model predicts of a fault: which claim it breaks, and by which shortest run."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.outcomes import Claim
from onceproof.conformance.storms.profile import Profile, Topology
from onceproof.conformance.storms.schedule import Fault, Moment, Schedule
from onceproof.model.checker import engines
from onceproof.model.checker.results import Counterexample, Limits, Verdict
from onceproof.model.language import Config, ConfigError, Model, build
from onceproof.model.protocol.moments import MOMENTS as MODEL_MOMENTS
from onceproof.model.protocol.system import PROTOCOL
from onceproof.model.protocol.workers import WORKERS

MAX_STATES = 400_000
# The fault of the model that stands for what is done to a process, and the sizes without which it shows nothing.
FAULTS: Mapping[Fault, str] = {
    Fault.PAUSE: "scheduler_pause",
    Fault.KILL: "worker_crash",
    Fault.KILL_PARENT: "scheduler_crash",
    Fault.RESUBMIT: "response_loss",
    Fault.BROKER: "broker_restart",
    Fault.CUT: "connection_loss",
    # The worker lives and cannot renew: for the queue its lease ends.
    **dict.fromkeys((Fault.DELAY, Fault.BLACK_HOLE), "lease_lapse"),
}
# What comes with it: a black hole ends by a cut.
BESIDE: Mapping[Fault, str] = {Fault.BLACK_HOLE: "connection_loss"}
# The protocol itself has no connections: whatever keeps a scheduler from its queue ends a lease at worst.
WITHOUT_CONNECTIONS = (Fault.BROKER, Fault.CUT)
# The same for one part of a system whose schedulers and agents are processes of their own.
FAULTS_OF_PARTS: Mapping[tuple[Fault, str], str] = {
    (Fault.KILL, "scheduler"): "scheduler_crash",
    (Fault.PAUSE, "scheduler"): "scheduler_pause",
    (Fault.KILL, "agent"): "agent_crash",
    (Fault.KILL, "api"): "api_crash",
    (Fault.KILL, "relay"): "relay_crash",
}
# What a model of a profile's own may declare beside: whether other tasks are submitted all the time, and what a task
# that waits for them violates.
TRAFFIC, NOT_STUCK = "other_traffic", "not_stuck"
SHORT_TASKS = "short_tasks"
# The switch that confines faults to a moment; a task that is still queued is in no worker's hands.
MOMENTS: Mapping[Moment, str] = {
    moment: name for moment in Moment if (name := moment.value.replace("-", "_")) in MODEL_MOMENTS
}
AT_MOMENTS = (Fault.PAUSE, Fault.KILL, Fault.KILL_PARENT, Fault.BROKER, Fault.CUT)
PROPERTIES: Mapping[Claim, str] = {
    Claim.AT_MOST_ONCE: "at_most_once",
    Claim.AT_LEAST_ONCE: "completes_for_real",
    Claim.NOT_STUCK: "message_settled",
}


@dataclass(frozen=True)
class Prediction:
    """What the model says of one claim under one fault. off: the mechanisms that the system does not have.

    counterexample: the shortest run that breaks the claim; why: why there is no prediction where it is unknown.
    """

    verdict: Verdict
    counterexample: Counterexample | None = None
    why: str = ""
    config: Config | None = None

    @property
    def breaks(self) -> bool:
        """Whether the claim is predicted to be broken."""
        return self.verdict is Verdict.VIOLATED


UNKNOWN = functools.partial(Prediction, Verdict.UNKNOWN, None)


def predictions(
    profile: Profile, schedules: Iterable[Schedule], say: Callable[[str], None] = lambda text: None
) -> dict[tuple[Schedule, Claim], Prediction]:
    """The prediction for each schedule and claim; StormError where the profile's own model is wrong."""
    found: dict[tuple[Schedule, Claim], Prediction] = {}
    known: dict[tuple[object, ...], dict[Claim, Prediction]] = {}
    for schedule in schedules:
        key = (
            schedule.fault,
            schedule.part,
            _moment_of(schedule),
            schedule.length > 1,
            schedule.traffic and TRAFFIC in model_of(profile).switches,
        )
        if key not in known:
            say(f"predicting {schedule.fault}@{schedule.moment}")
            known[key] = predict(profile, schedule)
        found |= {(schedule, claim): each for claim, each in known[key].items()}
    return found


def predict(profile: Profile, schedule: Schedule, *, anywhen: bool = False) -> dict[Claim, Prediction]:
    """What the model says of each claim under the fault of a schedule. anywhen: at whichever moment that comes."""
    separate = profile.topology is Topology.SEPARATE
    fault = fault_of(profile.topology, schedule)
    if fault is None and schedule.fault is not Fault.NONE:
        return dict.fromkeys(Claim, UNKNOWN(f"the model has no such fault of the part `{schedule.part}`"))
    if separate and schedule.fault in (Fault.KILL, Fault.PAUSE, Fault.KILL_PARENT) and not schedule.part:
        return dict.fromkeys(Claim, UNKNOWN("in the model its processes fail one by one"))
    if profile.topology is Topology.EMBEDDED and schedule.fault is Fault.KILL_PARENT:
        return dict.fromkeys(Claim, UNKNOWN("the worker is one process: it has no parent to kill"))
    model = model_of(profile)
    # Where agents are processes of their own, a visible failure is an end that is promised.
    wanted = {**PROPERTIES, **({Claim.AT_LEAST_ONCE: "no_lost_task"} if separate else {})}
    if NOT_STUCK in model.properties:
        wanted[Claim.NOT_STUCK] = NOT_STUCK
    names = {claim: name for claim, name in wanted.items() if name in model.properties}
    if fault is not None and fault not in model.faults:
        return dict.fromkeys(Claim, UNKNOWN(f"the model has no fault `{fault}`"))
    switches = {name: name in profile.mechanisms and profile.mechanisms[name].on for name in model.switches}
    moment = _moment_of(schedule)
    if moment is not None and not anywhen and MOMENTS.get(moment) in switches:
        switches[MOMENTS[moment]] = True
    if schedule.length <= 1 and "renewal" in switches:
        # The task is short: whoever holds it and runs is never late, which is what renewal would see to.
        switches["renewal"] = True
    if schedule.length <= 1 and SHORT_TASKS in switches:
        switches[SHORT_TASKS] = True
    if TRAFFIC in switches:
        switches[TRAFFIC] = schedule.traffic
    sizes = {name: size for name, size in model.needs.get(fault or "", {}).items() if name in model.size_names}
    beside = BESIDE.get(schedule.fault)
    budgets = [name for name in (fault, beside) if name is not None and name in model.faults]
    try:
        config = model.configure(sizes, switches, dict.fromkeys(budgets, 1))
        system = build(model, config)
        claims = system.properties(list(names.values()))
        result = engines.check(system, claims, engines.Options("auto", Limits(max_states=MAX_STATES)))
    except ConfigError as error:
        raise StormError(f"{profile.path}: {error}") from None
    idle = fault is not None and not any(
        count for name, count in result.fired.items() if (model.actions[name].budget or name) in budgets
    )
    found = {}
    for claim in Claim:
        one = result.property(names[claim]) if claim in names else None
        if one is None:
            found[claim] = UNKNOWN("the model says nothing of it")
        elif idle and one.verdict is not Verdict.VIOLATED:
            found[claim] = UNKNOWN("in the model the fault never happens at this moment")
        else:
            why = "" if one.verdict is not Verdict.UNKNOWN else f"not decided within {MAX_STATES:,} states"
            found[claim] = Prediction(one.verdict, one.counterexample, why, config)
    return found


def _moment_of(schedule: Schedule) -> Moment | None:
    """The moment of the task that the model's fault is confined to; None where it may come at any."""
    if schedule.fault is Fault.BLACK_HOLE:  # the cut at its end
        return Moment.BEFORE_ACK if schedule.length < schedule.hold else Moment.AFTER_START
    return schedule.moment if schedule.fault in AT_MOMENTS else None


def fault_of(topology: Topology, schedule: Schedule) -> str | None:
    """What the model calls the fault of a schedule; None where it has no such fault."""
    if schedule.part:
        return FAULTS_OF_PARTS.get((schedule.fault, schedule.part))
    if topology is Topology.TIED and schedule.fault is Fault.KILL_PARENT:
        return FAULTS[Fault.KILL]
    if topology is Topology.SEPARATE and schedule.fault in WITHOUT_CONNECTIONS:
        return "lease_lapse"
    return FAULTS.get(schedule.fault)


def model_of(profile: Profile) -> Model:
    """The model that a profile is about: its own, the protocol itself, or the protocol of workers."""
    if profile.model is not None:
        return _own(profile.model)
    return PROTOCOL if profile.topology is Topology.SEPARATE else WORKERS


@functools.cache
def _own(path: Path) -> Model:
    """A model of the profile's own, which its file calls ``MODEL``."""
    spec = importlib.util.spec_from_file_location(f"onceproof_storm_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise StormError(f"{path}: there is no such model")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StormError(f"{path}: the model cannot be loaded: {type(error).__name__}: {error}") from None
    made = getattr(module, "MODEL", None)
    if not isinstance(made, Model):
        raise StormError(f"{path}: there is no Model that is called MODEL")
    return made
