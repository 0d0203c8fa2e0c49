"""Wires enrollment: its FastAPI application, and the manifest that processes run it from."""

from pathlib import Path

from fastapi import FastAPI

from services.enrollment.api import consents, endings, infusions, participants, sites
from services.enrollment.application import Enrollment
from services.enrollment.tables import METADATA
from shared.http.service_app import Parts, create_service_app
from shared.process import Service

TITLE = "Enrollment"
DESCRIPTION = (
    "Sites, participants, consent, eligibility, enrolment and infusions. A participant is known by a subject number, "
    "the month of birth and a diagnosis, never by a name."
)


def create_app(parts: Parts) -> FastAPI:
    return create_service_app(
        "enrollment",
        title=TITLE,
        description=DESCRIPTION,
        routers=[sites.router, participants.router, consents.router, infusions.router, endings.router],
        parts=parts,
        enrollment=Enrollment(parts.store, parts.protocol, parts.clock),
    )


SERVICE = Service(
    name="enrollment",
    title=TITLE,
    path="/enrollment",
    topic="trial.enrollment",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
)
