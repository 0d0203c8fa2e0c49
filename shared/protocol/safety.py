"""What safety goes by: the edition of the grading criteria, reporting clocks, dosing and its limits."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Mark, Part, Setting, Text

Count = Annotated[int, Field(gt=0)]


class GradingBaseline(StrEnum):
    LAST_BEFORE_INFUSION = "last-before-infusion"
    LAST_BEFORE_LYMPHODEPLETION = "last-before-lymphodepletion"


class GradePick(StrEnum):
    WORST = "worst"
    LEAST = "least"


class GradingCriteria(Part):
    """The edition of NCI CTCAE that grades are read from, and what is done where it leaves a choice."""

    edition: Setting[Text]
    baseline: Setting[GradingBaseline]
    when_facts_are_missing: Setting[GradePick]  # which of the possible grades of a laboratory value stands
    limits_come_first: Setting[bool]  # a value within its own reference range is 0, whatever absolute band holds it
    baseline_arm_above_uln: Setting[bool]  # creatinine: the rise over the baseline counts above the ULN alone


Agent = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Causality(Part):
    """What an adverse event may be attributed to; each agent is judged by itself."""

    agents: Setting[Annotated[tuple[Agent, ...], Field(min_length=1)]]


class Recipient(StrEnum):
    SPONSOR = "sponsor"
    THAI_FDA = "thai-fda"
    US_FDA = "us-fda"
    ETHICS_COMMITTEE = "ethics-committee"
    REGULATORS = "regulators"


class StartsFrom(StrEnum):
    """The instant a clock counts from."""

    SITE_AWARENESS = "site-awareness"  # the investigator or site staff know, not the event's onset
    SPONSOR_AWARENESS = "sponsor-awareness"  # the sponsor first holds a valid case
    INITIAL_REPORT = "initial-report"
    QUALIFICATION = "qualification"  # the sponsor determines that the case qualifies
    NEW_INFORMATION = "new-information"
    PREVIOUS_REPORT = "previous-report"  # of a periodic duty
    DATA_LOCK_POINT = "data-lock-point"


class AppliesWhen(StrEnum):
    """The case a clock is for. SUSAR: suspected, unexpected and serious."""

    SERIOUS = "serious"
    FATAL_OR_LIFE_THREATENING = "fatal-or-life-threatening"  # and serious
    OTHER_SERIOUS = "other-serious"
    FATAL_OR_LIFE_THREATENING_SUSAR = "fatal-or-life-threatening-susar"
    OTHER_SUSAR = "other-susar"
    EXPEDITED_REPORT_SENT = "expedited-report-sent"
    NEW_INFORMATION = "new-information"
    ANY_EVENT = "any-event"
    YEARLY = "yearly"


class Limit(Part):
    """How long a clock runs, in one unit. Calendar days count weekends and holidays."""

    hours: Count | None = None
    calendar_days: Count | None = None
    months: Count | None = None

    @model_validator(mode="after")
    def _says_one_length(self) -> Self:
        if sum(length is not None for length in (self.hours, self.calendar_days, self.months)) != 1:
            raise ValueError("a limit is given in exactly one of hours, calendar_days and months")
        return self


class ReportingClock(Part):
    """A duty to report, and by when."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    duty: Text
    to: Recipient
    limit: Limit
    starts_from: StartsFrom
    applies_when: AppliesWhen
    enabled: bool
    mark: Mark
    source: Text
    note: Text | None = None


class Reminders(Part):
    """When a duty that is not done is spoken of again: hours before it is due, and hours after (negative: before)."""

    due_soon_hours: Count
    escalate_hours: tuple[int, ...]

    @model_validator(mode="after")
    def _levels_follow_each_other(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.escalate_hours)):
            raise ValueError("levels of escalation are listed in order of time")
        return self


class ClockSteps(Part):
    """The steps of a reporting clock between its start and its end."""

    short_up_to_hours: Setting[Count]  # a clock that runs no longer is short
    short: Setting[Reminders]
    long: Setting[Reminders]
    effective_from: Setting[date | None]  # alerts raised on an earlier day, at the site, start no clocks; none: all do


class Escalation(StrEnum):
    THREE_PLUS_THREE = "3+3"
    ROLLING_SIX = "rolling-6"
    BOIN = "BOIN"


class DoseLevel(Part):
    name: Text
    dose_cells_per_kg: Annotated[Decimal, Field(gt=0)]


class Dosing(Part):
    """Dose levels, and how long their toxicity is watched. DLT: dose-limiting toxicity."""

    dose_unit: Setting[Text]
    levels: Setting[tuple[DoseLevel, ...]]
    escalation: Setting[Escalation]
    dlt_window_days: Setting[Count]  # day 0 to this day, inclusive
    stagger_first_days: Setting[Count]  # after the first participant of a cohort
    stagger_next_days: Setting[Count]
    stagger_between_levels: Setting[Text]
    evaluable_minimum_dose_percent: Setting[Annotated[Decimal, Field(gt=0, le=100)]]
    replace_not_evaluable: Setting[bool]
    total_cells_tolerance_percent: Setting[Annotated[Decimal, Field(ge=0, le=100)]]

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        doses = [level.dose_cells_per_kg for level in self.levels.value]
        if any(later <= earlier for earlier, later in pairwise(doses)):
            raise ValueError("dose levels must be listed from the lowest dose to the highest")
        return self
