"""Under a protocol in which consent gates samples: what it does not cover is refused, and what is lacking is named."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_terms import ConsentScope, Disposition
from shared.kernel.actor import Role
from shared.protocol import ConsentGate
from tests.services.biomarkers.api.trial import Trial, a_trial
from tests.services.biomarkers.reports import PARTICIPANT, a_transgene_report
from tests.services.enrollment.builders import with_consent_settings

GATED = with_consent_settings(gates=(ConsentGate.SAMPLES,))
TUBE = {"type": "blood", "purposes": ["car-t-flow"], "collected_at": "2026-03-09T08:30:00+07:00"}


@pytest.fixture
async def trial(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Trial]:
    async with a_trial(sqlite_url, tmp_path / "issuer", GATED) as running:
        yield running


async def withdrawn(trial: Trial) -> None:
    await trial.bring(
        ConsentLimited(
            participant_id=PARTICIPANT,
            scopes=(ConsentScope.SAMPLES,),
            withdrawn_on=date(2026, 1, 5),
            disposition=Disposition.WITHDRAWAL_BY_GUARDIAN,
        )
    )


async def test_what_consent_covers_is_taken(trial: Trial) -> None:
    await trial.record("/v1/transgene-results", a_transgene_report())


async def test_samples_that_were_withdrawn_are_refused_until_they_are_restored(trial: Trial) -> None:
    await withdrawn(trial)
    whose = {"participant_id": str(PARTICIPANT)}
    taken = (
        ("/v1/transgene-results", {**whose, **a_transgene_report()}, Role.LABORATORY),
        ("/v1/specimens", {**whose, **TUBE}, Role.COORDINATOR),
    )
    for path, body, role in taken:
        answer = await trial.post(path, body, role)
        assert (answer.status_code, answer.json()["type"]) == (409, "consent-does-not-cover")
        assert "samples-withdrawn" in answer.json()["detail"]
    restored = ConsentRestored(
        participant_id=PARTICIPANT, scopes=(ConsentScope.SAMPLES,), restored_on=None, reason="Another child's"
    )
    await trial.bring(restored)
    for path, body, role in taken:
        assert (await trial.post(path, body, role)).status_code == 201


async def test_what_is_on_record_is_put_right_after_a_withdrawal(trial: Trial) -> None:
    path = await trial.record("/v1/transgene-results", a_transgene_report())
    await withdrawn(trial)
    corrected = await trial.change(f"{path}/correct", a_transgene_report(copies_per_ug="1520"))
    assert corrected.status_code == 200
