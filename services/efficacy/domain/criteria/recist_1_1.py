"""RECIST_1_1: response evaluation criteria in solid tumours, version 1.1.

Sum of longest diameters, of nodes the short axis. Partial response at a fall of 30 % or more from baseline;
progression at a rise of 20 % or more **and** at least 5 mm over the smallest sum, a new lesion, or unequivocal
worsening of non-target disease. Targets measure 10 mm at baseline, nodes 15 mm in the short axis; at most five, two an
organ. Response is confirmed after 4 weeks where it is the endpoint of a trial without random allocation.

Source: Eisenhauer, Eur J Cancer 2009;45:228, sections 3.1, 4.3 and tables 1 to 3.
"""

from decimal import Decimal

from services.efficacy.domain.criteria.limits import (
    FOUR_WEEKS,
    LONGEST_DIAMETERS,
    Confirmation,
    Confirmed,
    Limit,
    MinimumSize,
    Reference,
    TargetNumber,
)
from services.efficacy.domain.criteria.percent_change import PercentChange

NAME = "RECIST_1_1"
LEAST_GROWTH_MM = Decimal(5)
MINIMUM = MinimumSize(longest_mm=Decimal(10), perpendicular_mm=Decimal(0), node_short_axis_mm=Decimal(15))
TARGETS = TargetNumber(at_most=5, at_most_per_organ=2)

RECIST_1_1 = PercentChange(
    name=NAME,
    measure=LONGEST_DIAMETERS,
    response=Limit(Decimal(30), strict=False, reference=Reference.BASELINE),
    progression=Limit(Decimal(20), strict=False, reference=Reference.NADIR, least_mm=LEAST_GROWTH_MM),
    targets=TARGETS,
    confirmation=Confirmation(Confirmed.RESPONSE_OF_SINGLE_ARM_TRIALS, FOUR_WEEKS),
    source="Eisenhauer, Eur J Cancer 2009;45:228",
    minimum=MINIMUM,
    node_normal_below_mm=Decimal(10),
    too_small_mm=Decimal(5),
    knows_non_measurable=True,
)
