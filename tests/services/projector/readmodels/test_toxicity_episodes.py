"""The course of CRS and ICANS of one participant: given events, then rows and tables."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.contracts.safety import Outcome
from shared.contracts.safety_episodes import (
    AdverseEventNotFollowed,
    CrsObservation,
    EpisodeKind,
    Grades,
    ToxicityEpisodeEnded,
    ToxicityEpisodeOpened,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
    ToxicityObservationCorrected,
    ToxicityObservationRegraded,
    ToxicityObservationRetracted,
    ToxicityObserved,
    ToxicityTreated,
    ToxicityTreatmentRetracted,
    Treatment,
)
from shared.kernel.actor import Role
from shared.kernel.events import Event
from tests.services.projector.chronicle import PROTOCOL, Child, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

REASON = "Read off the wrong chart"


class Course:
    """One episode, told event by event."""

    def __init__(self, child: Child, name: str = "crs", day: int = 7) -> None:
        onset = at(1, day)
        self.child = child
        self.id = named(name)
        self.numbers = {"observation": 0, "treatment": 0}
        self.tell(
            ToxicityEpisodeOpened,
            adverse_event_id=named(f"log of {name}"),
            kind=EpisodeKind.CRS,
            onset=onset,
            became_aware_at=onset,
            developmental_delay=None,
            delay_reason=None,
            seriousness=(),
            causality=(),
            protocol=PROTOCOL.ref,
        )

    def tell(self, what: Callable[..., Event], /, **fields: Any) -> "Course":
        event = what(episode_id=self.id, participant_id=self.child.id, **fields)
        self.child.chronicle.tell(f"toxicity-episode:{self.id}", event)
        return self

    def seen(self, when: datetime, astct: int | None, ctcae: int | None) -> "Course":
        self.numbers["observation"] += 1
        return self.tell(
            ToxicityObserved, number=self.numbers["observation"], seriousness=None, **observed(when, astct, ctcae)
        )

    def given(self, when: datetime, treatment: Treatment, dose: str | None = None) -> "Course":
        self.numbers["treatment"] += 1
        amount = {"dose": None if dose is None else Decimal(dose), "unit": None if dose is None else "mg/kg"}
        return self.tell(
            ToxicityTreated, number=self.numbers["treatment"], treatment=treatment, given_at=when, **amount
        )


def graded(astct: int | None, ctcae: int | None) -> Grades:
    return Grades(astct=astct, ctcae=ctcae, explanation=f"ASTCT {astct}, CTCAE {ctcae}.", rule="ASTCT 2019, CTCAE 5.0")


def observed(when: datetime, astct: int | None, ctcae: int | None) -> dict[str, Any]:
    seen = CrsObservation(temperature_c=Decimal("38.5"))
    return {
        "observed_at": when,
        "observation": seen,
        "grades": graded(astct, ctcae),
        "protocol": PROTOCOL.ref,
    }


async def course(house: House, child: Child) -> Any:
    async with house.client() as client:
        answer = await client.get(f"/v1/participants/{child.id}/crs-icans-course")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def a_child() -> Child:
    return Chronicle().child("CU-001").screened().infused(at(1, 5))


async def test_a_course_has_both_grades_at_each_instant_and_their_maxima(any_house: House) -> None:
    child = a_child()
    told = Course(child).seen(at(1, 7), 1, 1).seen(at(1, 9), 3, 2).seen(at(1, 8), 2, 3).seen(at(1, 10), None, None)
    told.given(at(1, 9), Treatment.TOCILIZUMAB, "8").tell(
        ToxicityEpisodeEnded, ended_at=at(1, 12), outcome=Outcome.RECOVERED
    )
    await any_house.hears(child.chronicle.told)
    (episode,) = await course(any_house, child)
    assert [(each["number"], each["day"], each["astct_grade"], each["ctcae_grade"]) for each in episode["series"]] == [
        (1, 2, 1, 1),
        (3, 3, 2, 3),
        (2, 4, 3, 2),
        (4, 5, None, None),
    ]
    assert (episode["worst_astct_grade"], episode["worst_ctcae_grade"], episode["ungraded"]) == (3, 3, 1)
    assert (episode["onset_day"], episode["outcome"], episode["version"]) == (2, "recovered", 7)
    assert [(each["treatment"], each["dose"]) for each in episode["treatments"]] == [("tocilizumab", "8")]
    assert episode["series"][0]["observation"]["temperature_c"] == "38.5"


async def test_a_course_reads_as_it_was_put_right(any_house: House) -> None:
    child = a_child()
    told = Course(child).seen(at(1, 7), 1, 1).seen(at(1, 8), 4, 4).seen(at(1, 9), 2, 2)
    told.tell(ToxicityObservationCorrected, number=2, reason=REASON, **observed(at(1, 8, 12), 3, 3))
    regraded = {"previous": graded(2, 2), "grades": graded(0, 0), "protocol": PROTOCOL.ref}
    told.tell(ToxicityObservationRegraded, number=3, **regraded)
    told.tell(ToxicityObservationRetracted, number=1, reason=REASON)
    told.given(at(1, 8), Treatment.ANAKINRA).tell(ToxicityTreatmentRetracted, number=1, reason=REASON)
    told.tell(ToxicityEpisodeEnded, ended_at=at(1, 10), outcome=Outcome.RECOVERED)
    told.tell(ToxicityEpisodeReopened, reason=REASON)
    told.tell(AdverseEventNotFollowed, adverse_event_id=named("log of crs"), problem="dates-contradict")
    await any_house.hears(child.chronicle.told)
    (episode,) = await course(any_house, child)
    assert [(each["number"], each["astct_grade"]) for each in episode["series"]] == [(2, 3), (3, 0)]
    assert (episode["worst_ctcae_grade"], episode["ended_at"], episode["outcome"]) == (3, None, None)
    assert (episode["treatments"], episode["problem"], episode["retracted"]) == ([], "dates-contradict", False)
    told.tell(ToxicityEpisodeRetracted, reason=REASON)
    await any_house.hears(child.chronicle.told[-1:])
    assert (await course(any_house, child))[0]["retracted"] is True


async def test_before_the_infusion_there_are_no_study_days(house: House) -> None:
    child = Chronicle().child("CU-001").screened()
    Course(child).seen(at(1, 7), 1, 1)
    await house.hears(child.chronicle.told)
    (episode,) = await course(house, child)
    assert (episode["onset_day"], episode["series"][0]["day"]) == (None, None)


async def test_as_csv_a_course_has_a_line_per_observation_with_what_was_given_since(house: House) -> None:
    child = a_child()
    told = Course(child).seen(at(1, 7), 1, 1).seen(at(1, 9), 3, 2)
    told.given(at(1, 8), Treatment.TOCILIZUMAB, "8").given(at(1, 11), Treatment.CORTICOSTEROID)
    Course(child, "second", 20).seen(at(1, 20), None, 1)
    await house.hears(child.chronicle.told)
    async with house.client(accept="text/csv") as client:
        answer = await client.get(f"/v1/participants/{child.id}/crs-icans-course")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["day"], line["astct_grade"], line["ctcae_grade"]) for line in lines] == [
        ("2", "1", "1"),
        ("4", "3", "2"),
        ("", "", ""),
        ("15", "", "1"),
    ]
    given = [line["given_since_the_one_before"] for line in lines]
    assert given[0] == given[3] == ""
    assert given[1].startswith("tocilizumab 8 mg/kg at 2026-01-08")
    assert given[2].startswith("corticosteroid at 2026-01-11")


async def test_another_sites_course_is_unknown(house: House) -> None:
    child = a_child()
    await house.hears(child.chronicle.told)
    async with house.client(Role.INVESTIGATOR, sites=["KKU"]) as client:
        answer = await client.get(f"/v1/participants/{child.id}/crs-icans-course")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
