"""The calculators of CRS and ICANS over HTTP."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.domain.astct import cases
from tests.services.safety.house import House


async def asked(house: House, what: str, items: list[Any], role: Role = Role.MONITOR) -> httpx.Response:
    async with house.client(role) as client:
        return await client.post(f"/v1/gradings/{what}", json={"items": items})


async def answered(house: House, what: str, items: list[Any]) -> list[dict[str, Any]]:
    answer = await asked(house, what, items)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_every_case_of_crs_is_graded_in_its_order(house: House) -> None:
    found = await answered(house, "crs", [cases.crs_item(row) for row in cases.CRS])
    assert [(each["id"], each["astct_grade"], each["ctcae_grade"]) for each in found] == [
        (row["case_id"], int(row["expected_astct_grade"]), int(row["expected_ctcae_v5_crs_grade"])) for row in cases.CRS
    ]


async def test_every_case_of_icans_is_graded_in_its_order(house: House) -> None:
    found = await answered(house, "icans", [cases.icans_item(row) for row in cases.ICANS])
    assert [(each["id"], each["astct_grade"]) for each in found] == [
        (row["case_id"], int(row["expected_icans_grade"])) for row in cases.ICANS
    ]


async def test_an_answer_has_both_grades_and_an_explanation(house: House) -> None:
    item = {"id": "1", "fever": True, "fever_masked": False, "hypotension": "none", "hypoxia": "high-flow"}
    assert await answered(house, "crs", [{**item, "fio2": 0.35, "death": False}]) == [
        {
            "id": "1",
            "astct_grade": 3,
            "ctcae_grade": 2,
            "explanation": "ASTCT 3: fever; hypoxia on high flow or a mask. CTCAE 2: fever; hypoxia at FiO2 35 %.",
        }
    ]


@pytest.mark.parametrize("what", ["crs", "icans"])
async def test_nothing_known_is_no_grade(house: House, what: str) -> None:
    (found,) = await answered(house, what, [{"id": "1"}])
    assert (found["astct_grade"], found["ctcae_grade"]) == (None, None)
    assert "missing" in found["explanation"]


@pytest.mark.parametrize("what", ["crs", "icans"])
async def test_a_thousand_items_are_taken_and_no_more(house: House, what: str) -> None:
    assert len(await answered(house, what, [{"id": str(number)} for number in range(1000)])) == 1000
    assert problem(await asked(house, what, [{"id": "1"}] * 1001)) == (422, "invalid-request")


@pytest.mark.parametrize(
    ("what", "item"),
    [
        ("crs", {"id": "1", "temperature": 39}),
        ("crs", {"fever": True}),
        ("crs", {"id": "1", "fever": "yes"}),
        ("crs", {"id": "1", "hypoxia": "cpap"}),
        ("crs", {"id": "1", "fio2": 5}),
        ("icans", {"id": "1", "ice": 11}),
        ("icans", {"id": "1", "capd": 33}),
        ("icans", {"id": "1", "ice": "unable"}),
        ("icans", {"id": "1", "score": 3}),
        ("icans", {"id": "1", "age_years": -1}),
    ],
)
async def test_what_is_not_an_input_is_refused(house: House, what: str, item: dict[str, Any]) -> None:
    answer = await asked(house, what, [{"id": "0"}, item])
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["errors"][0]["at"].startswith("/items/1")


@pytest.mark.parametrize("role", EVERYBODY)
async def test_any_role_may_ask(house: House, role: Role) -> None:
    assert (await asked(house, "crs", [], role)).status_code == 200
