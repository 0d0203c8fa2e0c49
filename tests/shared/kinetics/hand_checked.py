"""Kinetic tables worked out by hand: the samples, the settings, what must come out, and how it was computed.

Samples are written `7=12.5 14=<0.1`: at 7 the value 12.5, at 14 below the limit of 0.1. `14=<` is below an unknown
limit, `14=?` has no value. Expected values are written as they are worked out: sums of triangles and trapezoids, and
where the curve falls by the logarithm (C1 - C2) (t2 - t1) / ln(C1 / C2). What a case does not name is not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from shared.kinetics.noncompartmental import KineticRule
from shared.kinetics.points import BlqRule, CurveRule, Point
from shared.protocol import AucMethod

LINEAR, LOG_DOWN = AucMethod.LINEAR, AucMethod.LINEAR_UP_LOG_DOWN
LN2 = Decimal("0.69314718055994530941723212145818")
LN10 = Decimal("2.30258509299404568401799145468436")
LN1_5 = Decimal("0.40546510810816438197801311546435")  # ln(6/4)

Worked = Decimal | int | str | None


def points(written: str) -> list[Point]:
    found = []
    for each in written.split():
        time, _, value = each.partition("=")
        limit = Decimal(value[1:]) if value.startswith("<") and len(value) > 1 else None
        number = None if value.startswith("<") or value == "?" else Decimal(value)
        found.append(Point(Decimal(time), number, limit, below=value.startswith("<")))
    return found


def rule(
    method: AucMethod = LINEAR,
    interval: tuple[str, str] = ("0", "28"),
    *,
    before_first: str = "zero",
    between: str = "drop",
    predose_zero: bool = True,
    adjusted_r2: str = "0.8",
) -> KineticRule:
    return KineticRule(
        method,
        (Decimal(interval[0]), Decimal(interval[1])),
        CurveRule(BlqRule(before_first), BlqRule(between), predose_zero),
        lambda_z_points=3,
        lambda_z_adjusted_r2=Decimal(adjusted_r2),
    )


@dataclass(frozen=True)
class Case:
    """`expected` None: null. `reasons`: words that the reason has."""

    name: str
    samples: str
    settings: KineticRule
    expected: Mapping[str, Worked]
    reasons: Mapping[str, str] = field(default_factory=dict)


CASES = [
    # --- Linear -------------------------------------------------------------------------------------------------------
    Case(
        "linear: the interval ends between two samples",
        "7=10 14=40 21=20 30=11 60=5",
        rule(),
        {
            "cmax": "40",
            "tmax": 14,
            "clast": 5,
            "tlast": 60,
            # 10*7/2 + (10+40)/2*7 + (40+20)/2*7 + (20+11)/2*9 + (11+5)/2*30 = 35 + 175 + 210 + 139.5 + 240
            "auc_last": "799.5",
            # at 28 it is 20 - 9*7/9 = 13: 35 + 175 + 210 + (20+13)/2*7
            "auc_interval": "535.5",
        },
    ),
    Case(
        "linear: the interval begins between two samples",
        "7=10 14=40 21=20 30=11",
        rule(interval=("10", "28")),
        # at 10 it is 10 + 30*3/7 = 160/7: (160/7 + 40)/2*4 = 880/7; then 210 and 115.5
        {"auc_interval": Decimal(880) / 7 + Decimal("325.5")},
    ),
    Case(
        "linear: the interval lies between two samples",
        "0=10 10=20",
        rule(interval=("2", "4")),
        {"auc_interval": 26},  # 12 at 2, 14 at 4: 13*2
    ),
    Case("linear: the interval ends with the last sample", "7=10 28=4", rule(), {"auc_interval": 35 + 147}),
    Case(
        "linear: a fall is a straight line too",
        "7=16 14=8 21=4 28=2",
        rule(),
        {"auc_last": 56 + 84 + 42 + 21, "auc_inf": 203 + 14 / LN2, "half_life": 7},
    ),
    # --- Linear up, log down ------------------------------------------------------------------------------------------
    Case(
        "log down: halves every week",
        "7=8 14=16 21=8 28=4 35=2",
        rule(LOG_DOWN),
        {
            # up 8*7/2 + (8+16)/2*7 = 112; down (16-8)*7/ln2 + (8-4)*7/ln2 + (4-2)*7/ln2
            "auc_last": 112 + (56 + 28 + 14) / LN2,
            "auc_interval": 112 + (56 + 28) / LN2,
            "lambda_z": LN2 / 7,
            "half_life": 7,
            "lambda_z_points": 3,
            "adjusted_r2": 1,
            "auc_inf": 112 + 98 / LN2 + 2 * 7 / LN2,
        },
    ),
    Case(
        "log down: the interval ends between two samples, on the exponential",
        "7=32 21=8 35=2",
        rule(LOG_DOWN),
        {
            # 32*7/2; (32-8)*14/ln4 = 168/ln2; at 28 it is 8*(2/8)^(1/2) = 4: (8-4)*7/ln2
            "auc_interval": 112 + (168 + 28) / LN2,
            "auc_last": 112 + (168 + 42) / LN2,
        },
    ),
    Case(
        "log down: a rise that the interval cuts is linear",
        "7=4 35=32",
        rule(LOG_DOWN),
        {"auc_interval": 14 + Decimal(21) * (4 + 25) / 2},  # at 28 it is 4 + 28*21/28 = 25
    ),
    Case(
        "log down: equal values are linear",
        "7=16 14=16 21=8 28=4",
        rule(LOG_DOWN),
        {"auc_last": 56 + 112 + (56 + 28) / LN2, "tmax": 7},
    ),
    Case(
        "log down: to 0 and from 0 it is linear",
        "7=10 14=<2 21=6 28=4",
        rule(LOG_DOWN, between="zero"),
        {"auc_last": 35 + 35 + 21 + 14 / LN1_5},
    ),
    # --- Below the limit, in every place ------------------------------------------------------------------------------
    Case(
        "BLQ before the first is 0",
        "7=<1 14=10 21=20 28=10",
        rule(),
        {"auc_last": 0 + 35 + 105 + 105, "auc_interval": 245, "cmax": 20, "tmax": 21, "clast": 10, "tlast": 28},
    ),
    Case(
        "BLQ before the first is half the limit",
        "7=<1 14=10 21=20 28=10",
        rule(before_first="half-lloq"),
        {"auc_last": Decimal("1.75") + Decimal("36.75") + 210},  # 0.5*7/2, (0.5+10)/2*7
    ),
    Case(
        "BLQ before the first is left out",
        "7=<1 14=10 21=20 28=10",
        rule(before_first="drop"),
        {"auc_last": 70 + 210},
    ),
    Case(
        "BLQ before the first is left out, and nothing is taken as 0 before the infusion",
        "7=<1 14=10 21=20 28=10",
        rule(before_first="drop", predose_zero=False),
        {"auc_last": 210, "auc_interval": None},
        {"auc_interval": "nothing is known between 0 and 14"},
    ),
    Case("BLQ between is left out", "7=10 14=<2 21=6 28=4", rule(), {"auc_last": 35 + 112 + 35}),
    Case("BLQ between is 0", "7=10 14=<2 21=6 28=4", rule(between="zero"), {"auc_last": 35 + 35 + 21 + 35}),
    Case(
        "BLQ between is half the limit",
        "7=10 14=<2 21=6 28=4",
        rule(between="half-lloq"),
        {"auc_last": 35 + Decimal("38.5") + Decimal("24.5") + 35},
    ),
    Case(
        "BLQ between is half the limit, log down",
        "7=10 14=<2 21=6 28=4",
        rule(LOG_DOWN, between="half-lloq"),
        {"auc_last": 35 + 63 / LN10 + Decimal("24.5") + 14 / LN1_5},
    ),
    Case(
        "BLQ between, and its limit is not known",
        "7=10 14=< 21=6 28=4",
        rule(between="half-lloq"),
        {"auc_last": None, "auc_interval": None, "cmax": 10, "tlast": 28},
        {"auc_last": "the value at 14 is below a limit that was not given", "auc_inf": "at 14"},
    ),
    Case(
        "BLQ between of an unknown limit, outside of the interval",
        "7=10 14=6 21=< 28=4",
        rule(interval=("0", "14"), between="half-lloq"),
        {"auc_last": None, "auc_interval": 35 + 56},
    ),
    Case("BLQ between of an unknown limit is 0 all the same", "7=10 14=< 21=6", rule(between="zero"), {"auc_last": 91}),
    Case(
        "BLQ after the last is left out, of areas and of the fit",
        "7=16 14=8 21=4 28=2 35=<1 60=<1",
        rule(LOG_DOWN),
        {
            "clast": 2,
            "tlast": 28,
            "lambda_z_points": 3,
            "lambda_z": LN2 / 7,
            "auc_interval": 56 + (56 + 28 + 14) / LN2,
        },
    ),
    Case(
        "BLQ after the last, within the interval",
        "7=10 14=5 21=<1 30=<1",
        rule(),
        {"auc_last": Decimal("87.5"), "auc_interval": None, "tlast": 14},
        {"auc_interval": "the last quantifiable value is at 14, before the end at 28"},
    ),
    Case(
        "BLQ between is no point of the fit",
        "7=32 14=16 21=<1 28=4 35=2",
        rule(between="half-lloq"),
        {"lambda_z_points": 3, "lambda_z": LN2 / 7},
    ),
    Case(
        "BLQ in every place",
        "0=<1 7=<1 14=8 21=<2 28=4 30=2 60=<1",
        rule(between="half-lloq"),
        # none until 7; then 8*7/2, and (8+1)/2*7, (1+4)/2*7, (4+2)/2*2 of the trapezoids
        {"auc_last": 28 + Decimal("31.5") + Decimal("17.5") + 6, "auc_interval": 77, "lambda_z": None},
        {"lambda_z": "2 quantifiable values after Tmax, and 3 are asked"},
    ),
    Case(
        "nothing but BLQ",
        "7=<1 14=<1 21=0",
        rule(),
        dict.fromkeys(("cmax", "tmax", "clast", "tlast", "auc_last", "auc_interval", "auc_inf", "lambda_z")),
        dict.fromkeys(("cmax", "tlast", "auc_last", "auc_interval", "auc_inf", "lambda_z"), "no value is quantifiable"),
    ),
    # --- Ties ---------------------------------------------------------------------------------------------------------
    Case("ties: Tmax is the first", "7=40 14=40 21=20", rule(), {"cmax": 40, "tmax": 7}),
    Case(
        "ties: the fit is of what follows the first peak",
        "7=16 14=16 21=8 28=4",
        rule(),
        {"lambda_z": LN2 / 7, "lambda_z_points": 3},
    ),
    Case(
        "ties: of fits as good as each other that with more points",
        "1=16 2=8 3=4 4=2 5=1",
        rule(interval=("0", "5")),
        {"lambda_z": LN2, "half_life": 1, "lambda_z_points": 4, "adjusted_r2": 1},
    ),
    Case(
        "a fit with more points that is worse",
        "1=100 2=50 3=8 4=4 5=2",
        rule(interval=("0", "5")),
        {"lambda_z": LN2, "lambda_z_points": 3, "adjusted_r2": 1},
    ),
    # --- Too few ------------------------------------------------------------------------------------------------------
    Case(
        "two values after Tmax",
        "7=16 14=8 21=4",
        rule(),
        {"auc_last": 56 + 84 + 42, **dict.fromkeys(("lambda_z", "half_life", "lambda_z_points", "adjusted_r2"))},
        dict.fromkeys(("lambda_z", "half_life", "auc_inf"), "2 quantifiable values after Tmax, and 3 are asked"),
    ),
    Case("one value", "7=16", rule(), {"cmax": 16, "clast": 16, "auc_last": 56}, {"lambda_z": "0 quantifiable values"}),
    Case(
        "one value, and nothing is taken as 0 before the infusion",
        "7=16",
        rule(predose_zero=False),
        {"cmax": 16, "auc_last": None},
        {"auc_last": "one value, at 7", "auc_interval": "one value", "auc_inf": "one value", "lambda_z": "0 quantif"},
    ),
    Case("no sample", "", rule(), {"cmax": None, "auc_last": None}, {"cmax": "no value is quantifiable"}),
    # --- No terminal phase --------------------------------------------------------------------------------------------
    Case("a plateau", "7=9 14=5 21=5 28=5", rule(), {"lambda_z": None}, {"lambda_z": "do not fall"}),
    Case("a rise", "7=9 14=3 21=4 28=5", rule(), {"lambda_z": None}, {"auc_inf": "do not fall"}),
    Case(
        "a poor fit",  # ln: 2.197, 2.996, 2.079; slope -0.0084, R2 0.0140, adjusted 1 - 0.9860 * 2
        "7=100 14=9 21=20 28=8",
        rule(),
        {"lambda_z": None, "adjusted_r2": None},
        {"lambda_z": "over 3 points, has an adjusted R2 of -0.97", "half_life": "and 0.8 is asked"},
    ),
    # --- Before the infusion, and missing -----------------------------------------------------------------------------
    Case("before the infusion nothing counts", "-1=50 7=10", rule(), {"cmax": 10, "auc_last": 35}),
    Case("what was measured at 0 stands", "0=3 7=10", rule(), {"auc_last": "45.5"}),
    Case("BLQ at 0 is 0", "0=<1 7=10", rule(), {"auc_last": 35}),
    Case("BLQ at 0 is left out, and 0 is assumed", "0=<1 7=10", rule(before_first="drop"), {"auc_last": 35}),
    Case("a sample without a value", "7=10 14=? 21=6", rule(), {"auc_last": 35 + 112}),
    Case(
        "an interval that ends after the last value is not extrapolated, however good the fit",
        "0=16 7=8 14=4 21=2",
        rule(LOG_DOWN),
        # (16-2)*7/ln2, and beyond it 2*7/ln2; Phoenix and PKNCA's aucint.inf.obs would add (2-1)*7/ln2 until 28
        {"auc_interval": None, "auc_last": 98 / LN2, "auc_inf": 112 / LN2, "half_life": 7, "adjusted_r2": 1},
        {"auc_interval": "the last quantifiable value is at 21, before the end at 28"},
    ),
    Case(
        "an interval that ends where the last value was, though later ones are BLQ",
        "0=16 7=8 14=4 28=<1",
        rule(LOG_DOWN, ("0", "14")),
        {"auc_interval": 84 / LN2, "auc_last": 84 / LN2},
    ),
    Case(
        "an interval that begins after the last value",
        "7=10 14=5",
        rule(interval=("20", "28")),
        {"auc_interval": None},
        {"auc_interval": "nothing is extrapolated"},
    ),
]

# What PKNCA's own tests expect (tests/testthat: test-auc.R, test-aucint.R, test-half.life.R); BLQ is 0 there.
EXPECTED_BY_PKNCA = [
    Case("AUClast, linear", "0=0 1=1 2=1", rule(interval=("0", "2")), {"auc_last": "1.5", "auc_interval": "1.5"}),
    Case("AUClast, BLQ at the end", "0=0 1=1 2=0", rule(interval=("0", "2")), {"auc_last": "0.5"}),
    Case(
        "AUClast, linear, BLQ between is kept",
        "0=0 1=2 2=0 3=1 4=2 5=1",
        rule(interval=("0", "5"), between="zero"),
        {"auc_last": Decimal(1) + 1 + Decimal("0.5") + Decimal("1.5") + Decimal("1.5")},
    ),
    Case(
        "AUClast, lin up/log down, BLQ between is kept",
        "0=0 1=2 2=0 3=1 4=2 5=1 6=0 7=0",
        rule(LOG_DOWN, ("0", "5"), between="zero"),
        {"auc_last": Decimal(4) + 1 / LN2, "auc_interval": Decimal(4) + 1 / LN2},
    ),
    Case(
        "AUClast, linear, BLQ between is dropped",
        "0=0 1=2 2=0 3=1 4=2 5=1 6=0 7=0",
        rule(interval=("0", "5")),
        {"auc_last": 1 + 3 + Decimal("1.5") + Decimal("1.5")},
    ),
    Case(
        "AUClast, lin up/log down, BLQ between is dropped",
        "0=0 1=2 2=0 3=1 4=2 5=1 6=0 7=0",
        rule(LOG_DOWN, ("0", "5")),
        {"auc_last": Decimal("2.5") + 3 / LN2},
    ),
    Case("aucint without interpolation", "0=8 1=4 2=2 3=1", rule(LOG_DOWN, ("0", "3")), {"auc_interval": 7 / LN2}),
    Case("aucint to a sample", "0=8 1=4 2=2 3=1", rule(LOG_DOWN, ("0", "2")), {"auc_interval": 6 / LN2}),
]
HALF_LIFE_OF_PKNCA = ("0=1 1=0.5 2=0.25 3=0.1251", "1.000577")  # Tmax left out; to six decimals

# Theophylline, subject 1 (Boeckmann, Sheiner and Beal 1994; `Theoph` of R), and what PKNCA's vignette "Computing NCA
# Parameters for Theophylline" prints of it, linear up/log down, to six decimals.
THEOPHYLLINE = (
    "0=0.74 0.25=2.84 0.57=6.57 1.12=10.5 2.02=9.66 3.82=8.58 5.1=8.36 7.03=7.47 9.05=6.89 12.12=5.94 24.37=3.28"
)
PRINTED_BY_PKNCA = {
    "cmax": "10.500000",
    "tmax": "1.120000",
    "tlast": "24.370000",
    "lambda_z": "0.048457",
    "lambda_z_points": "3",
    "adjusted_r2": "0.999999",
    "half_life": "14.304378",
    "auc_inf": "214.923632",
}
UP_TO_12_PRINTED_BY_PKNCA = "92.365442"  # `auclast` of its interval 0 to 24, whose last sample is at 12.12
