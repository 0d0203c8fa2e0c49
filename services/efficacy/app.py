"""Wiring: the app that answers, and the manifest from which processes run efficacy."""

from pathlib import Path

from fastapi import FastAPI

from services.efficacy import references
from services.efficacy.api import assessments, lesions, tumour_burden
from services.efficacy.application import Efficacy
from services.efficacy.domain.criteria import UnknownCriteria
from services.efficacy.tables import METADATA
from shared.http.service_app import Parts, create_service_app
from shared.process.service import Service
from shared.settings import BadSettings

TITLE = "Efficacy"
DESCRIPTION = """Tumour lesions, their measurements, and the response that the protocol's criteria assign.

Both diameters are stored raw, in millimetres. Identify the lesions, record the baseline assessment, then each later
one: the response comes with it, with the sums and the rule it rests on. Assessments may arrive late and be
corrected; the responses follow. A reader may override a response with a reason; both stay visible.
"""


def create_app(parts: Parts) -> FastAPI:
    try:
        efficacy = Efficacy(parts.db, parts.store, parts.protocol, parts.clock)
    except UnknownCriteria as error:
        raise BadSettings(str(error)) from error
    return create_service_app(
        "efficacy",
        title=TITLE,
        description=DESCRIPTION,
        routers=[lesions.router, assessments.router, tumour_burden.router],
        parts=parts,
        efficacy=efficacy,
    )


SERVICE = Service(
    name="efficacy",
    title=TITLE,
    path="/efficacy",
    topic="trial.efficacy",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(references.PROJECTION,),
)
