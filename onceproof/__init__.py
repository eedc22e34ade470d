"""onceproof: model checking, proof, replay and fault injection for exactly-once task dispatch.

The names below are the public Python API; ``docs/python.md`` introduces it. Each is imported when it is first used, so
that ``import onceproof`` costs next to nothing.
"""

from onceproof.isolation import InstalledFirst

TYPE_CHECKING = False  # type checkers take it for true; `typing` is not imported for it
if TYPE_CHECKING:
    from onceproof.api.check import CheckReport as CheckReport
    from onceproof.api.check import PropertyReport as PropertyReport
    from onceproof.api.check import check as check
    from onceproof.api.claims import ClaimsReport as ClaimsReport
    from onceproof.api.claims import try_mechanisms as try_mechanisms
    from onceproof.api.counterexample import CounterexampleReport as CounterexampleReport
    from onceproof.api.export import TlaModule as TlaModule
    from onceproof.api.export import export_tla as export_tla
    from onceproof.api.judge import JudgeReport as JudgeReport
    from onceproof.api.judge import judge as judge
    from onceproof.api.matrix import MatrixReport as MatrixReport
    from onceproof.api.matrix import matrix as matrix
    from onceproof.api.pairs import PairsReport as PairsReport
    from onceproof.api.pairs import cover_pairs as cover_pairs
    from onceproof.api.proof import ProofReport as ProofReport
    from onceproof.api.proof import prove as prove
    from onceproof.api.proof import verify_certificate as verify_certificate
    from onceproof.api.replay import CoverReport as CoverReport
    from onceproof.api.replay import ReplayReport as ReplayReport
    from onceproof.api.replay import cover as cover
    from onceproof.api.replay import replay as replay
    from onceproof.api.sources import load_model as load_model
    from onceproof.api.sources import load_spec as load_spec
    from onceproof.api.state_machine import state_machine as state_machine
    from onceproof.api.swarm import SwarmReport as SwarmReport
    from onceproof.api.swarm import swarm as swarm
    from onceproof.api.validate import ValidationReport as ValidationReport
    from onceproof.api.validate import validate as validate
    from onceproof.api.walk import WalkReport as WalkReport
    from onceproof.api.walk import walk as walk
    from onceproof.conformance.driver import Abilities as Abilities
    from onceproof.conformance.driver import Driver as Driver
    from onceproof.conformance.driver import DriverError as DriverError
    from onceproof.conformance.driver import StepRefused as StepRefused
    from onceproof.conformance.driver import StepUncertain as StepUncertain
    from onceproof.conformance.judging.anomalies import Guarantee as Guarantee
    from onceproof.conformance.replay.lockstep import Disagreement as Disagreement
    from onceproof.errors import InputError as InputError
    from onceproof.inputs.specs import Spec as Spec
    from onceproof.model.checker.results import Trace as Trace
    from onceproof.model.checker.results import Verdict as Verdict
    from onceproof.model.language import ANY as ANY
    from onceproof.model.language import Bag as Bag
    from onceproof.model.language import Config as Config
    from onceproof.model.language import ConfigError as ConfigError
    from onceproof.model.language import Count as Count
    from onceproof.model.language import Fairness as Fairness
    from onceproof.model.language import Fresh as Fresh
    from onceproof.model.language import Int as Int
    from onceproof.model.language import Model as Model
    from onceproof.model.language import ModelError as ModelError
    from onceproof.model.language import Optional as Optional
    from onceproof.model.language import Ordered as Ordered
    from onceproof.model.language import Seq as Seq
    from onceproof.model.language import Set as Set
    from onceproof.model.language import Sort as Sort
    from onceproof.model.language import State as State
    from onceproof.model.language import Step as Step
    from onceproof.model.language import System as System
    from onceproof.model.language import Violation as Violation
    from onceproof.model.language import action as action
    from onceproof.model.language import always as always
    from onceproof.model.language import axiom as axiom
    from onceproof.model.language import build as build
    from onceproof.model.language import choose as choose
    from onceproof.model.language import choose_from as choose_from
    from onceproof.model.language import ending as ending
    from onceproof.model.language import eventually as eventually
    from onceproof.model.language import exists as exists
    from onceproof.model.language import fault as fault
    from onceproof.model.language import field as field
    from onceproof.model.language import first as first
    from onceproof.model.language import forall as forall
    from onceproof.model.language import given as given
    from onceproof.model.language import in_turn as in_turn
    from onceproof.model.language import infinitely_often as infinitely_often
    from onceproof.model.language import initial as initial
    from onceproof.model.language import last as last
    from onceproof.model.language import leads_to as leads_to
    from onceproof.model.language import parameter as parameter
    from onceproof.model.language import record as record
    from onceproof.model.language import refines as refines
    from onceproof.model.language import require as require
    from onceproof.model.language import require_not_none as require_not_none
    from onceproof.model.language import sometimes as sometimes
    from onceproof.model.language import stays as stays
    from onceproof.model.language import step as step
    from onceproof.model.language import switch as switch
    from onceproof.model.language import until as until
    from onceproof.model.language import used as used
    from onceproof.model.language import within as within
    from onceproof.reports.replay import Agreement as Agreement

_LANGUAGE = (
    *("ANY", "Bag", "Config", "ConfigError", "Count", "Fairness", "Fresh", "Int", "Model", "ModelError", "Optional"),
    *("Ordered", "Seq", "Set", "Sort", "State"),
    *("Step", "System", "Violation", "action", "always", "axiom", "build"),
    *("choose", "choose_from", "ending", "eventually", "exists"),
    *("infinitely_often", "initial", "leads_to", "stays"),
    *("fault", "field", "first", "forall", "given", "in_turn", "last", "parameter", "record", "refines"),
    *("require", "require_not_none", "sometimes", "step", "switch", "until", "used", "within"),
)
_HOMES = {
    **dict.fromkeys(_LANGUAGE, "onceproof.model.language"),
    **dict.fromkeys(("CheckReport", "PropertyReport", "check"), "onceproof.api.check"),
    **dict.fromkeys(("ClaimsReport", "try_mechanisms"), "onceproof.api.claims"),
    "CounterexampleReport": "onceproof.api.counterexample",
    **dict.fromkeys(("TlaModule", "export_tla"), "onceproof.api.export"),
    **dict.fromkeys(("JudgeReport", "judge"), "onceproof.api.judge"),
    "Guarantee": "onceproof.conformance.judging.anomalies",
    **dict.fromkeys(("MatrixReport", "matrix"), "onceproof.api.matrix"),
    **dict.fromkeys(("ProofReport", "prove", "verify_certificate"), "onceproof.api.proof"),
    **dict.fromkeys(("load_model", "load_spec"), "onceproof.api.sources"),
    **dict.fromkeys(("ValidationReport", "validate"), "onceproof.api.validate"),
    **dict.fromkeys(("SwarmReport", "swarm"), "onceproof.api.swarm"),
    **dict.fromkeys(("WalkReport", "walk"), "onceproof.api.walk"),
    "InputError": "onceproof.errors",
    "Spec": "onceproof.inputs.specs",
    **dict.fromkeys(("Trace", "Verdict"), "onceproof.model.checker.results"),
    **dict.fromkeys(("PairsReport", "cover_pairs"), "onceproof.api.pairs"),
    **dict.fromkeys(("CoverReport", "ReplayReport", "cover", "replay"), "onceproof.api.replay"),
    "Agreement": "onceproof.reports.replay",
    "state_machine": "onceproof.api.state_machine",
    **dict.fromkeys(
        ("Abilities", "Driver", "DriverError", "StepRefused", "StepUncertain"), "onceproof.conformance.driver"
    ),
    "Disagreement": "onceproof.conformance.replay.lockstep",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """The public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'onceproof' has no attribute {name!r}")
    with InstalledFirst():
        import importlib

        value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
