"""Fold change of a cytokine over the sample before the infusion: one rule for all who show it.

A fold change rests on facts that arrive in any order: the infusion may be recorded after the first samples, a
baseline may come late from the freezer, and any of them may be corrected. It is therefore no event but a pure
function of what stands on record now, so the order of arrival cannot matter and nothing has to be taken back.
The biomarkers service shows it beside a panel, the projector tabulates it; neither imports the other.

Baseline: the last valid sample before the infusion in which the cytokine was measured, of the same platform. Only
samples that stand are given here: what was cancelled is neither a value nor a baseline.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from uuid import UUID

from shared.protocol.biomarkers import BelowLimit, Cytokines

RATIO = Context(prec=6)  # more digits than any immunoassay has
STANDS_FOR = {BelowLimit.LLOQ: Decimal(1), BelowLimit.HALF_LLOQ: Decimal("0.5")}


class Bound(StrEnum):
    """What a fold change says when one of its two values lies beyond a limit of quantification."""

    AT_LEAST = "at-least"
    AT_MOST = "at-most"


class NoFoldChange(StrEnum):
    """Why there is no fold change."""

    INFUSION_UNKNOWN = "infusion-unknown"
    BEFORE_INFUSION = "before-infusion"
    NO_BASELINE = "no-baseline"
    OTHER_PLATFORM = "other-platform"  # there is a baseline, of another platform: the two do not compare
    UNDETERMINED = "undetermined"  # both values lie beyond limits, so the ratio may be anything
    EXCLUDED = "excluded"  # the protocol gives no number for a value below the limit


@dataclass(frozen=True, slots=True)
class Measured:
    """One cytokine of one sample, in any one unit.

    Either `value`, or a `qualifier`: `<` below `lloq`, `>` above `uloq`. What was not measured is not given.
    """

    panel_id: UUID
    analyte: str
    collected_at: datetime
    platform: str
    value: Decimal | None
    qualifier: str | None = None
    lloq: Decimal | None = None
    uloq: Decimal | None = None
    kit: str | None = None
    lot: str | None = None
    specimen: str | None = None


@dataclass(frozen=True, slots=True)
class FoldChange:
    """The fold change of one cytokine in one sample, or why there is none.

    `differs` names what besides the platform is not as it was at the baseline: kit, lot or kind of specimen.
    """

    panel_id: UUID
    analyte: str
    baseline_id: UUID | None = None
    ratio: Decimal | None = None
    bound: Bound | None = None
    missing: NoFoldChange | None = None
    differs: tuple[str, ...] = ()


def fold_changes(
    cytokines: Cytokines, measured: Iterable[Measured], infused_at: datetime | None
) -> dict[tuple[UUID, str], FoldChange]:
    """The fold change of every cytokine of one participant's samples, by panel and analyte."""
    by_analyte: Mapping[str, list[Measured]] = defaultdict(list)
    for each in measured:
        by_analyte[each.analyte].append(each)
    return {
        (sample.panel_id, analyte): _of(cytokines, sample, series, infused_at)
        for analyte, series in by_analyte.items()
        for sample in series
    }


def _of(cytokines: Cytokines, sample: Measured, series: Sequence[Measured], infused_at: datetime | None) -> FoldChange:
    fold = FoldChange(sample.panel_id, sample.analyte)
    if infused_at is None:
        return replace(fold, missing=NoFoldChange.INFUSION_UNKNOWN)
    if sample.collected_at < infused_at:
        return replace(fold, missing=NoFoldChange.BEFORE_INFUSION)
    before = [each for each in series if each.collected_at < infused_at]
    comparable = [each for each in before if _compares(cytokines, each, sample)]
    if not comparable:
        return replace(fold, missing=NoFoldChange.OTHER_PLATFORM if before else NoFoldChange.NO_BASELINE)
    # Of two samples of one instant the id decides, so that the answer never depends on which came first.
    baseline = max(comparable, key=lambda each: (each.collected_at, each.panel_id))
    return _over(cytokines, replace(fold, baseline_id=baseline.panel_id), sample, baseline)


def _compares(cytokines: Cytokines, baseline: Measured, sample: Measured) -> bool:
    return not cytokines.same_platform_for_fold.value or baseline.platform == sample.platform


def _over(cytokines: Cytokines, fold: FoldChange, sample: Measured, baseline: Measured) -> FoldChange:
    """Value over baseline.

    A baseline below the limit is taken as the LLOQ: the fold change is at least that. A value below the limit
    is taken as half the LLOQ: at most that. Above the ULOQ, the ULOQ is taken, and the bounds are the other way
    round. Both stand-ins below the limit are settings of the protocol, marked [D].
    """
    bounds = {_bound(sample.qualifier, Bound.AT_MOST, Bound.AT_LEAST)}
    bounds |= {_bound(baseline.qualifier, Bound.AT_LEAST, Bound.AT_MOST)}
    bounds.discard(None)
    if len(bounds) > 1:
        return replace(fold, missing=NoFoldChange.UNDETERMINED)
    numerator = _number(sample, cytokines.fold_value_below_lloq.value)
    denominator = _number(baseline, cytokines.fold_baseline_below_lloq.value)
    if numerator is None or not denominator:
        return replace(fold, missing=NoFoldChange.EXCLUDED)
    return replace(
        fold,
        ratio=RATIO.divide(numerator, denominator),
        bound=next(iter(bounds), None),
        differs=_differences(sample, baseline),
    )


def _number(measured: Measured, below: BelowLimit) -> Decimal | None:
    match measured.qualifier:
        case None:
            return measured.value
        case "<":
            share = STANDS_FOR.get(below)
            return None if share is None or measured.lloq is None else measured.lloq * share
        case _:
            return measured.uloq


def _bound(qualifier: str | None, below: Bound, above: Bound) -> Bound | None:
    return None if qualifier is None else below if qualifier == "<" else above


def _differences(sample: Measured, baseline: Measured) -> tuple[str, ...]:
    return tuple(name for name in ("kit", "lot", "specimen") if getattr(sample, name) != getattr(baseline, name))
