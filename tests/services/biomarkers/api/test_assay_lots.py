"""Assay lots over HTTP: registered, named by a panel, withdrawn; what is told, and to whom."""

from typing import Any
from uuid import uuid4

import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import PARTICIPANT, a_cytokine_report, a_line

LOTS, PANELS = "/v1/assay-lots", "/v1/cytokine-panels"
SHEET = {
    "platform": "LUMINEX-200",
    "kit": "HCYTA-60K",
    "lot": "A1",
    "ranges": [{"analyte": "IL6", "lloq": "2.5", "uloq": "10000", "unit": "pg/mL"}],
    "valid_from": "2026-01-15",
}


async def registered(trial: Trial, **told: Any) -> str:
    answer = await trial.post(LOTS, {**SHEET, **told})
    assert answer.status_code == 201, answer.text
    lot: str = answer.json()["id"]
    return lot


def a_panel(lot: str, **line: Any) -> dict[str, Any]:
    line = {"lloq": None, "uloq": None, "value": "2.4", **line}
    return {"participant_id": str(PARTICIPANT), **a_cytokine_report(a_line("IL6", **line), assay_lot_id=lot)}


async def test_a_panel_takes_its_limits_from_the_lot_and_keeps_them(trial_on_both: Trial) -> None:
    trial = trial_on_both
    lot = await registered(trial)
    recorded = await trial.post(PANELS, a_panel(lot))
    assert recorded.status_code == 201, recorded.text
    withdrawn = await trial.post(f"{LOTS}/{lot}/withdraw", {"reason": "The limits of another kit"})
    assert withdrawn.status_code == 200, withdrawn.text
    current = (await trial.get(f"{PANELS}/{recorded.json()['id']}")).json()["current"]
    il6 = next(each for each in current["results"] if each["analyte"] == "IL6")
    assert (il6["qualifier"], il6["lloq_pg_ml"], il6["lloq_from"]) == ("<", "2.5", "assay-lot")
    assert current["assay"] == {
        "assay_lot_id": lot, "platform": "LUMINEX-200", "kit": "HCYTA-60K", "lot": "A1"
    }  # fmt: skip
    told = (await trial.get(f"{LOTS}/{lot}")).json()
    assert (told["withdrawn_because"], told["limits"][0]["analyte"]) == ("The limits of another kit", "IL6")
    assert [each["assay_lot_id"] for each in (await trial.get(LOTS)).json()] == [lot]
    assert [each["type"] for each in (await trial.get(f"{LOTS}/history")).json()] == [
        "biomarkers.assay-lot-registered",
        "biomarkers.assay-lot-withdrawn",
    ]
    refused = await trial.post(PANELS, a_panel(lot, value="9"))
    assert (refused.status_code, refused.json()["type"]) == (422, "unknown-assay-lot")


async def test_a_lot_that_nobody_registered_is_refused_with_what_to_send(trial: Trial) -> None:
    unknown = str(uuid4())
    refused = await trial.post(PANELS, a_panel(unknown))
    assert (refused.status_code, refused.json()["type"]) == (422, "unknown-assay-lot")
    assert "POST /v1/assay-lots" in refused.json()["detail"]
    assert unknown not in refused.text
    assert (await trial.get(f"{LOTS}/{unknown}")).status_code == 404
    assert (await trial.get(f"{LOTS}/history")).json() == []


async def test_the_same_lot_sent_again_changes_nothing(trial: Trial) -> None:
    lot = str(uuid4())
    first, again = [await trial.post(LOTS, {"assay_lot_id": lot, **SHEET}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert len((await trial.get(LOTS)).json()) == 1
    other = await trial.post(LOTS, {"assay_lot_id": lot, **SHEET, "lot": "A2"})
    assert other.status_code == 409


@pytest.mark.parametrize("role", EVERYBODY)
async def test_laboratories_and_investigators_keep_the_registry(trial: Trial, role: Role) -> None:
    answer = await trial.post(LOTS, SHEET, role)
    assert answer.status_code == (201 if role in {Role.LABORATORY, Role.INVESTIGATOR} else 403)
