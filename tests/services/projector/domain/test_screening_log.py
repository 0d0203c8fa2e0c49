"""The screening log and the counts of a CONSORT diagram."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.projector.domain.participant_flow import Enrolled, ParticipantFlow, participant_flow
from services.projector.domain.screening_log import OF_SCREENING, Screening, screening_log
from shared.contracts import enrollment as enr
from shared.contracts.enrollment_terms import (
    Answer,
    CriterionAnswer,
    CriterionCategory,
    Diagnosis,
    Disposition,
    Eligibility,
    ParticipantStatus,
    Sex,
    Why,
)
from shared.kernel.events import Event
from shared.protocol import MeasureId, load_protocol

PROTOCOL = load_protocol()
WHO, OTHER = UUID(int=1), UUID(int=2)
PEOPLE = {OTHER: ("CU-002", "CU"), WHO: ("CU-001", "CU")}


def screened(number: int = 1, on: str = "2026-01-05", who: UUID = WHO) -> Event:
    told: dict[str, Any] = {
        "participant_id": who,
        "screening_number": f"CU-001-S{number}",
        "screened_on": date.fromisoformat(on),
        "status": ParticipantStatus.SCREENING,
    }
    if number > 1:
        return enr.ParticipantRescreened(**told)
    named = {"site_id": "CU", "time_zone": "Asia/Bangkok", "subject_number": "CU-001", "subject_label": None}
    person = {"birth_month": "2017-03", "sex": Sex.FEMALE, "diagnosis": Diagnosis.NEUROBLASTOMA}
    return enr.ParticipantScreened(**told, **named, **person, diagnosis_text=None)


def assessed(outcome: Eligibility, *unmet: str, waived: str = "CMD03-E9") -> Event:
    def answer(code: str, said: Answer, *, counts: bool) -> CriterionAnswer:
        inclusion = CriterionCategory.INCLUSION
        return CriterionAnswer(
            criterion_id=code, category=inclusion, answer=said, why=Why.COMPARED, counts=counts, evidence=None
        )

    answers = [answer(code, Answer.NOT_MET, counts=True) for code in unmet]
    answers += [answer("CMD03-I3", Answer.MET, counts=True), answer(waived, Answer.NOT_MET, counts=False)]
    return enr.EligibilityAssessed(
        participant_id=WHO,
        screening_number="CU-001-S1",
        assessed_on=date(2026, 1, 8),
        outcome=outcome,
        answers=tuple(answers),
        protocol=PROTOCOL.ref,
    )


def failed(*unmet: str, disposition: Disposition = Disposition.SCREEN_FAILURE) -> Event:
    return enr.ScreeningFailed(
        participant_id=WHO,
        screening_number="CU-001-S1",
        failed_on=date(2026, 1, 9),
        unmet=unmet,
        disposition=disposition,
        status=ParticipantStatus.SCREEN_FAILED,
    )


def enrolled(on: str = "2026-01-12") -> Event:
    return enr.ParticipantEnrolled(
        participant_id=WHO,
        site_id="CU",
        subject_number="CU-001",
        enrolled_on=date.fromisoformat(on),
        criteria_excepted=(),
        dose_level="DL1",
        status=ParticipantStatus.ENROLLED,
        protocol=PROTOCOL.ref,
    )


def corrected(on: str) -> Event:
    return enr.ScreeningDataCorrected(
        participant_id=WHO,
        birth_month="2017-03",
        sex=Sex.FEMALE,
        diagnosis=Diagnosis.NEUROBLASTOMA,
        diagnosis_text=None,
        screened_on=date.fromisoformat(on),
        reason="Read from the wrong line",
    )


def withdrawn() -> Event:
    return enr.ConsentWithdrawn(
        participant_id=WHO,
        withdrawn_on=date(2026, 1, 10),
        disposition=Disposition.WITHDRAWAL_BY_GUARDIAN,
        status=ParticipantStatus.WITHDRAWN,
    )


def lost(on: str = "2026-01") -> Event:
    return enr.ParticipantLostToFollowUp(
        participant_id=WHO,
        last_contact_on=on,
        disposition=Disposition.LOST_TO_FOLLOW_UP,
        status=ParticipantStatus.LOST_TO_FOLLOW_UP,
    )


def died() -> Event:
    return enr.ParticipantDied(
        participant_id=WHO, died_on="2026-01-11", disposition=Disposition.DEATH, status=ParticipantStatus.DIED
    )


def retracted(what: ParticipantStatus) -> Event:
    return enr.DiscontinuationRetracted(
        participant_id=WHO, retracted=what, reason="Of another child", status=ParticipantStatus.SCREENING
    )


def log(*events: Event) -> list[Screening]:
    return screening_log({WHO: PEOPLE[WHO]}, {WHO: events})


@pytest.mark.parametrize(
    ("events", "outcome", "ended_on", "days"),
    [
        ([], "in-screening", None, None),
        ([enrolled()], "enrolled", date(2026, 1, 12), 7),
        ([enrolled("2026-01-05")], "enrolled", date(2026, 1, 5), 0),
        ([enrolled(), corrected("2026-01-02")], "enrolled", date(2026, 1, 12), 10),
        ([enrolled(), died()], "enrolled", date(2026, 1, 12), 7),
        ([failed("CMD03-I1a")], "screen-failed", date(2026, 1, 9), None),
        ([withdrawn()], "withdrawn", date(2026, 1, 10), None),
        ([lost()], "lost-to-follow-up", date(2026, 1, 1), None),
        ([died()], "died", date(2026, 1, 11), None),
        ([failed(), retracted(ParticipantStatus.SCREEN_FAILED)], "in-screening", None, None),
        ([lost(), retracted(ParticipantStatus.DIED)], "lost-to-follow-up", date(2026, 1, 1), None),
    ],
)
def test_a_screening_ends_once(events: list[Event], outcome: str, ended_on: date | None, days: int | None) -> None:
    (line,) = log(screened(), *events)
    assert (line.outcome, line.ended_on, line.days_to_enrolment) == (outcome, ended_on, days)


def test_a_re_screening_is_a_line_of_its_own() -> None:
    first = [screened(), assessed(Eligibility.NOT_ELIGIBLE, "CMD03-I1a"), failed("CMD03-I1a")]
    found = log(*first, screened(2, "2026-02-01"), assessed(Eligibility.ELIGIBLE), enrolled("2026-02-03"))
    assert [(each.attempt, each.screening_number, each.outcome, each.eligibility, each.unmet) for each in found] == [
        (1, "CU-001-S1", "screen-failed", "not-eligible", ("CMD03-I1a",)),
        (2, "CU-001-S2", "enrolled", "eligible", ()),
    ]
    assert [each.disposition for each in found] == [Disposition.SCREEN_FAILURE, None]


def test_unmet_are_the_criteria_that_keep_somebody_out() -> None:
    (line,) = log(screened(), assessed(Eligibility.NOT_ELIGIBLE, "CMD03-I1a"))
    assert line.unmet == ("CMD03-I1a",)


def test_what_is_told_before_a_screening_is_no_line() -> None:
    assert log(enrolled()) == []
    number = {"sequence": 1, "subject_number": "CU-001", "subject_label": None}
    other = enr.SubjectNumberAllocated.model_validate({"site_id": "CU", "participant_id": WHO, **number})
    assert log(screened(), other)[0].outcome == "in-screening"


def test_participants_come_by_subject_number() -> None:
    found = screening_log(PEOPLE, {WHO: [screened()], OTHER: [screened(who=OTHER)]})
    assert [each.subject_number for each in found] == ["CU-001", "CU-002"]


def test_what_the_log_reads_is_of_its_first_version() -> None:
    """The log reads events as they were stored: whoever raises a version has to upcast there."""
    assert {each.schema_version for each in OF_SCREENING} == {1}


def someone(number: int, level: str | None = "DL1", *, infused: bool = True, **given: Any) -> Enrolled:
    told = {"status": ParticipantStatus.INFUSED, "endings": frozenset()}
    return Enrolled(UUID(int=number), level, infused, **{**told, **given})


def flow(lines: list[Screening], people: list[Enrolled], analysed: set[int]) -> ParticipantFlow:
    ids = {UUID(int=number) for number in analysed}
    return participant_flow(PROTOCOL, lines, people, dict.fromkeys(MeasureId, ids))


def test_the_flow_counts_people_and_screenings_apart() -> None:
    twice = log(screened(), failed("CMD03-I1a"), screened(2, "2026-02-01"), enrolled("2026-02-03"))
    out = [each.model_copy(update={"participant_id": UUID(int=5)}) for each in log(screened(), failed("CMD03-I1a"))]
    left = [each.model_copy(update={"participant_id": UUID(int=6)}) for each in log(screened(), withdrawn())]
    waits = [each.model_copy(update={"participant_id": UUID(int=7)}) for each in log(screened())]
    dead = died().model_copy(update={"disposition": None})  # as another system may have left it
    gone = [each.model_copy(update={"participant_id": UUID(int=8)}) for each in log(screened(), dead)]
    found = flow([*twice, *out, *left, *waits, *gone], [], set())
    assert (found.screened, found.screenings, found.re_screened) == (5, 6, 1)
    assert (found.in_screening, found.screen_failed) == (1, 3)
    assert {(each.reason, each.n) for each in found.screen_failures} == {
        ("CMD03-I1a", 1),
        ("WITHDRAWAL BY PARENT/GUARDIAN", 1),
        ("died", 1),
    }
    assert (found.total.enrolled, found.by_dose_level) == (0, ())


def test_the_flow_from_enrolment_on_in_all_and_by_dose_level() -> None:
    died_after = frozenset({ParticipantStatus.OFF_TREATMENT, ParticipantStatus.DIED})
    people = [
        someone(1),
        someone(2, endings=died_after, status=ParticipantStatus.DIED),
        someone(3, "DL2", endings=frozenset({ParticipantStatus.OFF_TREATMENT}), status=ParticipantStatus.OFF_TREATMENT),
        someone(4, "DL2", infused=False, status=ParticipantStatus.ENROLLED),
        someone(5, None, infused=False, status=ParticipantStatus.WITHDRAWN, endings={ParticipantStatus.WITHDRAWN}),
    ]
    found = flow([], people, {1, 3, 4})
    total = found.total
    assert (total.enrolled, total.infused, total.in_follow_up) == (5, 3, 2)
    assert [(each.reason, each.n) for each in total.not_infused] == [("awaiting-infusion", 1), ("withdrawn", 1)]
    assert (total.off_treatment, total.died, total.withdrawn, total.lost_to_follow_up, total.completed) == (
        *(2, 1, 1),
        *(0, 0),
    )
    assert {each.n for each in total.analysed} == {2}
    assert [(each.dose_level, each.enrolled, each.infused) for each in found.by_dose_level] == [
        ("DL1", 2, 2),
        ("DL2", 2, 1),
        (None, 1, 0),
    ]
