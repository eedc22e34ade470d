"""Mechanisms that make no difference: what a probe says is so, held against exploring without the mechanism."""

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.matrix.cases import Case, Setting, explored
from onceproof.model.checker.matrix.workers import Workers
from onceproof.model.checker.results import Limits
from onceproof.model.protocol.system import PROTOCOL
from tests.models.courier import COURIER

SETTING = Setting(PROTOCOL)


@pytest.mark.parametrize(
    ("fault", "indifferent"),
    [
        (
            "request_duplication",
            {"fail_on_agent_loss", "graceful_drain", "idempotent_relay", "invisibility", "receipt_fencing"}
            | {"task_id_dedup"},
        ),
        (
            "response_loss",  # task_id_dedup can't be asked: it makes more messages possible
            {"agent_dedup", "fail_on_agent_loss", "graceful_drain", "idempotent_relay", "invisibility"}
            | {"receipt_fencing"},
        ),
    ],
)
def test_graph_without_an_irrelevant_mechanism_is_the_same(fault: str, indifferent: set[str]) -> None:
    case = Case((), (fault,))
    system = SETTING.probed(case, PROTOCOL.switches)
    whole = explored(SETTING, case, system, Limits(), check)
    assert whole.indifferent == indifferent
    assert set(PROTOCOL.switches) - set(system.probes) == ({"task_id_dedup"} if fault == "response_loss" else set())
    for mechanism in indifferent:
        other = Case((mechanism,), (fault,))
        alone = explored(SETTING, other, SETTING.system(other), Limits(), check)
        assert (alone.states, alone.transitions) == (whole.states, whole.transitions)
        assert alone.findings == whole.findings


def test_probes_judge_every_mechanism_of_the_courier_correctly() -> None:
    setting = Setting(COURIER)
    said = {}
    for faults in [(), ("loss",), ("copy",)]:
        case = Case((), faults)
        whole = explored(setting, case, setting.probed(case, COURIER.switches), Limits(), check)
        said[faults] = set(whole.indifferent)
        for mechanism in whole.indifferent:
            other = Case((mechanism,), faults)
            alone = explored(setting, other, setting.system(other), Limits(), check)
            assert (alone.states, alone.transitions, alone.findings) == (
                whole.states,
                whole.transitions,
                whole.findings,
            )
    # patience matters as soon as a parcel is on the road; the rest needs its fault
    assert said == {(): {"resend", "doorman"}, ("loss",): {"doorman"}, ("copy",): {"resend"}}


def test_probe_cut_short_by_a_limit_says_nothing_of_any_mechanism() -> None:
    case = Case((), ("request_duplication",))
    cut = explored(SETTING, case, SETTING.probed(case, PROTOCOL.switches), Limits(max_states=100), check)
    assert not cut.complete
    assert cut.indifferent == frozenset()


def test_probe_workers_use_the_result_of_the_full_design() -> None:
    setting = Setting(COURIER)
    with Workers(setting, Limits(), check, 1, probed=("resend", "patience", "doorman")) as workers:
        (whole,) = workers.run([Case()])
        found = {result.case.off: result for result in workers.run([Case(("resend",)), Case(("patience",))])}
    assert found[("resend",)].shared == Case()
    assert found[("resend",)].findings == whole.findings
    assert found[("patience",)].shared is None
