"""Which specimens are planned, overdue, missing or on record, participant by participant."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.specimen_list import (
    Held,
    SpecimenLine,
    SpecimenStatus,
    flags_of_result,
    of_flagged_specimen,
    specimen_lines,
    without_specimen,
)
from shared.contracts.biomarkers_specimens import Purpose, SpecimenType
from shared.protocol import Assessment, load_protocol

PROTOCOL = load_protocol()
DAY_ZERO = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
PEOPLE = {SECOND: ("CU-002", "CU"), FIRST: ("CU-001", "CU")}


def day(number: float) -> datetime:
    return DAY_ZERO + timedelta(days=number)


def a_specimen(number: int, at: float, **given_: Any) -> Held:
    told = {
        "specimen_id": UUID(int=number),
        "participant_id": FIRST,
        "status": SpecimenStatus.RECEIVED,
        "since": day(at),
        "type": SpecimenType.BLOOD,
        "purposes": (Purpose.CYTOKINES,),
        "collected_at": day(at),
    }
    return Held(**{**told, **given_})


def lines(*held: Held, today: int = 22, performed: Any = None, until: date | None = None) -> list[SpecimenLine]:
    cohort = [Infused(FIRST, "CU-001", "CU", DAY_ZERO, DAY_ZERO, until)]
    return specimen_lines(PROTOCOL, PEOPLE, cohort, held, performed or {}, today=day(today).date())


def cytokines(found: list[SpecimenLine]) -> dict[str | None, str]:
    return {each.visit: each.status.value for each in found if each.purpose is Purpose.CYTOKINES}


def test_nothing_on_record_is_planned_or_overdue() -> None:
    assert cytokines(lines()) == {
        "PRE": "overdue", "D7": "overdue", "D14": "overdue", "D21": "planned", "D30": "planned",
    }  # fmt: skip


def test_what_is_on_record_says_where_it_stands() -> None:
    absent = a_specimen(9, 14, status=SpecimenStatus.MISSING, collected_at=None, purposes=(), type=None)
    absent = Held(
        **{**{name: getattr(absent, name) for name in Held.__slots__}, "absent_from": ("D14", Purpose.CYTOKINES)}
    )
    found = lines(a_specimen(3, -1), a_specimen(4, 7, status=SpecimenStatus.ANALYSED, results=2), absent)
    assert cytokines(found) == {
        "PRE": "received", "D7": "analysed", "D14": "missing", "D21": "planned", "D30": "planned",
    }  # fmt: skip
    assert {each.specimen_id: each.results for each in found if each.results} == {UUID(int=4): 2}


def test_a_specimen_that_cannot_be_used_serves_where_no_other_does() -> None:
    clotted = a_specimen(3, 7, status=SpecimenStatus.REJECTED, because="clotting")
    assert cytokines(lines(clotted))["D7"] == "rejected"
    again = lines(clotted, a_specimen(4, 8))
    assert cytokines(again)["D7"] == "received"
    (unserving,) = [each for each in again if each.visit is None]
    assert (unserving.specimen_id, unserving.because) == (UUID(int=3), "clotting")


def test_a_result_without_a_specimen_is_neither_overdue_nor_a_specimen() -> None:
    found = lines(performed={(FIRST, Assessment.CYTOKINES): [day(7), day(18)]})
    assert cytokines(found)["D7"] == cytokines(found)["D14"] == "result-without-specimen"
    assert cytokines(found)["PRE"] == "overdue"


def test_after_follow_up_nothing_is_overdue() -> None:
    assert cytokines(lines(until=date(2026, 1, 15)))["D14"] == "not-applicable"


def test_who_was_not_infused_has_specimens_and_no_plan() -> None:
    (line,) = [each for each in lines(a_specimen(3, -9, participant_id=SECOND)) if each.subject_number == "CU-002"]
    assert (line.visit, line.purpose, line.status, line.sequence) == (None, None, SpecimenStatus.RECEIVED, 1)


def test_tubes_follow_what_is_planned_and_nobody_unknown_is_listed() -> None:
    tube = a_specimen(5, 7, parent_id=UUID(int=4), type=SpecimenType.SERUM)
    found = lines(a_specimen(4, 7), tube, a_specimen(6, 7, participant_id=UUID(int=99)))
    assert [each.specimen_id for each in found if each.visit is None] == [UUID(int=5)]
    assert [each.sequence for each in found] == list(range(1, len(found) + 1))


@given(st.permutations([a_specimen(3, -1), a_specimen(4, 7), a_specimen(5, 7.5), a_specimen(6, 40)]))
def test_the_order_of_specimens_never_matters(held: list[Held]) -> None:
    assert lines(*held) == lines(a_specimen(3, -1), a_specimen(4, 7), a_specimen(5, 7.5), a_specimen(6, 40))


DRAWN_AT = day(7)


@pytest.mark.parametrize(
    ("held", "flags"),
    [
        ({}, ()),
        ({"status": SpecimenStatus.REJECTED}, ("specimen-rejected",)),
        ({"status": SpecimenStatus.LOST}, ("specimen-lost",)),
        ({"condition": "acceptable"}, ()),
        ({"condition": "thawed"}, ("poor-condition",)),
        ({"type": SpecimenType.SERUM}, ("specimen-differs",)),
        ({"type": None}, ("specimen-differs",)),
        ({"collected_at": day(8)}, ("specimen-differs",)),
        ({"status": SpecimenStatus.REJECTED, "condition": "clotted"}, ("specimen-rejected", "poor-condition")),
        (None, ("no-specimen",)),
    ],
)
def test_a_result_says_what_is_to_be_known_of_its_specimen(held: dict[str, Any] | None, flags: tuple[str, ...]) -> None:
    found = None if held is None else a_specimen(7, 7, **held)
    assert flags_of_result(found, type_="blood", collected_at=DRAWN_AT) == flags
    told = [flags_of_result(found, type_="blood", collected_at=DRAWN_AT)]
    assert without_specimen(told) == (held is None)
    assert of_flagged_specimen(told) == (bool(flags) and held is not None)


def test_serum_and_plasma_may_be_told_of_a_tube_of_blood() -> None:
    for type_, flags in (("serum", ()), ("plasma", ()), ("tumour", ("specimen-differs",))):
        assert flags_of_result(a_specimen(7, 7), type_=type_, collected_at=DRAWN_AT) == flags
