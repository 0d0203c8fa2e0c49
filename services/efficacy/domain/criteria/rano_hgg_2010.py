"""RANO_HGG_2010: response assessment in neuro-oncology, high-grade glioma.

Sum of products of enhancing lesions in axial planes. Partial response at a fall of 50 % or more from baseline,
progression at a rise of 25 % or more over the smallest sum, a new lesion, worse T2/FLAIR or clinical state. A complete
or partial response needs T2/FLAIR and clinical state stable or better, a complete one no steroids, a partial one no
more than at baseline. Targets measure 10 mm in both axes, two to five of them; response is confirmed after 4
weeks. Disease that was never measurable has stable disease at best, which this set calls not evaluable, even where it
is gone. Enhancement within 12 weeks of radiotherapy may be pseudoprogression, which no diameter tells.

Source: Wen, J Clin Oncol 2010;28:1963; limits, targets and size checked in PMC7968800 table 2 and PMC6499019 table 2;
that what was never measurable cannot be complete, in PMC6655498 table 1.
"""

from decimal import Decimal

from services.efficacy.domain.criteria.limits import (
    FOUR_WEEKS,
    PRODUCT_OF_DIAMETERS,
    Confirmation,
    Confirmed,
    Limit,
    MinimumSize,
    Reference,
    TargetNumber,
)
from services.efficacy.domain.criteria.neuro_oncology import NeuroOncology
from services.efficacy.domain.criteria.percent_change import PercentChange

NAME = "RANO_HGG_2010"
MINIMUM = MinimumSize(longest_mm=Decimal(10), perpendicular_mm=Decimal(10), node_short_axis_mm=Decimal(0))

RANO_HGG_2010 = NeuroOncology(
    PercentChange(
        name=NAME,
        measure=PRODUCT_OF_DIAMETERS,
        response=Limit(Decimal(50), strict=False, reference=Reference.BASELINE),
        progression=Limit(Decimal(25), strict=False, reference=Reference.NADIR),
        targets=TargetNumber(at_most=5),
        confirmation=Confirmation(Confirmed.RESPONSE, FOUR_WEEKS),
        source="Wen, J Clin Oncol 2010;28:1963",
        covers_nodes=False,
        minimum=MINIMUM,
        node_normal_below_mm=Decimal(10),
        too_small_mm=Decimal(5),
        non_measurable_can_be_complete=False,
    )
)
