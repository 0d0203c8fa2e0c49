"""Who was infused, and their assessments, as read models keep them."""

from collections.abc import Iterable

from sqlalchemy import RowMapping

from services.projector.domain.cohort import Infused, follow_up_ended_on
from services.projector.domain.response_course import Assessed
from services.projector.reading import Reading
from services.projector.readmodels import participants, responses
from services.projector.readmodels.participants import ENDINGS
from shared.contracts.efficacy_terms import Evaluator, Response


async def cohort_of(reading: Reading) -> list[Infused]:
    """Everybody who received the product."""
    return [infused(row) for row in await participants.infused(reading.connection, reading.scope)]


async def assessed_of(reading: Reading, evaluator: Evaluator) -> list[Assessed]:
    """Every assessment after baseline that stands and has a response, as one evaluator read it."""
    rows = await responses.that_count(reading.connection, reading.scope, evaluator)
    return assessed(rows)


def assessed(rows: Iterable[RowMapping]) -> list[Assessed]:
    return [_assessed(row) for row in rows if not row["baseline"] and row["assigned"] is not None]


def infused(row: RowMapping) -> Infused:
    return Infused(
        participant_id=row["participant_id"],
        subject_number=row["subject_number"],
        site_id=row["site_id"],
        day_zero=row["day_zero"],
        first_infused_at=row["first_infused_at"],
        followed_until=follow_up_ended_on({status: row[column] for status, column in ENDINGS.items()}),
        dose_level=row["dose_level"],
        tumour_type=row["diagnosis"],
    )


def _assessed(row: RowMapping) -> Assessed:
    return Assessed(
        assessment_id=row["assessment_id"],
        participant_id=row["participant_id"],
        assessed_on=row["assessed_on"],
        assigned=Response(row["assigned"]),
        counts=responses.counting(row),
    )
