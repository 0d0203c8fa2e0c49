"""Builders that name only what matters, around one child infused on 14 March 2026 at a site in Bangkok."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.safety.domain.adverse_event import Facts, ReportAdverseEvent
from shared.contracts.safety import (
    AdverseEventReported,
    AdverseEventTerm,
    AlertCause,
    GradeBasis,
    Notice,
    Outcome,
    SeriousAdverseEventIdentified,
    Seriousness,
)
from shared.protocol import load_protocol

BANGKOK = ZoneInfo("Asia/Bangkok")
EVENT = UUID("018f2b6e-5f0a-7c31-9d2e-0c7a5b1e4d10")
CHILD = UUID("018f2b6e-0000-7000-8000-000000000001")
AWARE = datetime(2026, 3, 16, 9, 0, tzinfo=BANGKOK)
NOW = AWARE + timedelta(hours=1)
PROTOCOL = load_protocol()

CRS = AdverseEventTerm(
    edition="5.0", meddra_code="10052015", name="Cytokine release syndrome", soc="Immune system disorders"
)
HOSPITALISED = [Seriousness.HOSPITALISATION]


def facts(now: datetime = NOW, site: str = "CU") -> Facts:
    return Facts(now=now, site_id=site, zone=BANGKOK, protocol=PROTOCOL)


def a_report(**changed: Any) -> ReportAdverseEvent:
    stated = {
        "adverse_event_id": EVENT,
        "participant_id": CHILD,
        "term": CRS.name,
        "grade": 2,
        "onset": "2026-03-15",
        "became_aware_at": AWARE,
    }
    return ReportAdverseEvent.model_validate({**stated, **changed})


def reported(**changed: Any) -> AdverseEventReported:
    stated = {
        "adverse_event_id": EVENT,
        "participant_id": CHILD,
        "term": CRS,
        "grade": 2,
        "grade_basis": GradeBasis(),
        "onset": "2026-03-15",
        "became_aware_at": AWARE,
        "ended_on": None,
        "seriousness": (),
        "causality": (),
        "action_taken": "unknown",
        "outcome": Outcome.UNKNOWN,
        "protocol": PROTOCOL.ref,
    }
    return AdverseEventReported.model_validate({**stated, **changed})


def to_sponsor(aware: datetime = AWARE) -> Notice:
    return Notice(clock="investigator-to-sponsor", to="sponsor", due_at=aware.astimezone(UTC) + timedelta(hours=24))


def urgent_to_ethics(aware: datetime = AWARE) -> Notice:
    due = aware.astimezone(UTC) + timedelta(hours=24)
    return Notice(clock="ethics-fatal-or-life-threatening", to="ethics-committee", due_at=due)


def to_ethics_by(due: datetime) -> Notice:
    return Notice(clock="ethics-other-serious", to="ethics-committee", due_at=due)


# Seven calendar days after 16 March, to the last second of the day in Bangkok.
IN_SEVEN_DAYS = datetime(2026, 3, 23, 23, 59, 59, tzinfo=BANGKOK).astimezone(UTC)


def raised(**changed: Any) -> SeriousAdverseEventIdentified:
    number = changed.get("number", 1)
    stated = {
        "alert_id": f"{EVENT}-{number}",
        "adverse_event_id": EVENT,
        "participant_id": CHILD,
        "site_id": "CU",
        "number": 1,
        "because": AlertCause.REPORTED_SERIOUS,
        "seriousness": (Seriousness.HOSPITALISATION,),
        "grade": 2,
        "became_aware_at": AWARE,
        "notices": (to_sponsor(), to_ethics_by(IN_SEVEN_DAYS)),
        "protocol": PROTOCOL.ref,
    }
    return SeriousAdverseEventIdentified.model_validate({**stated, **changed})
