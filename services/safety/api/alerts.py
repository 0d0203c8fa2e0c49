"""Alerts of serious adverse events: what was raised, whether it was delivered, and who has it in hand."""

from typing import Annotated

from fastapi import Path, Response

from services.safety.api.permissions import MayAcknowledge, MayRead, SafetyDep
from services.safety.api.views import Alert
from services.safety.domain.alert import AcknowledgeAlert, AlertAlreadyAcknowledged, NoSuchAlert
from shared.contracts.safety import AlertId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router = make_router("/v1/alerts", "Alerts")

AlertPath = Annotated[AlertId, Path()]


@router.post(
    "/{alert_id}/acknowledge",
    responses={**problems.of(NoSuchAlert, AlertAlreadyAcknowledged, OtherContentOnRecord), **answers.CHANGED},
)
async def acknowledge_alert(
    alert_id: AlertPath,
    command: AcknowledgeAlert,
    safety: SafetyDep,
    actor: MayAcknowledge,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take an alert in hand. Needs no `If-Match`: a delivery recorded meanwhile changes nothing about it."""
    receipt = await safety.acknowledge(alert_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, alert_id)


@router.get("/{alert_id}", responses={**problems.of(NoSuchAlert), **answers.VERSIONED})
async def get_alert(alert_id: AlertPath, safety: SafetyDep, actor: MayRead, response: Response) -> Alert:
    """One alert: as it was raised with its event, and what happened to it since."""
    raised, life = await safety.alert(alert_id, by=actor)
    response.headers["ETag"] = etags.of(len(life))
    return Alert.since_raised(raised, life)


@router.get("/{alert_id}/history", responses=problems.of(NoSuchAlert))
async def get_alert_history(alert_id: AlertPath, safety: SafetyDep, actor: MayRead) -> list[HistoryEntry]:
    """What happened to an alert after it was raised. Empty: nothing yet."""
    _, life = await safety.alert(alert_id, by=actor)
    return answers.history(life, missing=NoSuchAlert()) if life else []
