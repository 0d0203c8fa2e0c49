"""The calculator of eligibility over HTTP: what it takes, what it answers, what it refuses, who may ask."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import BLINDED
from shared.kernel.actor import Role
from tests.services.enrollment.builders import PROTOCOL
from tests.services.enrollment.conftest import Caller
from tests.services.enrollment.domain.criteria.questions import USUAL

PATH = "/v1/evaluations/eligibility"
AST = {
    "finding_id": "f1",
    "analyte": "AST",
    "number": "62",
    "unit": "U/L",
    "upper_limit_of_normal": "40",
    "observed_on": "2026-03-04",
}


def body(*findings: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"as_of": "2026-03-06", "birth_month": "2017-03", "sex": "F", "findings": list(findings), **changed}


async def answered(client: httpx.AsyncClient, asked: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_it_answers_every_criterion_with_what_it_rests_on(coordinator: httpx.AsyncClient) -> None:
    older = {**AST, "finding_id": "f0", "number": "500", "observed_on": "2026-02-04"}
    stray = {"finding_id": "f9", "loinc": "1-8", "number": "1"}
    found = await answered(coordinator, body(older, AST, stray))
    assert (found["protocol"], found["protocol_sha256"]) == (PROTOCOL.ref, PROTOCOL.sha256)
    assert (found["as_of"], found["outcome"], found["unused"]) == ("2026-03-06", "not-evaluable", ["f9"])
    assert [each["criterion_id"] for each in found["criteria"]] == [each.id for each in PROTOCOL.eligibility]
    assert found["criteria"][9] == {
        "criterion_id": "AN-04",
        "category": "inclusion",
        "quantity": "ast_x_uln",
        "label": "AST, in multiples of the upper limit of normal",
        "asked": "< 5 {xULN}",
        "unit": "{xULN}",
        "answer": "met",
        "why": "compared",
        "counts": True,
        "explanation": "1.55 {xULN}; asked is < 5 {xULN}",
        "evidence": [
            {
                "finding_id": "f1",
                "observed_on": "2026-03-04",
                "qualifier": None,
                "value": "1.55",
                "choice": None,
                "flag": None,
            }
        ],
        "passed_over": [{"finding_id": "f0", "why": None}],
    }


async def test_who_has_all_that_is_asked_is_eligible(coordinator: httpx.AsyncClient) -> None:
    told = [{"finding_id": f"f{number}", "quantity": key, **said} for number, (key, said) in enumerate(USUAL.items())]
    assert (await answered(coordinator, body(*told)))["outcome"] == "eligible"
    assert (await answered(coordinator, body(*told[1:])))["outcome"] == "not-evaluable"
    infected = {"finding_id": "hiv", "analyte": "x"} | {"flag": True}
    assert (await answered(coordinator, body(*told, infected)))["outcome"] == "eligible"
    infected = {"finding_id": "hiv", "quantity": "hiv_infection", "flag": True, "observed_on": "2026-03-06"}
    assert (await answered(coordinator, body(*told, infected)))["outcome"] == "not-eligible"


async def test_nothing_but_the_day_is_needed_and_nothing_is_then_known(coordinator: httpx.AsyncClient) -> None:
    found = await answered(coordinator, {"as_of": "2026-03-06"})
    assert found["outcome"] == "not-evaluable"
    assert {each["why"] for each in found["criteria"]} == {"missing", "threshold-unset"}


async def test_a_value_that_no_decimal_ends_is_shown_with_fifteen_digits(coordinator: httpx.AsyncClient) -> None:
    found = await answered(coordinator, body({**AST, "number": "0.000001", "upper_limit_of_normal": "30"}))
    [ast] = [each for each in found["criteria"] if each["criterion_id"] == "AN-04"]
    assert ast["evidence"][0]["value"] == "0.0000000333333333333333"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (body({**AST, "observed_on": "2026-03-07"}), "after `as_of`"),
        (body(AST, {**AST, "number": "1"}), "one `finding_id`"),
    ],
)
async def test_findings_that_contradict_are_refused(
    coordinator: httpx.AsyncClient, asked: dict[str, Any], says: str
) -> None:
    answer = await coordinator.post(PATH, json=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "findings-contradict")
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        (body(birth_month="2017-03-14"), "/birth_month"),
        (body(as_of="yesterday"), "/as_of"),
        (body({**AST, "number": "a lot"}), "/findings/0/number"),
        (body({**AST, "loinc": "1920-8"}), "/findings/0"),
        (body({**AST, "name": "somebody"}), "/findings/0/name"),
        (body({**AST, "qualifier": "~"}), "/findings/0/qualifier"),
    ],
)
async def test_what_cannot_be_read_is_refused_where_it_stands(
    coordinator: httpx.AsyncClient, asked: dict[str, Any], at: str
) -> None:
    answer = await coordinator.post(PATH, json=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")
    assert at in [each["at"] for each in answer.json()["errors"]]


@pytest.mark.parametrize("role", Role)
async def test_any_role_may_ask_but_those_of_the_blinded_review(caller: Caller, role: Role) -> None:
    answer = await caller(role).post(PATH, json=body())
    assert answer.status_code == (403 if role in BLINDED else 200)
