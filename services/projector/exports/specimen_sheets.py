"""Specimens as a flat table."""

from collections.abc import Iterable

from services.projector.domain.specimen_list import SpecimenLine
from services.projector.exports.csv_text import Sheet


def specimens(items: Iterable[SpecimenLine]) -> Sheet:
    columns = tuple(SpecimenLine.model_fields)
    return Sheet("specimens", columns, ([getattr(item, column) for column in columns] for item in items))
