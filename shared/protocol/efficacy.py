"""How tumour response is judged."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.protocol.marked import Part, Setting, Text

Percent = Annotated[Decimal, Field(gt=0, le=1000)]
Millimetres = Annotated[Decimal, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=0)]


class TumourMeasure(StrEnum):
    """What is taken of a target lesion's longest diameter and its perpendicular, then added over lesions."""

    SUM_OF_DIAMETERS = "sum-of-diameters"
    PRODUCT_OF_DIAMETERS = "product-of-diameters"


class Reference(StrEnum):
    BASELINE = "baseline"
    NADIR = "nadir"  # the smallest so far, the baseline included


class Denominator(StrEnum):
    INFUSED = "infused"
    RESPONSE_EVALUABLE = "response-evaluable"


class CriteriaOfDiagnoses(Part):
    """Sets of response criteria for some kinds of tumour, by the diagnosis recorded at screening."""

    diagnoses: tuple[Text, ...]
    criteria: tuple[Text, ...]


class ResponseCriteria(Part):
    """The response criteria and their parameters. Progression is tested before response.

    `criteria` decide, unless `criteria_by_diagnosis` names one set for the diagnosis. `supportive` are computed beside
    them for everybody, `supportive_by_diagnosis` for some.
    """

    criteria: Setting[Text]
    criteria_by_diagnosis: Setting[Mapping[Text, Text]]
    supportive: Setting[tuple[Text, ...]]
    supportive_by_diagnosis: Setting[tuple[CriteriaOfDiagnoses, ...]]
    measure: Setting[TumourMeasure]
    pr_decrease_percent: Setting[Percent]
    pr_strict: Setting[bool]
    pr_reference: Setting[Reference]
    pd_increase_percent: Setting[Percent]
    pd_strict: Setting[bool]
    pd_reference: Setting[Reference]
    maximum_targets: Setting[Count]
    maximum_targets_per_organ: Setting[Count]
    minimum_size_mm: Setting[Millimetres]  # of both axes
    node_normal_below_mm: Setting[Millimetres]  # of the short axis
    too_small_mm: Setting[Millimetres]
    new_lesion_is_progression: Setting[bool]
    non_target_progression_is_progression: Setting[bool]
    confirmation: Setting[bool]
    confirmation_minimum_days: Setting[Days]
    sd_minimum_days: Setting[Days]
    denominators: Setting[tuple[Denominator, ...]]
