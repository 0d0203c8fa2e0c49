"""The calculator of dose escalation over HTTP: what it takes, what it answers, what it refuses, who may ask."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import BLINDED
from shared.kernel.actor import Role
from tests.services.enrollment.conftest import Caller

PATH = "/v1/evaluations/dose-escalation"


def body(design: str = "3+3", current: int = 1, *levels: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {
        "design": design,
        "parameters": {"levels": 3, "target": "0.30", "allow_deescalation": True, **parameters},
        "current_level": current,
        "levels": list(levels) or [{"level": 1, "evaluable": 3, "dlt": 0, "pending": 0}],
    }


def level(level: int = 1, evaluable: int = 3, dlt: int = 0, pending: int = 0) -> dict[str, Any]:
    return {"level": level, "evaluable": evaluable, "dlt": dlt, "pending": pending}


@pytest.mark.parametrize("design", ["3+3", "rolling-6", "BOIN"])
async def test_it_answers_with_these_keys(coordinator: httpx.AsyncClient, design: str) -> None:
    answer = await coordinator.post(PATH, json=body(design))
    assert answer.status_code == 200, answer.text
    explanation = answer.json().pop("explanation")
    assert answer.json() | {"explanation": ""} == {
        "decision": "escalate",
        "next_level": 2,
        "mtd": None,
        "eliminated_levels": [],
        "explanation": "",
    }
    assert explanation.startswith("Level 1: 0 DLT among 3 evaluable, 0 pending. Escalate: ")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (body("3+3", 1, level(dlt=1)), ("expand", 1, None, [])),
        (body("3+3", 1, level(evaluable=2, pending=1)), ("wait", None, None, [])),
        (body("3+3", 2, level(), level(2, dlt=2)), ("de-escalate", 1, None, [2, 3])),
        (body("3+3", 2, level(evaluable=6), level(2, dlt=2)), ("declare-mtd", None, 1, [2, 3])),
        (body("3+3", 1, level(dlt=2)), ("stop", None, None, [1, 2, 3])),
        (body("rolling-6", 1, level(evaluable=5, dlt=1, pending=1)), ("wait", None, None, [])),
        (body("BOIN", 2, level(), level(2, dlt=3)), ("de-escalate", 1, None, [2, 3])),
        (body("BOIN", 2, level(), level(2, dlt=3), elimination_cutoff="0.999"), ("de-escalate", 1, None, [])),
        (body("BOIN", 1, level(evaluable=2), cohort_size=3), ("stay", 1, None, [])),
        (body("BOIN", 1, level(dlt=2), extra_safe=True), ("stop", None, None, [1, 2, 3])),
        (body("BOIN", 2, level(), level(2, 6, 1), max_sample_size=9), ("declare-mtd", None, 2, [])),
        (body("BOIN", 1, level(1, 6, 2), max_per_level=6), ("declare-mtd", None, 1, [])),
        (body("3+3", 2, level(), level(2, dlt=2), allow_deescalation=False), ("declare-mtd", None, 1, [2, 3])),
    ],
)
async def test_each_design_decides_and_heeds_its_parameters(
    coordinator: httpx.AsyncClient, asked: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = (await coordinator.post(PATH, json=asked)).json()
    assert tuple(found[name] for name in ("decision", "next_level", "mtd", "eliminated_levels")) == expected


async def test_what_may_be_left_out(coordinator: httpx.AsyncClient) -> None:
    asked = {
        "design": "rolling-6",
        "parameters": {"levels": 3},
        "current_level": 1,
        "levels": [{"level": 1, "evaluable": 3, "dlt": 1}],
    }
    assert (await coordinator.post(PATH, json=asked)).json()["decision"] == "stay"


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        (body("3+3", 1, level(dlt=4)), "counts-contradict", "whoever has a DLT is evaluable"),
        (body("3+3", 1, level(4)), "counts-contradict", "one row for each level"),
        (body("3+3", 1, level(), level(3)), "counts-contradict", "left out"),
        (body("3+3", 1, level(), level()), "counts-contradict", "told twice"),
        (body("BOIN", 2, level()), "counts-contradict", "`current_level` has no row"),
        (body("3+3", 1, level(evaluable=7)), "counts-contradict", "ends at six"),
        (body("3+3", 1, level(), cohort_size=3), "not-of-this-design", "parameters of BOIN"),
        (body("BOIN", 1, level(), target=None), "not-of-this-design", "0.30"),
    ],
)
async def test_what_cannot_be_true_is_told_what_to_send(
    coordinator: httpx.AsyncClient, asked: dict[str, Any], kind: str, says: str
) -> None:
    answer = await coordinator.post(PATH, json=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, kind)
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        (body("CRM"), "/design"),
        (body(levels=0), "/parameters/levels"),
        (body(target="0.7"), "/parameters/target"),
        (body(target="0.04"), "/parameters/target"),
        (body("BOIN", elimination_cutoff="1"), "/parameters/elimination_cutoff"),
        (body("3+3", 1, level(evaluable=-1)), "/levels/0/evaluable"),
        (body("3+3", 0), "/current_level"),
        ({**body(), "levels": []}, "/levels"),
        ({**body(), "cohort": 1}, "/cohort"),
        (body("3+3", 1, {"level": 1, "evaluable": 3}), "/levels/0/dlt"),
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
