"""The change of the tumour's sum behind a response of the independent review: that of the reading it was taken from.

A settled response bears the date of that reading, and its response. Where both blinded readers say the same on the same
day, the first one's sum stands for both, or the other's if the first has none. Where the adjudicator gave a response
that is neither reader's, nobody measured it: there is no change, and missing is never zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.projector.domain.response_course import Assessed
from services.projector.domain.tumour_change import SumChange


@dataclass(frozen=True, slots=True)
class Reader:
    """What one blinded reader made of the images: responses, and the changes they rest on by assessment."""

    assessed: Sequence[Assessed]
    changes: Mapping[UUID, SumChange]


def review_changes(settled: Iterable[Assessed], readers: Iterable[Reader]) -> dict[UUID, SumChange]:
    """The change at each settled response that has one."""
    known: dict[tuple[object, ...], SumChange] = {}
    for reader in readers:
        for each in reader.assessed:
            change = reader.changes.get(each.assessment_id)
            if change is not None:
                known.setdefault(_which(each), change)
    return {each.assessment_id: known[_which(each)] for each in settled if _which(each) in known}


def _which(each: Assessed) -> tuple[object, ...]:
    return each.participant_id, each.assessed_on, each.counts
