"""One participant's cytokines sample by sample, with the grade of CRS at that time beside each.

No cytokine is an input of a grade of CRS, by ASTCT or by CTCAE: the two stand side by side and nothing is read from the
one for the other. After tocilizumab IL-6 in serum rises because its receptor is blocked; such values are flagged, from
the first dose on without an end, since none is known. Where an observation tells of a drug against fever or cytokines
without its name, that is told beside the sample and flags nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.cytokine_levels import (
    AfterTocilizumab,
    Drawn,
    Peak,
    Placed,
    highest_of,
    peak_of,
    placed_series,
)
from services.projector.domain.figures import Exact, Figure, Level, level
from shared.contracts.specimen_flags import SpecimenFlag
from shared.protocol import Protocol
from shared.protocol.fold_change import Bound, FoldChange, NoFoldChange, fold_changes


@dataclass(frozen=True, slots=True)
class CrsSeen:
    """One graded observation of CRS. `until`: when its episode ended; `drug_told`: it tells of an unnamed drug."""

    observed_at: datetime
    until: datetime | None
    astct_grade: int | None
    ctcae_grade: int | None
    drug_told: bool = False


class Given(NamedTuple):
    """A drug that may change cytokines."""

    given_at: datetime
    treatment: str


class CrsBeside(Figure):
    """The last observation of CRS before the sample, in an episode that had not ended. null: not graded."""

    observed_at: datetime
    astct_grade: int | None
    ctcae_grade: int | None


class CytokineInCourse(Figure):
    """One cytokine of one sample."""

    cytokine_panel_id: UUID
    collected_at: datetime
    day: int | None = Field(description="Study day; null: not infused")
    visit: str | None = Field(description="The visit it serves; null: unscheduled, or not infused")
    platform: str
    kit: str | None
    lot: str | None
    value: Level
    fold_change: Exact | None
    bound: Bound | None
    no_fold_change: NoFoldChange | None = Field(description="Why there is none")
    after_tocilizumab: bool = Field(description="Raised by the drug, not by a worse CRS")
    after_tocilizumab_because: tuple[AfterTocilizumab, ...]
    given_before: tuple[str, ...] = Field(description="Drugs on record before the sample that may change cytokines")
    unnamed_drug_told: bool = Field(
        description="An observation before it tells of an antipyretic or anticytokine drug without its name"
    )
    specimen_flags: tuple[SpecimenFlag, ...] = Field(description="What is to be known of the sample's specimen")
    crs: CrsBeside | None = Field(description="null: no episode that had not ended was observed before the sample")


class AnalyteCourse(Figure):
    """One analyte (LBTESTCD), in order of time, and its peak by the rule of the outcome table."""

    analyte: str
    name: str
    loinc: str
    samples: tuple[CytokineInCourse, ...]
    peak: Peak | None


class CytokineCourse(Figure):
    """One participant's cytokines, with CRS beside them."""

    participant_id: UUID
    subject_number: str
    unit: str = Field(description="UCUM", examples=["pg/mL"])
    observed: Literal["at-scheduled-visits"] = "at-scheduled-visits"
    crs_grades_rest_on_cytokines: Literal[False] = Field(
        default=False, description="No cytokine is an input of a grade of CRS"
    )
    analytes: tuple[AnalyteCourse, ...]


def cytokine_course(
    protocol: Protocol,
    infused: Infused | None,
    drawn: Iterable[Drawn],
    *,
    participant_id: UUID,
    subject_number: str,
    crs: Sequence[CrsSeen],
    given: Sequence[Given],
) -> CytokineCourse:
    """`infused` None: not infused, so that there are neither study days nor fold changes."""
    told = list(drawn)
    analytes = []
    for analyte in protocol.cytokines.analytes:
        series = [each for each in told if each.measured.analyte == analyte.key]
        placed = () if infused is None else placed_series(protocol, infused, series)
        high = highest_of(protocol, placed)
        analytes.append(
            AnalyteCourse(
                analyte=analyte.key,
                name=analyte.name,
                loinc=analyte.loinc,
                samples=tuple(
                    _in_course(each, fold, where, crs, given) for each, fold, where in _told(protocol, series, placed)
                ),
                peak=None if high is None else peak_of(high),
            )
        )
    return CytokineCourse(
        participant_id=participant_id,
        subject_number=subject_number,
        unit=protocol.cytokines.unit.value,
        analytes=tuple(analytes),
    )


def _told(
    protocol: Protocol, series: Sequence[Drawn], placed: Sequence[Placed]
) -> list[tuple[Drawn, FoldChange, Placed | None]]:
    if placed:
        return [(each.drawn, each.fold, each) for each in placed]
    ordered = sorted(series, key=lambda each: (each.measured.collected_at, each.measured.panel_id))
    folds = fold_changes(protocol.cytokines, [each.measured for each in ordered], None)
    return [(each, folds[each.measured.panel_id, each.measured.analyte], None) for each in ordered]


def _in_course(
    drawn: Drawn, fold: FoldChange, where: Placed | None, crs: Sequence[CrsSeen], given: Sequence[Given]
) -> CytokineInCourse:
    measured = drawn.measured
    at = measured.collected_at
    return CytokineInCourse(
        cytokine_panel_id=measured.panel_id,
        collected_at=at,
        day=None if where is None else where.moment.day,
        visit=None if where is None or where.visit is None else where.visit.code,
        platform=measured.platform,
        kit=measured.kit,
        lot=measured.lot,
        value=level(drawn.value),
        fold_change=fold.ratio,
        bound=fold.bound,
        no_fold_change=fold.missing,
        after_tocilizumab=drawn.is_after_tocilizumab,
        after_tocilizumab_because=drawn.after_tocilizumab,
        given_before=tuple(dict.fromkeys(each.treatment for each in given if each.given_at <= at)),
        unnamed_drug_told=any(each.drug_told for each in crs if each.observed_at <= at),
        specimen_flags=drawn.specimen_flags,
        crs=crs_beside(crs, at),
    )


def crs_beside(crs: Iterable[CrsSeen], at: datetime) -> CrsBeside | None:
    """What was last seen of a CRS that had not ended."""
    before = [each for each in crs if each.observed_at <= at and (each.until is None or at <= each.until)]
    last = max(before, key=lambda each: each.observed_at, default=None)
    if last is None:
        return None
    return CrsBeside(observed_at=last.observed_at, astct_grade=last.astct_grade, ctcae_grade=last.ctcae_grade)
