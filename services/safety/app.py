"""Wiring: the app that answers, and the manifest from which processes run safety."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.safety import references
from services.safety.cases import queue as case_queue
from services.safety.cases import subjects as case_subjects
from services.safety.domain.notices.message import AlertMessage, ClockMessage
from services.safety.laboratory import courses as laboratory_courses
from services.safety.notices import queue as notice_queue
from services.safety.tables import METADATA
from services.safety.toxicity import courses as toxicity_courses
from shared.db import Database
from shared.http.parts import Parts, Tools
from shared.process.service import OwnCommand, Service, Task
from shared.settings import BadSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Safety"
DESCRIPTION = """Adverse events graded by CTCAE 5.0, and what follows from them.

- **Adverse events**: grade, seriousness and causality are three independent facts. Dates may be partial (`2026-03`).
- **Alerts**: a serious event raises one, with the instants until which the protocol wants somebody told; it is sent as
  a signed webhook and by e-mail, up the protocol's chain, and stays open until a safety officer acknowledges it.
- **Laboratory results**: graded on arrival in the unit reported, each grade explained; a grade of 1 or more opens a
  candidate that an investigator accepts, merges or dismisses. A row that nobody can read is kept in quarantine.
- **CRS, ICANS and IEC-HS**: episodes observed over time, with the grades of ASTCT and CTCAE side by side.
- **Dose-limiting toxicity**: proposed by the protocol's rules, decided by a safety officer; stopping rules halt dosing.
- **Cases**: a serious event's reports by version, expectedness, SUSAR, reporting clocks, E2B(R3).
- **Periodic reports**: what recurs whatever happens, with a clock for each period.
- **Calculators** (`/v1/gradings/...`) keep no state.
"""


def create_app(parts: Parts) -> "FastAPI":
    # A worker makes no app, and is spared FastAPI and the routes.
    from services.safety.api.routers import ROUTERS  # noqa: PLC0415
    from services.safety.application import Safety  # noqa: PLC0415
    from services.safety.cases.application import Cases  # noqa: PLC0415
    from services.safety.cases.expectations import Expectations  # noqa: PLC0415
    from services.safety.cases.periodic_reports import PeriodicReports  # noqa: PLC0415
    from services.safety.consent_flags import ConsentFlags  # noqa: PLC0415
    from services.safety.domain.ctcae import EDITION  # noqa: PLC0415
    from services.safety.laboratory.intake import LabIntake  # noqa: PLC0415
    from services.safety.laboratory.laboratories import Laboratories  # noqa: PLC0415
    from services.safety.laboratory.record import LabRecords  # noqa: PLC0415
    from services.safety.notices.alerts import Alerts  # noqa: PLC0415
    from services.safety.toxicity.dose_limiting import DoseLimitingToxicities  # noqa: PLC0415
    from services.safety.toxicity.episodes import Episodes  # noqa: PLC0415
    from services.safety.toxicity.halts import DosingHalts  # noqa: PLC0415
    from shared.http.service_app import create_service_app  # noqa: PLC0415

    asked = parts.protocol.ctcae.edition.value
    if asked != EDITION:
        raise BadSettings(f"the protocol asks for CTCAE {asked}; this service holds {EDITION}")
    laboratories_of_sites = Laboratories(parts.store, parts.clock)
    app = create_service_app(
        "safety",
        title=TITLE,
        description=DESCRIPTION,
        routers=ROUTERS,
        parts=parts,
        safety=Safety(parts.db, parts.store, parts.protocol, parts.clock),
        alerts=Alerts(parts.db, parts.store, parts.clock, parts.protocol.alerting.levels.value),
        episodes=Episodes(parts.db, parts.store, parts.protocol, parts.clock),
        dose_limiting=DoseLimitingToxicities(parts.db, parts.store, parts.protocol, parts.clock),
        cases=Cases(parts.db, parts.store, parts.protocol, parts.clock),
        expectations=Expectations(parts.store, parts.protocol, parts.clock),
        periodic_reports=PeriodicReports(parts.store, parts.protocol, parts.clock),
        laboratories=laboratories_of_sites,
        lab_intake=LabIntake(parts.db, parts.store, parts.protocol, parts.clock, laboratories_of_sites),
        consent_flags=ConsentFlags(parts.db, parts.protocol),
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
    from services.safety.cases.clocks import CaseClocks  # noqa: PLC0415
    from services.safety.cases.periodic_reports import PeriodicReportClocks  # noqa: PLC0415
    from services.safety.laboratory.watch import BaselineWatch  # noqa: PLC0415
    from services.safety.notices.channels import channels_of  # noqa: PLC0415
    from services.safety.notices.delivery import AlertDelivery  # noqa: PLC0415
    from services.safety.toxicity.watch import ToxicityWatch  # noqa: PLC0415
    from shared.process.wiring import open_protocol  # noqa: PLC0415

    protocol = open_protocol(tools.settings)
    levels = protocol.alerting.levels.value
    return (
        AlertDelivery(tools.db, tools.store, tools.clock, levels, channels_of(tools.settings, levels)),
        ToxicityWatch(tools.db, tools.store, tools.clock, protocol),
        CaseClocks(tools.db, tools.store, tools.clock, protocol),
        PeriodicReportClocks(tools.store, tools.clock, protocol),
        BaselineWatch(tools.db, tools.store, tools.clock, protocol),
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
        references.CONSENTS,
        notice_queue.PROJECTION,
        toxicity_courses.PROJECTION,
        case_queue.PROJECTION,
        case_subjects.PROJECTION,
        laboratory_courses.PROJECTION,
    ),
    tasks=_tasks,
    commands={"ctcae": OwnCommand("show the NCI's definitions beside the codes: ctcae import FILE.xlsx", _ctcae)},
)
