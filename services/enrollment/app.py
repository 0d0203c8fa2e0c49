"""Wires enrollment: its FastAPI application, and the manifest that processes run it from."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.enrollment import references
from services.enrollment.tables import METADATA
from shared.http.parts import Parts, Tools
from shared.process.service import Service, Task

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Enrollment"
DESCRIPTION = (
    "Sites, participants, consent, eligibility, enrolment, lymphodepletion, infusions and new anticancer therapy. A "
    "participant is known by a subject number, the month of birth and a diagnosis, never by a name."
)


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.enrollment.api import (  # noqa: PLC0415
        anticancer_therapies,
        consent_documents,
        consents,
        dose_escalation,
        dosing_halts,
        eligibility_evaluation,
        endings,
        escalation,
        follow_up_contacts,
        infusions,
        lymphodepletions,
        participants,
        products,
        sites,
    )
    from services.enrollment.application import Enrollment  # noqa: PLC0415
    from services.enrollment.consent_documents import ConsentDocuments  # noqa: PLC0415
    from services.enrollment.dose_escalation import DoseEscalations  # noqa: PLC0415
    from services.enrollment.products import Products  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    enrollment = Enrollment(parts.db, parts.store, parts.protocol, parts.clock)
    return create_service_app(
        "enrollment",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            sites.router,
            consent_documents.router,
            participants.router,
            consents.router,
            lymphodepletions.router,
            infusions.router,
            products.router,
            products.alerts,
            anticancer_therapies.router,
            follow_up_contacts.router,
            endings.router,
            dosing_halts.router,
            escalation.router,
            escalation.permits,
            dose_escalation.router,
            eligibility_evaluation.router,
        ],
        parts=parts,
        enrollment=enrollment,
        consent_documents=ConsentDocuments(enrollment, parts.store, parts.clock),
        products=Products(parts.store, enrollment, parts.clock),
        dose_escalations=DoseEscalations(enrollment, parts.store, parts.clock),
    )


def _tasks(tools: Tools) -> Sequence[Task]:
    # Imported by the worker alone.
    from services.enrollment.escalation_watch import EscalationWatch  # noqa: PLC0415
    from shared.process.wiring import open_protocol  # noqa: PLC0415

    return (EscalationWatch(tools.db, tools.store, tools.clock, open_protocol(tools.settings)),)


SERVICE = Service(
    name="enrollment",
    title=TITLE,
    path="/enrollment",
    topic="trial.enrollment",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(references.PROJECTION, references.ESCALATION),
    tasks=_tasks,
)
