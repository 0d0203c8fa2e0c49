"""SEED_V1: the response rule as the trial's own text says it, with what the text leaves open as settings.

Per target lesion the sum of the longest diameter and its perpendicular, added over the targets; partial response
strictly more than 50 % below baseline, progression strictly more than 25 % above the nadir, complete response when
no evaluable or measurable disease is left. The limits, references, sizes and defaults are the protocol's.

Source: NCT06612645, outcome "overall response rate"; what it leaves open is marked D in the protocol file.
"""

from services.efficacy.domain.criteria.limits import (
    PRODUCT_OF_DIAMETERS,
    SUM_OF_DIAMETERS,
    Confirmation,
    Confirmed,
    Limit,
    Reference,
    TargetNumber,
)
from services.efficacy.domain.criteria.percent_change import PercentChange
from shared.protocol import ResponseCriteria, TumourMeasure

NAME = "SEED_V1"
MEASURES = {
    TumourMeasure.SUM_OF_DIAMETERS: SUM_OF_DIAMETERS,
    TumourMeasure.PRODUCT_OF_DIAMETERS: PRODUCT_OF_DIAMETERS,
}


def engine(settings: ResponseCriteria) -> PercentChange:
    """The criteria with the protocol's parameters."""
    return PercentChange(
        name=NAME,
        measure=MEASURES[settings.measure.value],
        response=Limit(
            settings.pr_decrease_percent.value,
            strict=settings.pr_strict.value,
            reference=Reference(settings.pr_reference.value),
        ),
        progression=Limit(
            settings.pd_increase_percent.value,
            strict=settings.pd_strict.value,
            reference=Reference(settings.pd_reference.value),
        ),
        targets=TargetNumber(settings.maximum_targets.value, settings.maximum_targets_per_organ.value),
        confirmation=Confirmation(Confirmed.AS_THE_PROTOCOL_SETS, settings.confirmation_minimum_days.value),
        source="NCT06612645",
        node_normal_below_mm=settings.node_normal_below_mm.value,
        too_small_mm=settings.too_small_mm.value,
        new_lesion_is_progression=settings.new_lesion_is_progression.value,
        non_target_progression_is_progression=settings.non_target_progression_is_progression.value,
    )
