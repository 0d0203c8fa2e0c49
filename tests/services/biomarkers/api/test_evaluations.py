"""The calculator of kinetics over HTTP: what it takes, what it assumes, what it refuses, who may ask."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.auth.permissions import BLINDED, EVERYBODY
from shared.kernel.actor import Role
from tests.services.biomarkers.api.trial import Trial

PATH = "/v1/evaluations/kinetics"
OPTIONS: dict[str, Any] = {
    "auc_method": "linear",
    "interval_d": ["0", "28"],
    "blq_before_first": "zero",
    "blq_between": "drop",
    "blq_after_last": "drop",
    "predose_zero": True,
}
HALVES = [("7", "16"), ("14", "8"), ("21", "4"), ("28", "2")]


def points(*told: tuple[Any, Any]) -> list[dict[str, Any]]:
    """`("14", "<2")` is below a limit of 2."""
    return [
        {"time_d": time, "value": None, "qualifier": "<", "lloq": value[1:]}
        if isinstance(value, str) and value.startswith("<")
        else {"time_d": time, "value": value, "qualifier": None, "lloq": "0.1"}
        for time, value in told
    ]


async def ask(trial: Trial, body: dict[str, Any], role: Role = Role.MONITOR) -> httpx.Response:
    return await trial.client.post(PATH, json=body, headers=trial.headers(role))


async def found(trial: Trial, told: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    answer = await ask(trial, {"points": told, "options": {**OPTIONS, **options}})
    assert answer.status_code == 200, answer.text
    parameters: dict[str, Any] = answer.json()
    return parameters


async def test_it_answers_every_parameter(trial: Trial) -> None:
    assert await found(trial, points(*HALVES)) == {
        "cmax": "16",
        "tmax_d": "7",
        "clast": "2",
        "tlast_d": "28",
        "auc_last": "203",
        "auc_interval": "203",
        "auc_inf": "223.197730572445",  # 203 + 2 * 7 / ln 2
        "lambda_z": "0.0990210257942779",  # ln 2 / 7
        "half_life_d": "7",
        "lambda_z_points": 3,
        "adjusted_r2": "1",
        "explanation": "Lambda z is that of 3 points from 14 to 28. The curve runs from 0, taken as 0 before the "
        "infusion, to 28; areas are by linear.",
    }


async def test_whatever_is_null_is_named_with_its_reason(trial: Trial) -> None:
    answer = await found(trial, points(("7", "10"), ("14", "5")))
    assert [name for name, value in answer.items() if value is None] == [
        *("auc_interval", "auc_inf", "lambda_z", "half_life_d", "lambda_z_points", "adjusted_r2")
    ]
    assert answer["explanation"].endswith(
        "auc_inf, lambda_z, half_life_d, lambda_z_points, adjusted_r2: null, as 1 quantifiable value after Tmax, and "
        "3 are asked. auc_interval: null, as the last quantifiable value is at 14, before the end at 28: there is "
        "nothing to interpolate to, and nothing is extrapolated."
    )
    nothing = await found(trial, [])
    assert {value for name, value in nothing.items() if name != "explanation"} == {None}
    assert nothing["explanation"].startswith("cmax, tmax_d, ")
    assert nothing["explanation"].endswith("adjusted_r2: null, as no value is quantifiable.")


async def test_what_is_left_out_is_as_the_protocol_has_it(trial: Trial) -> None:
    told = points(("7", "<2"), ("14", "16"), ("21", "<2"), ("28", "2"), ("35", "<2"))
    everything = await found(trial, told, auc_method="linear-up-log-down", blq_between="half-lloq")
    for body in ({"points": told}, {"points": told, "options": {}}, {"points": told, "options": None}):
        assert (await ask(trial, body)).json() == everything
    assert (await found(trial, told, blq_between=None))["auc_last"] != (await found(trial, told))["auc_last"]


@pytest.mark.parametrize(
    ("options", "auc_last", "auc_interval"),
    [
        ({}, "182", "182"),  # (0+16)/2*7 + (16+2)/2*14
        ({"blq_before_first": "drop"}, "238", "238"),  # 16*14/2 + 126
        ({"blq_between": "zero"}, "119", "119"),  # 56 + 16*7/2 + 2*7/2
        ({"blq_between": "half-lloq"}, "126", "126"),  # 56 + (16+1)/2*7 + (1+2)/2*7
        ({"predose_zero": False}, "182", None),
        ({"interval_d": [14, 28.0]}, "182", "126"),
    ],
)
async def test_each_option_is_heeded(
    trial: Trial, options: dict[str, Any], auc_last: str, auc_interval: str | None
) -> None:
    told = points(("7", "<2"), ("14", "16"), ("21", "<2"), ("28", "2"))
    answer = await found(trial, told, **options)
    assert (answer["auc_last"], answer["auc_interval"]) == (auc_last, auc_interval)


@pytest.mark.parametrize(
    "below",
    [
        {"value": None, "qualifier": "<", "lloq": "2"},
        {"value": "2", "qualifier": "<", "lloq": None},
        {"value": "2", "qualifier": "<"},
        {"value": "0", "qualifier": "<", "lloq": "2"},
        {"value": "1.9", "lloq": "2"},
        {"value": 0, "lloq": 2},
    ],
)
async def test_below_the_limit_may_be_said_in_several_ways(trial: Trial, below: dict[str, Any]) -> None:
    told = [*points(("7", "16"), ("21", "2")), {"time_d": "14", **below}]
    answer = await found(trial, told, blq_between="half-lloq", interval_d=["0", "21"])
    assert (answer["auc_last"], answer["auc_interval"]) == ("126", "126")  # 56 + (16+1)/2*7 + (1+2)/2*7


async def test_numbers_order_and_spelling_do_not_matter(trial: Trial) -> None:
    expected = await found(trial, points(*HALVES))
    assert await found(trial, points((28, 2), (7.0, 16), ("21.0", "4.00"), ("14", "8"), ("14", "8.0"))) == expected


@pytest.mark.parametrize(
    ("body", "at", "why"),
    [
        ({"points": points(("7", "-1"))}, "/points/0/value", "greater than or equal to 0"),
        ({"points": [{"time_d": "7", "value": "1", "qualifier": ">"}]}, "/points/0/qualifier", "'<'"),
        ({"points": [{"time_d": "7", "value": "1", "lloq": "0"}]}, "/points/0/lloq", "greater than 0"),
        ({"points": [{"value": "1"}]}, "/points/0/time_d", "required"),
        ({"points": [{"time_d": "NaN"}]}, "/points/0/time_d", "a decimal"),
        ({"points": [], "options": {"auc_method": "log"}}, "/options/auc_method", "linear"),
        ({"points": [], "options": {"interval_d": ["28", "0"]}}, "/options", "a beginning and a later end"),
        ({"points": [], "options": {"interval_d": ["-1", "28"]}}, "/options/interval_d/0", "equal to 0"),
        ({"points": [], "options": {"blq_after_last": "zero"}}, "/options/blq_after_last", "'drop'"),
        ({"points": [], "options": {"unit": "d"}}, "/options/unit", ""),
        ({}, "/points", "required"),
    ],
)
async def test_what_cannot_be_read_is_refused_where_it_stands(
    trial: Trial, body: dict[str, Any], at: str, why: str
) -> None:
    answer = await ask(trial, body)
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")
    assert any(each["at"] == at and why in each["why"] for each in answer.json()["errors"]), answer.text


async def test_two_values_at_one_time_are_refused(trial: Trial) -> None:
    answer = await ask(trial, {"points": points(("7", "1"), ("7.0", "2"))})
    assert (answer.status_code, answer.json()["type"]) == (422, "two-values-at-one-time")


async def test_the_unit_of_values_scales_and_changes_nothing_else(trial: Trial) -> None:
    one = await found(trial, points(*HALVES))
    other = await found(trial, points(*((time, str(int(value) * 1000)) for time, value in HALVES)))
    for name in ("cmax", "clast", "auc_last", "auc_interval"):
        assert Decimal(other.pop(name)) == 1000 * Decimal(one.pop(name))
    one.pop("auc_inf")
    other.pop("auc_inf")
    assert one == other


@pytest.mark.parametrize("role", Role)
async def test_any_role_may_ask_but_those_of_the_blinded_review(trial: Trial, role: Role) -> None:
    answer = await ask(trial, {"points": points(*HALVES)}, role)
    assert answer.status_code == (403 if role in BLINDED else 200)
    assert (role in EVERYBODY) is (answer.status_code == 200)
