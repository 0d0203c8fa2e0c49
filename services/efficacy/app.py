"""Wiring: the app that answers, and the manifest from which processes run efficacy."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.efficacy import assigned, references, subjects
from services.efficacy.tables import METADATA
from shared.http.parts import Parts, Tools
from shared.process.service import Service, Task
from shared.settings import BadSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Efficacy"
DESCRIPTION = """Tumour lesions, their measurements, and the response that the protocol's criteria assign.

Both diameters are stored raw, in millimetres. Identify the lesions, record the baseline assessment, then each later
one: the response comes with it, with the sums and the rule it rests on. Assessments may arrive late and be
corrected; the responses follow. A reader may override a response with a reason; both stay visible.

Two blinded readers record theirs under `/v1/independent-reads`, each seeing their own alone; where they differ an
adjudicator decides. The calculators under `/v1/evaluations` keep nothing; `/v1/criteria` tells the rules they go by.
"""


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.efficacy.api import (  # noqa: PLC0415
        assessment_files,
        assessments,
        best_response,
        criteria,
        evaluations,
        independent_reads,
        lesions,
        tumour_burden,
    )
    from services.efficacy.application import Efficacy  # noqa: PLC0415
    from services.efficacy.domain.criteria import UnknownCriteria  # noqa: PLC0415
    from services.efficacy.independent_review import IndependentReview  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    try:
        efficacy = Efficacy(parts.db, parts.store, parts.protocol, parts.clock)
    except UnknownCriteria as error:
        raise BadSettings(str(error)) from error
    return create_service_app(
        "efficacy",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            lesions.router,
            assessments.router,
            assessment_files.router,
            tumour_burden.router,
            independent_reads.router,
            evaluations.router,
            best_response.router,
            criteria.router,
        ],
        parts=parts,
        efficacy=efficacy,
        independent_review=IndependentReview(efficacy, parts.store),
    )


def _tasks(tools: Tools) -> Sequence[Task]:
    # Imported by the worker alone.
    from services.efficacy.watch import CriteriaWatch  # noqa: PLC0415
    from shared.process.wiring import open_protocol  # noqa: PLC0415

    return (CriteriaWatch(tools.db, tools.store, tools.clock, open_protocol(tools.settings)),)


SERVICE = Service(
    name="efficacy",
    title=TITLE,
    path="/efficacy",
    topic="trial.efficacy",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(references.PROJECTION, references.CONSENTS, subjects.PROJECTION, assigned.PROJECTION),
    tasks=_tasks,
)
