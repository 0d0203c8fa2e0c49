"""What enrollment knows of halts of dosing, from safety's events: while dosing is halted nobody is enrolled."""

from sqlalchemy import select

from services.enrollment.tables import dosing_halts
from shared.contracts.safety_dose_limiting import StoppingReviewed, StoppingRuleTriggered
from shared.db import Database
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("dosing-halts", tables=[dosing_halts], topics=["trial.safety"])

_HALTING = select(dosing_halts.c.rule).where(dosing_halts.c.halts.is_(True)).order_by(dosing_halts.c.rule)


async def halting_rules(db: Database) -> tuple[str, ...]:
    """The stopping rules that halt dosing, as far as is heard here."""
    async with db.connect() as connection:
        return tuple((await connection.execute(_HALTING)).scalars())


@PROJECTION.on(StoppingRuleTriggered)
def _(rows: Rows, event: StoppingRuleTriggered, _envelope: Envelope) -> None:
    rows.upsert(dosing_halts, {"rule": event.rule}, halts=True)


@PROJECTION.on(StoppingReviewed)
def _(rows: Rows, event: StoppingReviewed, _envelope: Envelope) -> None:
    rows.upsert(dosing_halts, {"rule": event.rule}, halts=event.decision != "resume")
