"""The requests that the readme shows for enrollment's calculators are answered as they stand."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

README = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"http://127\.0\.0\.1:8000/enrollment(/v1/evaluations/\S+) \\\n  -d '([^']+)'", README)


def test_the_readme_shows_a_request_of_each() -> None:
    assert [path for path, _ in SHOWN] == ["/v1/evaluations/eligibility", "/v1/evaluations/dose-escalation"]


@pytest.mark.parametrize(("path", "body"), SHOWN, ids=[path for path, _ in SHOWN])
async def test_a_request_of_the_readme_is_answered(coordinator: httpx.AsyncClient, path: str, body: str) -> None:
    answer = await coordinator.post(path, json=json.loads(body))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found.get("outcome") == "not-evaluable" or found.get("decision") == "expand"
