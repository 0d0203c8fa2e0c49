"""Wires the projector: its FastAPI application, and the manifest that processes run it from."""

from pathlib import Path
from typing import TYPE_CHECKING

from services.projector.readmodels.all import PROJECTIONS
from services.projector.tables import METADATA
from shared.http.parts import Parts
from shared.process.service import Service

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Trial"
DESCRIPTION = (
    "What the trial knows, across services: participants, timelines and visits, the outcome tables with best response "
    "and survival, figures, the worklist of serious adverse events, dose-limiting toxicity by dose level, and what is "
    "open about the safety of each participant. Every answer says up to which event it was built (`as_of`) and over "
    "which sites (`sites`); with `wait_for=<Trial-Position of a write>` it shows that write. Tables come as CSV with "
    "`Accept: text/csv`. Percentages are in percent with one decimal, halves away from zero."
)


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.projector.api import (  # noqa: PLC0415
        adverse_events,
        cohort_boards,
        consents,
        cytokine_courses,
        deviations,
        efficacy_outcomes,
        figures,
        outcomes,
        participant_flow,
        participants,
        products,
        protocol,
        sae_worklist,
        safety_tables,
        schedules,
        special_interest,
        specimens,
        toxicity_courses,
        visits,
    )
    from services.projector.application import Projector  # noqa: PLC0415
    from services.projector.cohort_boards import CohortBoards  # noqa: PLC0415
    from services.projector.consent_tables import ConsentTables  # noqa: PLC0415
    from services.projector.course_plotting import CourseFigures  # noqa: PLC0415
    from services.projector.cytokine_tables import CytokineTables  # noqa: PLC0415
    from services.projector.deviation_tables import DeviationTables  # noqa: PLC0415
    from services.projector.efficacy_tables import EfficacyTables  # noqa: PLC0415
    from services.projector.flow_tables import FlowTables  # noqa: PLC0415
    from services.projector.plots.pictures import Pictures  # noqa: PLC0415
    from services.projector.plotting import Figures  # noqa: PLC0415
    from services.projector.product_tables import ProductTables  # noqa: PLC0415
    from services.projector.safety_tables import SafetyTables  # noqa: PLC0415
    from services.projector.schedule_tables import ScheduleTables  # noqa: PLC0415
    from services.projector.specimen_tables import SpecimenTables  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    return create_service_app(
        "projector",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            protocol.router,
            participants.router,
            toxicity_courses.router,
            cytokine_courses.router,
            visits.router,
            adverse_events.router,
            outcomes.router,
            efficacy_outcomes.router,
            figures.router,
            sae_worklist.router,
            safety_tables.router,
            cohort_boards.router,
            special_interest.router,
            specimens.router,
            schedules.participants_router,
            schedules.sites_router,
            schedules.deviations_router,
            deviations.router,
            consents.router,
            participant_flow.router,
            products.router,
            products.alerts,
        ],
        parts=parts,
        projector=Projector(parts.db, parts.protocol, parts.clock),
        consent_tables=ConsentTables(parts.db, parts.protocol, parts.clock),
        cohort_boards=CohortBoards(parts.db, parts.protocol, parts.clock),
        course_figures=CourseFigures(parts.db, parts.protocol, parts.clock),
        cytokine_tables=CytokineTables(parts.db, parts.protocol, parts.clock),
        deviation_tables=DeviationTables(parts.db, parts.protocol, parts.clock),
        efficacy_tables=EfficacyTables(parts.db, parts.protocol, parts.clock),
        safety_tables=SafetyTables(parts.db, parts.protocol, parts.clock),
        schedule_tables=ScheduleTables(parts.db, parts.protocol, parts.clock),
        flow_tables=FlowTables(parts.db, parts.protocol, parts.clock),
        product_tables=ProductTables(parts.db, parts.protocol, parts.clock),
        specimen_tables=SpecimenTables(parts.db, parts.protocol, parts.clock),
        figures=Figures(parts.db, parts.protocol, parts.clock),
        pictures=Pictures(),
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
