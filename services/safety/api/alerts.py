"""Alerts of serious adverse events: what was raised, who was told of it and how often, and who has it in hand."""

from typing import Annotated

from fastapi import Path, Response

from services.safety.api.permissions import AlertsDep, MayAcknowledge, MayRead
from services.safety.api.views import Alert, DeliveryTry
from services.safety.domain.notices.alert import AcknowledgeAlert, AlertAlreadyAcknowledged, NoSuchAlert, ResendAlert
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
    alerts: AlertsDep,
    actor: MayAcknowledge,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take an alert in hand. Needs no `If-Match`: a delivery recorded meanwhile changes nothing about it."""
    receipt = await alerts.acknowledge(alert_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, alert_id)


@router.post(
    "/{alert_id}/resend",
    responses={**problems.of(NoSuchAlert, AlertAlreadyAcknowledged, OtherContentOnRecord), **answers.CHANGED},
)
async def resend_alert(
    alert_id: AlertPath,
    command: ResendAlert,
    alerts: AlertsDep,
    actor: MayAcknowledge,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Have everybody of the alert's present level told once more, by every channel. Needs no `If-Match`.

    The same `resend_id`, or the same `Idempotency-Key`, sent again tells nobody a third time.
    """
    resend_id = mint(command.resend_id)
    command = command.model_copy(update={"resend_id": resend_id})
    receipt = await alerts.resend(alert_id, command, by=actor, command_id=resend_id)
    return answers.changed(response, receipt, alert_id)


@router.get("/{alert_id}/deliveries", responses=problems.of(NoSuchAlert))
async def get_alert_deliveries(alert_id: AlertPath, alerts: AlertsDep, actor: MayRead) -> list[DeliveryTry]:
    """The log of the latest 200 tries to tell somebody of an alert, the newest first. Empty: nothing was tried yet.

    A try whose process died shows no result. It was made again.
    """
    return [DeliveryTry.of(each) for each in await alerts.deliveries(alert_id, by=actor)]


@router.get("/{alert_id}", responses={**problems.of(NoSuchAlert), **answers.VERSIONED})
async def get_alert(alert_id: AlertPath, alerts: AlertsDep, actor: MayRead, response: Response) -> Alert:
    """One alert: as it was raised with its event, and what happened to it since."""
    raised, life = await alerts.alert(alert_id, by=actor)
    response.headers["ETag"] = etags.of(len(life))
    return Alert.since_raised(raised, life)


@router.get("/{alert_id}/history", responses=problems.of(NoSuchAlert))
async def get_alert_history(alert_id: AlertPath, alerts: AlertsDep, actor: MayRead) -> list[HistoryEntry]:
    """What happened to an alert after it was raised. Empty: nothing yet."""
    _, life = await alerts.alert(alert_id, by=actor)
    return answers.history(life, missing=NoSuchAlert()) if life else []
