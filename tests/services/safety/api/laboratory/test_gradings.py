"""The calculator of laboratory grades over HTTP."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.house import House

ASKED = {
    "id": "1",
    "term": None,
    "analyte": "ALT",
    "loinc": None,
    "value": "120",
    "unit": "U/L",
    "lln": None,
    "uln": "40",
    "baseline": "30",
    "baseline_abnormal": None,
    "symptomatic": None,
    "on_anticoagulation": None,
    "age_years": None,
    "sex": None,
}


async def asked(house: House, items: list[Any], role: Role = Role.MONITOR) -> httpx.Response:
    async with house.client(role) as client:
        return await client.post("/v1/gradings/lab", json={"items": items})


async def answered(house: House, *items: Any) -> list[dict[str, Any]]:
    answer = await asked(house, list(items))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_an_answer_has_the_shape_that_was_agreed(house: House) -> None:
    assert await answered(house, ASKED) == [
        {
            "id": "1",
            "grades": [
                {
                    "term": "Alanine aminotransferase increased",
                    "meddra_code": "10001551",
                    "direction": "high",
                    "grade": 1,
                    "possible_grades": [1],
                    "rule": "CTCAE v5.0 10001551 grade 1a (ULN): > ULN and <= 3 x ULN, baseline normal",
                    "explanation": (
                        "Alanine aminotransferase increased grade 1 by CTCAE v5.0, ULN arm: 120 U/L is > ULN "
                        "and <= 3 x ULN, baseline normal (> 40 and <= 120 U/L). Used: LLN none, ULN 40, "
                        "baseline 30 (taken as normal, by these limits); unit U/L. Not grade 2, which is > 3 x "
                        "ULN and <= 5 x ULN, baseline normal (> 120 and <= 200 U/L)."
                    ),
                }
            ],
            "refused": None,
        }
    ]


async def test_what_is_left_out_is_null(house: House) -> None:
    [left_out] = await answered(house, {"id": "1", "analyte": "ALT", "value": "120", "unit": "U/L", "uln": "40"})
    assert left_out["grades"][0]["grade"] == 1


async def test_numbers_come_as_texts_or_as_json_numbers_and_stay_exact(house: House) -> None:
    creatinine = {"id": "1", "analyte": "CREAT", "unit": "mg/dL"}
    found = await answered(
        house,
        {**creatinine, "value": 0.45, "uln": 0.7, "baseline": 0.3},
        {**creatinine, "value": " 0.46 ", "uln": ".7", "baseline": "3e-1"},
        {**creatinine, "value": 1, "uln": 1, "baseline": None},
    )
    assert [each["grades"][0]["grade"] for each in found] == [0, 2, 0]


async def test_a_test_with_two_sides_answers_both_terms_with_what_is_possible(house: House) -> None:
    [found] = await answered(
        house, {"id": "k", "loinc": "2823-3", "value": "3.2", "unit": "mmol/L", "lln": "3.5", "uln": "5.0"}
    )
    assert [(g["term"], g["direction"], g["grade"], g["possible_grades"]) for g in found["grades"]] == [
        ("Hyperkalemia", "high", 0, [0]),
        ("Hypokalemia", "low", 2, [1, 2]),
    ]


async def test_without_a_limit_a_grade_is_null_and_the_explanation_says_why(house: House) -> None:
    [found] = await answered(house, {**ASKED, "uln": None})
    [graded] = found["grades"]
    assert (graded["grade"], graded["possible_grades"], found["refused"]) == (None, [], None)
    assert "no upper limit of normal (ULN) was given" in graded["explanation"]


async def test_a_value_that_could_not_be_counted_is_a_bound(house: House) -> None:
    glucose = {"id": "1", "analyte": "GLUC", "unit": "mg/dL", "lln": "70", "uln": "100"}
    for value in ("<40", "< 40"):
        [found] = await answered(house, {**glucose, "value": value})
        assert [grade["possible_grades"] for grade in found["grades"]] == [[0], [3, 4]]
    [found] = await answered(house, {**glucose, "value": "≤30"})
    assert found["grades"][1]["possible_grades"] == [3, 4]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"value": None}, "no value was sent"),
        ({"value": "high"}, "value is not a decimal"),
        ({"value": "1,5"}, "value is not a decimal"),
        ({"value": "-3"}, "not below 0"),
        ({"value": "<0"}, "nothing lies below 0"),
        ({"value": "1" * 29}, "more than 28 digits"),
        ({"value": "1e-13"}, "more than 28 digits or more than 12 decimal places"),
        ({"uln": "<40"}, "uln is one number, without < or >"),
        ({"uln": "n/a"}, "uln is not a decimal"),
        ({"uln": "0"}, "an upper limit of normal of 0 is none"),
        ({"lln": "50"}, "lies above the upper one"),
        ({"baseline": "-1"}, "a baseline is a number not below 0"),
        ({"age_years": "200"}, "years from 0 to 130"),
        ({"sex": "yes"}, "sex is M, F, U or null"),
        ({"analyte": None}, "name what was measured"),
        ({"analyte": "unobtainium"}, "send a CDISC test code"),
        ({"term": "Nausea"}, "from what is seen and done"),
        ({"loinc": "2823-3"}, "two things, ALT and K"),
    ],
)
async def test_an_item_that_cannot_be_read_is_refused_and_the_others_are_answered(
    house: House, changed: dict[str, Any], says: str
) -> None:
    before, refused, after = await answered(house, ASKED, {**ASKED, "id": "2", **changed}, {**ASKED, "id": "3"})
    assert (refused["id"], refused["grades"]) == ("2", [])
    assert says in refused["refused"]
    assert [each["grades"][0]["grade"] for each in (before, after)] == [1, 1]


async def test_a_sex_that_is_known_is_taken(house: House) -> None:
    found = await answered(house, {**ASKED, "sex": "F"}, {**ASKED, "sex": "male"})
    assert [each["refused"] for each in found] == [None, None]


@pytest.mark.parametrize(
    ("items", "at"),
    [
        ([{**ASKED, "ulm": "40"}], "/items/0/ulm"),
        ([{**ASKED, "symptomatic": "yes"}], "/items/0/symptomatic"),
        ([{**ASKED, "value": True}], "/items/0/value"),
        ([{"value": "1"}], "/items/0/id"),
        ([ASKED] * 1001, "/items"),
    ],
)
async def test_a_request_of_another_shape_is_refused_whole(house: House, items: list[Any], at: str) -> None:
    answer = await asked(house, items)
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["errors"][0]["at"].startswith(at)


@pytest.mark.parametrize("role", EVERYBODY)
async def test_every_role_may_ask(house: House, role: Role) -> None:
    assert (await asked(house, [ASKED], role)).status_code == 200


async def test_a_thousand_values_are_answered_in_their_order(house: House) -> None:
    found = await answered(house, *({**ASKED, "id": str(number), "value": number} for number in range(1000)))
    assert [each["id"] for each in found] == [str(number) for number in range(1000)]
    assert [found[value]["grades"][0]["grade"] for value in (40, 41, 120, 121, 201, 801)] == [0, 1, 1, 2, 3, 4]
