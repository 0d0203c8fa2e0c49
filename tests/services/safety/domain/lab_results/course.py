"""One child's laboratory results as they come in, without input or output."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.safety.domain.lab_results import laboratory, recording, rows
from services.safety.domain.lab_results.laboratory import Laboratory
from services.safety.domain.lab_results.laboratory_commands import (
    LaboratoryCommand,
    MapTests,
    RecordReferenceRanges,
    RegisterLaboratory,
)
from services.safety.domain.lab_results.recording import Facts, Settled
from services.safety.domain.lab_results.results import Candidate, Known, Results
from services.safety.domain.lab_results.rows import Lymphodepletion, Person, Reading, SentRow
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_laboratory import ResultEvent
from shared.protocol import Protocol
from tests.services.safety.builders import BANGKOK, CHILD, NOW, PROTOCOL

INFUSED_AT = datetime(2026, 3, 14, 16, 30, tzinfo=BANGKOK)
GIRL = Person(CHILD, BANGKOK, Sex.FEMALE, "2017-03", INFUSED_AT)


def a_laboratory(*commands: LaboratoryCommand) -> Laboratory:
    state: laboratory.State = laboratory.Unregistered()
    first = RegisterLaboratory(laboratory_id="CU-LAB", site_id="CU", time_zone="Asia/Bangkok")
    for command in (first, *commands):
        for event in laboratory.decide(command, state, None):
            state = laboratory.evolve(state, event)
    assert isinstance(state, Laboratory)
    return state


def mapping(**codes: str | None) -> MapTests:
    return MapTests.model_validate({"tests": [{"code": code, "analyte": name} for code, name in codes.items()]})


def ranges(*stated: dict[str, Any]) -> RecordReferenceRanges:
    usual = {"analyte": "ALT", "unit": "U/L", "effective_from": "2025-01-01"}
    return RecordReferenceRanges.model_validate({"ranges": [{**usual, **each} for each in stated]})


def a_row(row_id: str = "R1", day: str = "15T08:00", **changed: Any) -> SentRow:
    """ALT of 120 U/L where 40 is the upper limit, on a day of March 2026."""
    stated = {
        "row_id": row_id,
        "participant_id": str(CHILD),
        "analyte": "ALT",
        "value": "120",
        "unit": "U/L",
        "uln": "40",
        "collected_at": f"2026-03-{day}",
    }
    return SentRow.model_validate({**stated, **changed})


@dataclass
class Course:
    """What is on record so far. Every event goes through JSON, as in the store."""

    person: Person = GIRL
    laboratory: Laboratory = field(default_factory=a_laboratory)
    protocol: Protocol = PROTOCOL
    now: datetime = NOW
    state: Results = field(default_factory=Results)
    happened: list[ResultEvent] = field(default_factory=list)

    def read(self, row: SentRow) -> Reading:
        return rows.read(row, self.laboratory, self.person, self.now)

    def sent(self, *sent: SentRow) -> Settled:
        settled = recording.settle(
            [self.read(row) for row in sent], self.state, Facts(self.person, self.now, self.protocol)
        )
        self.happened += settled.events
        self.state = settled.after
        return settled

    def alt(self, **values: str) -> "Course":
        """ALT values by day of March, `d15="120"`, in the order in which they are named."""
        self.sent(*(a_row(day, f"{day[1:]}T08:00", value=value) for day, value in values.items()))
        return self

    def infused(self, at: datetime | None = INFUSED_AT) -> "Course":
        self.person = replace(self.person, infused_at=at)
        return self

    def prepared(self, *days: int, at: datetime | None = None) -> "Course":
        """Lymphodepletions known to have begun on these days of March 2026; `at`: the hour of the last."""
        courses = [Lymphodepletion(date(2026, 3, day), None) for day in days]
        if at is not None:
            courses[-1] = replace(courses[-1], first_dose_at=at)
        self.person = replace(self.person, lymphodepletions=tuple(courses))
        return self

    def wait(self, **time: float) -> "Course":
        self.now += timedelta(**time)
        return self

    def named(self, row_id: str) -> Known:
        return self.state.by_id[rows.result_id(self.laboratory.id, row_id)]

    def grade(self, row_id: str) -> int | None:
        [grade] = self.named(row_id).result.grading.grades
        return grade.grade

    @property
    def candidates(self) -> list[Candidate]:
        return list(self.state.candidates.values())

    @property
    def courses(self) -> list[tuple[str, int, str | None]]:
        """Of the candidates that stand: onset, worst grade and end."""
        standing = [each.course for each in self.candidates if not each.withdrawn]
        return sorted(
            ((each.onset[-2:], each.worst_grade, each.ended_on and each.ended_on[-2:]) for each in standing), key=str
        )

    def types(self) -> list[str]:
        return [event.event_type.removeprefix("safety.") for event in self.happened]


def identity(row_id: str) -> UUID:
    return rows.result_id("CU-LAB", row_id)
