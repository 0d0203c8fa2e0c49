"""The change that each response rests on: replaced with the response, missing where there is no sum."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from services.projector.readmodels.participants import EVERYBODY, Scope
from services.projector.readmodels.tumour_changes import known, tumour_changes
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House

BASELINE = "2025-12-28"


async def rows(house: House) -> dict[Any, Decimal | None]:
    async with house.db.connect() as connection:
        found = (await connection.execute(select(tumour_changes))).all()
    return {row.assessment_id: row.percent_from_baseline for row in found}


async def test_a_change_is_replaced_with_the_response_that_rests_on_it(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened()
    assessment = child.assessed("2026-02-04", "SD", change=("-20.25", BASELINE))
    await any_house.hears(chronicle.told)
    assert await rows(any_house) == {assessment.id: Decimal("-20.25")}
    told = len(chronicle.told)
    assessment.change = ("-55.5", BASELINE)
    assessment.assigned("PR")
    await any_house.hears(chronicle.told[told:])
    assert await rows(any_house) == {assessment.id: Decimal("-55.5")}


async def test_a_change_that_can_no_longer_be_told_is_missing_and_never_zero(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened()
    assessment = child.assessed("2026-02-04", "SD", change=("-20.25", BASELINE))
    assessment.change = None
    assessment.assigned("NE")
    await any_house.hears(chronicle.told)
    assert await rows(any_house) == {assessment.id: None}
    async with any_house.db.connect() as connection:
        assert await known(connection, EVERYBODY, "investigator") == []


async def test_only_the_changes_of_the_scope_and_of_the_evaluator_are_known(house: House) -> None:
    chronicle = Chronicle()
    for number in ("CU-001", "SI-001"):
        chronicle.child(number).screened().assessed("2026-02-04", "SD", change=("-20.25", BASELINE))
    await house.hears(chronicle.told)
    async with house.db.connect() as connection:
        of_site = await known(connection, Scope(frozenset({"SI"})), "investigator")
        of_other = await known(connection, EVERYBODY, "independent-review")
    assert [(row["assessment_id"], row["percent_from_baseline"]) for row in of_site] == [
        (named("SI-001 2026-02-04"), Decimal("-20.25"))
    ]
    assert of_other == []
