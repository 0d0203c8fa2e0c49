"""An episode's life, observation by observation."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.safety.domain.ctcae import GradeNotDefinedForTerm
from services.safety.domain.episodes.commands import OpenEpisode, RecordTreatment, RetractEpisode
from services.safety.domain.episodes.episode import (
    DECIDER,
    EpisodeAlreadyEnded,
    EpisodeAlreadyOpened,
    EpisodeAlreadyRetracted,
    NoSuchEntry,
    NoSuchEpisode,
    NotAnEndOfAnEpisode,
    NothingToOpen,
    OfAnotherKind,
    OxygenOnRoomAir,
    TimesContradict,
    followed,
)
from services.safety.domain.episodes.grading import Facts
from services.safety.domain.episodes.record import RetractedCourse
from services.safety.domain.record import Unreported
from shared.contracts.safety import Outcome
from shared.contracts.safety_episodes import (
    HypotensionSupport,
    OxygenDevice,
    ToxicityEpisodeEnded,
    ToxicityEpisodeReopened,
    ToxicityObservationRegraded,
)
from shared.kernel.errors import TrialError
from shared.protocol.car_t_toxicity import AgeCounted
from tests.services.safety.builders import PROTOCOL, facts
from tests.services.safety.domain.episodes.life import WHY, Life
from tests.services.safety.toxicity.episodes import EVENT, at, crs, icans, opening
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = Facts(facts(), "2017-03", Unreported())


def facts_with(**choices: Any) -> Facts:
    """Of a child who turned twelve in March 2026, in a protocol with other choices."""
    protocol = PROTOCOL.model_copy(update={"car_t_toxicity": PROTOCOL.car_t_toxicity.model_copy(update=choices)})
    return Facts(replace(facts(), protocol=protocol), "2014-03", Unreported())


def test_an_opening_says_which_adverse_event_follows_it_and_grades_the_first_observation() -> None:
    life = Life(seriousness=["hospitalisation"])
    assert life.course.opened.adverse_event_id == EVENT
    assert life.grades == [(1, 1)]
    assert life.course.observations[0].grades.rule == "ASTCT 2019, CTCAE 5.0"
    assert life.course.opened.protocol == PROTOCOL.ref
    assert (life.course.worst_astct, life.course.worst_ctcae) == (1, 1)


def test_the_same_opening_twice_decides_to_nothing() -> None:
    life = Life()
    assert life.carry_out(OpenEpisode.model_validate(opening())).said == []


@pytest.mark.parametrize(
    "changed", [{"seriousness": ["hospitalisation"]}, crs("16T06:00"), crs("", hypotension="fluids")]
)
def test_another_opening_under_the_same_id_is_rejected(changed: dict[str, Any]) -> None:
    with pytest.raises(EpisodeAlreadyOpened):
        Life().carry_out(OpenEpisode.model_validate(opening(**changed)))


def test_an_opening_whose_first_observation_was_retracted_is_not_the_same() -> None:
    life = Life().does("observe", **crs("16T06:00")).does("retract-observation", number=1, reason=WHY)
    with pytest.raises(EpisodeAlreadyOpened):
        life.carry_out(OpenEpisode.model_validate(opening()))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"observation": crs("", temperature_c="37.5", fever_earlier=False)["observation"]}, NothingToOpen),
        ({"became_aware_at": at("15T20:59")}, TimesContradict),
        ({"became_aware_at": at("16T10:06")}, TimesContradict),
        ({"observed_at": at("15T20:59")}, TimesContradict),
        ({"observed_at": at("16T10:06")}, TimesContradict),  # it is 10:00, and clocks may differ by 5 min
    ],
)
def test_what_is_no_episode_is_not_opened(changed: dict[str, Any], error: type[TrialError]) -> None:
    spec.given().when(OpenEpisode.model_validate(opening(**changed)), FACTS).then_rejected(error)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kind": "icans"}, "the episode one of icans"),
        ({"developmental_delay": True}, "delay_reason"),
        ({"delay_reason": "Trisomy 21"}, "delay_reason"),
        ({"developmental_delay": False, "delay_reason": "Trisomy 21"}, "delay_reason"),
    ],
)
def test_an_opening_that_contradicts_itself_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OpenEpisode.model_validate(opening(**changed))


def test_nothing_is_said_of_an_episode_that_was_not_opened() -> None:
    nothing = RetractEpisode(reason=WHY)
    spec.given().when(nothing, FACTS).then_rejected(NoSuchEpisode)
    assert followed(nothing, DECIDER.initial, [], FACTS) == []


def test_two_scales_are_kept_side_by_side() -> None:
    life = Life()
    life.does("observe", **crs("16T06:00", oxygen_device="high-flow-cannula", fio2_percent="35"))
    life.does("observe", **crs("16T07:00", oxygen_device="low-flow-cannula", flow_l_per_min="6", fio2_percent="44"))
    assert life.grades == [(1, 1), (3, 2), (2, 3)]
    assert (life.course.worst_astct, life.course.worst_ctcae) == (3, 3)


def test_the_same_observation_twice_decides_to_nothing() -> None:
    life = Life().does("observe", **crs("16T06:00", hypotension="fluids"))
    assert life.does("observe", **crs("16T06:00", hypotension="fluids")).said == []
    assert life.does("observe", **crs("16T06:00", hypotension="fluids"), seriousness=[]).said == []
    assert len(life.does("observe", **crs("16T06:00"), seriousness=["hospitalisation"]).course.series) == 3


def test_a_drug_given_keeps_the_syndrome_without_its_fever() -> None:
    life = Life().does("observe", **crs("16T06:00", temperature_c="36.8", hypotension="fluids"))
    assert life.grades == [(1, 1), (None, None)]  # nobody said whether a drug holds the fever down
    life.does("treat", treatment="tocilizumab", given_at=at("16T05:00"), dose="8", unit="mg/kg")
    assert life.grades == [(1, 1), (2, 2)]
    assert [type(event) for event in life.said[1:]] == [ToxicityObservationRegraded]
    life.does("retract-treatment", number=1, reason="Ordered, not given")
    assert life.grades == [(1, 1), (None, None)]
    assert life.course.treatments == ()


@pytest.mark.parametrize("treatment", ["vasopressor", "oxygen", "antiseizure", "fluids", "other"])
def test_what_does_not_lower_fever_masks_none(treatment: str) -> None:
    life = Life().does("observe", **crs("16T06:00", temperature_c="36.8"))
    assert life.does("treat", treatment=treatment, given_at=at("16T05:00")).grades[-1] == (None, None)


def test_a_drug_given_later_changes_nothing_before() -> None:
    life = Life().does("observe", **crs("16T06:00", temperature_c="36.8"))
    life.does("treat", treatment="antipyretic", given_at=at("16T06:01"))
    assert life.grades[-1] == (None, None)


def test_a_fever_that_was_none_takes_later_grades_with_it() -> None:
    cool = {"temperature_c": "36.8", "antipyretic_or_anticytokine": True}
    life = Life().does("observe", **crs("16T06:00", **cool, hypotension="fluids"))
    assert life.grades == [(1, 1), (2, 2)]
    life.does("correct", number=1, reason=WHY, **crs("", temperature_c="37.2", fever_earlier=False))
    assert life.grades == [(0, 0), (0, 0)]
    assert isinstance(life.said[1], ToxicityObservationRegraded)
    assert life.said[1].previous.astct == 2


def test_a_late_entry_takes_its_place_in_time() -> None:
    life = Life().does("observe", **crs("16T08:00")).does("observe", **crs("16T06:00", hypotension="fluids"))
    assert [each.number for each in life.course.series] == [1, 3, 2]
    assert life.course.numbered(3) is not None


def test_a_corrected_observation_is_not_its_own_past() -> None:
    life = Life().does("observe", **crs("16T06:00"))
    life.does("retract-observation", number=1, reason=WHY)
    life.does(
        "correct", number=2, reason=WHY, **crs("16T07:00", temperature_c="36.8", antipyretic_or_anticytokine=True)
    )
    assert life.grades == [(None, None)]
    assert len(life.said) == 2  # corrected; the log cannot follow


def test_the_same_correction_twice_decides_to_nothing() -> None:
    right = crs("", hypotension="fluids")
    life = Life().does("correct", number=1, reason=WHY, **right)
    assert life.does("correct", number=1, reason=WHY, **right).said == []


@pytest.mark.parametrize(
    ("verb", "body", "error"),
    [
        ("observe", {"observed_at": at("16T06:00"), "observation": icans()}, OfAnotherKind),
        ("observe", crs("15T20:00"), TimesContradict),
        ("observe", crs("16T06:00", oxygen_device="room-air", flow_l_per_min="5"), OxygenOnRoomAir),
        (
            "correct",
            {"number": 1, "reason": WHY, **crs("16T06:00", oxygen_device="room-air", fio2_percent="40")},
            OxygenOnRoomAir,
        ),
        ("correct", {"number": 7, "reason": WHY, **crs("16T06:00")}, NoSuchEntry),
        ("retract-observation", {"number": 7, "reason": WHY}, NoSuchEntry),
        ("treat", {"treatment": "anakinra", "given_at": at("15T20:00")}, TimesContradict),
        ("retract-treatment", {"number": 1, "reason": WHY}, NoSuchEntry),
        ("end", {"ended_at": at("16T12:00"), "outcome": "recovered"}, TimesContradict),
        ("end", {"ended_at": at("16T09:00"), "outcome": "fatal"}, NotAnEndOfAnEpisode),
        ("end", {"ended_at": at("16T09:00"), "outcome": "recovering"}, NotAnEndOfAnEpisode),
    ],
)
def test_what_cannot_be_said(verb: str, body: dict[str, Any], error: type[TrialError]) -> None:
    with pytest.raises(error):
        Life().does(verb, **body)


def test_room_air_has_an_fio2_of_21_percent_and_a_flow_of_none() -> None:
    breathing = {"oxygen_device": "room-air", "fio2_percent": "21", "flow_l_per_min": "0"}
    assert Life().does("observe", **crs("16T06:00", **breathing)).said


def test_the_same_treatment_twice_decides_to_nothing() -> None:
    given_once = {"treatment": "anakinra", "given_at": at("16T06:00"), "dose": "100", "unit": "mg"}
    life = Life().does("treat", **given_once)
    assert life.does("treat", **given_once).said == []
    assert [each.number for each in life.does("treat", **{**given_once, "dose": "200"}).course.treatments] == [1, 2]


@pytest.mark.parametrize("half", [{"dose": "8"}, {"unit": "mg/kg"}])
def test_a_dose_has_its_unit(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="a dose has its unit"):
        RecordTreatment.model_validate({"treatment": "tocilizumab", "given_at": at("16T06:00"), **half})


def test_an_end_ends_it_until_it_is_reopened() -> None:
    life = Life().does("end", ended_at=at("16T06:00"), outcome="recovered")
    assert life.does("end", ended_at=at("16T06:00"), outcome="recovered").said == []
    with pytest.raises(EpisodeAlreadyEnded):
        life.does("end", ended_at=at("16T07:00"), outcome="recovered")
    with pytest.raises(EpisodeAlreadyEnded):
        life.does("observe", **crs("16T06:01"))
    life.does("observe", **crs("16T05:00"))  # entered late
    life.does("reopen", reason="Fever came back").does("observe", **crs("16T07:00"))
    assert life.course.ended is None
    assert life.does("reopen", reason="Fever came back").said == []
    with pytest.raises(TimesContradict):
        life.does("end", ended_at=at("16T06:00"), outcome="recovered")


def test_a_death_ends_the_episode_and_a_death_that_was_none_reopens_it() -> None:
    life = Life().does("observe", **crs("16T06:00", death=True))
    assert life.grades == [(1, 1), (5, 5)]
    assert isinstance(life.said[-1], ToxicityEpisodeEnded)
    assert life.course.ended is not None
    assert life.course.ended.outcome is Outcome.FATAL
    with pytest.raises(EpisodeAlreadyEnded):
        life.does("reopen", reason="Was alive")
    life.does("correct", number=2, reason=WHY, **crs("16T07:00", death=True))
    assert life.course.ended.at == datetime.fromisoformat(at("16T07:00"))
    life.does("correct", number=2, reason=WHY, **crs("16T07:00"))
    assert isinstance(life.said[-1], ToxicityEpisodeReopened)
    assert life.course.ended is None


def test_a_death_may_be_the_first_thing_seen() -> None:
    life = Life(observation=crs("", death=True)["observation"])
    assert life.course.worst_ctcae == 5


def test_nothing_follows_a_retraction_but_the_same_retraction() -> None:
    life = Life().does("retract", reason=WHY)
    assert isinstance(life.state, RetractedCourse)
    assert life.state.reason == WHY
    assert life.does("retract", reason="Again").said == []
    with pytest.raises(EpisodeAlreadyRetracted):
        life.does("observe", **crs("16T06:00"))
    assert DECIDER.evolve(life.state, life.state.was.treatments) is life.state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("birth_month", "changed", "grades"),
    [
        ("2017-03", {"capd": 8}, (1, 1)),
        ("2017-03", {"capd": 9}, (3, 3)),
        ("2017-03", {"ice": 10}, (None, None)),  # a child of nine is not tested by ICE
        ("2014-03", {"ice": 6}, (2, 2)),  # twelve from the first of the month
        ("2014-04", {"ice": 6, "capd": 1}, (1, 1)),
        (None, {"ice": 6, "capd": 1}, (None, None)),
    ],
)
def test_the_age_at_onset_picks_the_instrument(
    birth_month: str | None, changed: dict[str, Any], grades: tuple[int | None, int | None]
) -> None:
    life = Life(birth_month=birth_month, kind="icans", developmental_delay=False, observation=icans(**changed))
    assert life.grades == [grades]


def test_developmental_delay_asks_for_capd_at_any_age() -> None:
    delayed = {"developmental_delay": True, "delay_reason": "Trisomy 21"}
    life = Life(birth_month="2009-01", kind="icans", observation=icans(ice=10, capd=10), **delayed)
    assert life.grades == [(3, 3)]


@pytest.mark.parametrize(("counted", "astct"), [(AgeCounted.AT_ONSET, 1), (AgeCounted.AT_OBSERVATION, 2)])
def test_the_protocol_says_whether_a_birthday_changes_the_instrument(counted: AgeCounted, astct: int) -> None:
    setting = PROTOCOL.car_t_toxicity.age_counted.model_copy(update={"value": counted})
    seen = {"kind": "icans", "developmental_delay": False, "observed_at": at("01T09:00")}
    early = {"onset": "2026-02-28T09:00:00+07:00", "became_aware_at": "2026-02-28T09:00:00+07:00"}
    command = OpenEpisode.model_validate(opening(**seen, **early, observation=icans(ice=5, capd=4)))
    _, observed = DECIDER.decide(command, DECIDER.initial, facts_with(age_counted=setting))
    assert observed.grades.astct == astct  # type: ignore[union-attr]


def test_a_term_that_lacks_the_grade_is_refused_at_the_opening() -> None:
    oedema = PROTOCOL.car_t_toxicity.icans_term.model_copy(update={"value": "10014217"})  # offers 3, 4 and 5
    command = OpenEpisode.model_validate(opening(kind="icans", developmental_delay=False, observation=icans(ice=8)))
    spec.given().when(command, facts_with(icans_term=oedema)).then_rejected(GradeNotDefinedForTerm)


def test_iec_hs_is_graded_as_the_physician_says() -> None:
    life = Life(kind="iec-hs", observation={"kind": "iec-hs", "severity": 3, "findings": ["ferritin"]})
    assert life.grades == [(3, 3)]
    assert life.course.observations[0].grades.rule.startswith("Physician's judgement")
    life.does("observe", observed_at=at("16T06:00"), observation={"kind": "iec-hs"})
    assert life.grades[-1] == (None, None)


supports = st.sampled_from(HypotensionSupport).map(str)
devices = st.sampled_from(OxygenDevice).map(str)
seen_at = st.integers(1, 600).map(lambda minute: f"16T{minute // 60:02}:{minute % 60:02}")
observations = st.lists(st.tuples(seen_at, supports, devices, st.sampled_from(["30", "40", "60"])), max_size=6)


@settings(max_examples=60)
@given(observations)
def test_the_maximum_is_the_maximum_of_the_series_whatever_the_order_of_entry(
    entered: list[tuple[str, str, str, str]],
) -> None:
    life = Life()
    for time, support, device, fio2 in entered:
        percent = None if device == "room-air" else fio2
        life.does("observe", **crs(time, hypotension=support, oxygen_device=device, fio2_percent=percent))
    grades = [(each.grades.astct, each.grades.ctcae) for each in life.course.series]
    assert life.course.worst_astct == max(astct for astct, _ in grades if astct is not None)
    assert life.course.worst_ctcae == max(ctcae for _, ctcae in grades if ctcae is not None)
    assert life.event.worst_grade == life.course.worst_ctcae
    rising = [grade for grade, _ in life.history]
    assert rising == sorted(set(rising))
    assert life.problem is None


def test_another_participants_id_changes_the_opening() -> None:
    with pytest.raises(EpisodeAlreadyOpened):
        Life().carry_out(OpenEpisode.model_validate(opening(participant_id=str(uuid4()))))
