"""Consent withdrawn from parts of the trial, one after the other, and restored."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.participant import DECIDER
from services.enrollment.domain.withdrawal import AlreadyWithdrawn, NotWithdrawn
from shared.contracts.enrollment import ConsentWithdrawn, TreatmentDiscontinued
from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_terms import ConsentScope, Disposition, ParticipantStatus
from tests.services.enrollment.builders import (
    CONSENTED,
    COURSES,
    ELIGIBLE,
    ENROLLED,
    FACTS,
    INFUSED,
    WHO,
    living,
    part_withdrawal,
    rescreening,
    restoration,
    screen_failure,
    spec,
    told,
    withdrawal,
)

ALL = [scope.value for scope in ConsentScope]


def limited(*scopes: str, by: str = "GUARDIAN") -> ConsentLimited:
    return ConsentLimited(
        participant_id=WHO,
        scopes=tuple(map(ConsentScope, scopes)),
        withdrawn_on=date(2026, 5, 20),
        disposition=Disposition.WITHDRAWAL_BY_GUARDIAN if by == "GUARDIAN" else Disposition.WITHDRAWAL_BY_SUBJECT,
    )


@pytest.mark.parametrize("scopes", [("samples",), ("follow-up",), ("follow-up", "samples")])
def test_follow_up_and_samples_are_withdrawn_without_leaving_the_trial(scopes: tuple[str, ...]) -> None:
    spec.given(*told(*INFUSED)).when(part_withdrawal(*reversed(scopes)), FACTS).then(limited(*scopes))
    assert living(*INFUSED, part_withdrawal(*scopes)).status is ParticipantStatus.INFUSED


@pytest.mark.parametrize("course", [ENROLLED, INFUSED])
def test_who_withdraws_from_treatment_is_off_treatment_and_followed_up(course: Any) -> None:
    off = TreatmentDiscontinued(
        participant_id=WHO,
        discontinued_on="2026-05-20",
        disposition=Disposition.WITHDRAWAL_BY_SUBJECT,
        status=ParticipantStatus.OFF_TREATMENT,
    )
    withdrawn = part_withdrawal("treatment", by="participant")
    spec.given(*told(*course)).when(withdrawn, FACTS).then(limited("treatment", by="SUBJECT"), off)
    assert living(*course, withdrawn).status is ParticipantStatus.OFF_TREATMENT


@pytest.mark.parametrize("status", ["off-treatment", "lost-to-follow-up"])
def test_where_nothing_more_would_be_given_treatment_is_withdrawn_without_another_ending(status: str) -> None:
    spec.given(*told(*COURSES[status])).when(part_withdrawal("treatment", on="2026-06-30"), FACTS).then(
        limited("treatment").model_copy(update={"withdrawn_on": date(2026, 6, 30)})
    )


@pytest.mark.parametrize("first", [["samples"], ["treatment"], ["treatment", "follow-up"]])
def test_who_withdraws_from_every_part_one_after_the_other_leaves_the_trial(first: list[str]) -> None:
    rest = [scope for scope in ALL if scope not in first]
    history = told(*INFUSED, part_withdrawal(*first))
    spec.given(*history).when(part_withdrawal(*rest, on="2026-05-22"), FACTS).then(
        ConsentWithdrawn(
            participant_id=WHO,
            withdrawn_on=date(2026, 5, 22),
            disposition=Disposition.WITHDRAWAL_BY_GUARDIAN,
            status=ParticipantStatus.WITHDRAWN,
        )
    )


def test_all_parts_at_once_are_the_withdrawal_from_the_trial() -> None:
    assert told(*INFUSED, part_withdrawal(*ALL)) == told(*INFUSED, withdrawal())


def test_before_enrolment_there_is_no_treatment_to_withdraw_from_alone() -> None:
    screened = spec.given(*told(*ELIGIBLE))
    screened.when(part_withdrawal("treatment", on="2026-03-09"), FACTS).then_rejected(NotAtThisPoint)
    assert screened.when(part_withdrawal("samples", on="2026-03-09"), FACTS).decide()


@pytest.mark.parametrize("status", ["completed", "died"])
def test_after_follow_up_the_use_of_samples_alone_can_be_withdrawn(status: str) -> None:
    over = spec.given(*told(*COURSES[status]))
    assert over.when(part_withdrawal("samples"), FACTS).decide() == [limited("samples")]
    over.when(part_withdrawal("follow-up"), FACTS).then_rejected(NotAtThisPoint)
    over.when(withdrawal("2027-05-20"), FACTS).then_rejected(NotAtThisPoint)
    rest = told(*INFUSED, part_withdrawal("treatment", "follow-up"), *COURSES[status][len(INFUSED) :])
    assert spec.given(*rest).when(part_withdrawal("samples"), FACTS).decide() == [limited("samples")]


def test_a_part_is_withdrawn_once() -> None:
    withdrawn = spec.given(*told(*INFUSED, part_withdrawal("samples")))
    withdrawn.when(part_withdrawal("samples"), FACTS).then_nothing()
    withdrawn.when(part_withdrawal("samples", on="2026-05-21"), FACTS).then_rejected(AlreadyWithdrawn)
    both = part_withdrawal("samples", "follow-up", on="2026-05-21")
    withdrawn.when(both, FACTS).then_rejected(AlreadyWithdrawn)


def test_a_withdrawal_is_neither_ahead_nor_before_the_screening() -> None:
    infused = spec.given(*told(*INFUSED))
    infused.when(part_withdrawal("samples", on="2027-06-02"), FACTS).then_rejected(InTheFuture)
    infused.when(part_withdrawal("samples", on="2026-03-01"), FACTS).then_rejected(OutOfOrder)


def test_no_part_is_no_withdrawal() -> None:
    with pytest.raises(ValidationError):
        part_withdrawal()


def test_a_part_is_consented_to_again_from_a_day_on() -> None:
    history = told(*INFUSED, part_withdrawal("samples", "follow-up"))
    spec.given(*history).when(restoration("samples"), FACTS).then(
        ConsentRestored(
            participant_id=WHO,
            scopes=(ConsentScope.SAMPLES,),
            restored_on=date(2026, 6, 2),
            reason="The family allows it again",
        )
    )
    restored = living(*INFUSED, part_withdrawal("samples", "follow-up"), restoration("samples"))
    assert restored.consent.present.withdrawn_still == {ConsentScope.FOLLOW_UP}


def test_a_part_may_be_withdrawn_anew_after_it_was_restored() -> None:
    again = living(
        *INFUSED, part_withdrawal("samples"), restoration("samples"), part_withdrawal("samples", on="2026-07-01")
    )
    assert len(again.consent.present.withdrawals) == 2
    assert again.consent.present.withdrawn_still == {ConsentScope.SAMPLES}


def test_a_part_is_not_withdrawn_anew_from_a_day_before_it_was_restored() -> None:
    restored = spec.given(*told(*INFUSED, part_withdrawal("samples"), restoration("samples")))
    restored.when(part_withdrawal("samples", on="2026-06-01"), FACTS).then_rejected(OutOfOrder)
    restored.when(part_withdrawal("samples", on="2026-05-01"), FACTS).then_rejected(OutOfOrder)
    assert restored.when(part_withdrawal("samples", on="2026-06-02"), FACTS).decide()
    assert restored.when(part_withdrawal("follow-up", on="2026-06-01"), FACTS).decide()


@pytest.mark.parametrize("on", ["2026-06-02", None])
def test_a_part_is_restored_once(on: str | None) -> None:
    history = told(*INFUSED, part_withdrawal("samples"), restoration("samples", on=on))
    spec.given(*history).when(restoration("samples", on=on), FACTS).then_nothing()


def test_without_a_day_it_never_was_withdrawn() -> None:
    mistaken = living(*INFUSED, part_withdrawal("samples"), restoration("samples", on=None))
    assert mistaken.consent == living(*INFUSED).consent


def test_what_is_not_withdrawn_is_not_restored() -> None:
    withdrawn = spec.given(*told(*INFUSED, part_withdrawal("samples")))
    withdrawn.when(restoration("follow-up"), FACTS).then_rejected(NotWithdrawn)
    withdrawn.when(restoration("samples", "follow-up", on=None), FACTS).then_rejected(NotWithdrawn)
    withdrawn.when(restoration("samples", on="2026-05-19"), FACTS).then_rejected(OutOfOrder)
    withdrawn.when(restoration("samples", on="2027-06-02"), FACTS).then_rejected(InTheFuture)
    assert withdrawn.when(restoration("samples", on="2026-05-20"), FACTS).decide()


def test_a_new_screening_begins_with_every_part() -> None:
    part = part_withdrawal("samples", on="2026-03-05")
    again = living(*CONSENTED, part, screen_failure(), rescreening())
    assert again.consent.present.withdrawals == ()


@given(st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from(ALL), min_size=1)), max_size=6))
def test_the_same_withdrawal_or_restoration_twice_decides_to_nothing(steps: list[tuple[bool, set[str]]]) -> None:
    history = told(*INFUSED)
    for number, (withdraws, scopes) in enumerate(steps):
        day = f"2026-05-{10 + number}"
        command = part_withdrawal(*scopes, on=day) if withdraws else restoration(*scopes, on=day)
        try:
            history += DECIDER.decide(command, DECIDER.fold(history), FACTS)
        except (AlreadyWithdrawn, NotWithdrawn, NotAtThisPoint):
            continue
        spec.given(*history).when(command, FACTS).then_nothing()
