"""A laboratory value as its CTCAE grades: every term that its analyte is graded for, high and low, each explained.

Source: CTCAE v5.0, as `bands.csv`; readings where it is silent are listed in `README.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.safety.domain import ctcae
from services.safety.domain.ctcae import EDITION, UnknownTerm
from services.safety.domain.lab_grading import analytes, bands, checking, explanation
from services.safety.domain.lab_grading.analytes import Analyte
from services.safety.domain.lab_grading.bands import Direction, LaboratoryTerm
from services.safety.domain.lab_grading.facts import (
    DEFAULT,
    NO_BASELINE,
    NO_FACTS,
    NO_LIMITS,
    Baseline,
    Facts,
    Limits,
    Measured,
    Policy,
)
from services.safety.domain.lab_grading.judging import judge
from services.safety.domain.lab_grading.ladders import MULTIPLES, Ladder, NoLadder, ladder
from services.safety.domain.lab_grading.ranges import ONE
from shared.kernel.errors import Unacceptable
from shared.measurement import units

checking.require_sound(bands.terms())


class TestNotNamed(Unacceptable):
    """A value says what was measured: a term, an analyte or a LOINC code."""

    __test__ = False


class TermNotGradedFromThis(Unacceptable):
    """The term is not graded from a laboratory value, or not from this analyte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was measured, and the terms that it is to be graded for."""

    analyte: Analyte
    terms: tuple[LaboratoryTerm, ...]


@dataclass(frozen=True, slots=True)
class ExplainedGrade:
    """The grade of one term. `grade` None: cannot be graded; 0: within limits. `possible` is empty without a grade.

    `arm` is what the grade was measured by: ULN, LLN, baseline, absolute or symptoms. Limits and baseline are those
    used, in `unit`.
    """

    term: str
    meddra_code: str
    direction: Direction
    grade: int | None
    possible_grades: tuple[int, ...]
    rule: str
    explanation: str
    arm: str | None
    edition: str
    unit: str | None
    limits: Limits
    baseline: Baseline


def asked(
    *, term: str | None = None, analyte: str | None = None, loinc: str | None = None, unit: str | None = None
) -> Asked:
    """What a request means by any of a CTCAE term or its MedDRA code, an analyte and a LOINC code.

    A term that several analytes serve, named alone, is read from the one that is reported in this unit.

    Raises:
        TestNotNamed: none of the three, two analytes, or a term of which the unit leaves two.
        UnknownTerm, UnknownAnalyte: there is no such thing.
        TermNotGradedFromThis: not a laboratory term, or not of this analyte.
    """
    found = {each.key: each for each in (*_by(analyte, analytes.named), *_by(loinc, analytes.of_loinc))}
    if len(found) > 1:
        raise TestNotNamed(f"analyte and loinc name two things, {' and '.join(sorted(found))}: send one of them")
    own = next(iter(found.values()), None)
    if term is not None:
        return _of_term(term, own, unit)
    if own is None:
        raise TestNotNamed("name what was measured in term, analyte or loinc")
    return of_analyte(own)


def of_analyte(analyte: Analyte) -> Asked:
    """A value of an analyte, for every term that it is graded for by itself."""
    return Asked(analyte, bands.of_analyte(analyte.graded_as))


def grade(
    what: Asked,
    measured: Measured,
    limits: Limits = NO_LIMITS,
    baseline: Baseline = NO_BASELINE,
    facts: Facts = NO_FACTS,
    policy: Policy = DEFAULT,
) -> list[ExplainedGrade]:
    """The grades of one value, one for each term asked for. Limits and baseline are in the unit of the value."""
    return [_graded(term, what.analyte, measured, limits, baseline, facts, policy) for term in what.terms]


def _graded(
    term: LaboratoryTerm,
    analyte: Analyte,
    measured: Measured,
    limits: Limits,
    baseline: Baseline,
    facts: Facts,
    policy: Policy,
) -> ExplainedGrade:
    try:
        steps = ladder(term.meddra_code, analyte.key, _unit_code(analyte, measured.unit))
        limits, baseline = _of_multiples(steps, limits, baseline)
    except NoLadder as reason:
        return ExplainedGrade(
            term=term.name,
            meddra_code=term.meddra_code,
            direction=term.direction,
            grade=None,
            possible_grades=(),
            rule=f"CTCAE v{EDITION} {term.meddra_code} not graded",
            explanation=explanation.unreadable(term.name, str(reason)),
            arm=None,
            edition=EDITION,
            unit=None,
            limits=limits,
            baseline=baseline,
        )
    verdict = judge(steps, measured, limits, baseline, facts, policy)
    return ExplainedGrade(
        term=term.name,
        meddra_code=term.meddra_code,
        direction=term.direction,
        grade=verdict.grade,
        possible_grades=verdict.possible,
        rule=explanation.rule(steps, verdict),
        explanation=explanation.explain(steps, measured, limits, baseline, verdict, policy),
        arm=explanation.arm(verdict),
        edition=EDITION,
        unit=None if steps.unit is None else steps.unit.code,
        limits=limits,
        baseline=baseline,
    )


def _of_multiples(steps: Ladder, limits: Limits, baseline: Baseline) -> tuple[Limits, Baseline]:
    """Limits and baseline in the unit of the value: what a multiple is a multiple of is 1 in it."""
    if steps.unit is None or steps.unit.quantity != MULTIPLES:
        return limits, baseline
    given = {"{xULN}": limits.uln, "{xLLN}": limits.lln, "{xBaseline}": baseline.value}[steps.unit.code]
    if given not in {None, ONE}:
        raise NoLadder(
            f"limits and baseline are in the unit of the value, so what {steps.unit.code} is a multiple of is 1: "
            "send 1 or null for it, or the value in the unit of the limits"
        )
    match steps.unit.code:
        case "{xULN}":
            return replace(limits, uln=ONE), baseline
        case "{xLLN}":
            return replace(limits, lln=ONE), baseline
        case _:
            return limits, replace(baseline, value=ONE)


def _unit_code(analyte: Analyte, text: str | None) -> str | None:
    """The unit as its UCUM code; a pure number (INR, pH) needs none."""
    if text is None or not text.strip():
        return analyte.unit_of_pure_number
    unit = units.read(text)
    if unit is None:
        raise NoLadder(f"its unit is not known: send one of {', '.join(each.code for each in analyte.units)}")
    return unit.code


def _by(name: str | None, find: Callable[[str], Analyte]) -> tuple[Analyte, ...]:
    return () if name is None else (find(name),)


def _of_term(reference: str, analyte: Analyte | None, unit: str | None) -> Asked:
    term = bands.named(reference)
    if term is None:
        # The dictionary's own advice is not asked for: it compares spellings, too slow for a thousand items.
        if not ctcae.is_term(reference):
            raise UnknownTerm(f"not a term of CTCAE {EDITION}; search the dictionary at /v1/ctcae/terms")
        raise TermNotGradedFromThis("v5.0 grades this term from what is seen and done, not from one measured value")
    if analyte is None:
        return Asked(_reported_in(term, unit), (term,))
    if analyte.graded_as not in term.analytes:
        raise TermNotGradedFromThis(f"{term.name} is not graded from {analyte.key}; send {' or '.join(term.analytes)}")
    return Asked(analyte, (term,))


def _reported_in(term: LaboratoryTerm, text: str | None) -> Analyte:
    unit = None if text is None else units.read(text)
    candidates = [analytes.by_key(key) for key in term.analytes]
    fitting = [each for each in candidates if unit is not None and unit.quantity in each.quantities]
    if len(fitting) > 1:
        keys = " or ".join(each.key for each in fitting)
        raise TestNotNamed(f"{term.name} is graded from {keys}, which have other limits: send one of them in analyte")
    return fitting[0] if fitting else candidates[0]
