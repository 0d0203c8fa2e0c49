"""WHO_1979: the handbook for reporting results of cancer treatment.

Sum of products of the two diameters. Partial response at a fall of 50 % or more from baseline; progression at a rise
of 25 % or more of any one lesion over its own smallest size, or a new lesion. No minimum size, no number of targets,
response confirmed after 4 weeks. Not in the handbook, and as custom has it: the smallest size as reference, 5 mm
for a lesion too small to measure, and a node below 10 mm in its short axis as no obstacle to a complete response.

Source: WHO Handbook for Reporting Results of Cancer Treatment, Offset Publication 48, Geneva 1979; Miller, Cancer
1981;47:207.
"""

from decimal import Decimal

from services.efficacy.domain.criteria.limits import (
    FOUR_WEEKS,
    PRODUCT_OF_DIAMETERS,
    Confirmation,
    Confirmed,
    Limit,
    Reference,
    TargetNumber,
)
from services.efficacy.domain.criteria.percent_change import PercentChange

NAME = "WHO_1979"

WHO_1979 = PercentChange(
    name=NAME,
    measure=PRODUCT_OF_DIAMETERS,
    response=Limit(Decimal(50), strict=False, reference=Reference.BASELINE),
    progression=Limit(Decimal(25), strict=False, reference=Reference.NADIR),
    targets=TargetNumber(),
    confirmation=Confirmation(Confirmed.RESPONSE, FOUR_WEEKS),
    source="WHO Offset Publication 48, Geneva 1979; Miller, Cancer 1981;47:207",
    each_lesion=True,
    node_normal_below_mm=Decimal(10),
    too_small_mm=Decimal(5),
)
