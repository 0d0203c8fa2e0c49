"""What ends and what censors the time of one participant: a table of cases, each on the rule that it names.

Scheduled assessments are days 30 (27 to 33), 90 (83 to 97), 182 (168 to 196) and 365 (335 to 395).
"""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.response_course import Assessed, courses
from services.projector.domain.time_to_event import Ending, Followed, SurvivalEndpoint, Timed, timed
from shared.contracts.efficacy_terms import Response
from shared.protocol import Protocol
from shared.protocol.endpoints import NewTherapy, SurvivalCensoring
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

DAY_ZERO = date(2026, 1, 5)
PFS, OS, DOR, TTR = (SurvivalEndpoint(each) for each in ("pfs", "os", "dor", "ttr"))


def on(day: int | str) -> str:
    return day if isinstance(day, str) else (DAY_ZERO + timedelta(days=day)).isoformat()


def followed(
    told: str = "",
    *,
    died: int | str | None = None,
    alive: tuple[int, ...] = (),
    until: int | None = None,
    baseline: bool = True,
    therapy: int | str | None = None,
) -> Followed:
    """`30 SD, 90 PD`: assessments by study day."""
    ended = None if until is None else DAY_ZERO + timedelta(days=until)
    begun = None if therapy is None else on(therapy)
    who = Infused(named("CU-001"), "CU-001", "CU", at(1, 5), at(1, 5), ended, new_therapy_on=begun)
    pairs = [each.split() for each in told.split(",") if each.strip()]
    read = [
        Assessed(named(f"{day} {response}"), who.participant_id, on(int(day)), Response(response), Response(response))
        for day, response in pairs
    ]
    (course,) = courses(PROTOCOL, [who], read)
    seen = [DAY_ZERO + timedelta(days=day) for day in alive]
    return Followed(course, baseline, None if died is None else on(died), seen)


def with_endpoints(**changed: Any) -> Protocol:
    endpoints = PROTOCOL.endpoints
    settings = {name: getattr(endpoints, name).model_copy(update={"value": value}) for name, value in changed.items()}
    return PROTOCOL.model_copy(update={"endpoints": endpoints.model_copy(update=settings)})


def time(
    endpoint: SurvivalEndpoint,
    who: Followed,
    *,
    confirmed: bool = False,
    today: int = 500,
    protocol: Protocol = PROTOCOL,
) -> Timed | None:
    return timed(protocol, endpoint, who, confirmed=confirmed, today=DAY_ZERO + timedelta(days=today))


@pytest.mark.parametrize(
    ("who", "until", "ending"),
    [
        (followed("30 SD, 90 PD"), 90, Ending.PROGRESSION),
        (followed("30 SD, 90 PD, 182 SD"), 90, Ending.PROGRESSION),  # the first progression
        (followed("30 SD, 90 SD", died=120), 120, Ending.DEATH),
        (followed("30 PD", died=40), 30, Ending.PROGRESSION),
        (followed("30 SD", died=30), 30, Ending.DEATH),
        (followed("30 PD", died=30), 30, Ending.PROGRESSION),  # of one day, progression
        (followed("30 SD, 90 SD"), 90, Ending.LAST_ASSESSMENT),
        (followed("30 SD, 90 NE"), 30, Ending.LAST_ASSESSMENT),  # what could not be evaluated is no assessment
        (followed(""), 0, Ending.NO_ASSESSMENT),
        (followed("30 NE"), 0, Ending.NO_ASSESSMENT),
        (followed("", died=20), 20, Ending.DEATH),
        (followed("30 SD, 90 PD", baseline=False), 0, Ending.NO_BASELINE),
        (followed("", died=20, baseline=False), 0, Ending.NO_BASELINE),
        # Missed in a row before the event: none, one, two.
        (followed("30 SD", died=97), 97, Ending.DEATH),  # the window of day 90 is still open
        (followed("30 SD", died=98), 98, Ending.DEATH),  # one was missed
        (followed("30 SD", died=196), 196, Ending.DEATH),
        (followed("30 SD", died=197), 30, Ending.MISSED_ASSESSMENTS),
        (followed("30 SD, 60 SD", died=197), 60, Ending.MISSED_ASSESSMENTS),
        (followed("30 SD, 85 SD", died=197), 197, Ending.DEATH),  # day 90 was assessed, if early
        (followed("30 SD, 197 PD"), 30, Ending.MISSED_ASSESSMENTS),
        (followed("30 SD, 90 NE, 197 PD"), 30, Ending.MISSED_ASSESSMENTS),  # adequate it was not
        (followed("30 SD, 90 SD, 197 PD"), 197, Ending.PROGRESSION),
        (followed("", died=98), 0, Ending.MISSED_ASSESSMENTS),
        # iRECIST: dated where it began, and none where it went back.
        (followed("30 iUPD, 60 iCPD"), 30, Ending.PROGRESSION),
        (followed("30 iUPD, 60 iSD"), 60, Ending.LAST_ASSESSMENT),
    ],
)
def test_progression_free_survival(who: Followed, until: int, ending: Ending) -> None:
    assert time(PFS, who) == Timed(0, until, ending)


CENSORS, IS_EVENT, IGNORED = NewTherapy.CENSORS, NewTherapy.IS_EVENT, NewTherapy.IS_IGNORED


@pytest.mark.parametrize(
    ("rule", "who", "until", "ending"),
    [
        # The therapy of day 100 lies between the assessments of day 90 and day 182.
        (CENSORS, followed("30 SD, 90 SD, 182 PD", therapy=100), 90, Ending.BEFORE_NEW_THERAPY),
        (IS_EVENT, followed("30 SD, 90 SD, 182 PD", therapy=100), 100, Ending.NEW_THERAPY),
        (IGNORED, followed("30 SD, 90 SD, 182 PD", therapy=100), 182, Ending.PROGRESSION),
        (CENSORS, followed("30 SD, 90 SD", therapy=100, died=120), 90, Ending.BEFORE_NEW_THERAPY),
        (IS_EVENT, followed("30 SD, 90 SD", therapy=100, died=120), 100, Ending.NEW_THERAPY),
        (IGNORED, followed("30 SD, 90 SD", therapy=100, died=120), 120, Ending.DEATH),
        (CENSORS, followed("30 SD, 90 SD, 182 SD", therapy=100), 90, Ending.BEFORE_NEW_THERAPY),
        (IS_EVENT, followed("30 SD, 90 SD, 182 SD", therapy=100), 100, Ending.NEW_THERAPY),
        (IGNORED, followed("30 SD, 90 SD, 182 SD", therapy=100), 182, Ending.LAST_ASSESSMENT),
        # Progression came first, or on that very day: the therapy follows it.
        (CENSORS, followed("30 SD, 90 PD", therapy=91), 90, Ending.PROGRESSION),
        (CENSORS, followed("30 SD, 90 PD", therapy=90), 90, Ending.PROGRESSION),
        (IS_EVENT, followed("30 SD, 90 PD", therapy=90), 90, Ending.PROGRESSION),
        (CENSORS, followed("30 SD, 91 PD", therapy=90), 30, Ending.BEFORE_NEW_THERAPY),
        (CENSORS, followed("30 SD", therapy=60, died=60), 60, Ending.DEATH),
        # Nothing could be evaluated before it; what could not is no assessment; the therapy's own day counts.
        (CENSORS, followed("", therapy=20), 0, Ending.BEFORE_NEW_THERAPY),
        (CENSORS, followed("30 SD, 90 NE", therapy=100), 30, Ending.BEFORE_NEW_THERAPY),
        (CENSORS, followed("30 SD, 90 SD", therapy=90), 90, Ending.BEFORE_NEW_THERAPY),
        # Of a partial date the first day counts that it can mean, and none before the infusion.
        (CENSORS, followed("30 SD, 90 SD", therapy="2026-03"), 30, Ending.BEFORE_NEW_THERAPY),
        (CENSORS, followed("30 SD, 90 SD", therapy="2026"), 0, Ending.BEFORE_NEW_THERAPY),
        (IS_EVENT, followed("30 SD, 90 SD", therapy="2026-01"), 0, Ending.NEW_THERAPY),
        # An event that came after two missed assessments is censored; so is the therapy where it is an event.
        (IS_EVENT, followed("30 SD", therapy=197), 30, Ending.MISSED_ASSESSMENTS),
        # iRECIST: a progression that nobody confirmed before the therapy is dated where it began.
        (CENSORS, followed("30 iUPD, 60 iSD", therapy=40), 30, Ending.PROGRESSION),
        (IGNORED, followed("30 iUPD, 60 iSD", therapy=40), 60, Ending.LAST_ASSESSMENT),
        (CENSORS, followed("30 SD", therapy=40, baseline=False), 0, Ending.NO_BASELINE),
    ],
)
def test_a_new_anticancer_therapy_does_what_the_protocol_says(
    rule: NewTherapy, who: Followed, until: int, ending: Ending
) -> None:
    protocol = with_endpoints(new_anticancer_therapy=rule)
    found = time(PFS, who, protocol=protocol)
    assert found == Timed(0, until, ending)
    assert found.event is (ending in {Ending.PROGRESSION, Ending.DEATH, Ending.NEW_THERAPY})


def test_a_new_anticancer_therapy_censors_as_cmd03_has_it() -> None:
    assert PROTOCOL.endpoints.new_anticancer_therapy.value is NewTherapy.CENSORS


@pytest.mark.parametrize("rule", NewTherapy)
def test_overall_survival_knows_nothing_of_it(rule: NewTherapy) -> None:
    protocol = with_endpoints(new_anticancer_therapy=rule)
    assert time(OS, followed("30 SD", therapy=40, died=120), protocol=protocol) == Timed(0, 120, Ending.DEATH)


@pytest.mark.parametrize(
    ("changed", "who", "until", "ending"),
    [
        ({"missed_assessments": None}, followed("30 SD", died=197), 197, Ending.DEATH),
        ({"missed_assessments": 1}, followed("30 SD", died=98), 30, Ending.MISSED_ASSESSMENTS),
        ({"without_baseline_censored": False}, followed("", died=20, baseline=False), 20, Ending.DEATH),
    ],
)
def test_the_rules_are_settings(changed: dict[str, Any], who: Followed, until: int, ending: Ending) -> None:
    assert time(PFS, who, protocol=with_endpoints(**changed)) == Timed(0, until, ending)


@pytest.mark.parametrize(
    ("who", "until", "ending"),
    [
        (followed("30 PD", died=120), 120, Ending.DEATH),
        (followed("", alive=(20, 80)), 80, Ending.LAST_KNOWN_ALIVE),
        (followed(""), 0, Ending.LAST_KNOWN_ALIVE),
        (followed("", alive=(20, 600)), 20, Ending.LAST_KNOWN_ALIVE),  # nobody knows the future
        (followed("", died="2026-03", alive=(20,)), 55, Ending.DEATH),  # the first of March
        (followed("", died="2026-03", alive=(60,)), 60, Ending.DEATH),  # but not before the last day known alive
        (followed("", died="2026-03", alive=(60, 200)), 60, Ending.DEATH),  # what is told after it is a slip
    ],
)
def test_overall_survival(who: Followed, until: int, ending: Ending) -> None:
    assert time(OS, who) == Timed(0, until, ending)


@pytest.mark.parametrize(
    ("who", "until", "ending"),
    [
        (followed("", alive=(80,)), 500, Ending.DATA_CUT_OFF),
        (followed("", alive=(80,), until=80), 80, Ending.LAST_KNOWN_ALIVE),  # lost: nobody knows until the cut-off
        (followed("", died=90), 90, Ending.DEATH),
    ],
)
def test_overall_survival_to_the_cut_off(who: Followed, until: int, ending: Ending) -> None:
    protocol = with_endpoints(overall_survival_censored_at=SurvivalCensoring.DATA_CUT_OFF)
    assert time(OS, who, protocol=protocol) == Timed(0, until, ending)


@pytest.mark.parametrize(
    ("who", "confirmed", "expected"),
    [
        (followed("30 PR, 90 PD"), False, Timed(30, 90, Ending.PROGRESSION)),
        (followed("30 PR, 90 PD"), True, None),  # it was never confirmed
        (followed("30 SD, 90 PR, 182 CR", died=200), True, Timed(90, 200, Ending.DEATH)),
        (followed("30 PR"), False, Timed(30, 30, Ending.LAST_ASSESSMENT)),
        (followed("30 PR, 90 PR, 182 NE"), True, Timed(30, 90, Ending.LAST_ASSESSMENT)),
        (followed("30 PR", died=197), False, Timed(30, 30, Ending.MISSED_ASSESSMENTS)),
        (followed("30 SD, 90 PD"), False, None),
        (followed("1 MR, 99 CR", died=98), False, Timed(99, 99, Ending.DEATH)),  # a slip of a date
        # The therapy of day 100: a response that followed it is none, one before it lasts until the last assessment.
        (followed("30 PR, 90 PR, 182 PD", therapy=100), False, Timed(30, 90, Ending.BEFORE_NEW_THERAPY)),
        (followed("30 SD, 120 PR", therapy=100), False, None),
        (followed("30 PR, 120 PR", therapy=100), True, None),  # what would confirm it came too late
        (followed("30 iUPD, 60 iPR, 120 iPR, 160 iUPD, 190 iCPD"), True, Timed(60, 160, Ending.PROGRESSION)),
    ],
)
def test_duration_of_response(who: Followed, *, confirmed: bool, expected: Timed | None) -> None:
    assert time(DOR, who, confirmed=confirmed) == expected


def test_a_response_after_progression_lasts_until_the_next_one_where_the_first_does_not_end_all() -> None:
    protocol = with_endpoints(first_progression_ends=False)
    assert time(DOR, followed("30 PD, 60 PR, 90 PD"), protocol=protocol) == Timed(60, 90, Ending.PROGRESSION)


@pytest.mark.parametrize(
    ("who", "confirmed", "expected"),
    [
        (followed("30 SD, 90 PR, 182 PR"), True, Timed(0, 90, Ending.RESPONSE)),
        (followed("30 PR, 90 SD, 182 PR, 365 PR"), True, Timed(0, 182, Ending.RESPONSE)),
        (followed("30 PR, 90 SD"), False, Timed(0, 30, Ending.RESPONSE)),
        (followed("30 SD"), False, None),
    ],
)
def test_time_to_response(who: Followed, *, confirmed: bool, expected: Timed | None) -> None:
    assert time(TTR, who, confirmed=confirmed) == expected


told = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([each.value for each in Response])),
    max_size=8,
    unique_by=lambda each: each[0],
).map(lambda pairs: ", ".join(f"{day} {response}" for day, response in pairs))


@settings(max_examples=100, deadline=None)
@given(
    told, st.none() | st.integers(1, 450), st.booleans(), st.none() | st.integers(0, 450), st.sampled_from(NewTherapy)
)
def test_no_time_is_negative_and_nobody_survives_free_of_progression_longer_than_at_all(
    course: str, died: int | None, confirmed: bool, therapy: int | None, rule: NewTherapy
) -> None:
    alive = tuple(int(each.split()[0]) for each in course.split(",") if each.strip())
    if therapy is not None and (died is None or therapy <= died):
        alive = (*alive, therapy)
    who, protocol = (
        followed(course, died=died, alive=alive, therapy=therapy),
        with_endpoints(new_anticancer_therapy=rule),
    )
    found = {each: time(each, who, confirmed=confirmed, protocol=protocol) for each in SurvivalEndpoint}
    assert all(each is None or each.days >= 0 for each in found.values())
    overall, free = found[OS], found[PFS]
    assert overall is not None
    assert free is not None
    assert free.until_day <= overall.until_day
    assert (found[DOR] is None) == (found[TTR] is None)


@settings(max_examples=100, deadline=None)
@given(told, st.integers(0, 450), st.booleans())
def test_what_is_read_after_a_new_therapy_changes_nothing_that_rests_on_responses(
    course: str, therapy: int, confirmed: bool
) -> None:
    before = ", ".join(each for each in course.split(", ") if each and int(each.split()[0]) <= therapy)
    with_all, without = followed(course, therapy=therapy), followed(before, therapy=therapy)
    for endpoint in (PFS, DOR, TTR):
        assert time(endpoint, with_all, confirmed=confirmed) == time(endpoint, without, confirmed=confirmed)
