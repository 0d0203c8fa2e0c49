"""Under a protocol in which consent gates follow-up: what it does not cover is refused, and a reader learns no date."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.kernel.actor import Role
from shared.protocol import ConsentGate
from tests.services.efficacy.api.trial import Trial, a_trial, prepare
from tests.services.efficacy.domain.builders import PARTICIPANT, a_baseline, a_lesion, an_assessment
from tests.services.enrollment.builders import with_consent_settings

GATED = with_consent_settings(gates=(ConsentGate.FOLLOW_UP,))
BEFORE = "2024-12-10"  # a month before the family consented


@pytest.fixture
async def trial(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Trial]:
    await prepare(sqlite_url)
    async with a_trial(sqlite_url, tmp_path / "issuer", GATED) as running:
        yield running


async def test_what_consent_covers_is_taken_and_what_it_does_not_is_refused(trial: Trial) -> None:
    await trial.record(a_lesion(), a_baseline())
    answer = await trial.post("/assessments", an_assessment(assessed_on=BEFORE))
    assert (answer.status_code, answer.json()["type"]) == (409, "consent-does-not-cover")
    assert "guardian-consent-missing" in answer.json()["detail"]


async def test_a_blinded_reader_is_told_what_is_lacking_and_no_date(trial: Trial) -> None:
    reader, path = Role.INDEPENDENT_READER_1, f"/v1/independent-reads/{PARTICIPANT}/assessments"
    body = an_assessment(assessed_on=BEFORE, targets="").model_dump(mode="json")
    answer = await trial.client.post(path, json=body, headers=trial.headers(reader))
    assert (answer.status_code, answer.json()["type"]) == (409, "consent-does-not-cover")
    assert "202" not in answer.json()["detail"]
