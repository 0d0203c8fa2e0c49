"""What enrollment's events make of the record of consent that every service holds."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.life import evolve as of_participant
from services.enrollment.domain.participant import DECIDER
from shared.consent.record import ConsentEvent, ConsentRecord, begin, evolve
from shared.contracts.enrollment import ParticipantScreened
from shared.kernel.errors import TrialError
from tests.services.enrollment.builders import (
    CONSENTED,
    FACTS,
    INFUSED,
    consent,
    consent_correction,
    data_correction,
    living,
    part_withdrawal,
    rescreening,
    restoration,
    retraction,
    screen_failure,
    told,
    withdrawal,
)


def heard(*commands: Any) -> ConsentRecord:
    """The record as a service folds it that keeps the events of consent alone."""
    kept = [event for event in told(*commands) if isinstance(event, ConsentEvent)]
    first = kept[0]
    assert isinstance(first, ParticipantScreened)
    record = begin(first)
    for event in kept[1:]:
        assert not isinstance(event, ParticipantScreened)
        record = evolve(record, event)
    return record


def test_a_service_knows_what_enrollment_knows() -> None:
    for course in (
        CONSENTED,
        (*INFUSED, consent_correction(2, kind="assent")),
        (*CONSENTED, data_correction(birth_month="2017-04", screened_on="2026-03-01")),
        (*INFUSED, part_withdrawal("samples"), restoration("samples")),
        (*CONSENTED, screen_failure(), rescreening(), consent(obtained_on="2026-05-04")),
    ):
        assert heard(*course) == living(*course).consent


def test_a_correction_replaces_the_consent_of_its_number() -> None:
    corrected = heard(*CONSENTED, consent_correction(1, document_version="3.0"))
    assert [each.document_version for each in corrected.present.consents] == ["3.0", "2.0"]


def test_a_withdrawal_that_was_retracted_never_was() -> None:
    assert heard(*INFUSED, withdrawal()).present.withdrawn_on == date(2026, 5, 20)
    assert heard(*INFUSED, withdrawal(), retraction("withdrawn")) == heard(*INFUSED)


def test_another_ending_that_was_retracted_changes_nothing() -> None:
    course = (*CONSENTED, screen_failure())
    assert heard(*course, retraction("screen-failed")) == heard(*course)


COMMANDS = [
    consent(obtained_on="2026-03-05"),
    consent_correction(1, document_version="3.0"),
    part_withdrawal("samples"),
    part_withdrawal("treatment", "follow-up", on="2026-05-21"),
    restoration("samples"),
    restoration("samples", "follow-up", on=None),
    withdrawal("2026-05-30"),
    retraction("withdrawn"),
    data_correction(birth_month="2017-04"),
]


@given(st.lists(st.sampled_from(COMMANDS), max_size=8))
def test_whatever_happens_both_know_the_same(commands: list[Any]) -> None:
    state, record = living(*INFUSED), heard(*INFUSED)
    for command in commands:
        try:
            decided = DECIDER.decide(command, state, FACTS)
        except TrialError:
            continue
        for event in decided:
            after = of_participant(state, event)
            assert after == DECIDER.evolve(state, event)
            state = after  # type: ignore[assignment]
            if isinstance(event, ConsentEvent) and not isinstance(event, ParticipantScreened):
                record = evolve(record, event)
    assert state.consent == record
