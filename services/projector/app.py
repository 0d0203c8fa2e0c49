"""Wires the projector: its FastAPI application, and the manifest that processes run it from."""

from pathlib import Path

from fastapi import FastAPI

from services.projector.api import adverse_events, outcomes, participants, protocol, sae_worklist, visits
from services.projector.application import Projector
from services.projector.readmodels.all import PROJECTIONS
from services.projector.tables import METADATA
from shared.http.service_app import Parts, create_service_app
from shared.process import Service

TITLE = "Trial"
DESCRIPTION = (
    "What the trial knows, across services: participants, timelines and visits, the outcome tables and the worklist of "
    "serious adverse events. Every answer says up to which event it was built (`as_of`) and over which sites "
    "(`sites`); with `wait_for=<Trial-Position of a write>` it shows that write. Tables come as CSV with "
    "`Accept: text/csv`. Percentages are in percent with one decimal, halves away from zero."
)


def create_app(parts: Parts) -> FastAPI:
    return create_service_app(
        "projector",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            protocol.router,
            participants.router,
            visits.router,
            adverse_events.router,
            outcomes.router,
            sae_worklist.router,
        ],
        parts=parts,
        projector=Projector(parts.db, parts.protocol, parts.clock),
    )


SERVICE = Service(
    name="projector",
    title=TITLE,
    path="/trial",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=PROJECTIONS,
)
