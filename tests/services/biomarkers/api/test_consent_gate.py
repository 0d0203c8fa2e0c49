"""Under a protocol in which consent gates samples: what it does not cover is refused, and what is lacking is named."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.biomarkers import consent_watch
from services.biomarkers.consent_watch import ConsentWatch
from services.biomarkers.intake import messages
from shared.contracts.enrollment_consent import ConsentDocumentApproved, ConsentLimited, ConsentRestored
from shared.contracts.enrollment_terms import ConsentKind, ConsentScope, Disposition
from shared.eventstore.store import EventStore
from shared.kernel.actor import Role
from shared.protocol import ConsentGate
from tests.dying import Killed, dying
from tests.services.biomarkers.api.hl7_messages import a_message, obx
from tests.services.biomarkers.api.test_hl7v2 import code, registered, send, the_panel, waiting
from tests.services.biomarkers.api.trial import Trial, a_consent, a_trial
from tests.services.biomarkers.reports import NOW, PARTICIPANT, a_transgene_report
from tests.services.enrollment.builders import with_consent_settings

GATED = with_consent_settings(gates=(ConsentGate.SAMPLES,))
TUBE = {"type": "blood", "purposes": ["car-t-flow"], "collected_at": "2026-03-09T08:30:00+07:00"}


@pytest.fixture
async def trial(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Trial]:
    async with a_trial(sqlite_url, tmp_path / "issuer", GATED) as running:
        yield running


async def withdrawn(trial: Trial, *scopes: ConsentScope) -> None:
    await trial.bring(
        ConsentLimited(
            participant_id=PARTICIPANT,
            scopes=scopes or (ConsentScope.SAMPLES,),
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


def drawn(at: str) -> dict[str, Any]:
    return {"participant_id": str(PARTICIPANT), **a_transgene_report(specimen={"type": "blood", "collected_at": at})}


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-01-04T08:00:00+07:00", 201),  # sent after the withdrawal, drawn before it
        ("2026-01-05T23:59:59+07:00", 201),  # the hour of a withdrawal is not known: its day counts as covered
        ("2026-01-05T17:00:00+00:00", 409),  # the next day at the site
        ("2024-12-31T08:00:00+07:00", 409),  # before the family consented
    ],
)
async def test_the_day_of_the_draw_decides_and_not_that_of_the_message(trial: Trial, at: str, status: int) -> None:
    await withdrawn(trial)
    assert (await trial.post("/v1/transgene-results", drawn(at))).status_code == status


async def test_who_withdrew_from_follow_up_alone_still_gives_samples(trial: Trial) -> None:
    await withdrawn(trial, ConsentScope.FOLLOW_UP, ConsentScope.TREATMENT)
    await trial.record("/v1/transgene-results", a_transgene_report())


async def test_a_correction_cannot_move_a_result_to_a_day_that_is_not_covered(trial: Trial) -> None:
    path = await trial.record("/v1/transgene-results", drawn("2026-01-04T08:00:00+07:00"))
    await withdrawn(trial)
    moved = {name: value for name, value in drawn("2026-01-09T08:00:00+07:00").items() if name != "participant_id"}
    refused = await trial.change(f"{path}/correct", moved)
    assert (refused.status_code, refused.json()["type"]) == (409, "consent-does-not-cover")
    within = {name: value for name, value in drawn("2026-01-05T08:00:00+07:00").items() if name != "participant_id"}
    assert (await trial.change(f"{path}/correct", within)).status_code == 200


async def test_what_is_on_record_is_cancelled_and_sent_again_after_a_withdrawal(trial: Trial) -> None:
    body = {"transgene_result_id": str(PARTICIPANT), "participant_id": str(PARTICIPANT), **a_transgene_report()}
    assert (await trial.post("/v1/transgene-results", body)).status_code == 201
    await withdrawn(trial)
    again = await trial.post("/v1/transgene-results", body)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    path = f"/v1/transgene-results/{PARTICIPANT}"
    assert (await trial.change(f"{path}/cancel", {"ground": "cancelled"})).status_code == 200


async def test_a_feed_keeps_what_consent_does_not_cover_with_the_reason_until_it_does(trial: Trial) -> None:
    await registered(trial)
    await withdrawn(trial)
    acknowledged = await send(trial, a_message(obx()))
    assert code(acknowledged) == "AE"
    assert "consent-does-not-cover" in acknowledged.text
    assert "samples-withdrawn" in acknowledged.text
    [kept] = await waiting(trial)
    release = f"/v1/quarantined-messages/{kept['message_id']}/release"
    still = await trial.post(release, {})
    assert (still.status_code, "samples-withdrawn" in still.text) == (409, True)
    await restored(trial)
    assert (await trial.post(release, {})).json()["observations"][0]["outcome"] == "recorded"


async def restored(trial: Trial, restored_on: date | None = None) -> None:
    await trial.bring(
        ConsentRestored(
            participant_id=PARTICIPANT,
            scopes=(ConsentScope.SAMPLES,),
            restored_on=restored_on,
            reason="Another child's",
        )
    )


def watch(trial: Trial) -> ConsentWatch:
    return ConsentWatch(trial.db, EventStore(trial.db), lambda: NOW, GATED)


async def looked(trial: Trial) -> list[tuple[str, str | None, int]]:
    """What became of each message after the watch has looked: its state, by whom, and how much of it waits."""
    await watch(trial).round(asyncio.Event())
    kept = [*await waiting(trial), *await waiting(trial, state="released")]
    return sorted((each["state"], each["settled_by"], len(each["waiting"])) for each in kept)


async def test_what_waits_for_a_consent_is_taken_by_itself_once_it_is_there(trial: Trial) -> None:
    await registered(trial)
    await withdrawn(trial)
    nameless = obx("99999-9^?^LN", "5", number=2)
    await send(trial, a_message(obx(), nameless))
    await send(trial, a_message(obx(value="7"), control="M2", subject="CU-999"))
    assert await looked(trial) == [("waiting", None, 1), ("waiting", None, 2)]
    assert await watch(trial)._due() == []
    await trial.bring(a_consent(ConsentKind.ASSENT))  # that was not what is lacking
    assert len(await watch(trial)._due()) == 1
    assert await looked(trial) == [("waiting", None, 1), ("waiting", None, 2)]
    await restored(trial)
    assert await looked(trial) == [("waiting", None, 1), ("waiting", None, 1)]
    assert (await the_panel(trial))["current"]["report"]["results"][0]["value"] == "38.4"
    await withdrawn(trial)
    assert await watch(trial)._due() == []  # nothing of it waits for a consent any more


async def test_a_watch_that_died_takes_what_waits_once(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    await registered(trial)
    await withdrawn(trial)
    await send(trial, a_message(obx()))
    await restored(trial)
    for module, name in ((messages, "settle"), (consent_watch, "note")):
        with monkeypatch.context() as killed:
            killed.setattr(module, name, dying(getattr(module, name), after=False))
            with pytest.raises(Killed):
                await watch(trial).round(asyncio.Event())
    assert await looked(trial) == [("released", "consent-watch", 0)]
    assert len((await the_panel(trial))["superseded"]) == 0


@pytest.mark.parametrize(("moved_on", "status"), [("2026-03-09", 201), ("2026-03-10", 409)])
async def test_after_a_transfer_each_day_goes_by_the_forms_of_its_site(
    trial: Trial, moved_on: str, status: int
) -> None:
    """A newer form of the former site had to be signed by March, and was not."""
    taken = date(2026, 2, 1)
    newer = {"kind": "guardian", "document_version": "9.0", "languages": ("th",), "reconsent_required": True}
    await trial.bring(
        ConsentDocumentApproved.model_validate(
            {"site_id": "CU", "approved_on": taken, "effective_from": taken, "grace_days": 10, **newer}
        )
    )
    await trial.handed_over(moved_on)
    answer = await trial.post("/v1/transgene-results", drawn("2026-03-09T08:00:00+07:00"), site="KKU")
    assert answer.status_code == status, answer.text
