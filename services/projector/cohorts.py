"""Who was infused, and their assessments, as read models keep them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.consent_tables import covered_of
from services.projector.domain.cohort import Infused, first_new_therapy, follow_up_ended_on
from services.projector.domain.response_course import Assessed
from services.projector.reading import Reading
from services.projector.readmodels import anticancer_therapies, participants, responses
from services.projector.readmodels.participants import ENDINGS
from shared.consent.coverage import Coverage
from shared.contracts.efficacy_terms import Evaluator, Response
from shared.protocol import Protocol
from shared.protocol.schedule import local_date

# What response tables and figures rest on.
OF_RESPONSES = (participants.PROJECTION, responses.PROJECTION, anticancer_therapies.PROJECTION)


async def cohort_of(reading: Reading) -> list[Infused]:
    """Everybody who received the product."""
    return [infused(row) for row in await participants.infused(reading.connection, reading.scope)]


async def cohort_for_response(reading: Reading, protocol: Protocol) -> list[Infused]:
    """The same, each with the first new anticancer therapy: rests on that read model too."""
    begun = await anticancer_therapies.begun(reading.connection)
    return [with_new_therapy(each, protocol, begun) for each in await cohort_of(reading)]


async def cohort_for_visits(reading: Reading, protocol: Protocol) -> list[Infused]:
    """The same, each with what is on record of consent: rests on that read model too."""
    everybody = await cohort_of(reading)
    covered = await covered_of(reading, protocol, [(each.participant_id, each.site_id) for each in everybody])
    return [with_consent(each, covered) for each in everybody]


def with_consent(who: Infused, covered: Mapping[UUID, Coverage]) -> Infused:
    known = covered.get(who.participant_id)
    return who if known is None else replace(who, consent=known.record)


def with_new_therapy(who: Infused, protocol: Protocol, begun: Mapping[UUID, Iterable[str]]) -> Infused:
    """`begun`: when each participant began new therapies."""
    day_zero = local_date(protocol, who.day_zero)
    return replace(who, new_therapy_on=first_new_therapy(day_zero, begun.get(who.participant_id, ())))


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
