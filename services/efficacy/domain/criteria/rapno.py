"""RAPNO: response assessment in paediatric neuro-oncology, one set per kind of tumour.

| set | partial response | minor response | progression |
|---|---|---|---|
| RAPNO_HGG, high-grade glioma | fall of 50 % or more | - | rise of 25 % or more over the smallest |
| RAPNO_LGG, low-grade glioma | fall of 50 % or more | fall of 25 to 49 % | the same |
| RAPNO_DIPG, diffuse intrinsic pontine glioma | fall of 25 % or more | - | the same |
| RAPNO_MEDULLOBLASTOMA | fall of 50 % or more | - | the same |

All of them on sums of products, with T2/FLAIR, clinical state and steroids as in RANO, 10 mm in each plane, confirmed
after 4 to 8 weeks. High-grade glioma has up to three targets, low-grade glioma up to five; for the other two no number
was found, and none is set. The minor response is general knowledge, unchecked.

Source: RAPNO working group: Erker, Lancet Oncol 2020;21:e317 (HGG); Fangusaro, 2020;21:e305 (LGG); Cooney, 2020;21:e330
(DIPG); Warren, Neuro Oncol 2018;20:13 (medulloblastoma).
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
from services.efficacy.domain.criteria.neuro_oncology import NeuroOncology
from services.efficacy.domain.criteria.percent_change import PercentChange
from services.efficacy.domain.criteria.rano_hgg_2010 import MINIMUM


def _set(
    name: str, source: str, *, response: int, targets: int | None = None, minor: int | None = None
) -> NeuroOncology:
    def fall(percent: int) -> Limit:
        return Limit(Decimal(percent), strict=False, reference=Reference.BASELINE)

    return NeuroOncology(
        PercentChange(
            name=name,
            measure=PRODUCT_OF_DIAMETERS,
            response=fall(response),
            minor_response=None if minor is None else fall(minor),
            progression=Limit(Decimal(25), strict=False, reference=Reference.NADIR),
            targets=TargetNumber(at_most=targets),
            confirmation=Confirmation(Confirmed.RESPONSE, FOUR_WEEKS),
            source=source,
            covers_nodes=False,
            minimum=MINIMUM,
            node_normal_below_mm=Decimal(10),
            too_small_mm=Decimal(5),
        )
    )


RAPNO = (
    _set("RAPNO_HGG", "Erker, Lancet Oncol 2020;21:e317", response=50, targets=3),
    _set("RAPNO_LGG", "Fangusaro, Lancet Oncol 2020;21:e305", response=50, targets=5, minor=25),
    _set("RAPNO_DIPG", "Cooney, Lancet Oncol 2020;21:e330", response=25),
    _set("RAPNO_MEDULLOBLASTOMA", "Warren, Neuro Oncol 2018;20:13", response=50),
)
