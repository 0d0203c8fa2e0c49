"""SEED_SPD: the trial's limits on sums of products, because its 25 and 50 % are those of bidimensional products.

Everything but the measure is as in SEED_V1. For uniform change a fall of 50 % of the sum is one of 75 % of the
product, so the two sets differ; which one the trial means is for its sponsor to say.

Source: NCT06612645, outcome "overall response rate", read as WHO 1979 and RANO measure.
"""

from dataclasses import replace

from services.efficacy.domain.criteria import seed_v1
from services.efficacy.domain.criteria.limits import PRODUCT_OF_DIAMETERS
from services.efficacy.domain.criteria.percent_change import PercentChange
from shared.protocol import ResponseCriteria

NAME = "SEED_SPD"


def engine(settings: ResponseCriteria) -> PercentChange:
    """The criteria with the protocol's parameters, measured by products."""
    return replace(seed_v1.engine(settings), name=NAME, measure=PRODUCT_OF_DIAMETERS)
