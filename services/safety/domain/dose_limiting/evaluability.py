"""Whether a participant counts for the dose: still watched, evaluable, limited, or not evaluable and why.

Source: the protocol's `dosing`: evaluable for DLT is who got enough of the planned dose and finished the window, or
had a DLT; who is not evaluable is replaced and does not count.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from services.safety.domain.dose_limiting.findings import Window
from shared.contracts.terms import latest
from shared.protocol import Dosing


class DltStatus(StrEnum):
    NOT_WATCHED = "not-watched"  # the protocol counts no doses
    NOT_INFUSED = "not-infused"
    IN_WINDOW = "in-window"
    EVALUABLE = "evaluable-without-dlt"
    DLT = "dlt"
    NOT_EVALUABLE = "not-evaluable"


class NotEvaluable(StrEnum):
    """Why somebody who was infused, and has no DLT, does not count."""

    DOSE_LEVEL_UNKNOWN = "dose-level-unknown"
    DOSE_UNKNOWN = "dose-received-unknown"
    DOSE_TOO_SMALL = "less-than-the-protocol's-part-of-the-planned-dose"
    LEFT_EARLY = "left-before-the-end-of-the-window"


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a participant's treatment. `left_on`: the last day observed, may be partial; None: is there."""

    dose_level: str | None
    cells_per_kg: Decimal | None
    left_on: str | None


@dataclass(frozen=True, slots=True)
class Evaluability:
    status: DltStatus
    why: tuple[NotEvaluable, ...] = ()


def evaluability(
    course: Course, dosing: Dosing | None, window: Window | None, *, has_dlt: bool, now: datetime
) -> Evaluability:
    """Where a participant stands. A DLT counts whatever else is missing; a part of the dose too small never mends."""
    if dosing is None:
        return Evaluability(DltStatus.NOT_WATCHED)
    if window is None:
        return Evaluability(DltStatus.NOT_INFUSED)
    if has_dlt:
        return Evaluability(DltStatus.DLT)
    why = (*_dose(course, dosing), *_observation(course, window))
    if why:
        return Evaluability(DltStatus.NOT_EVALUABLE, why)
    return Evaluability(DltStatus.IN_WINDOW if now <= window.ends else DltStatus.EVALUABLE)


def _dose(course: Course, dosing: Dosing) -> tuple[NotEvaluable, ...]:
    planned = {level.name: level.dose_cells_per_kg for level in dosing.levels.value}.get(course.dose_level or "")
    if planned is None:
        return (NotEvaluable.DOSE_LEVEL_UNKNOWN,)
    if course.cells_per_kg is None:
        return (NotEvaluable.DOSE_UNKNOWN,)
    enough = planned * dosing.evaluable_minimum_dose_percent.value / 100
    return () if course.cells_per_kg >= enough else (NotEvaluable.DOSE_TOO_SMALL,)


def _observation(course: Course, window: Window) -> tuple[NotEvaluable, ...]:
    """Somebody left early who certainly was not seen to the end: on a partial date the last day counts."""
    if course.left_on is None or latest(course.left_on) >= _last_day(window):
        return ()
    return (NotEvaluable.LEFT_EARLY,)


def _last_day(window: Window) -> date:
    return window.ends.astimezone(window.zone).date()
