"""Which toxicity limits the dose, and when the trial stops to think. DLT: dose-limiting toxicity."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Mark, Part, Text
from shared.protocol.safety import Agent, Count

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
MeddraCode = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]
Grade = Annotated[int, Field(ge=1, le=5)]
Probability = Annotated[Decimal, Field(gt=0, lt=1)]


class Watched(StrEnum):
    """What a rule looks at: CTCAE grades of adverse events, or ASTCT grades of an episode."""

    ADVERSE_EVENT = "adverse-event"
    CRS = "crs"
    ICANS = "icans"


class Terms(Part):
    """Terms of CTCAE, by system organ class and by code. A term is meant if either names it."""

    socs: tuple[Text, ...] = ()
    meddra_codes: tuple[MeddraCode, ...] = ()

    def name(self, soc: str, meddra_code: str) -> bool:
        return soc in self.socs or meddra_code in self.meddra_codes


class DoseLimitingRule(Part):
    """A toxicity that limits the dose: a grade reached within the window, and how long it lasts.

    `terms` None: any. `except_terms` are left out, `related_to` asks for a reasonable possibility that this agent
    caused it (an agent nobody has judged yet counts as related).
    `beyond_hours`: the grade has to last longer. `beyond_day`: it has to be there still after that study day.
    """

    id: RuleId
    title: Text
    watches: Watched
    grade_at_least: Grade
    terms: Terms | None = None
    except_terms: Terms | None = None
    related_to: Agent | None = None
    beyond_hours: Count | None = None
    beyond_day: Count | None = None
    enabled: bool
    mark: Mark
    source: Text

    @model_validator(mode="after")
    def _asks_what_an_episode_has(self) -> Self:
        asked = (self.terms, self.except_terms, self.related_to)
        if self.watches is not Watched.ADVERSE_EVENT and asked != (None, None, None):
            raise ValueError("terms and causality belong to adverse events: an episode has neither")
        return self


class Exclusion(Part):
    """What never limits the dose, up to and with a grade.

    `until_day`: only if it is over by the end of that study day. `corrected_within_hours`: only if it is over so soon.
    """

    id: RuleId
    title: Text
    terms: Terms
    grade_at_most: Grade
    until_day: Count | None = None
    corrected_within_hours: Count | None = None
    enabled: bool
    mark: Mark
    source: Text


class DoseLimiting(Part):
    """The rules that propose a DLT; a safety officer decides. The window is `dosing.dlt_window_days`."""

    rules: tuple[DoseLimitingRule, ...]
    exclusions: tuple[Exclusion, ...]


class Counted(StrEnum):
    """Whom a stopping rule counts, among whom."""

    DOSE_LIMITING_TOXICITY = "dose-limiting-toxicity"  # confirmed; among those evaluable for it
    ADVERSE_EVENT = "adverse-event"  # after the infusion; among those infused


class CountedEvent(Part):
    """The adverse events that a stopping rule counts. `terms` None: any; `related_to` as in a rule for DLT."""

    grade_at_least: Grade
    terms: Terms | None = None
    related_to: Agent | None = None


class BetaBinomial(Part):
    """Stop where the posterior probability that the true rate exceeds `target` is above `certainty`.

    The prior of the rate is Beta(a, b). Below `minimum` participants the rule says nothing.
    """

    target: Probability
    certainty: Probability
    prior_a: Annotated[Decimal, Field(gt=0)]
    prior_b: Annotated[Decimal, Field(gt=0)]
    minimum: Count


class StoppingRule(Part):
    """When dosing halts until the safety committee has reviewed. Without `boundary`: at the first event."""

    id: RuleId
    title: Text
    counts: Counted
    event: CountedEvent | None = None  # if and only if adverse events are counted
    boundary: BetaBinomial | None
    enabled: bool
    mark: Mark
    source: Text

    @model_validator(mode="after")
    def _says_what_it_counts(self) -> Self:
        if (self.counts is Counted.ADVERSE_EVENT) != (self.event is not None):
            raise ValueError("a rule that counts adverse events says which in `event`; another has none")
        return self


class Stopping(Part):
    """The stopping rules."""

    rules: tuple[StoppingRule, ...]
