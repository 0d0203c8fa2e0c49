"""What holds of any course of a tumour: neither the order of arrival nor what was put right changes a response."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.efficacy.domain.assessments import CorrectAssessment, RetractAssessment
from services.efficacy.domain.overrides import OverrideResponse, WithdrawOverride
from services.efficacy.domain.tumour_burden import DECIDER, EfficacyCommand
from shared.contracts.efficacy_terms import Response
from shared.kernel.errors import TrialError
from tests.services.efficacy.domain.builders import (
    FACTS,
    a_baseline,
    a_correction,
    a_lesion,
    a_new_lesion,
    an_assessment,
    an_id,
)

LABELS = ("T01", "T02", "N01")
LESIONS: list[EfficacyCommand] = [
    a_lesion("T01", organ="liver"),
    a_lesion("T02", organ="lung"),
    a_lesion("N01", organ="mediastinum", node=True),
]
SIZES = ("0x0", "NE", "TSTM", "4x3", "10x9", "10x10", "12.5x12", "20x15", "26x26", "40x30", "50x41.5", "75x50")
VISITS = ("a", "b", "c", "d")

days = st.integers(min_value=0, max_value=120).map(lambda day: str(date(2026, 1, 1) + timedelta(day)))
dates = st.one_of(days, days.map(lambda day: day[:7]))
targets = st.tuples(*[st.sampled_from(SIZES) for _ in LABELS]).map(
    lambda found: "|".join(f"{label}={size}" for label, size in zip(LABELS, found, strict=True))
)
follow_up = st.fixed_dictionaries(
    {
        "targets": targets,
        "assessed_on": dates,
        "non_target": st.sampled_from(["none", "none", "cr", "non-cr-non-pd", "ne", "pd"]),
        "new_lesions": st.sampled_from([(), (), (), (a_new_lesion(),), (a_new_lesion(certainty="equivocal"),)]),
    }
)
courses = st.lists(follow_up, min_size=1, max_size=len(VISITS)).map(
    lambda found: [an_assessment(name, **each) for name, each in zip(VISITS, found, strict=False)]
)
BASELINE = a_baseline("T01=40x30|T02=26x26|N01=20x15", assessed_on="2026-01-20")


def carried_out(history: list[Any], command: EfficacyCommand) -> list[Any]:
    return history + DECIDER.decide(command, DECIDER.fold(history), FACTS)


def responses(commands: list[EfficacyCommand]) -> dict[Any, Any]:
    history: list[Any] = []
    for command in commands:
        history = carried_out(history, command)
    state = DECIDER.fold(history)
    return {
        key: each.assigned.model_copy(update={"supersedes": None})
        for key, each in state.standing.items()
        if each.assigned is not None
    }


@given(courses, st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_of_arrival_gives_the_same_responses(course: list[EfficacyCommand], data: st.DataObject) -> None:
    in_order = [BASELINE, *course]
    shuffled = data.draw(st.permutations(in_order))
    assert responses(LESIONS + shuffled) == responses(LESIONS + in_order)


@given(courses, st.data())
@settings(max_examples=100, deadline=None)
def test_a_corrected_course_is_as_if_it_had_been_right_at_once(course: list[Any], data: st.DataObject) -> None:
    wrong = data.draw(st.lists(follow_up, min_size=len(course), max_size=len(course)))
    first = [an_assessment(name, **each) for name, each in zip(VISITS, wrong, strict=False)]
    corrections = [
        CorrectAssessment(**dict(each.findings), assessment_id=each.which, reason="Transcription error")
        for each in course
    ]
    assert responses([*LESIONS, BASELINE, *first, *data.draw(st.permutations(corrections))]) == responses(
        [*LESIONS, BASELINE, *course]
    )


@given(courses, st.data())
@settings(max_examples=100, deadline=None)
def test_what_was_retracted_might_never_have_been(course: list[EfficacyCommand], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(VISITS[: len(course)]))
    retraction = RetractAssessment(assessment_id=an_id(name), reason="Another child's images")
    left = [each for each in course if each != course[VISITS.index(name)]]
    assert responses([*LESIONS, BASELINE, *course, retraction]) == responses([*LESIONS, BASELINE, *left])


def anything(course: list[Any]) -> st.SearchStrategy[EfficacyCommand]:
    name = st.sampled_from(VISITS).map(an_id)
    return st.one_of(
        st.sampled_from([*LESIONS, BASELINE, *course]),
        st.builds(lambda key: RetractAssessment(assessment_id=key, reason="Another child's images"), name),
        st.builds(lambda key: WithdrawOverride(assessment_id=key, reason="Seen again"), name),
        st.builds(
            lambda key, response: OverrideResponse(assessment_id=key, response=response, reason="Seen otherwise"),
            name,
            st.sampled_from(Response),
        ),
        st.builds(lambda key, found: a_correction(key, **found), st.sampled_from(VISITS), follow_up),
    )


@given(courses, st.data())
@settings(max_examples=150, deadline=None)
def test_the_same_command_twice_decides_to_nothing(course: list[EfficacyCommand], data: st.DataObject) -> None:
    history: list[Any] = []
    for command in [*LESIONS, BASELINE, *data.draw(st.lists(anything(course), max_size=8))]:
        try:
            history = carried_out(history, command)
        except TrialError:
            continue
        assert DECIDER.decide(command, DECIDER.fold(history), FACTS) == []
