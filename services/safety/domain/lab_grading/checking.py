"""The machine check of the bands: no gap, no overlap, every unit known, every offered grade there.

Bands are compared as they are printed, as numbers of a reference, so the check holds for every reference range: where
one band ends the next begins, at the same number of the same reference, and exactly one of them takes the limit itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, permutations

from services.safety.domain import ctcae
from services.safety.domain.lab_grading import analytes
from services.safety.domain.lab_grading.bands import (
    Band,
    Bound,
    Direction,
    LaboratoryTerm,
    Measure,
    Reference,
    Role,
    When,
)
from services.safety.domain.lab_grading.cases import OF_AGE, Case
from shared.measurement import units
from shared.measurement.units import Unit

FALLING = frozenset({Measure.FALL, Measure.PERCENT_FALL})
BASELINES = (frozenset({When.BASELINE_NORMAL}), frozenset({When.BASELINE_ABNORMAL}))
SYMPTOMS = (frozenset({When.SYMPTOMATIC}), frozenset({When.ASYMPTOMATIC}))
DURATIONS = (frozenset({When.UP_TO_24_H}), frozenset({When.OVER_24_H}))
PRESENT = frozenset({When.ABOVE_BASELINE, When.FEBRILE, When.HAEMOLYSIS, When.ON_ANTICOAGULATION})
SCALE = frozenset({Role.LADDER, Role.UNGRADED})


class BandsContradict(Exception):
    """The bands have faults; the message lists them."""


def require_sound(terms: Mapping[str, LaboratoryTerm]) -> None:
    """Refuse bands with a fault.

    Raises:
        BandsContradict: naming every fault.
    """
    if found := [fault for term in terms.values() for fault in faults(term)]:
        raise BandsContradict("; ".join(found))


def faults(term: LaboratoryTerm) -> Iterator[str]:
    """What is wrong with the bands of one term, each in a sentence."""
    yield from (f"{term.name}: {fault}" for fault in (*_dictionary(term), *_units(term), *_scales(term)))


def _dictionary(term: LaboratoryTerm) -> Iterator[str]:
    official = ctcae.by_code(term.meddra_code)
    if official.name != term.name:
        yield f"the code is that of {official.name}"
    offered, given = set(official.grades) - {5}, {band.grade for band in term.bands if band.grade is not None}
    yield from (f"grade {grade} has no band" for grade in sorted(offered - given))
    yield from (f"grade {grade} is not offered" for grade in sorted(given - offered))


def _units(term: LaboratoryTerm) -> Iterator[str]:
    for band in term.bands:
        absolute = any(bound and bound.of is Reference.ABS for bound in (band.lower, band.upper))
        if absolute and band.unit is None and band.measure not in {Measure.PERCENT_FALL, Measure.PERCENT_RISE}:
            yield f"grade {band.grade}{band.alternative} has an absolute limit without a unit"
        if band.unit is None or band.analyte is None:
            continue
        unit = units.read(band.unit)
        if unit is None or unit.code != band.unit:
            yield f"{band.unit} is no unit of the table"
        elif unit.quantity not in analytes.by_key(band.analyte).quantities:
            yield f"{band.unit} is no unit of {band.analyte}"


def _scales(term: LaboratoryTerm) -> Iterator[str]:
    for analyte in term.analytes:
        own = [band for band in term.bands if band.analyte == analyte]
        printed = tuple(dict.fromkeys(band.unit for band in own if band.unit is not None)) or (None,)
        for unit in printed:
            numeric = [band for band in own if band.unit in {unit, None}]
            for case in _cases(numeric):
                rungs = [b for b in numeric if b.role in SCALE and (b.when is None or b.when in case)]
                yield from (f"{analyte} in {unit}, {', '.join(sorted(case))}: {f}" for f in _scale(term, rungs))
            yield from _alternatives(term, numeric)
        scales = [found for unit in printed if unit is not None and (found := units.read(unit)) is not None]
        yield from _unreached(analyte, scales)
        yield from _disagreeing(own, scales)


def _unreached(analyte: str, scales: Sequence[Unit]) -> Iterator[str]:
    """Units that the analyte is reported in and to which no factor leads from a printed scale."""
    own = analytes.by_key(analyte)
    for unit in own.units if scales else ():
        if all(own.factor(scale, unit) is None for scale in scales):
            yield f"{analyte} is reported in {unit.code}, and no scale can be read in it"


def _cases(numeric: Sequence[Band]) -> list[Case]:
    """Every case that a patient may be in."""
    asked = {band.when for band in numeric}
    ages = tuple(OF_AGE.values())
    return [
        PRESENT | baseline | symptoms | lasting | age
        for baseline in (BASELINES if asked & {*BASELINES[0], *BASELINES[1]} else BASELINES[:1])
        for symptoms in (SYMPTOMS if asked & {*SYMPTOMS[0], *SYMPTOMS[1]} else SYMPTOMS[:1])
        for lasting in (DURATIONS if asked & {*DURATIONS[0], *DURATIONS[1]} else DURATIONS[:1])
        for age in ages
    ]


def _alternatives(term: LaboratoryTerm, numeric: Sequence[Band]) -> Iterator[str]:
    """Alternatives beside the scale, letter by letter: each is gap-free in itself."""
    beside = [band for band in numeric if band.role is Role.OR]
    for letter in dict.fromkeys(band.alternative for band in beside):
        yield from _scale(term, [band for band in beside if band.alternative == letter])


def _scale(term: LaboratoryTerm, rungs: Sequence[Band]) -> Iterator[str]:
    """The rungs from the mildest on; what v5.0 leaves ungraded may stand at either end."""
    if not rungs:
        return
    if len({band.measure for band in rungs}) > 1:
        yield "one scale measures by two things"
        return
    graded = sorted((band for band in rungs if band.grade is not None), key=lambda band: (band.grade, band.alternative))
    silent = [band for band in rungs if band.grade is None]
    tried = [_joints(term, order) for order in ([*graded, *silent], [*silent, *graded])]
    yield from min(tried, key=len)


def _joints(term: LaboratoryTerm, order: Sequence[Band]) -> list[str]:
    upwards = term.direction is Direction.HIGH or order[0].measure in FALLING
    found = []
    for milder, worse in pairwise(order):
        ends, begins = (milder.upper, worse.lower) if upwards else (milder.lower, worse.upper)
        if (fault := _joint(ends, begins)) is not None:
            found.append(f"between {_named(milder)} and {_named(worse)} {fault}")
    last = order[-1].upper if upwards else order[-1].lower
    return [*found, *([f"{_named(order[-1])} is the worst and ends"] if last is not None else []), *_empty(order)]


def _joint(ends: Bound | None, begins: Bound | None) -> str | None:
    if ends is None or begins is None or (ends.number, ends.of) != (begins.number, begins.of):
        return "there is a gap or an overlap"
    if ends.inclusive and begins.inclusive:
        return "the limit belongs to both"
    return None if ends.inclusive or begins.inclusive else "the limit belongs to neither"


def _empty(order: Sequence[Band]) -> Iterator[str]:
    for band in order:
        low, high = band.lower, band.upper
        if low is not None and high is not None and low.of is high.of and low.number >= high.number:
            yield f"{_named(band)} is empty"


def _disagreeing(own: Sequence[Band], printed: Sequence[Unit]) -> Iterator[str]:
    """Scales printed in two units of one quantity are the same scale."""
    for one, other in permutations(printed, 2):
        if one.quantity != other.quantity:
            continue
        theirs = {_converted(band, other) for band in own if band.unit == other.code}
        yield from (
            f"{_named(band)} in {one.code} is another in {other.code}"
            for band in own
            if band.unit == one.code and _converted(band, one) not in theirs
        )


def _converted(band: Band, unit: Unit) -> tuple[object, ...]:
    limits = tuple(
        None
        if bound is None
        else (Fraction(bound.number) * (unit.factor if bound.of is Reference.ABS else 1), bound.inclusive)
        for bound in (band.lower, band.upper)
    )
    return band.grade, band.alternative, band.when, limits


def _named(band: Band) -> str:
    return "the ungraded band" if band.grade is None else f"grade {band.grade}{band.alternative}"
