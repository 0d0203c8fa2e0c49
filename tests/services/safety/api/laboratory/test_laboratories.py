"""Laboratories over HTTP: their codes, their ranges, and what these mean for results that come without limits."""

from services.safety.domain.lab_results.laboratory import DECIDER
from shared.kernel.actor import Role
from tests.services.safety.api.laboratory.test_results import (
    LABORATORY,
    changed,
    mapped,
    read,
    registered,
    results,
    row,
    sent,
)
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.house import House

RANGE = {"analyte": "SGPT", "unit": "IU/L", "uln": "30", "effective_from": "2025-01-01"}


async def test_a_laboratory_shows_its_codes_and_ranges(any_house: House) -> None:
    await registered(any_house)
    await registered(any_house)  # the same again
    await mapped(any_house, GPT="ALT", UREA=None)
    assert (await changed(any_house, "record-reference-ranges", {"ranges": [RANGE]})).status_code == 200
    shown = await read(any_house, f"/v1/laboratories/{LABORATORY}", Role.LABORATORY)
    assert shown["tests"] == [{"code": "GPT", "analyte": "ALT"}, {"code": "UREA", "analyte": None}]
    [held] = shown["ranges"]
    assert (held["analyte"], held["unit"], held["uln"], held["sex"]) == ("ALT", "U/L", "30", None)
    assert [each.version for each in await any_house.store.history(DECIDER.stream(LABORATORY))] == [1, 2, 3]


async def test_another_laboratory_under_the_same_code_is_refused(house: House) -> None:
    await registered(house)
    async with house.client(Role.LABORATORY) as client:
        body = {"laboratory_id": LABORATORY, "site_id": "CU", "time_zone": "UTC"}
        assert problem(await client.post("/v1/laboratories", json=body)) == (409, "laboratory-already-registered")


async def test_the_laboratorys_range_is_for_age_and_sex_at_the_specimen_date(house: House) -> None:
    """The girl is 9 years old. What was graded stays as it was when ranges change."""
    await registered(house)
    girls = {**RANGE, "sex": "F", "age_from_months": 96, "age_to_months": 120, "uln": "100"}
    await changed(house, "record-reference-ranges", {"ranges": [RANGE, girls]})
    await sent(house, row(1, uln=None), row(2, uln=None, collected_at="2024-12-31T08:00"), row(3))
    await changed(house, "record-reference-ranges", {"ranges": [{**girls, "uln": "10"}]})
    shown = {each["row"]: each for each in await results(house)}
    assert {name: (each["uln"], each["limits_from"]) for name, each in shown.items()} == {
        "R1": ("100", "laboratory"),
        "R2": (None, None),
        "R3": ("40", "result"),
    }
    [ungraded] = shown["R2"]["grades"]
    assert ungraded["grade"] is None
    assert "no upper limit of normal (ULN) was given" in ungraded["explanation"]


async def test_what_means_nothing_is_refused(house: House) -> None:
    await registered(house)
    unknown = {"tests": [{"code": "X", "analyte": "nonsense"}]}
    assert problem(await changed(house, "map-tests", unknown)) == (422, "unknown-analyte")
    unit = {"ranges": [{**RANGE, "unit": "g/dL"}]}
    assert problem(await changed(house, "record-reference-ranges", unit)) == (422, "unit-not-of-analyte")
    zone = {"laboratory_id": "CU-2", "site_id": "CU", "time_zone": "Mars/Olympus"}
    async with house.client(Role.LABORATORY) as client:
        assert problem(await client.post("/v1/laboratories", json=zone)) == (422, "invalid-request")
