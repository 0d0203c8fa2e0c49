"""Suspected, unexpected, serious: held, no longer held, held again, and since when the sponsor knows."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from services.safety.domain.cases import susar
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.follow_up import AssessCausality, ReassessSeriousness, RecordDeath
from shared.contracts.safety import Seriousness
from shared.contracts.safety_cases import CaseUrgency, SusarIdentified, SusarNoLongerHeld
from tests.services.safety.builders import AWARE
from tests.services.safety.cases.course import Course, opinion


def reaction(course: Course) -> CaseUrgency | None:
    return susar.judge(course.facts, course.case.assessment).urgency


def identified(course: Course) -> list[tuple[CaseUrgency, datetime]]:
    return [(e.urgency, e.sponsor_aware_at) for e in course.happened if isinstance(e, SusarIdentified)]


RELATED = {None: None, True: opinion("possible"), False: opinion("unlikely")}


@pytest.mark.parametrize(
    ("investigator", "sponsor", "by"),
    [
        (None, None, ("no-opinion",)),
        (None, True, ("sponsor",)),
        (None, False, ("no-opinion",)),
        (True, None, ("investigator",)),
        (True, True, ("investigator", "sponsor")),
        (True, False, ("investigator",)),  # the sponsor does not downgrade
        (False, None, ("no-opinion",)),
        (False, True, ("sponsor",)),  # the sponsor may upgrade
        (False, False, ()),
    ],
)
def test_one_opinion_of_related_suffices_and_a_missing_one_counts_as_related(
    investigator: bool | None,
    sponsor: bool | None,
    by: tuple[str, ...],
) -> None:
    course = Course().reported(causality=RELATED[investigator] or ())
    if sponsor is not None:
        course.assessed(causality=RELATED[sponsor])
    judged = susar.judge(course.facts, course.case.assessment)
    assert judged.basis.related_by == by
    assert (judged.urgency is not None) == bool(by)


def test_an_opinion_about_another_agent_is_none_about_the_product() -> None:
    course = Course().reported(causality=opinion("unrelated", "disease"))
    course.assessed(causality=opinion("unrelated", "disease"))
    assert susar.judge(course.facts, course.case.assessment).basis.related_by == ("no-opinion",)


@pytest.mark.parametrize(
    ("serious", "listed", "judged", "held"),
    [
        (
            serious,
            listed,
            judged,
            bool(serious) and (judged or ("expected" if listed else "unexpected")) == "unexpected",
        )
        for serious, listed, judged in product(
            (["hospitalisation"], []), (True, False), (None, "expected", "unexpected")
        )
    ],
)
def test_a_reaction_is_held_if_serious_and_unexpected_and_the_sponsor_stands_above_the_rule(
    serious: list[str],
    listed: bool,
    judged: str | None,
    held: bool,
) -> None:
    course = Course()
    if listed:
        course.lists()
    course.reported(seriousness=serious)
    if judged is not None:
        course.assessed(expectedness=judged, reason="Judged on the whole picture")
    found = susar.judge(course.facts, course.case.assessment)
    assert (found.urgency is not None) == held
    assert found.basis.expectedness_by == ("rule" if judged is None else "sponsor")
    assert found.proposed.expectedness == ("expected" if listed else "unexpected")


@pytest.mark.parametrize("criterion", list(Seriousness))
def test_death_and_threat_to_life_are_the_urgent_kind(criterion: Seriousness) -> None:
    urgent = criterion in {Seriousness.DEATH, Seriousness.LIFE_THREATENING}
    expected = CaseUrgency.FATAL_OR_LIFE_THREATENING if urgent else CaseUrgency.OTHER
    assert susar.case_urgency((criterion,)) is expected


def test_the_explanation_names_each_of_the_three() -> None:
    course = Course().lists(max_grade=2).reported(causality=opinion("probable"))
    course.assessed(causality=opinion("possible"), expectedness="unexpected")
    assert susar.judge(course.facts, course.case.assessment).basis.explanation == (
        "It is serious (hospitalisation); investigator and sponsor hold it related to the product; it is unexpected by "
        "the sponsor's assessment, against IB-1."
    )


HOUR = timedelta(hours=1)


def test_the_sponsor_knows_when_the_entry_is_in_the_database_not_when_the_site_knew() -> None:
    course = Course()
    course.wait(hours=5).reported(became_aware_at=AWARE).wait(hours=3).reviewed()
    assert identified(course) == [(CaseUrgency.OTHER, AWARE + 5 * HOUR)]


def test_an_assessment_may_say_that_the_sponsor_knew_sooner_though_not_before_the_site() -> None:
    course = Course()
    course.wait(hours=5).reported(became_aware_at=AWARE).reviewed()
    course.wait(hours=1).assessed(became_aware_at=AWARE + 2 * HOUR)
    assert identified(course)[-1] == (CaseUrgency.OTHER, AWARE + 2 * HOUR)
    course.wait(hours=1).assessed(became_aware_at=AWARE - HOUR, expectedness="unexpected")
    assert len(identified(course)) == 2


def test_after_up_and_down_the_sponsors_awareness_is_measured_by_the_first_alert() -> None:
    course = Course()
    course.wait(hours=2).reported(became_aware_at=AWARE).reviewed()
    course.wait(hours=3)
    threat = ReassessSeriousness(seriousness=frozenset({Seriousness.LIFE_THREATENING}), became_aware_at=course.now)
    course.site(threat).reviewed()
    more_serious(course.wait(hours=1))
    course.assessed(became_aware_at=AWARE + HOUR)
    assert identified(course)[-1] == (CaseUrgency.OTHER, AWARE + HOUR)


def test_an_upgrade_is_known_from_its_own_entry() -> None:
    course = Course().reported()
    course.reviewed()
    course.wait(hours=30).site(
        ReassessSeriousness(seriousness=frozenset({Seriousness.LIFE_THREATENING}), became_aware_at=AWARE + 29 * HOUR)
    )
    course.reviewed()
    course.wait(hours=1).site(RecordDeath(died_on="2026-03-17", became_aware_at=course.now)).reviewed()
    assert identified(course) == [
        (CaseUrgency.OTHER, AWARE),
        (CaseUrgency.FATAL_OR_LIFE_THREATENING, AWARE + 30 * HOUR),
        (CaseUrgency.FATAL_OR_LIFE_THREATENING, AWARE + 31 * HOUR),
    ]


def less_serious(course: Course) -> None:
    course.site(ReassessSeriousness(seriousness=frozenset(), became_aware_at=course.now))


def more_serious(course: Course) -> None:
    course.site(ReassessSeriousness(seriousness=frozenset({Seriousness.DISABILITY}), became_aware_at=course.now))


def to_unrelated(course: Course) -> None:
    course.assessed(causality=opinion("unrelated"))
    course.site(AssessCausality.model_validate({"causality": opinion("unrelated")}))


def to_related(course: Course) -> None:
    course.site(AssessCausality.model_validate({"causality": opinion("possible")}))


@pytest.mark.parametrize(
    ("takes_away", "brings_back"),
    [
        (less_serious, more_serious),
        (to_unrelated, to_related),
        (lambda course: course.lists(), lambda course: course.withdraws("IB-1")),
        (
            lambda course: course.assessed(expectedness="expected", reason="Known of the class"),
            lambda course: course.assessed(expectedness="unexpected"),
        ),
        (
            lambda course: course.lists(),
            lambda course: course.site(CorrectAdverseEvent(reason="The chart says grade 4", grade=4)),
        ),
    ],
)
@pytest.mark.parametrize("looked_at_between", [True, False])
def test_each_input_takes_a_reaction_away_and_brings_it_back_from_that_moment(
    takes_away: Any,
    brings_back: Any,
    looked_at_between: bool,
) -> None:
    course = Course().reported()
    course.reviewed()
    takes_away(course.wait(hours=1))
    if looked_at_between:
        course.reviewed()
        assert reaction(course) is None
        assert sum(isinstance(event, SusarNoLongerHeld) for event in course.happened) == 1
    brings_back(course.wait(hours=1))
    course.reviewed()
    assert identified(course) == [(CaseUrgency.OTHER, AWARE), (CaseUrgency.OTHER, AWARE + 2 * HOUR)]
    assert course.reviewed() == []


def test_a_retracted_event_is_no_reaction() -> None:
    course = Course().reported()
    course.reviewed()
    course.site(RetractAdverseEvent(reason="Entered for another participant"))
    last = next(event for event in course.reviewed() if isinstance(event, SusarNoLongerHeld))
    assert (last.retracted, last.basis.explanation) == (True, "The adverse event was retracted.")
    assert reaction(course) is None
