"""How toxicities of CAR-T cells are graded and coded, where the published rules leave a choice."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.dose_limiting import Grade, RuleId, Terms
from shared.protocol.marked import Mark, Part, Setting, Text

TermCode = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]


class AgeCounted(StrEnum):
    """The age that picks the instrument of an ICANS episode."""

    AT_ONSET = "at-onset"  # a child who turns so old during an episode keeps its instrument
    AT_OBSERVATION = "at-observation"


# A grade, and the study days from which until which it was there. Without a first: the participant was not infused;
# without a last: it goes on.
Spell = tuple[int, int | None, int | None]


class SpecialInterest(Part):
    """A kind of adverse event that is watched apart from the others (AESI).

    `specification`: a word of what was seen, for an "Other, specify" term. `from_day` and `until_day` are study days,
    inclusive: the grade has to be there on one of them; without either, at any time, before the infusion too.
    """

    id: RuleId
    title: Text
    terms: Terms
    specification: Text | None = None
    grade_at_least: Grade
    from_day: int | None = None
    until_day: int | None = None
    serious_only: bool = False
    enabled: bool
    mark: Mark
    source: Text

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.from_day is not None and self.until_day is not None and self.until_day < self.from_day:
            raise ValueError("the window closes before it opens")
        return self

    def holds(
        self, soc: str, meddra_code: str, specification: str | None, *, serious: bool, spells: Iterable[Spell]
    ) -> bool:
        """Whether an adverse event is of this kind. What is not certainly outside the window is inside."""
        if not self.enabled or not self.terms.name(soc, meddra_code) or (self.serious_only and not serious):
            return False
        if self.specification is not None and self.specification.casefold() not in (specification or "").casefold():
            return False
        return any(grade >= self.grade_at_least and self._spans(first, last) for grade, first, last in spells)

    def _spans(self, first_day: int | None, last_day: int | None) -> bool:
        if self.from_day is None and self.until_day is None:
            return True
        if first_day is None:
            return False
        began_in_time = self.until_day is None or first_day <= self.until_day
        return began_in_time and (self.from_day is None or last_day is None or last_day >= self.from_day)


class CarTToxicity(Part):
    """Choices in grading CRS, ICANS and IEC-HS, and the CTCAE terms under which they are recorded."""

    crs_term: Setting[TermCode]
    icans_term: Setting[TermCode]  # CTCAE v5.0 has none of its own
    iec_hs_term: Setting[TermCode]  # likewise
    crs_life_threatening_fio2_percent: Setting[Annotated[Decimal, Field(gt=20, le=100)]]
    ice_from_age_years: Setting[Annotated[Decimal, Field(gt=0, le=30)]]  # from here on ICE takes the place of CAPD
    age_counted: Setting[AgeCounted]
    special_interest: tuple[SpecialInterest, ...]
