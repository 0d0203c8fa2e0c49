"""Median and geometric mean of measurements of which some lie beyond a limit of quantification.

Nothing is put in the place of such a value. Below limits the distribution is Kaplan and Meier's, read from the highest
value down (left-censored data); above limits it is the same, mirrored. What it leaves below the lowest quantified
value lies somewhere below the limits there, so a statistic that rests on it is a bound and says so: `<`.

Source: Helsel 2012, Statistics for Censored Environmental Data Using Minitab and R, chapters 6 and 9 (R: NADA, cenfit).
Efron's rule, by which NADA takes the lowest censored value as if it were quantified, is not followed: it would hide
that the value is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from typing import Literal, NamedTuple

Side = Literal["<", ">"]

SIX_DIGITS = Context(prec=6)  # more than any immunoassay has
_EXACT = Context(prec=40)
HALF = Fraction(1, 2)


class Method(StrEnum):
    """How values beyond a limit were dealt with."""

    PLAIN = "plain"  # there were none
    KAPLAN_MEIER = "kaplan-meier"
    ORDERING = "ordering"  # every `<` ranks below every number, every `>` above it


class NoEstimate(StrEnum):
    """Why there is no estimate."""

    NOTHING_MEASURED = "nothing-measured"
    LIMIT_UNKNOWN = "limit-unknown"  # a value beyond a limit that nobody told
    CENSORED_ON_BOTH_SIDES = "censored-on-both-sides"  # Kaplan-Meier reads one side
    NOT_POSITIVE = "not-positive"  # a geometric mean is of positive numbers


class Measurement(NamedTuple):
    """A number, or the limit that a value lies beyond: `<` a lower, `>` an upper one. A limit may be unknown (None)."""

    number: Decimal | None
    beyond: Side | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic in the unit of its measurements. `beyond`: it lies below, or above, `number`."""

    method: Method
    number: Decimal | None = None
    beyond: Side | None = None
    missing: NoEstimate | None = None


class Atom(NamedTuple):
    """A part of the distribution. `bound`: it lies below `number`, nobody knows where."""

    number: Decimal
    bound: bool
    mass: Fraction


def median(measured: Iterable[Measurement]) -> Estimate:
    """Between two numbers their middle; between a bound and a number it lies below the middle of the two."""
    told = sorted(measured, key=_order)
    method, side = _method(told), _side(told)
    if missing := _missing(told):
        return Estimate(method, missing=missing)
    low, high = _middle(distribution(told))
    number = low.number if low == high else (low.number + high.number) / 2
    # Read from the other end where limits are upper ones.
    return Estimate(method, -number if side == ">" else number, side if low.bound or high.bound else None)


def geometric_mean(measured: Iterable[Measurement]) -> Estimate:
    """Six significant digits. Where Kaplan-Meier leaves something below a limit it lies below what is given."""
    told = sorted(measured, key=_order)
    method, side = _method(told), _side(told)
    if missing := _missing(told):
        return Estimate(method, missing=missing)
    if any(each.number is not None and each.number <= 0 for each in told):
        return Estimate(method, missing=NoEstimate.NOT_POSITIVE)
    logarithm = Decimal(0)
    atoms = distribution(told)
    for atom in atoms:
        part = _EXACT.multiply(_EXACT.ln(abs(atom.number)), Decimal(atom.mass.numerator))
        logarithm = _EXACT.add(logarithm, _EXACT.divide(part, Decimal(atom.mass.denominator)))
    number = _plain(SIX_DIGITS.plus(_EXACT.exp(logarithm)))
    return Estimate(method, number, side if any(atom.bound for atom in atoms) else None)


def distribution(told: Sequence[Measurement]) -> list[Atom]:
    """The product-limit estimate, from the lowest atom on; of upper limits, of the numbers with their signs turned.

    Exact. A value of the size of a limit lies above it. What is left below the lowest quantified value is shared by
    the values that lie below the limits there.
    """
    sign = -1 if _side(told) == ">" else 1
    known = [(sign * each.number, each.beyond is not None) for each in told if each.number is not None]
    quantified = Counter(number for number, beyond in known if not beyond)
    left, atoms = Fraction(1), []
    for number in sorted(quantified, reverse=True):
        at_risk = sum(other <= number for other, _ in known)
        mass = left * Fraction(quantified[number], at_risk)
        atoms.append(Atom(number, bound=False, mass=mass))
        left -= mass
    lowest = min(quantified, default=None)
    below = [number for number, beyond in known if beyond and (lowest is None or number <= lowest)]
    atoms += [Atom(number, bound=True, mass=left / len(below)) for number in below]
    return sorted(atoms, key=lambda atom: (atom.number, not atom.bound))


def _middle(atoms: Sequence[Atom]) -> tuple[Atom, Atom]:
    """The atoms at which the distribution comes to one half, and goes beyond it."""
    reached = list(accumulate(atom.mass for atom in atoms))
    low = next(place for place, mass in enumerate(reached) if mass >= HALF)
    return atoms[low], atoms[low if reached[low] > HALF else low + 1]


def _missing(told: Sequence[Measurement]) -> NoEstimate | None:
    if not told:
        return NoEstimate.NOTHING_MEASURED
    if len({each.beyond for each in told if each.beyond}) > 1:
        return NoEstimate.CENSORED_ON_BOTH_SIDES
    return NoEstimate.LIMIT_UNKNOWN if any(each.number is None for each in told) else None


def _method(told: Sequence[Measurement]) -> Method:
    return Method.PLAIN if _side(told) is None else Method.KAPLAN_MEIER


def _side(told: Sequence[Measurement]) -> Side | None:
    return next((each.beyond for each in told if each.beyond is not None), None)


def _order(each: Measurement) -> tuple[Decimal, str]:
    return each.number or Decimal(0), each.beyond or ""


def _plain(number: Decimal) -> Decimal:
    """Without idle zeros, and without an exponent."""
    return Decimal(format(number.normalize(), "f"))
