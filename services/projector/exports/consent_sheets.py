"""What consents lack, as a flat table."""

from collections.abc import Iterable

from services.projector.domain.consent_gaps import ConsentGapOf
from services.projector.exports.csv_text import Sheet


def consent_gaps(items: Iterable[ConsentGapOf]) -> Sheet:
    columns = tuple(ConsentGapOf.model_fields)
    return Sheet("consent-gaps", columns, ([getattr(item, column) for column in columns] for item in items))
