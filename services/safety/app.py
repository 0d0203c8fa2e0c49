"""Wiring: the app that answers, and the manifest from which processes run safety."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.safety import case_queue, case_subjects, notice_queue, references, toxicity_courses
from services.safety.domain.alert_message import AlertMessage, ClockMessage
from services.safety.tables import METADATA
from shared.db import Database
from shared.http.parts import Parts, Tools
from shared.process.service import OwnCommand, Service, Task
from shared.settings import BadSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Safety"
DESCRIPTION = """Adverse events graded by CTCAE 5.0, and the alerts that serious ones raise.

Grade, seriousness and causality are three independent facts. Dates may be partial (`2026-03`). A serious event raises
an alert with the instants until which the protocol wants somebody told; it is sent as a signed webhook and by e-mail,
up the protocol's chain, and stays open until a safety officer acknowledges it.
"""


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.safety.api import (  # noqa: PLC0415
        adverse_events,
        alerts,
        cases,
        ctcae,
        dose_limiting,
        e2b,
        episodes,
        gradings_astct,
        gradings_lab,
        lab_participants,
        lab_quarantine,
        lab_results,
        laboratories,
        reference_safety_information,
        stopping_rules,
    )
    from services.safety.application import Safety  # noqa: PLC0415
    from services.safety.cases import Cases  # noqa: PLC0415
    from services.safety.domain.ctcae import EDITION  # noqa: PLC0415
    from services.safety.dose_limiting import DoseLimitingToxicities  # noqa: PLC0415
    from services.safety.episodes import Episodes  # noqa: PLC0415
    from services.safety.expectations import Expectations  # noqa: PLC0415
    from services.safety.halts import DosingHalts  # noqa: PLC0415
    from services.safety.lab_intake import LabIntake  # noqa: PLC0415
    from services.safety.lab_record import LabRecords  # noqa: PLC0415
    from services.safety.laboratories import Laboratories  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    asked = parts.protocol.ctcae.edition.value
    if asked != EDITION:
        raise BadSettings(f"the protocol asks for CTCAE {asked}; this service holds {EDITION}")
    laboratories_of_sites = Laboratories(parts.store, parts.clock)
    app = create_service_app(
        "safety",
        title=TITLE,
        description=DESCRIPTION,
        routers=[
            adverse_events.router,
            alerts.router,
            ctcae.router,
            gradings_astct.router,
            gradings_lab.router,
            laboratories.router,
            lab_results.router,
            lab_quarantine.router,
            lab_participants.router,
            episodes.router,
            dose_limiting.router,
            stopping_rules.router,
            cases.router,
            e2b.router,
            reference_safety_information.router,
        ],
        parts=parts,
        safety=Safety(parts.db, parts.store, parts.protocol, parts.clock),
        episodes=Episodes(parts.db, parts.store, parts.protocol, parts.clock),
        dose_limiting=DoseLimitingToxicities(parts.db, parts.store, parts.protocol, parts.clock),
        cases=Cases(parts.db, parts.store, parts.protocol, parts.clock),
        expectations=Expectations(parts.store, parts.protocol, parts.clock),
        laboratories=laboratories_of_sites,
        lab_intake=LabIntake(parts.db, parts.store, parts.protocol, parts.clock, laboratories_of_sites),
        lab_records=LabRecords(parts.db, parts.store, parts.protocol, parts.clock),
        halts=DosingHalts(parts.db, parts.store, parts.protocol, parts.clock),
    )
    app.webhooks.add_api_route("alert-raised", _alert_raised, methods=["POST"], status_code=204)
    app.webhooks.add_api_route("clock-stepped", _clock_stepped, methods=["POST"], status_code=204)
    return app


async def _alert_raised(message: AlertMessage) -> None:
    """Sent to `ALERT_WEBHOOK_URL`, signed after Standard Webhooks, until it is answered 2xx or acknowledged."""


async def _clock_stepped(message: ClockMessage) -> None:
    """Sent to `ALERT_WEBHOOK_URL` when a duty to report is due soon, escalated or missed, until it is answered 2xx."""


def _tasks(tools: Tools) -> Sequence[Task]:
    # Imported by the worker alone: the API needs no HTTP client.
    from services.safety.case_clocks import CaseClocks  # noqa: PLC0415
    from services.safety.delivery import AlertDelivery  # noqa: PLC0415
    from services.safety.receiver import channels_of  # noqa: PLC0415
    from services.safety.toxicity_watch import ToxicityWatch  # noqa: PLC0415
    from shared.process.wiring import open_protocol  # noqa: PLC0415

    protocol = open_protocol(tools.settings)
    levels = protocol.alerting.levels.value
    return (
        AlertDelivery(tools.db, tools.store, tools.clock, levels, channels_of(tools.settings, levels)),
        ToxicityWatch(tools.db, tools.store, tools.clock, protocol),
        CaseClocks(tools.db, tools.store, tools.clock, protocol),
    )


async def _ctcae(db: Database, words: Sequence[str]) -> str:
    from services.safety import definitions  # noqa: PLC0415 - neither an API nor a worker reads workbooks

    return await definitions.run(db, words)


SERVICE = Service(
    name="safety",
    title=TITLE,
    path="/safety",
    topic="trial.safety",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    create_app=create_app,
    projections=(
        references.PROJECTION,
        notice_queue.PROJECTION,
        toxicity_courses.PROJECTION,
        case_queue.PROJECTION,
        case_subjects.PROJECTION,
    ),
    tasks=_tasks,
    commands={"ctcae": OwnCommand("show the NCI's definitions beside the codes: ctcae import FILE.xlsx", _ctcae)},
)
