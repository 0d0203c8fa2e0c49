"""Protocol deviations: what is on record now and departs, each once, by the protocol's own list of the important."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.protocol_deviations import (
    BY_FINDING,
    ProtocolDeviation,
    Told,
    Whose,
    key_of_deviation,
    protocol_deviations,
)
from services.projector.domain.site_schedule import DeviationKind as ScheduleKind
from services.projector.domain.site_schedule import ScheduleDeviation
from services.projector.domain.uncovered_data import Uncovered
from shared.contracts import enrollment as enr
from shared.contracts.enrollment_escalation import (
    Bar,
    InfusionJudged,
    InfusionJudgementRetracted,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
)
from shared.contracts.enrollment_exceptions import EligibilityExceptionDecided, EligibilityExceptionRequested
from shared.contracts.enrollment_lymphodepletion import (
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.contracts.enrollment_product import InfusionAppraised
from shared.contracts.enrollment_product_terms import ProductFinding
from shared.contracts.enrollment_terms import ConsentGap
from shared.kernel.events import Event
from shared.protocol import Assessment, Contact, DeviationKind, load_protocol
from tests.services.projector.chronicle import named

PROTOCOL = load_protocol()
WHO = named("CU-001")
LATE_EVENING = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # 23:30 in Bangkok
PERSON = Whose(WHO, "CU-001", "CU", "Asia/Bangkok", LATE_EVENING)


def event(kind: type[Any], **parts: Any) -> Event:
    told: Event = kind.model_validate({"participant_id": WHO, "protocol": PROTOCOL.ref, **parts})
    return told


def infusion(kind: type[Any] = enr.CellsInfused, at: datetime = LATE_EVENING, gaps: Any = (), **more: Any) -> Event:
    given = {"infusion_number": 1, "started_at": at, "ended_at": at + timedelta(minutes=20), "route": "intravenous"}
    cells = {"lot": "L1", "weight_kg": Decimal(20), "cells_per_kg": None, "total_car_positive_cells": None}
    beside = {"site_id": "CU", "status": "infused"} if kind is enr.CellsInfused else {"reason": "Misread"}
    return event(kind, **given, **cells, day_zero=at, consent_gaps=gaps, **beside, **more)


def retracted() -> Event:
    return event(enr.InfusionRetracted, infusion_number=1, day_zero=None, reason="Another child's", status="enrolled")


def judged(permission: str, *bars: str, reason: str | None = None) -> Event:
    parts = {"site_id": "CU", "infusion_number": 1, "dose_level": "DL1", "started_at": LATE_EVENING}
    return event(InfusionJudged, **parts, permission=permission, bars=bars, reason=reason)


def judgement_retracted() -> Event:
    return InfusionJudgementRetracted(participant_id=WHO, infusion_number=1, protocol=PROTOCOL.ref)


def enrolled(*excepted: str) -> Event:
    parts = {"site_id": "CU", "subject_number": "CU-001", "enrolled_on": "2026-02-20", "dose_level": None}
    return event(enr.ParticipantEnrolled, **parts, criteria_excepted=excepted, status="enrolled")


def exception(kind: type[Any]) -> Event:
    decided = {"granted": True, "decided_by": "sponsor-1", "reason": "Agreed"}
    parts = {"participant_id": WHO, "screening_number": "CU-001-S1", "answers": [], "requested_by": "dr-mali"}
    more = decided if kind is EligibilityExceptionDecided else {"reason": "It is stable"}
    told: Event = kind.model_validate({**parts, **more})
    return told


def override(kind: type[Any], by: str, role: str) -> Event:
    asked = {"requested_by": "dr-mali", "role": role, "reason": f"Said by {by}"}
    confirmed = {"confirmed_by": by} if kind is InfusionOverrideConfirmed else {}
    parts = {"participant_id": WHO, "infusion_number": 1, "bars": ["stagger"], **asked, **confirmed}
    told: Event = kind.model_validate(parts)
    return told


def appraised(*findings: str, despite: str | None = None) -> Event:
    parts = {"infusion_number": 1, "product_id": None, "lot": "L1", "bags": (), "dose": None}
    return event(InfusionAppraised, **parts, findings=findings, given_despite=despite)


def lymphodepletion(kind: type[Any] = LymphodepletionRecorded, *gaps: str, name: str = "first") -> Event:
    drug = {"drug": "fludarabine", "dose": "30", "unit": "mg/m2", "route": "intravenous", "days": ["2026-02-24"]}
    beside = {"site_id": "CU"} if kind is LymphodepletionRecorded else {"reason": "Misread"}
    given = {"prepares_infusion": 1, "began_on": "2026-02-24", "first_dose_at": None, "drugs": [drug]}
    parts = {} if kind is LymphodepletionRetracted else {**given, "consent_gaps": gaps}
    return event(kind, lymphodepletion_id=named(name), **parts, **beside)


def lines(*events: Event, protocol: Any = PROTOCOL, schedule: Any = (), kinds: Any = ()) -> list[ProtocolDeviation]:
    told = [Told(each, f"{place}", "investigator", LATE_EVENING) for place, each in enumerate(events)]
    return protocol_deviations(protocol, [PERSON], {WHO: told}, schedule, frozenset(kinds))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([infusion(), judged("permitted")], []),
        (
            [infusion(), judged("deviation", "stagger", "no-slot", reason="It was given")],
            [("infusion-outside-gate", ("stagger", "no-slot"), [("1", "It was given")])],
        ),
        ([infusion(), judged("deviation", "stagger"), judged("permitted")], []),
        ([infusion(), judged("deviation", "stagger"), retracted()], []),
        ([judged("deviation", "stagger")], []),
        ([infusion(), judged("deviation", "stagger"), judgement_retracted()], []),
        ([infusion(), override(InfusionOverrideRequested, "dr-mali", "investigator")], []),
        (
            [
                override(InfusionOverrideRequested, "dr-mali", "investigator"),
                override(InfusionOverrideConfirmed, "sponsor-1", "sponsor"),
                infusion(),
                judged("overridden", "stagger"),
            ],
            [("gate-overridden", ("stagger",), [("0", "Said by dr-mali"), ("1", "Said by sponsor-1")])],
        ),
        ([infusion(), judged("overridden", "stagger")], [("gate-overridden", ("stagger",), [])]),
        ([enrolled()], []),
        (
            [exception(EligibilityExceptionRequested), exception(EligibilityExceptionDecided), enrolled("AN-04")],
            [("enrolled-criterion-not-met", ("AN-04",), [("0", "It is stable"), ("1", "Agreed")])],
        ),
        ([enrolled("AN-04")], [("enrolled-criterion-not-met", ("AN-04",), [])]),
        ([infusion(), appraised()], []),
        ([infusion(), appraised("bag-used"), appraised()], []),
        ([appraised("bag-used")], []),
        (
            [infusion(), appraised("dose-out-of-range", "identity-not-verified", "bag-not-thawed")],
            [
                ("dose-out-of-range", ("dose-out-of-range",), []),
                ("product-handling", ("identity-not-verified", "bag-not-thawed"), []),
            ],
        ),
        (
            [infusion(), appraised("lot-of-another-participant", "expired", despite="Life at stake")],
            [
                ("product-identity", ("lot-of-another-participant",), [("1", "Life at stake")]),
                ("product-not-released", ("expired",), [("1", "Life at stake")]),
            ],
        ),
        ([infusion(gaps=["assent-missing"])], [("consent-lacking", ("assent-missing",), [])]),
        ([infusion(gaps=["assent-missing"]), infusion(enr.InfusionCorrected)], []),
        (
            [
                lymphodepletion(LymphodepletionRecorded, "assent-missing"),
                lymphodepletion(LymphodepletionRecorded, "assent-missing", name="second"),
            ],
            [("consent-lacking", ("assent-missing",), [])],
        ),
        (
            [lymphodepletion(LymphodepletionRecorded, "assent-missing"), lymphodepletion(LymphodepletionCorrected)],
            [],
        ),
        (
            [lymphodepletion(LymphodepletionRecorded, "assent-missing"), lymphodepletion(LymphodepletionRetracted)],
            [],
        ),
    ],
)
def test_what_departs_as_the_record_stands_now(told: Sequence[Event], expected: list[Any]) -> None:
    found = [
        (line.kind.value, line.found, [(each.actor, each.reason) for each in line.decided_by]) for line in lines(*told)
    ]
    assert found == expected


def test_days_are_those_of_the_site() -> None:
    (line,) = lines(infusion(), judged("deviation", "stagger"))
    assert (line.occurred_on, line.day, line.study_day) == (date(2026, 3, 1), 0, 1)
    (before,) = lines(lymphodepletion(LymphodepletionRecorded, "assent-missing"), infusion())
    assert (before.occurred_on, before.day, before.study_day) == (date(2026, 2, 24), -5, -5)


def test_without_an_infusion_there_is_no_day_to_count_from() -> None:
    told = [Told(lymphodepletion(LymphodepletionRecorded, "assent-missing"), "a", "coordinator", LATE_EVENING)]
    nobody = Whose(WHO, "CU-001", "CU", "Asia/Bangkok", None)
    (line,) = protocol_deviations(PROTOCOL, [nobody], {WHO: told}, ())
    assert (line.day, line.study_day) == (None, None)


def a_visit(kind: ScheduleKind, performed_on: date | None) -> ScheduleDeviation:
    return ScheduleDeviation(
        participant_id=WHO,
        subject_number="CU-001",
        site_id="CU",
        kind=kind,
        visit="D14",
        label="14 days",
        assessment=Assessment.CYTOKINES,
        contact=None,
        nominal_on=date(2026, 3, 15),
        opens_on=date(2026, 3, 13),
        closes_on=date(2026, 3, 17),
        performed_on=performed_on,
        days_after_window=None if performed_on is None else (performed_on - date(2026, 3, 17)).days,
        sequence=1,
    )


def test_visits_stand_in_the_same_list() -> None:
    missed, late = (
        a_visit(ScheduleKind.VISIT_MISSED, None),
        a_visit(ScheduleKind.VISIT_OUT_OF_WINDOW, date(2026, 3, 19)),
    )
    found = lines(infusion(), schedule=[late, missed])
    assert [(each.kind.value, each.occurred_on, each.about, each.found, each.important) for each in found] == [
        ("visit-missed", date(2026, 3, 17), "D14 cytokines", (), False),
        ("visit-out-of-window", date(2026, 3, 19), "D14 cytokines", ("days-after-window: 2",), False),
    ]
    assert lines(infusion(), schedule=[late, missed], kinds=[DeviationKind.VISIT_MISSED]) == found[:1]


def test_a_year_of_long_term_follow_up_stands_beside_the_visits() -> None:
    year = {"visit": "Y2", "label": "Year 2, examination", "assessment": None, "contact": Contact.EXAMINATION}
    (missed,) = lines(infusion(), schedule=[a_visit(ScheduleKind.VISIT_MISSED, None).model_copy(update=year)])
    assert (missed.kind, missed.about, missed.recorded_by) == ("visit-missed", "Y2 examination", None)


def test_which_are_important_is_the_protocols_to_say() -> None:
    told = (infusion(gaps=["assent-missing"]), appraised("bag-not-thawed"))
    assert [line.important for line in lines(*told)] == [True, False]
    silent = PROTOCOL.model_copy(update={"deviations": None})
    assert [line.important for line in lines(*told, protocol=silent)] == [None, None]


def test_every_finding_of_a_product_and_every_kind_of_the_schedule_has_a_kind() -> None:
    assert set(BY_FINDING) == set(ProductFinding)
    assert {each.value for each in ScheduleKind} < {each.value for each in DeviationKind}


EVENTS = st.sampled_from(
    [
        infusion(),
        infusion(enr.InfusionCorrected, gaps=["assent-missing"]),
        retracted(),
        judged("permitted"),
        judged("deviation", *(bar.value for bar in Bar)),
        appraised(*(finding.value for finding in ProductFinding), despite="It was"),
        appraised(),
        lymphodepletion(LymphodepletionRecorded, "assent-missing"),
        lymphodepletion(LymphodepletionRetracted),
    ]
)


@settings(max_examples=60)
@given(st.lists(EVENTS, max_size=12))
def test_lines_are_in_order_and_no_two_have_one_key(told: list[Event]) -> None:
    keys = [key_of_deviation(line) for line in lines(*told)]
    assert keys == sorted(set(keys))


def test_what_was_collected_without_consent_departs_too() -> None:
    lacking = Uncovered(WHO, date(2026, 3, 9), "flow result", (ConsentGap.SAMPLES_WITHDRAWN,))
    (line,) = protocol_deviations(PROTOCOL, [PERSON], {}, (), uncovered=[lacking])
    assert (line.kind, line.about, line.found) == ("consent-lacking", "flow result", ("samples-withdrawn",))
    assert (line.occurred_on, line.day, line.important) == (date(2026, 3, 9), 8, True)
    assert (line.recorded_by, line.decided_by) == (None, ())
