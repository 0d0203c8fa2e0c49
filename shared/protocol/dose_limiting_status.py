"""Whether a participant counts for the dose: still watched, evaluable, limited, or not evaluable and why.

Source: the protocol's `dosing`: evaluable for dose-limiting toxicity (DLT) is who got enough of the planned dose and
finished the window, or had a DLT; who is not evaluable is replaced and does not count.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

from shared.protocol.model import Protocol
from shared.protocol.safety import Dosing


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins at the site."""
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True)
class DltWindow:
    """The time after the first infusion during which a toxicity can limit the dose, both ends included."""

    begins: datetime
    ends: datetime
    zone: tzinfo

    @property
    def last_day(self) -> date:
        """The day at the site on which the window ends."""
        return self.ends.astimezone(self.zone).date()

    def end_of_day(self, study_day: int) -> datetime:
        """The instant at which a study day ends; day 0 is the infusion's."""
        return midnight(self.begins.astimezone(self.zone).date() + timedelta(days=study_day + 1), self.zone)


def window_of(protocol: Protocol, started_at: datetime, ended_at: datetime, zone: tzinfo) -> DltWindow | None:
    """From the infusion's start to so many times 24 hours after its end; None where the trial counts no doses.

    Source: `dosing.dlt_window_days`.
    """
    if protocol.dosing is None:
        return None
    ends = ended_at.astimezone(UTC) + timedelta(days=protocol.dosing.dlt_window_days.value)
    return DltWindow(started_at, ends, zone)


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
class DosedCourse:
    """What is known of a participant's treatment. `left_on`: the last day that can have been observed; None: is there.

    Of a partial date `left_on` is the last day it can mean: somebody left early who certainly was not seen to the end.
    """

    dose_level: str | None
    cells_per_kg: Decimal | None
    left_on: date | None


@dataclass(frozen=True, slots=True)
class Evaluability:
    status: DltStatus
    why: tuple[NotEvaluable, ...] = ()


def evaluability(
    course: DosedCourse, dosing: Dosing | None, window: DltWindow | None, *, has_dlt: bool, now: datetime
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


def _dose(course: DosedCourse, dosing: Dosing) -> tuple[NotEvaluable, ...]:
    planned = {level.name: level.dose_cells_per_kg for level in dosing.levels.value}.get(course.dose_level or "")
    if planned is None:
        return (NotEvaluable.DOSE_LEVEL_UNKNOWN,)
    if course.cells_per_kg is None:
        return (NotEvaluable.DOSE_UNKNOWN,)
    enough = planned * dosing.evaluable_minimum_dose_percent.value / 100
    return () if course.cells_per_kg >= enough else (NotEvaluable.DOSE_TOO_SMALL,)


def _observation(course: DosedCourse, window: DltWindow) -> tuple[NotEvaluable, ...]:
    if course.left_on is None or course.left_on >= window.last_day:
        return ()
    return (NotEvaluable.LEFT_EARLY,)
