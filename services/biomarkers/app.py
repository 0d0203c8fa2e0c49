"""Wiring: the app that answers, and the manifest from which processes run biomarkers."""

from pathlib import Path

from fastapi import FastAPI

from services.biomarkers import references
from services.biomarkers.api import cytokine_panels, flow_results
from services.biomarkers.application import Biomarkers
from services.biomarkers.tables import METADATA
from shared.http.service_app import Parts, create_service_app
from shared.process.service import Service

TITLE = "Biomarkers"
DESCRIPTION = """CAR-T cells by flow cytometry, and cytokine panels.

Reports are kept as the laboratory gave them; limits of quantification, absolute counts and concentrations in pg/mL
stand beside them. A result below a limit has that limit and no number: it is never 0. A corrected report supersedes
the one before it, which stays readable. Values are decimals, exact in and out.
"""


def create_app(parts: Parts) -> FastAPI:
    return create_service_app(
        "biomarkers",
        title=TITLE,
        description=DESCRIPTION,
        routers=[flow_results.router, cytokine_panels.router],
        parts=parts,
        biomarkers=Biomarkers(parts.db, parts.store, parts.protocol, parts.clock),
    )


SERVICE = Service(
    name="biomarkers",
    title=TITLE,
    path="/biomarkers",
    topic="trial.biomarkers",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(references.PROJECTION,),
)
