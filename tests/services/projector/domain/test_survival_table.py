"""The survival table: who stands behind each estimate, and what it says where nobody was followed so long."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from services.projector.domain.cohort import Infused
from services.projector.domain.survival_table import GroupSurvival, Survival, survival_table
from services.projector.domain.time_to_event import Followed, SurvivalEndpoint
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.domain.test_time_to_event import DAY_ZERO, followed
from tests.services.projector.small_trial import at


def child(number: int, told: Followed, level: str = "DL1", tumour: str = "neuroblastoma") -> Followed:
    name = f"CU-00{number}"
    who = Infused(named(name), name, "CU", at(1, 5), at(1, 5), None, level, tumour)
    return replace(told, course=replace(told.course, participant=who))


FOUR = [
    child(1, followed("30 PR, 90 PR", alive=(90,))),
    child(2, followed("30 PD", died=40), "DL2"),
    child(3, followed("30 SD, 90 PD", alive=(90,)), "DL2", "osteosarcoma"),
    child(4, followed("30 NE", alive=(30,)), "DL2", "osteosarcoma"),
]


def table(endpoint: str, *people: Followed, confirmed: bool = False) -> Survival:
    today = DAY_ZERO + timedelta(days=400)
    asked = SurvivalEndpoint(endpoint)
    return survival_table(PROTOCOL, asked, people, evaluator="investigator", confirmed=confirmed, today=today)


def sizes(group: GroupSurvival) -> tuple[str | None, int, int, int, int, int]:
    return group.group, group.infused, group.evaluable, group.n, group.events, group.censored


def test_every_group_states_its_denominators() -> None:
    found = table("pfs", *FOUR)
    assert [(group.grouped_by.value, *sizes(group)) for group in found.groups] == [
        ("all", None, 4, 3, 4, 2, 2),
        ("dose-level", "DL1", 1, 1, 1, 0, 1),
        ("dose-level", "DL2", 3, 2, 3, 2, 1),
        ("tumour-type", "neuroblastoma", 2, 2, 2, 1, 1),
        ("tumour-type", "osteosarcoma", 2, 1, 2, 1, 1),
    ]
    assert {each.ending.value: each.n for each in found.groups[0].endings} == {
        "progression": 2,
        "last-assessment": 1,
        "no-assessment": 1,
    }
    assert (found.confirmed, found.missed_assessments, found.new_anticancer_therapy) == (None, 2, "censors")


def test_the_estimates_are_those_of_the_curve() -> None:
    everybody = table("pfs", *FOUR).groups[0]
    # Day 0: 4 at risk, one censored; 30: 3 at risk, one progressed; 90: 2 at risk, one progressed, one censored.
    assert [(step.day, step.at_risk, step.events, step.censored, step.survival) for step in everybody.curve] == [
        (0, 4, 0, 1, Decimal("1.000000")),
        (30, 3, 1, 0, Decimal("0.666667")),
        (90, 2, 1, 1, Decimal("0.333333")),
    ]
    assert everybody.curve[0].log_log is None
    assert everybody.median.days == Decimal(90)
    points = [(point.day, point.at_risk, point.estimate and point.estimate.survival) for point in everybody.time_points]
    assert points == [
        (30, 3, Decimal("0.666667")),
        (90, 2, Decimal("0.333333")),
        (182, 0, None),  # nobody was followed so long, and that is not 0
        (365, 0, None),
    ]


def test_once_everybody_had_the_event_it_stays_so() -> None:
    found = table("pfs", FOUR[1]).groups[0]
    assert [(point.at_risk, point.estimate and point.estimate.survival) for point in found.time_points] == [
        (1, Decimal(0)),
        (0, Decimal(0)),
        (0, Decimal(0)),
        (0, Decimal(0)),
    ]
    assert (found.median.days, found.median.log.lower) == (Decimal(30), None)


def test_before_the_first_step_everybody_is_free_of_the_event() -> None:
    found = table("os", FOUR[0]).groups[0]
    assert [point.estimate and point.estimate.survival for point in found.time_points] == [1, 1, None, None]


def test_of_responders_alone_the_others_are_not_in_the_analysis() -> None:
    found = table("dor", *FOUR)
    assert sizes(found.groups[0]) == (None, 4, 3, 1, 0, 1)
    assert [(who.subject_number, who.from_day, who.until_day, who.days) for who in found.participants] == [
        ("CU-001", 30, 90, 60)
    ]
    assert found.confirmed is False


def test_of_nobody_there_is_an_empty_table() -> None:
    found = table("os")
    assert [sizes(group) for group in found.groups] == [(None, 0, 0, 0, 0, 0)]
    assert (found.groups[0].curve, found.groups[0].median.days, found.participants) == ((), None, ())
    assert {point.estimate for point in found.groups[0].time_points} == {None}
