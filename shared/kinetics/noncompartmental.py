"""Non-compartmental kinetics of one curve: what can be had of it, and of everything else why not.

Cmax is the highest quantified value at its actual time, Tmax, the first if tied; Clast and Tlast are those of the last
one. AUClast runs from the infusion (or the first value that is known) to Tlast; AUC to infinity adds Clast / lambda z.
The half-life is ln 2 / lambda z, which is reported only where its adjusted R2 is high enough.

What was observed is told as it was sent; what follows is worked out in decimals of 50 digits and rounded once, half to
even, to 15 significant ones. CDISC: CMAX C70918, TMAX C70919, CLST C85655, TLST C85822, AUCLST C85565, AUCINT C85566,
LAMZ C85652, LAMZHL C85818.
Source: tisagenlecleucel reporting (Blood Adv 2020;4:560) for the set of parameters; see `areas` and `terminal`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from types import MappingProxyType

from shared.kinetics.areas import Area, area
from shared.kinetics.points import BlqRule, Course, CurveRule, Node, Point, Quantified, course_of
from shared.kinetics.terminal import Fit, best_fit
from shared.protocol import AucMethod, Protocol

WORKING = Context(prec=50, rounding=ROUND_HALF_EVEN)
SHOWN = Context(prec=15, rounding=ROUND_HALF_EVEN)

NOTHING_QUANTIFIED = "no value is quantifiable"


@dataclass(frozen=True, slots=True)
class KineticRule:
    """The settings of an analysis. The interval is in the unit of time of the points."""

    auc_method: AucMethod
    interval: tuple[Decimal, Decimal]
    blq: CurveRule
    lambda_z_points: int
    lambda_z_adjusted_r2: Decimal

    @classmethod
    def of(cls, protocol: Protocol) -> "KineticRule":
        """As the protocol has it; times are days."""
        below, kinetics = protocol.persistence.below_lloq, protocol.persistence.kinetics
        return cls(
            auc_method=kinetics.auc_method.value,
            interval=(Decimal(kinetics.interval_from_day.value), Decimal(kinetics.interval_until_day.value)),
            blq=CurveRule(
                before_first=BlqRule.of(below.before_first.value),
                between=BlqRule.of(below.between.value),
                predose_zero=kinetics.predose_zero.value,
            ),
            lambda_z_points=kinetics.lambda_z_minimum_points.value,
            lambda_z_adjusted_r2=kinetics.lambda_z_minimum_adjusted_r2.value,
        )


@dataclass(frozen=True, slots=True)
class Kinetics:
    """The parameters of one curve. None: it cannot be had, and `missing` says why, by the name of the parameter."""

    cmax: Decimal | None
    tmax: Decimal | None
    clast: Decimal | None
    tlast: Decimal | None
    auc_last: Decimal | None
    auc_interval: Decimal | None
    auc_inf: Decimal | None
    lambda_z: Decimal | None
    half_life: Decimal | None
    lambda_z_points: int | None
    adjusted_r2: Decimal | None
    missing: Mapping[str, str]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Terminal:
    """The fit that is reported, or why there is none."""

    fit: Fit | None
    why_not: str = ""


def kinetics(points: Iterable[Point], rule: KineticRule) -> Kinetics:
    """What one participant's values after one infusion amount to.

    Raises:
        TwoValuesAtOneTime: two points of one time do not say the same.
    """
    with localcontext(WORKING):
        return _kinetics(course_of(points), rule)


def _kinetics(course: Course, rule: KineticRule) -> Kinetics:
    quantified = course.quantified
    curve = course.curve(rule.blq)
    peak = max(quantified, key=lambda each: (each.value, -each.time), default=None)
    last = quantified[-1] if quantified else None
    terminal = _terminal(quantified, peak, rule)
    to_last = _area(curve, rule.auc_method, None)
    within = _area(curve, rule.auc_method, rule.interval)
    to_infinity = _to_infinity(to_last, last, terminal)
    fit = terminal.fit
    reasons = {
        **dict.fromkeys(("cmax", "tmax", "clast", "tlast"), "" if quantified else NOTHING_QUANTIFIED),
        "auc_last": to_last.why_not,
        "auc_interval": within.why_not,
        "auc_inf": to_infinity.why_not,
        **dict.fromkeys(("lambda_z", "half_life", "lambda_z_points", "adjusted_r2"), terminal.why_not),
    }
    return Kinetics(
        cmax=None if peak is None else peak.value,
        tmax=None if peak is None else peak.time,
        clast=None if last is None else last.value,
        tlast=None if last is None else last.time,
        auc_last=_shown(to_last.value),
        auc_interval=_shown(within.value),
        auc_inf=_shown(to_infinity.value),
        lambda_z=None if fit is None else _shown(fit.rate),
        half_life=None if fit is None else _shown(Decimal(2).ln() / fit.rate),
        lambda_z_points=None if fit is None else fit.points,
        adjusted_r2=None if fit is None else _shown(fit.adjusted_r2),
        missing=MappingProxyType({name: why for name, why in reasons.items() if why}),
        remarks=tuple(_remarks(course, curve, rule, fit)),
    )


def _shown(value: Decimal | None) -> Decimal | None:
    return None if value is None else SHOWN.plus(value)


def _area(curve: tuple[Node, ...], method: AucMethod, interval: tuple[Decimal, Decimal] | None) -> Area:
    if not curve:
        return Area(None, NOTHING_QUANTIFIED)
    if len(curve) == 1:
        return Area(None, f"the curve is one value, at {curve[0].time:f}, and has no area")
    start, end = interval or (curve[0].time, curve[-1].time)
    return area(curve, method, start, end)


def _terminal(quantified: tuple[Quantified, ...], peak: Quantified | None, rule: KineticRule) -> _Terminal:
    if peak is None:
        return _Terminal(None, NOTHING_QUANTIFIED)
    after = [each for each in quantified if each.time > peak.time]
    if len(after) < rule.lambda_z_points:
        found = f"{len(after)} quantifiable value{'' if len(after) == 1 else 's'} after Tmax"
        return _Terminal(None, f"{found}, and {rule.lambda_z_points} are asked")
    fit = best_fit(after, rule.lambda_z_points)
    if fit is None:
        return _Terminal(None, "the values after Tmax do not fall")
    if fit.adjusted_r2 < rule.lambda_z_adjusted_r2:
        reached = f"the best fit, over {fit.points} points, has an adjusted R2 of {fit.adjusted_r2:.4f}"
        return _Terminal(None, f"{reached}, and {rule.lambda_z_adjusted_r2:f} is asked")
    return _Terminal(fit)


def _to_infinity(to_last: Area, last: Quantified | None, terminal: _Terminal) -> Area:
    if to_last.value is None or last is None:
        return Area(None, to_last.why_not)
    if terminal.fit is None:
        return Area(None, terminal.why_not)
    return Area(to_last.value + last.value / terminal.fit.rate)


def _remarks(course: Course, curve: tuple[Node, ...], rule: KineticRule, fit: Fit | None) -> Iterator[str]:
    if fit is not None:
        yield f"Lambda z is that of {fit.points} points from {fit.first:f} to {fit.last:f}."
    if curve:
        start = "0, taken as 0 before the infusion," if _begins_with_none(course, curve) else f"{curve[0].time:f}"
        yield f"The curve runs from {start} to {curve[-1].time:f}; areas are by {rule.auc_method}."
        places = zip(
            course.blq(course.quantified[0].time, curve[-1].time),
            ("before the first quantifiable one", "between quantifiable ones", "after the last quantifiable one"),
            (rule.blq.before_first, rule.blq.between, BlqRule.DROP),
            strict=True,
        )
        for count, place, stands in places:
            if count:
                yield f"Below the limit {place}: {count}, {_STANDS[stands]}."
    if course.missing:
        yield f"Without a value: {course.missing}, left out."
    if course.before_infusion:
        yield f"Before the infusion: {course.before_infusion}, left out."


_STANDS = {BlqRule.ZERO: "taken as 0", BlqRule.HALF_LLOQ: "taken as half the LLOQ", BlqRule.DROP: "left out"}


def _begins_with_none(course: Course, curve: tuple[Node, ...]) -> bool:
    """Whether the curve begins with a 0 that nobody measured."""
    return curve[0] == Node(Decimal(0), Decimal(0)) and all(point.time > 0 for point in course.points)
