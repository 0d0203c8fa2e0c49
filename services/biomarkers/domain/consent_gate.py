"""The gate of consent: what the consent of the day of collection does not cover is not taken.

What was collected before a withdrawal stays, and so does a result of it. A correction that leaves the day is never
refused: what is on record is put right.
"""

from datetime import datetime

from services.biomarkers.domain.facts import Facts
from shared.contracts.enrollment_terms import ConsentScope


def refuse_uncovered(facts: Facts, collected_at: datetime, before: datetime | None = None) -> None:
    """Raises: ConsentDoesNotCover."""
    if facts.consent is None:
        return
    day = facts.consent.record.day_of(collected_at)
    if before is None or facts.consent.record.day_of(before) != day:
        facts.consent.refuse_uncovered(day.isoformat(), ConsentScope.SAMPLES)
