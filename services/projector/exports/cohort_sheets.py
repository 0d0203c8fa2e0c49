"""The cohort board as flat tables. Columns bear the names of the JSON."""

from collections.abc import Iterator

from services.projector.domain.board_lines import (
    CohortBoard,
    LevelOnBoard,
    NextInfusion,
    OverrideOnBoard,
    ParticipantOnBoard,
    PauseOnBoard,
)
from services.projector.exports.csv_text import Sheet

Line = tuple[object, ...]

_OF_PARTICIPANT = tuple(name for name in ParticipantOnBoard.model_fields if name not in {"infusion", "next_infusion"})
_JUDGED = ("permission", "bars", "given_because")
_NEXT = ("permitted_from", "held_by")


def levels(answer: CohortBoard) -> Sheet:
    """A line per dose level."""
    columns = tuple(LevelOnBoard.model_fields)
    return Sheet("cohort-board", columns, ([getattr(each, name) for name in columns] for each in answer.levels))


def participants(answer: CohortBoard) -> Sheet:
    """A line per participant; the last one, without a name, is whoever comes next."""
    return Sheet("cohort-board-participants", (*_OF_PARTICIPANT, *_JUDGED, *_NEXT), _people(answer))


def _people(answer: CohortBoard) -> Iterator[Line]:
    for who in answer.participants:
        judged = who.infusion
        as_judged = (None, None, None) if judged is None else (judged.permission, judged.bars, judged.reason)
        yield *(getattr(who, name) for name in _OF_PARTICIPANT), *as_judged, *_next(who.next_infusion)
    if answer.next_infusion is not None:
        nobody = ("dose_level",)
        told = (answer.open_level if name in nobody else None for name in _OF_PARTICIPANT)
        yield *told, None, None, None, *_next(answer.next_infusion)


def _next(infusion: NextInfusion | None) -> Line:
    if infusion is None:
        return None, None
    held = [
        each.bar.value if each.until is None else f"{each.bar.value} until {each.until.isoformat()}"
        for each in infusion.held_by
    ]
    return infusion.permitted_from, held


def pauses(answer: CohortBoard) -> Sheet:
    """A line per pause."""
    columns = tuple(PauseOnBoard.model_fields)
    return Sheet("dosing-pauses", columns, ([getattr(each, name) for name in columns] for each in answer.pauses))


def overrides(answer: CohortBoard) -> Sheet:
    """A line per override."""
    columns = tuple(OverrideOnBoard.model_fields)
    return Sheet("overrides", columns, ([getattr(each, name) for name in columns] for each in answer.overrides))
