"""Steps of a specimen's custody, as bodies and as events: name only what matters."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts import biomarkers_specimens as told
from shared.kernel.events import Event
from tests.services.biomarkers.reports import DRAWN, PARTICIPANT

SPECIMEN = UUID("018f3a52-0000-7000-8000-0000000000e1")
ALIQUOT = UUID("018f3a52-0000-7000-8000-0000000000a1")
WHOSE: dict[str, Any] = {"specimen_id": SPECIMEN, "participant_id": PARTICIPANT}
RESULT_REF: dict[str, Any] = {"kind": "flow-result", "id": "018f3a52-0000-7000-8000-0000000000f1"}


def after(hours: float) -> str:
    """So many hours after the draw."""
    return (datetime.fromisoformat(DRAWN) + timedelta(hours=hours)).isoformat()


def a_collection(**given: Any) -> dict[str, Any]:
    return {"type": "blood", "purposes": ["car-t-flow", "cytokines"], "collected_at": DRAWN, "volume_ml": "4", **given}


def an_absence(**given: Any) -> dict[str, Any]:
    return {"visit": "D14", "purpose": "cytokines", "noted_at": after(24), "because": "refused", **given}


def a_shipment(hours: float = 2, **given: Any) -> dict[str, Any]:
    return {"shipped_at": after(hours), "destination": "CU-CENTRAL", "transport": "ambient", **given}


def a_receipt(hours: float = 5, **given: Any) -> dict[str, Any]:
    return {"received_at": after(hours), "laboratory": "CU-CENTRAL", "condition": "acceptable", **given}


def an_aliquot(**given: Any) -> dict[str, Any]:
    return {"aliquot_id": str(ALIQUOT), "type": "serum", "volume_ml": "0.5", **given}


def an_aliquoting(hours: float = 6, *aliquots: dict[str, Any]) -> dict[str, Any]:
    return {"aliquoted_at": after(hours), "aliquots": list(aliquots) or [an_aliquot()]}


def a_rejection(hours: float = 7, **given: Any) -> dict[str, Any]:
    return {"rejected_at": after(hours), "because": "clotting", **given}


def a_loss(hours: float = 7) -> dict[str, Any]:
    return {"noted_at": after(hours), "because": "in-transit"}


def event(kind: type[Event], **parts: Any) -> Any:
    return kind.model_validate({**WHOSE, **parts})


COLLECTED = event(told.SpecimenCollected, collection=a_collection())
NOT_COLLECTED = event(told.SpecimenNotCollected, absence=an_absence())
SHIPPED = event(told.SpecimenShipped, shipment=a_shipment())
RECEIVED = event(told.SpecimenReceived, receipt=a_receipt())
ALIQUOTED = event(told.SpecimenAliquoted, aliquoting=an_aliquoting())
ANALYSED = event(told.SpecimenAnalysed, result=RESULT_REF)
WITHDRAWN = event(told.SpecimenAnalysisWithdrawn, result=RESULT_REF)
REJECTED = event(told.SpecimenRejected, rejection=a_rejection(), with_parent=False)
LOST = event(told.SpecimenLost, loss=a_loss())
MADE = event(
    told.AliquotMade,
    specimen_id=ALIQUOT,
    parent_id=SPECIMEN,
    aliquot=an_aliquot(),
    aliquoted_at=after(6),
    at_laboratory=True,
)


def retracted(step: int) -> Any:
    return event(told.SpecimenStepRetracted, step=step, reason="Entered for another specimen")
