"""The calculator of best overall response over HTTP: what it takes, what it assumes, what it refuses, who may ask."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import BLINDED, EVERYBODY
from shared.kernel.actor import Role
from tests.services.efficacy.api.trial import Trial

PATH = "/v1/evaluations/best-response"
COURSE = [
    {"on": "2026-02-03", "response": "PR"},
    {"on": "2026-03-05", "response": "CR"},
    {"on": "2026-04-05", "response": "CR"},
]
EVERY_FIELD: dict[str, Any] = {
    "responses": COURSE,
    "reference_date": "2026-01-01",
    "confirmed": True,
    "confirm_days": 28,
    "sd_min_days": 28,
    "max_ne": 1,
    "accept_sd": False,
    "missing_as_ne": False,
    "first_pd_ends": True,
}


async def ask(trial: Trial, body: dict[str, Any], role: Role = Role.MONITOR) -> httpx.Response:
    return await trial.client.post(PATH, json=body, headers=trial.headers(role))


async def best(trial: Trial, *told: tuple[str, str], **settings: Any) -> tuple[str, str | None]:
    responses = [{"on": on, "response": response} for on, response in told]
    answer = await ask(trial, {"responses": responses, "reference_date": "2026-01-01", **settings})
    assert answer.status_code == 200, answer.text
    return answer.json()["best"], answer.json()["on"]


async def test_it_answers_the_best_its_date_and_why(trial: Trial) -> None:
    answer = await ask(trial, EVERY_FIELD)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "best": "CR",
        "on": "2026-03-05",
        "explanation": "Best of 3: CR on 2026-03-05. CR on 2026-03-05 is confirmed by CR on 2026-04-05.",
    }


async def test_what_is_left_out_is_as_the_protocol_has_it(trial: Trial) -> None:
    assert await best(trial, ("2026-02-03", "PR")) == ("PR", "2026-02-03")  # no confirmation is asked
    assert await best(trial, ("2026-01-28", "SD")) == ("NE", "2026-01-28")  # day 27
    assert await best(trial, ("2026-01-29", "SD")) == ("SD", "2026-01-29")
    assert await best(trial) == ("MISSING", None)
    assert await best(trial, ("2026-02-03", "PD"), ("2026-03-03", "CR")) == ("PD", "2026-02-03")
    confirmed = {"confirmed": True}
    assert await best(trial, ("2026-02-03", "PR"), ("2026-03-02", "PR"), **confirmed) == ("SD", "2026-02-03")
    assert await best(trial, ("2026-02-03", "PR"), ("2026-03-03", "PR"), **confirmed) == ("PR", "2026-02-03")


@pytest.mark.parametrize(
    ("told", "settings", "answer"),
    [
        ((("2026-02-03", "PR"), ("2026-02-17", "PR")), {"confirmed": True, "confirm_days": 14}, "PR"),
        ((("2026-01-08", "SD"),), {"sd_min_days": 7}, "SD"),
        ((("2026-02-03", "PR"), ("2026-02-10", "NE"), ("2026-03-10", "PR")), {"confirmed": True, "max_ne": 0}, "SD"),
        (
            (("2026-02-03", "PR"), ("2026-02-10", "SD"), ("2026-03-10", "PR")),
            {"confirmed": True, "accept_sd": True},
            "PR",
        ),
        ((), {"missing_as_ne": True}, "NE"),
        ((("2026-02-03", "PD"), ("2026-03-03", "CR")), {"first_pd_ends": False}, "CR"),
        ((("2026-02-03", "CR"),), {"confirmed": False}, "CR"),
        ((("2026-02", "iCR"),), {}, "iCR"),
        ((("2026-02-03", "ND"),), {}, "ND"),
        ((("2026-02-03", "PR"),), {"confirmed": None}, "PR"),
    ],
)
async def test_each_setting_is_heeded(
    trial: Trial, told: tuple[tuple[str, str], ...], settings: dict[str, Any], answer: str
) -> None:
    assert (await best(trial, *told, **settings))[0] == answer


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"responses": [{"on": "2026-02-30", "response": "CR"}]}, "/responses/0/on"),
        ({"responses": [{"on": "2026-02-03", "response": "better"}]}, "/responses/0/response"),
        ({"responses": [{"on": "2026-02-03", "response": "CR", "by": "CT"}]}, "/responses/0/by"),
        ({"reference_date": "2026-01"}, "/reference_date"),
        ({"confirm_days": -1}, "/confirm_days"),
        ({"confirm_days": "28"}, "/confirm_days"),
        ({"confirmed": "yes"}, "/confirmed"),
        ({"max_ne": 1.5}, "/max_ne"),
        ({"confirm_day": 28}, "/confirm_day"),
    ],
)
async def test_what_it_cannot_read_is_refused_with_its_place(trial: Trial, change: dict[str, Any], at: str) -> None:
    answer = await ask(trial, EVERY_FIELD | change)
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")
    assert at in [error["at"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_any_role_may_ask_but_those_of_the_blinded_review(trial: Trial, role: Role) -> None:
    assert (await ask(trial, EVERY_FIELD, role)).status_code == (403 if role in BLINDED else 200)


async def test_nobody_asks_without_a_token(trial: Trial) -> None:
    assert (await trial.client.post(PATH, json=EVERY_FIELD)).status_code == 401


async def test_nothing_is_recorded(trial: Trial) -> None:
    before = (await trial.get("/tumour-burden")).headers["ETag"]
    await ask(trial, EVERY_FIELD)
    assert (await trial.get("/tumour-burden")).headers["ETag"] == before
