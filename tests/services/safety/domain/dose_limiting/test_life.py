"""Proposed, decided, and what a later change of the record does to a decision: an event, never an edit."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.safety.domain.dose_limiting.findings import Findings
from services.safety.domain.dose_limiting.life import (
    DECIDER,
    NOTHING,
    DecideDoseLimitingToxicity,
    DeclareDoseLimitingToxicity,
    DoseLimitingToxicityWasWithdrawn,
    Facts,
    NoSuchDoseLimitingToxicity,
    ReviewToxicities,
    id_of,
)
from shared.contracts.safety_dose_limiting import (
    DltBasis,
    DltBasisChanged,
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    DoseLimitingToxicityWithdrawn,
    ToxicityKind,
    ToxicitySource,
)
from tests.services.safety.builders import CHILD, EVENT, PROTOCOL
from tests.specs import Spec

given = Spec(DECIDER).given
SOURCE = ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=EVENT)
DLT = id_of(SOURCE)
GRADE_4 = DltBasis(rules=("organ-toxicity-grade-4",), grade=4, since="2026-03-05")
GRADE_3 = DltBasis(rules=("organ-toxicity-grade-3-beyond-72-h",), grade=3, since="2026-03-05")
REVIEW = ReviewToxicities(participant_id=CHILD)
CONFIRM = DecideDoseLimitingToxicity(decision="confirmed", reason="No other cause was found")
REFUTE = DecideDoseLimitingToxicity(decision="refuted", reason="Sepsis explains it")
DECLARE = DeclareDoseLimitingToxicity(source=SOURCE, reason="The committee counts it")

THESE: dict[str, Any] = {"dlt_id": DLT, "participant_id": CHILD}
PROPOSED = DoseLimitingToxicityProposed(**THESE, source=SOURCE, basis=GRADE_4, protocol=PROTOCOL.ref)
BY_HAND = DoseLimitingToxicityProposed(**THESE, source=SOURCE, basis=NOTHING, protocol=PROTOCOL.ref)
CONFIRMED = DoseLimitingToxicityDecided(**THESE, decision="confirmed", basis=GRADE_4, reason=CONFIRM.reason)
REFUTED = DoseLimitingToxicityDecided(**THESE, decision="refuted", basis=GRADE_4, reason=REFUTE.reason)
WITHDRAWN = DoseLimitingToxicityWithdrawn(**THESE, basis=NOTHING, protocol=PROTOCOL.ref)


def facts(basis: DltBasis | None = None, dlt_id: UUID | None = None) -> Facts:
    """Findings of one toxicity with this basis, or none at all."""
    findings = () if basis is None else (Findings(SOURCE, basis, None),)
    return Facts(CHILD, PROTOCOL.ref, findings, dlt_id)


def basis_changed(was: DltBasis, now: DltBasis, decision: Any = None) -> DltBasisChanged:
    return DltBasisChanged(**THESE, was=was, now=now, decision=decision, protocol=PROTOCOL.ref)


def test_a_finding_becomes_a_proposal_once() -> None:
    given().when(REVIEW, facts(GRADE_4)).then(PROPOSED)
    given(PROPOSED).when(REVIEW, facts(GRADE_4)).then_nothing()
    given().when(REVIEW, facts(NOTHING)).then_nothing()


@pytest.mark.parametrize("now", [NOTHING, None], ids=["no rule holds", "the record was retracted"])
def test_an_undecided_proposal_is_withdrawn_when_no_rule_holds(now: DltBasis | None) -> None:
    given(PROPOSED).when(REVIEW, facts(now)).then(WITHDRAWN)
    given(PROPOSED, WITHDRAWN).when(REVIEW, facts(now)).then_nothing()
    given(PROPOSED, WITHDRAWN).when(REVIEW, facts(GRADE_4)).then(PROPOSED)


def test_another_basis_is_said_so() -> None:
    given(PROPOSED).when(REVIEW, facts(GRADE_3)).then(basis_changed(GRADE_4, GRADE_3))


BOTH = DltBasis(rules=(*GRADE_3.rules, *GRADE_4.rules), grade=4, since="2026-03-05")
WORSE = DltBasis(rules=GRADE_4.rules, grade=5, since="2026-03-05")


@pytest.mark.parametrize(
    ("decided", "now", "wants_a_look"),
    [
        (CONFIRMED, NOTHING, True),
        (CONFIRMED, GRADE_3, True),  # the rule it was confirmed on holds no more
        (CONFIRMED, BOTH, False),  # as when it lasts
        (CONFIRMED, WORSE, False),
        (REFUTED, NOTHING, False),
        (REFUTED, GRADE_3, True),  # a rule that had not been looked at
        (REFUTED, BOTH, True),
        (REFUTED, WORSE, True),
    ],
)
def test_a_decision_stands_when_its_basis_changes_and_may_want_a_look(
    decided: DoseLimitingToxicityDecided, now: DltBasis, *, wants_a_look: bool
) -> None:
    changed = basis_changed(GRADE_4, now, decided.decision)
    given(PROPOSED, decided).when(REVIEW, facts(now)).then(changed)
    given(PROPOSED, decided, changed).when(REVIEW, facts(now)).then_nothing()
    before, after = given(PROPOSED, decided).state.by_id[DLT], given(PROPOSED, decided, changed).state.by_id[DLT]
    assert (before.wants_a_look, after.wants_a_look) == (False, wants_a_look)
    assert before.decision == after.decision == decided.decision


def test_an_officer_decides_with_a_reason_and_may_decide_anew() -> None:
    given(PROPOSED).when(CONFIRM, facts(dlt_id=DLT)).then(CONFIRMED)
    given(PROPOSED, CONFIRMED).when(CONFIRM, facts(dlt_id=DLT)).then_nothing()
    given(PROPOSED, CONFIRMED).when(REFUTE, facts(dlt_id=DLT)).then(REFUTED)
    assert given(PROPOSED, CONFIRMED).state.has_dlt
    assert not given(PROPOSED, CONFIRMED, REFUTED).state.has_dlt


def test_the_same_decision_on_another_basis_is_a_decision() -> None:
    changed = basis_changed(GRADE_4, GRADE_3, "confirmed")
    on_the_new_basis = CONFIRMED.model_copy(update={"basis": GRADE_3})
    given(PROPOSED, CONFIRMED, changed).when(CONFIRM, facts(dlt_id=DLT)).then(on_the_new_basis)
    assert not given(PROPOSED, CONFIRMED, changed, on_the_new_basis).state.by_id[DLT].wants_a_look


def test_only_what_was_proposed_can_be_decided() -> None:
    given().when(CONFIRM, facts(dlt_id=DLT)).then_rejected(NoSuchDoseLimitingToxicity)
    given(PROPOSED).when(CONFIRM, facts()).then_rejected(NoSuchDoseLimitingToxicity)
    given(PROPOSED, WITHDRAWN).when(CONFIRM, facts(dlt_id=DLT)).then_rejected(DoseLimitingToxicityWasWithdrawn)


def test_what_no_rule_found_can_be_declared() -> None:
    confirmed = CONFIRMED.model_copy(update={"basis": NOTHING, "reason": DECLARE.reason})
    given().when(DECLARE, facts()).then(BY_HAND, confirmed)
    given(BY_HAND, confirmed).when(DECLARE, facts()).then_nothing()
    given(BY_HAND, confirmed).when(REVIEW, facts(NOTHING)).then_nothing()
    given(PROPOSED, WITHDRAWN).when(DECLARE, facts()).then(BY_HAND, confirmed)
    given(PROPOSED).when(DECLARE, facts()).then(CONFIRMED.model_copy(update={"reason": DECLARE.reason}))


def test_a_toxicity_keeps_its_id_and_kinds_do_not_meet() -> None:
    assert id_of(SOURCE) == DLT
    assert id_of(SOURCE.model_copy(update={"kind": ToxicityKind.CRS})) != DLT


def test_what_was_never_proposed_is_passed_over_in_reading() -> None:
    assert given(CONFIRMED).state == given().state
    assert not replace(given(PROPOSED).state.by_id[DLT], proposed=False).wants_a_look
