"""Transgene copies: what a report must say, and how it is read."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.laboratory_report import (
    CollectedInFuture,
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
)
from services.biomarkers.domain.transgene_report import check, level_of
from shared.contracts.biomarkers_transgene import TransgeneFlag, TransgeneLevel, TransgeneReport
from shared.kernel.errors import Unacceptable
from shared.protocol import Protocol
from shared.protocol.biomarkers import DetectableFrom, SpecimenType
from tests.services.biomarkers.reports import DRAWN, NOW, PROTOCOL, a_transgene_report


def read(protocol: Protocol = PROTOCOL, **given_: Any) -> TransgeneLevel:
    report = TransgeneReport.model_validate(a_transgene_report(**given_))
    check(report, NOW)
    return level_of(report, protocol)


def with_setting(name: str, value: Any) -> Protocol:
    persistence = PROTOCOL.persistence
    setting = getattr(persistence, name).model_copy(update={"value": value})
    return PROTOCOL.model_copy(update={"persistence": persistence.model_copy(update={name: setting})})


NO_LIMIT: dict[str, Any] = {"lloq_copies_per_ug": None, "lod_copies_per_ug": None}


@pytest.mark.parametrize(
    ("report", "error"),
    [
        ({"copies_per_ug": None}, NothingMeasured),
        ({"copies_per_ug": None, "copies_per_ml": "300"}, NothingMeasured),  # per mL alone is another quantity
        ({"copies_per_ug": "0", **NO_LIMIT}, ZeroWithoutLimit),
        ({"copies_per_ug": "0", "lloq_copies_per_ug": None}, ZeroWithoutLimit),  # a limit of detection is no other
        ({"copies_per_ug": None, "qualifier": "<", **NO_LIMIT}, ZeroWithoutLimit),
        ({"copies_per_ug": "0", "qualifier": "<", **NO_LIMIT}, ZeroWithoutLimit),
        ({"lloq_copies_per_ug": "0"}, ZeroWithoutLimit),
        ({"lod_copies_per_ug": "0"}, ZeroWithoutLimit),
        ({"qualifier": ">"}, ContradictoryReport),
        ({"lod_copies_per_ug": "50.1"}, ContradictoryReport),
        ({"copies_per_ug": "51", "qualifier": "<"}, ContradictoryReport),
        ({"copies_per_ml": "0"}, ContradictoryReport),
        ({"copies_per_ml": "300", "specimen": {"type": "tumour", "collected_at": DRAWN}}, ContradictoryReport),
        ({"specimen": {"collected_at": "2027-01-01T00:00:00Z"}}, CollectedInFuture),
    ],
)
def test_what_cannot_be_a_result_is_refused(report: dict[str, Any], error: type[Unacceptable]) -> None:
    with pytest.raises(error):
        read(**report)


@pytest.mark.parametrize(
    ("report", "below", "copies", "lloq"),
    [
        ({}, False, "15200", "50"),
        ({"copies_per_ug": "50"}, False, "50", "50"),  # at the limit
        ({"copies_per_ug": "49.9"}, True, None, "50"),
        ({"copies_per_ug": "0"}, True, None, "50"),
        ({"copies_per_ug": None, "qualifier": "<"}, True, None, "50"),
        ({"copies_per_ug": "40", "qualifier": "<", **NO_LIMIT}, True, None, "40"),  # `<40` states its limit itself
        ({"copies_per_ug": "40", "qualifier": "<"}, True, None, "50"),
        ({"copies_per_ug": "3", **NO_LIMIT}, False, "3", None),
        ({"copies_per_ug": "0", "copies_per_ml": "0"}, True, None, "50"),
    ],
)
def test_below_the_limit_there_is_no_number(
    report: dict[str, Any], *, below: bool, copies: str | None, lloq: str | None
) -> None:
    level = read(**report)
    assert (level.below_lloq, level.detectable) == (below, not below)
    assert (level.copies_per_ug, level.lloq_copies_per_ug) == tuple(
        None if each is None else Decimal(each) for each in (copies, lloq)
    )
    assert (level.copies_per_cell is None) == below
    assert level.copies_per_ml is None


@pytest.mark.parametrize(
    ("report", "seen"),
    [
        ({"copies_per_ug": "10"}, True),  # at the limit of detection
        ({"copies_per_ug": "9.9"}, False),
        ({"copies_per_ug": "10", "lod_copies_per_ug": None}, False),
        ({"copies_per_ug": "40", "qualifier": "<"}, False),  # what it is, nobody said
        ({"copies_per_ug": None, "qualifier": "<"}, False),
        ({}, True),
    ],
)
def test_detectable_follows_the_rule_of_the_protocol(report: dict[str, Any], *, seen: bool) -> None:
    assert read(with_setting("detectable_from", DetectableFrom.LOD), **report).detectable is seen


@pytest.mark.parametrize(("copies", "per_cell"), [("151515", "1"), ("15200", "0.1"), ("50", "0.00033")])
def test_copies_per_cell_are_an_estimate_of_three_digits(copies: str, per_cell: str) -> None:
    assert str(read(copies_per_ug=copies).copies_per_cell) == per_cell


def test_what_to_beware_of_is_flagged() -> None:
    assert read().flags == ()
    assert read(**NO_LIMIT).flags == (TransgeneFlag.LLOQ_UNKNOWN,)
    blood_alone = with_setting("specimen_types", (SpecimenType.BLOOD,))
    spinal: dict[str, Any] = {
        "specimen": {"type": "cerebrospinal-fluid", "collected_at": DRAWN},
        "copies_per_ml": "320",
    }
    assert read(blood_alone, **spinal).flags == (TransgeneFlag.SPECIMEN_OUTSIDE_PROTOCOL,)
    assert read(**spinal).copies_per_ml == 320


@given(st.decimals("0.001", "1e6", places=3), st.decimals("0.001", "1e6", places=3), st.sampled_from((10, 1000)))
def test_another_scale_changes_no_category(copies: Decimal, lloq: Decimal, factor: int) -> None:
    one = read(copies_per_ug=copies, lloq_copies_per_ug=lloq, lod_copies_per_ug=None)
    other = read(copies_per_ug=copies * factor, lloq_copies_per_ug=lloq * factor, lod_copies_per_ug=None)
    assert (one.below_lloq, one.detectable, one.flags) == (other.below_lloq, other.detectable, other.flags)
