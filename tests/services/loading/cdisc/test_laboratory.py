"""LB as batches: what is asked of the trial, and what is sent."""

import json
from typing import Any

import httpx
import pytest

from services.loading.cdisc import laboratory
from services.loading.cdisc.files import SourceRow, StudyUnusable
from services.loading.cdisc.subjects import participant_id
from services.loading.client import TrialClient
from tests.services.loading.cdisc.rows import a_row

LB = {
    "LBSEQ": "1",
    "LBTESTCD": "ALB",
    "LBORRES": "3.8",
    "LBORRESU": "g/dL",
    "LBORNRLO": "3.3",
    "LBORNRHI": "4.9",
    "LBDTC": "2013-12-26T14:45",
}


def a_result(**values: str) -> SourceRow:
    return a_row("lb", **{**LB, **values})


def sent(**values: str) -> dict[str, Any]:
    [step] = laboratory.batches("701", [a_result(**values)])
    row: dict[str, Any] = step.body["rows"][0]
    return row


def test_a_value_goes_as_it_was_reported_with_its_limits() -> None:
    assert sent() == {
        "row_id": "01-701-1015/1",
        "participant_id": str(participant_id(a_result())),
        "local_code": "ALB",
        "value": "3.8",
        "unit": "g/dL",
        "lln": "3.3",
        "uln": "4.9",
        "collected_at": "2013-12-26T14:45",
    }


@pytest.mark.parametrize(
    ("variable", "value", "name", "told"),
    [
        ("LBDTC", "2013-12-26", "collected_at", "2013-12-26T12:00"),
        ("LBDTC", "2013-12", "collected_at", "2013-12"),  # kept in quarantine: no day, no grade by it
        ("LBDTC", "", "collected_at", None),
        ("LBSEQ", "", "row_id", None),
        ("LBSPEC", "SERUM", "specimen_type", "serum"),
        ("LBSPEC", "HAIR", "specimen_type", None),
        ("LBORNRHI", "", "uln", None),
    ],
)
def test_what_is_missing_is_left_out(variable: str, value: str, name: str, told: str | None) -> None:
    assert sent(**{variable: value}).get(name) == told


def test_a_batch_holds_a_thousand_rows_and_is_the_same_each_time() -> None:
    rows = [a_result(LBSEQ=str(number)) for number in range(1001)]
    steps = list(laboratory.batches("701", rows))
    assert [(step.rows, len(step.batch)) for step in steps] == [(1000, 1000), (1, 1)]
    assert [step.id for step in steps] == [step.id for step in laboratory.batches("701", rows)]
    assert len({step.id for step in steps}) == 2


async def meanings(answer: httpx.Response, *codes: str) -> dict[str, str | None]:
    transport = httpx.MockTransport(lambda _: answer)
    async with TrialClient("http://trial", lambda _role, _site: "token", transport=transport) as client:
        return await laboratory.meanings(client, list(codes))


async def test_a_code_that_the_calculator_does_not_know_is_graded_from_nothing() -> None:
    items = [{"id": "0", "refused": None}, {"id": "1", "refused": "no CTCAE v5.0 term"}]
    answer = httpx.Response(200, content=json.dumps({"items": items}))
    assert await meanings(answer, "ALB", "BUN") == {"ALB": "ALB", "BUN": None}


async def test_a_code_that_the_calculator_refuses_is_told() -> None:
    with pytest.raises(StudyUnusable, match="LBTESTCD: 422 invalid-request"):
        await meanings(httpx.Response(422, json={"type": "invalid-request", "detail": "too long"}), "X" * 201)


def test_a_site_without_results_has_no_laboratory() -> None:
    assert list(laboratory.opened("701", "CDISCPILOT01", {})) == []
    register, tests = laboratory.opened("701", "CDISCPILOT01", {"BUN": None, "ALB": "ALB"})
    assert register.body == {"laboratory_id": "701-LB", "site_id": "701", "time_zone": "UTC"}
    assert tests.body == {"tests": [{"code": "ALB", "analyte": "ALB"}, {"code": "BUN", "analyte": None}]}
