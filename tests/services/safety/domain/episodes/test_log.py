"""The adverse event follows its episode, and nobody writes over what a person said."""

from datetime import datetime
from typing import Any

import pytest

from services.safety.domain.adverse_event import Change
from services.safety.domain.correction import RetractAdverseEvent
from services.safety.domain.follow_up import ReassessSeriousness, RegradeAdverseEvent, ResolveAdverseEvent
from services.safety.domain.record import Unreported
from shared.contracts.safety import (
    AdverseEventCorrected,
    AdverseEventRegraded,
    AdverseEventReported,
    AdverseEventResolved,
    AlertCause,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
    SeriousnessReassessed,
)
from tests.services.safety.builders import AWARE
from tests.services.safety.domain.episodes.life import WHY, Life
from tests.services.safety.toxicity.episodes import at, crs, icans

LOW_GRADE = crs("16T06:00", hypotension="fluids")
ONE_PRESSOR = crs("16T06:00", hypotension="one-vasopressor")


def logged(life: Life) -> list[type]:
    return [type(event) for event in life.logged]


@pytest.mark.parametrize(
    ("opened", "code", "specification"),
    [
        ({}, "10052015", None),
        ({"kind": "icans", "observation": icans(capd=4)}, "10029205", "(ICANS)"),
        ({"kind": "iec-hs", "observation": {"kind": "iec-hs", "severity": 2}}, "10021428", "(IEC-HS)"),
    ],
)
def test_each_kind_is_reported_under_the_term_of_the_protocol(
    opened: dict[str, Any], code: str, specification: str | None
) -> None:
    event = Life(causality=[{"agent": "car-t-product", "attribution": "probable"}], **opened).event
    assert event.term.meddra_code == code
    assert (event.term.specification or "None").endswith(specification or "None")
    assert event.grades[0].basis.how == ("ctcae" if specification is None else "mapped")
    assert (event.onset, event.outcome) == ("2026-03-15", Outcome.NOT_RECOVERED)
    assert [opinion.agent for opinion in event.causality] == ["car-t-product"]


def test_seriousness_is_what_was_said_and_no_grade_adds_to_it() -> None:
    life = Life().does("observe", **crs("16T06:00", hypotension="multiple-vasopressors"))
    assert (life.event.grade, life.event.seriousness) == (4, ())
    assert logged(life) == [AdverseEventRegraded]
    life.does("observe", **crs("16T07:00"), seriousness=["life-threatening", "hospitalisation"])
    assert logged(life) == [SeriousnessReassessed, SeriousAdverseEventIdentified]
    assert life.event.alerts[0].because is AlertCause.BECAME_LIFE_THREATENING
    assert life.event.alerts[0].became_aware_at == datetime.fromisoformat(at("16T07:00"))


def test_the_grade_follows_the_maximum_and_never_falls_by_itself() -> None:
    life = Life().does("observe", **LOW_GRADE).does("observe", **crs("16T07:00"))
    assert life.logged == []
    assert life.history == [(1, "2026-03-15"), (2, "2026-03-16")]


def test_a_late_entry_puts_the_history_in_its_order() -> None:
    life = Life().does("observe", **crs("16T08:00", hypotension="fluids"))
    life.does("observe", **crs("15T22:00", hypotension="one-vasopressor"))
    assert logged(life) == [AdverseEventCorrected]
    assert life.history == [(1, "2026-03-15"), (3, "2026-03-15")]
    assert life.logged[0].reason == "An observation of the episode was entered after later ones"  # type: ignore[attr-defined]


def test_a_correction_carries_its_reason_into_the_log() -> None:
    life = Life().does("observe", **ONE_PRESSOR).does("correct", number=2, reason=WHY, **LOW_GRADE)
    assert life.history == [(1, "2026-03-15"), (2, "2026-03-16")]
    assert life.logged[0].reason == WHY  # type: ignore[attr-defined]


def test_a_retracted_observation_takes_its_grade_out_of_the_log() -> None:
    life = Life().does("observe", **ONE_PRESSOR).does("retract-observation", number=2, reason=WHY)
    assert life.history == [(1, "2026-03-15")]


def test_the_end_resolves_and_a_reopened_episode_goes_on() -> None:
    life = Life().does("end", ended_at=at("16T06:00"), outcome="recovered-with-sequelae")
    assert logged(life) == [AdverseEventResolved]
    assert life.event.is_resolved
    life.does("reopen", reason=WHY)
    assert (life.event.ended_on, life.event.outcome) == (None, Outcome.NOT_RECOVERED)


def test_a_death_is_grade_five_serious_and_fatal_at_once() -> None:
    life = Life(seriousness=["hospitalisation"]).does("observe", **crs("16T06:00", death=True))
    assert life.history[-1] == (5, "2026-03-16")
    assert life.event.seriousness == (Seriousness.HOSPITALISATION, Seriousness.DEATH)
    assert (life.event.outcome, life.event.ended_on) == (Outcome.FATAL, "2026-03-16")
    assert life.event.alerts[-1].because is AlertCause.BECAME_FATAL


def test_a_death_that_comes_first_is_reported_as_one() -> None:
    life = Life(observation=crs("", death=True)["observation"])
    assert logged(life) == [AdverseEventReported, SeriousAdverseEventIdentified]
    assert (life.event.grade, life.event.seriousness) == (5, (Seriousness.DEATH,))


def test_a_death_that_was_none_takes_its_three_facts_with_it() -> None:
    life = Life().does("observe", **crs("16T06:00", death=True))
    life.does("correct", number=2, reason=WHY, **LOW_GRADE)
    assert life.history == [(1, "2026-03-15"), (2, "2026-03-16")]
    assert (life.event.seriousness, life.event.outcome, life.event.ended_on) == ((), Outcome.NOT_RECOVERED, None)


def test_a_death_on_another_day_moves_the_end_too() -> None:
    life = Life().does("observe", **crs("16T06:00", death=True))
    life.does("correct", number=2, reason=WHY, **crs("15T23:00", death=True))
    assert life.history[-1] == (5, "2026-03-15")
    assert (life.event.ended_on, life.event.outcome) == ("2026-03-15", Outcome.FATAL)
    assert life.problem is None


def test_a_corrected_observation_may_turn_out_to_be_a_death() -> None:
    life = Life().does("observe", **ONE_PRESSOR)
    life.does("correct", number=2, reason=WHY, **crs("16T06:00", death=True))
    assert [grade for grade, _ in life.history] == [1, 5]
    assert life.problem is None


def test_seriousness_told_of_a_dead_child_keeps_the_death() -> None:
    life = Life().does("observe", **crs("16T06:00", death=True))
    life.does("observe", **crs("16T05:00"), seriousness=["life-threatening"])
    assert life.event.seriousness == (Seriousness.LIFE_THREATENING, Seriousness.DEATH)
    assert life.problem is None


def test_without_a_grade_nothing_is_reported_until_there_is_one() -> None:
    life = Life(observation=crs("", temperature_c=None)["observation"])
    assert isinstance(life.log, Unreported)
    life.does("observe", **LOW_GRADE, seriousness=["hospitalisation"])
    assert life.history == [(2, "2026-03-15")]
    assert life.event.seriousness == (Seriousness.HOSPITALISATION,)


def test_an_episode_that_never_had_a_grade_ends_and_is_retracted_without_an_event() -> None:
    life = Life(observation=crs("", temperature_c=None)["observation"])
    life.does("end", ended_at=at("16T06:00"), outcome="recovered")
    assert isinstance(life.log, Unreported)
    life.does("retract", reason=WHY)
    assert (life.logged, isinstance(life.log, Unreported)) == ([], True)


def test_what_was_missing_may_be_learned_after_the_end() -> None:
    life = Life(observation=crs("", temperature_c=None, hypotension="one-vasopressor")["observation"])
    life.does("end", ended_at=at("16T06:00"), outcome="recovered")
    life.does("observe", **crs("16T05:00", hypotension="fluids"))
    life.does("correct", number=1, reason=WHY, **crs("", hypotension="one-vasopressor"))
    assert life.event.is_resolved
    assert life.history == [(3, "2026-03-15")]


def test_several_grades_learned_at_once_are_all_in_the_report() -> None:
    life = Life(observation=crs("", temperature_c=None)["observation"])
    life.does("observe", **crs("16T05:00", temperature_c="37", hypotension="fluids"))
    life.does("observe", **crs("16T06:00", temperature_c="37", hypotension="one-vasopressor"))
    assert isinstance(life.log, Unreported)
    life.does("treat", treatment="antipyretic", given_at=at("15T21:00"))
    assert isinstance(life.log, Unreported)
    life.does("correct", number=1, reason=WHY, **crs(""))
    assert [grade for grade, _ in life.history] == [1, 2, 3]


def test_a_retracted_episode_retracts_its_event() -> None:
    assert Life().does("retract", reason=WHY).was_retracted


def test_an_event_retracted_by_hand_stays_so_and_the_episode_says_it() -> None:
    life = Life().by_hand(RetractAdverseEvent(reason=WHY))
    life.does("observe", **ONE_PRESSOR)
    assert (life.problem, life.was_retracted) == ("adverse-event-already-retracted", True)
    assert life.course.problem == "adverse-event-already-retracted"
    assert life.course.worst_ctcae == 3
    assert life.does("observe", **crs("16T07:00")).problem is None  # nothing to follow
    assert life.does("retract", reason=WHY).logged == []


@pytest.mark.parametrize(
    ("by_hand", "does", "problem", "history"),
    [
        # A person said that it got better: a new maximum is added, an old one changes nothing.
        (RegradeAdverseEvent(grade=1, since="2026-03-16"), ("observe", ONE_PRESSOR), None, [1, 2, 1, 3]),
        (RegradeAdverseEvent(grade=4, since="2026-03-16"), ("observe", ONE_PRESSOR), None, [1, 2, 4]),
        (
            RegradeAdverseEvent(grade=4, since="2026-03-16"),
            ("correct", {"number": 2, "reason": WHY, **crs("16T05:00")}),
            "adverse-event-edited-by-hand",
            [1, 2, 4],
        ),
        (
            ResolveAdverseEvent(ended_on="2026-03-15", outcome=Outcome.RECOVERED),
            ("observe", ONE_PRESSOR),
            "dates-contradict",
            [1, 2],
        ),
    ],
)
def test_what_a_person_said_is_never_written_over(
    by_hand: Change, does: tuple[str, dict[str, Any]], problem: str | None, history: list[int]
) -> None:
    life = Life().does("observe", **crs("15T23:00", hypotension="fluids")).by_hand(by_hand)
    verb, body = does
    life.does(verb, **body)
    assert life.problem == problem
    assert [grade for grade, _ in life.history] == history


def test_a_person_may_say_more_of_seriousness_than_the_episode() -> None:
    serious = ReassessSeriousness(seriousness=frozenset({Seriousness.DISABILITY}), became_aware_at=AWARE)
    life = Life().by_hand(serious).does("observe", **ONE_PRESSOR)
    assert life.event.seriousness == (Seriousness.DISABILITY,)


def test_the_last_grade_is_not_taken_out_of_the_log_by_itself() -> None:
    life = Life().does("retract-observation", number=1, reason=WHY)
    assert (life.problem, life.history) == ("no-grade-left", [(1, "2026-03-15")])
