"""Wiring: the app that answers, and the manifest from which processes run biomarkers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.biomarkers import references
from services.biomarkers.intake import subjects
from services.biomarkers.tables import METADATA
from shared.db import Database
from shared.http.parts import Parts, Tools
from shared.process.service import OwnCommand, Service, Task

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Biomarkers"
DESCRIPTION = """CAR-T cells by flow cytometry, transgene copies by PCR, cytokine panels, and the specimens of all.

Reports are kept as the laboratory gave them; limits of quantification, absolute counts and concentrations in pg/mL
stand beside them. A result below a limit has that limit and no number: it is never 0. A corrected report supersedes
the one before it, which stays readable. Values are decimals, exact in and out. A specimen is a chain of
custody; a result may name one, is flagged where it names none, and refused where the specimen was rejected.
"""


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.biomarkers.api import (  # noqa: PLC0415
        assay_lots,
        cytokine_panels,
        evaluations,
        fhir,
        flow_files,
        flow_results,
        gate_sets,
        hl7v2,
        quarantined_messages,
        result_files,
        result_sources,
        specimens,
        transgene_results,
    )
    from services.biomarkers.application import Biomarkers  # noqa: PLC0415
    from services.biomarkers.assay_registry import AssayRegistry  # noqa: PLC0415
    from services.biomarkers.intake.apart import Readers  # noqa: PLC0415
    from services.biomarkers.intake.feeds import Feeds  # noqa: PLC0415
    from services.biomarkers.intake.file_intake import FileIntake, Limits  # noqa: PLC0415
    from services.biomarkers.intake.flow_recording import FlowRecording  # noqa: PLC0415
    from services.biomarkers.intake.gate_sets import GateSets  # noqa: PLC0415
    from services.biomarkers.intake.taking import Taking  # noqa: PLC0415
    from services.biomarkers.specimens import Specimens  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    biomarkers = Biomarkers(parts.db, parts.store, parts.protocol, parts.clock)
    taking = Taking(parts.db, parts.store, biomarkers)
    feeds, settings = Feeds(parts.db, parts.store, taking, parts.clock), parts.settings
    readers = Readers(seconds=settings.file_reading_seconds, memory_mib=settings.file_reading_mib)
    limits = Limits(table_mib=settings.table_file_mib, fcs_mib=settings.fcs_file_mib)
    return create_service_app(
        "biomarkers",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            flow_results.router,
            cytokine_panels.router,
            transgene_results.router,
            assay_lots.router,
            evaluations.router,
            specimens.router,
            specimens.of_participants,
            result_sources.router,
            quarantined_messages.router,
            fhir.router,
            hl7v2.router,
            result_files.router,
            flow_files.router,
            gate_sets.router,
        ],
        parts=parts,
        biomarkers=biomarkers,
        feeds=feeds,
        gate_sets=GateSets(parts.db, parts.clock),
        files=FileIntake(feeds, FlowRecording(parts.db, parts.store, taking, biomarkers), readers, limits),
        assay_registry=AssayRegistry(parts.store, parts.protocol, parts.clock),
        specimens=Specimens(parts.db, parts.store, parts.protocol, parts.clock),
    )


async def _mllp(db: Database, words: Sequence[str]) -> str:
    from services.biomarkers.listening import listen  # noqa: PLC0415 - an api and a worker have no need of it

    return await listen(db, words)


def _tasks(tools: Tools) -> Sequence[Task]:
    # Imported by the worker alone.
    from services.biomarkers.consent_watch import ConsentWatch  # noqa: PLC0415
    from shared.process.wiring import open_protocol  # noqa: PLC0415

    return (ConsentWatch(tools.db, tools.store, tools.clock, open_protocol(tools.settings)),)


SERVICE = Service(
    name="biomarkers",
    title=TITLE,
    path="/biomarkers",
    topic="trial.biomarkers",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(references.PROJECTION, references.CONSENTS, subjects.PROJECTION),
    tasks=_tasks,
    commands={"mllp": OwnCommand("listen for HL7 v2 over MLLP: mllp HOST PORT SITE...", _mllp)},
)
