"""The life of a participant as a table: every command in every state, and what holds for all of them."""

from contextlib import suppress
from functools import reduce
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.enrollment.domain.facts import Facts, NoSuchParticipant, NotAtThisPoint
from services.enrollment.domain.life import Participant, State, Unknown
from services.enrollment.domain.participant import DECIDER, LIFE, LaterCommand, ParticipantCommand
from shared.contracts.enrollment import ParticipantEvent, ParticipantRescreened
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.kernel.errors import TrialError
from shared.kernel.events import decode
from tests.services.enrollment.builders import (
    COURSES,
    FACTS,
    assessment,
    completion,
    consent,
    consent_correction,
    contact,
    contact_retraction,
    data_correction,
    death,
    drug_given,
    enrolment,
    exception_decision,
    exception_request,
    infusion,
    infusion_correction,
    infusion_retraction,
    living,
    loss,
    lymphodepletion,
    lymphodepletion_correction,
    lymphodepletion_retraction,
    off_treatment,
    rescreening,
    restoration,
    retraction,
    screen_failure,
    screening,
    spec,
    therapy,
    therapy_correction,
    therapy_retraction,
    told,
    transferral,
    withdrawal,
)

# A command of each kind that nothing but the point of the life could stand against, and where it is possible.
# s screening, f screen-failed, e enrolled, i infused, o off-treatment, l lost, w withdrawn, c completed, d died
LETTERS = dict(zip("sfeiolwcd", COURSES, strict=True))
POSSIBLE: list[tuple[LaterCommand, str]] = [
    (rescreening("2027-05-04"), "f"),  # and withdrawn before enrolment: see test_screening
    (data_correction(), "sfeiolwcd"),
    (consent(document_version="2.1"), "seio"),
    (consent_correction(), "sfeiolwcd"),
    (assessment("2026-03-07"), "s"),
    (transferral(), "seiolc"),
    (exception_request(), ""),  # wherever a criterion is not met: see test_eligibility_exception
    (exception_decision(), ""),
    (enrolment(), "s"),
    (infusion("2026-04-13T09:00:00+07:00"), "ei"),
    (infusion_correction(), "iolwcd"),  # wherever there is one
    (infusion_retraction(), "iolwcd"),
    (lymphodepletion(drugs=[drug_given("fludarabine", "2026-03-10")]), "eiolcd"),
    (lymphodepletion_correction(), ""),  # wherever there is one: see test_lymphodepletion
    (lymphodepletion_retraction(), ""),
    (therapy(), "iolwcd"),
    (therapy_correction(), ""),  # wherever there is one: see test_anticancer_therapy
    (therapy_retraction(), ""),
    (contact(), "iolwcd"),
    (contact_retraction(), ""),  # wherever there is one: see test_follow_up_contact
    (screen_failure("2026-03-10"), "s"),
    (off_treatment("2027-05"), "ei"),
    (loss("2027-05"), "eio"),
    (withdrawal("2027-05-20"), "seiol"),
    (restoration(), ""),  # wherever a part is withdrawn: see test_withdrawal
    (completion("2027-05"), "io"),
    (death("2027-05"), "sfeiolwc"),
]
CASES = [
    pytest.param(command, status, letter in where, id=f"{type(command).__name__}-{status}")
    for command, where in POSSIBLE
    for letter, status in LETTERS.items()
]


def test_the_courses_lead_to_every_status() -> None:
    assert [living(*course).status for course in COURSES.values()] == [ParticipantStatus(name) for name in COURSES]
    assert set(COURSES) == {status.value for status in ParticipantStatus}


def test_the_table_knows_every_command() -> None:
    assert set(LIFE) == set(get_args(LaterCommand))
    assert {type(command) for command, _ in POSSIBLE} | {type(retraction("died"))} == set(LIFE)


@pytest.mark.parametrize(("command", "status", "possible"), CASES)
def test_every_command_in_every_state(command: LaterCommand, status: str, possible: bool) -> None:
    # What was enrolled already is enrolled: that command decides to nothing rather than being refused.
    history = told(*COURSES[status])
    when = spec.given(*history).when(command, FACTS)
    if possible:
        assert len(when.decide()) == 1
    elif command == enrolment() and status not in {"screening", "screen-failed"}:
        when.then_nothing()
    else:
        when.then_rejected(TrialError)


def test_a_refusal_says_where_it_is_possible_not_where_the_participant_stands() -> None:
    with pytest.raises(NotAtThisPoint) as refused:
        spec.given(*told(*COURSES["died"])).when(off_treatment(), FACTS).decide()
    assert "enrolled, infused" in str(refused.value)
    assert "died" not in str(refused.value)


@pytest.mark.parametrize("status", [status for status in COURSES if status not in {"screening", "enrolled", "infused"}])
def test_every_ending_can_be_retracted(status: str) -> None:
    assert living(*COURSES[status], retraction(status)).status in {"screening", "enrolled", "infused"}


@pytest.mark.parametrize("command", [command for command, _ in POSSIBLE], ids=lambda command: type(command).__name__)
def test_nothing_is_recorded_about_somebody_who_was_never_screened(command: LaterCommand) -> None:
    spec.given().when(command, FACTS).then_rejected(NoSuchParticipant)


COMMANDS: list[ParticipantCommand] = [
    screening(),
    screening(birth_month="2006-03"),
    *(command for command, _ in POSSIBLE),
    consent(),
    consent("assent"),
    consent("own", obtained_on="2026-03-20"),
    assessment(),
    assessment(AN_16={"flag": True}),
    screen_failure(),
    rescreening("2026-05-04"),
    lymphodepletion(),
    infusion(),
    therapy("2026-09"),
    contact(),
    contact_retraction(),
    off_treatment(),
    loss(),
    withdrawal("2026-03-30"),
    completion(),
    death("2026"),
    infusion_retraction(2),
    *(retraction(status.value) for status in ParticipantStatus),
]


def lived(commands: list[ParticipantCommand], facts: Facts = FACTS) -> list[ParticipantEvent]:
    """Whatever of these commands was possible, in this order."""
    history: list[ParticipantEvent] = []
    state: State = DECIDER.initial
    for command in commands:
        with suppress(TrialError):
            decided = DECIDER.decide(command, state, facts)
            state = reduce(DECIDER.evolve, decided, state)
            history += decided
    return history


ANY_LIFE = st.tuples(st.sampled_from([(), *COURSES.values()]), st.lists(st.sampled_from(COMMANDS), max_size=12)).map(
    lambda parts: [*parts[0], *parts[1]]
)


@settings(max_examples=200, deadline=None)
@given(ANY_LIFE, st.sampled_from(COMMANDS))
def test_the_same_command_twice_decides_to_nothing(commands: list[ParticipantCommand], command: Any) -> None:
    history = lived(commands)
    try:
        first = DECIDER.decide(command, DECIDER.fold(history), FACTS)
    except TrialError:
        return
    assert DECIDER.decide(command, DECIDER.fold([*history, *first]), FACTS) == []


@settings(max_examples=50, deadline=None)
@given(ANY_LIFE)
def test_every_event_says_where_the_participant_stands_afterwards(commands: list[ParticipantCommand]) -> None:
    history = lived(commands)
    for place, event in enumerate(history, start=1):
        state = DECIDER.fold(history[:place])
        assert isinstance(state, Participant)
        assert getattr(event, "status", state.status) is state.status


@settings(max_examples=50, deadline=None)
@given(ANY_LIFE)
def test_a_stored_life_is_read_back_as_it_was(commands: list[ParticipantCommand]) -> None:
    history = lived(commands)
    assert [decode(event.event_type, event.schema_version, event.to_json()) for event in history] == history


def test_what_happened_to_nobody_changes_nothing() -> None:
    stray = told(*COURSES["died"])[-1]
    assert DECIDER.fold([stray]) == Unknown()


@settings(max_examples=50, deadline=None)
@given(ANY_LIFE)
def test_screenings_are_numbered_without_a_gap(commands: list[ParticipantCommand]) -> None:
    numbers = [event.screening_number for event in lived(commands) if isinstance(event, ParticipantRescreened)]
    assert numbers == [f"CU-001-S{number}" for number in range(2, len(numbers) + 2)]
