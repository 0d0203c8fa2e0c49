"""What holds of every set of criteria: uniform change obeys its limits; names, order and idle zeros change nothing.

The factors are those of the dossier's section 6.2: scaling all diameters by k changes a sum by k and a product by k
squared. What is expected is worked out here in fractions, apart from the code.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.efficacy.domain.criteria import engines
from services.efficacy.domain.criteria.course import judged
from services.efficacy.domain.criteria.readings import Judgement, Reading, Target
from shared.contracts.efficacy_terms import (
    Course,
    LesionState,
    LocalTherapy,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
    Uptake,
)
from tests.services.efficacy.domain.builders import PARTICIPANT, PROTOCOL, an_id

ENGINES = engines(PROTOCOL)
DAYS = ("2026-01-05", "2026-02-04", "2026-03-06", "2026-04-06", "2026-05-06")
KNOWN: dict[str, Any] = {
    "neuro_oncology": NeuroOncologyFindings(
        t2_flair=Course.STABLE, clinical=Course.STABLE, dexamethasone_mg_per_day=Decimal(0)
    ),
    "neuroblastoma": NeuroblastomaFindings(primary_uptake=Uptake.STABLE),
}


@dataclass(frozen=True)
class Limits:
    """The limits of a set on the k-th part of its measure, the power of k in it, and words of its own."""

    power: int
    response: str
    progression: str
    strict: tuple[bool, bool] = (False, False)  # response, progression
    minor: str | None = None
    least_mm: int = 0
    words: tuple[str, str, str] = ("PR", "SD", "PD")

    def expected(self, k: Decimal, longest_mm: Decimal) -> str:
        """The response to uniform change by k. `longest_mm`: the sum of the longest diameters at baseline."""
        change = Fraction(k) ** self.power
        partial, stable, progressed = self.words
        grown = change > Fraction(self.progression) if self.strict[1] else change >= Fraction(self.progression)
        if grown and (Fraction(k) - 1) * Fraction(longest_mm) >= self.least_mm:
            return progressed
        if change < Fraction(self.response) or (change == Fraction(self.response) and not self.strict[0]):
            return partial
        return "MR" if self.minor is not None and change <= Fraction(self.minor) else stable


PRODUCT = Limits(2, "0.5", "1.25")
LIMITS = {
    "SEED_V1": Limits(1, "0.5", "1.25", strict=(True, True)),
    "SEED_SPD": Limits(2, "0.5", "1.25", strict=(True, True)),
    "WHO_1979": PRODUCT,
    "RANO_HGG_2010": PRODUCT,
    "RAPNO_HGG": PRODUCT,
    "RAPNO_MEDULLOBLASTOMA": PRODUCT,
    "RAPNO_LGG": replace(PRODUCT, minor="0.75"),
    "RAPNO_DIPG": replace(PRODUCT, response="0.75"),
    "RECIST_1_1": Limits(1, "0.7", "1.2", least_mm=5),
    "IRECIST": Limits(1, "0.7", "1.2", least_mm=5, words=("iPR", "iSD", "iUPD")),
    "INRC_2017": Limits(1, "0.7", "1.2", strict=(False, True), least_mm=5),
}
# Where a limit is a root no decimal meets it: the nearest on both sides, and each rational limit with its neighbours.
BOUNDARIES = (
    *("0.4999", "0.5", "0.5001", "0.6999", "0.7", "0.7001", "1.1999", "1.2", "1.2001", "1.2499", "1.25", "1.2501"),
    *("0.7071067", "0.7071068", "0.8660254", "0.8660255", "1.1180339", "1.1180340", "1"),
)
factors = st.one_of(
    st.sampled_from(BOUNDARIES).map(Decimal), st.decimals(min_value=Decimal("0.05"), max_value=3, places=4)
)
diameters = st.decimals(min_value=10, max_value=200, places=1)  # a target of every set
axes = st.tuples(diameters, diameters).map(lambda drawn: (max(drawn), min(drawn)))


def of_sizes(sizes: list[tuple[Decimal, Decimal]], on: str, k: Decimal = Decimal(1)) -> Reading:
    targets = tuple(
        Target(an_id(f"T{at}"), False, LesionState.MEASURED, longest * k, across * k)
        for at, (longest, across) in enumerate(sizes)
    )
    return Reading(on, targets, NonTargetStatus.NONE, new_lesion=False, **KNOWN)


def test_every_set_has_its_limits_here() -> None:
    assert LIMITS.keys() == ENGINES.keys()


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(axes, min_size=1, max_size=4), k=factors)
def test_uniform_change_obeys_the_limits_of_each_set(
    name: str, sizes: list[tuple[Decimal, Decimal]], k: Decimal
) -> None:
    baseline, now = of_sizes(sizes, DAYS[0]), of_sizes(sizes, DAYS[1], k)
    longest = sum((each for each, _ in sizes), Decimal())
    assert judged(ENGINES[name], baseline, [now], now).response == LIMITS[name].expected(k, longest)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("k", BOUNDARIES)
def test_each_boundary_is_met_exactly(name: str, k: str) -> None:
    sizes = [(Decimal(80), Decimal(60)), (Decimal(40), Decimal(30))]
    baseline, now = of_sizes(sizes, DAYS[0]), of_sizes(sizes, DAYS[1], Decimal(k))
    assert judged(ENGINES[name], baseline, [now], now).response == LIMITS[name].expected(Decimal(k), Decimal(120))


@pytest.mark.parametrize(
    ("k", "longest", "product"),  # the dossier's table, rounded to whole percent
    [
        ("0.700", -30, -51),
        ("0.707", -29, -50),
        ("0.500", -50, -75),
        ("1.118", 12, 25),
        ("1.200", 20, 44),
        ("1.250", 25, 56),
    ],
)
def test_the_table_of_conversions_holds(k: str, longest: int, product: int) -> None:
    baseline = of_sizes([(Decimal(80), Decimal(60))], DAYS[0])
    now = of_sizes([(Decimal(80), Decimal(60))], DAYS[1], Decimal(k))
    for name, percent in (("RECIST_1_1", longest), ("SEED_V1", longest), ("SEED_SPD", product), ("WHO_1979", product)):
        change = judged(ENGINES[name], baseline, [now], now).basis.percent_from_baseline
        assert change is not None
        assert round(change) == percent


targets = st.builds(
    lambda state, size, node, parts, therapy: Target(
        UUID(int=0),
        node,
        state,
        size[0] if state is LesionState.MEASURED else None,
        size[1] if state is LesionState.MEASURED else None,
        tuple(parts) if state is LesionState.MEASURED else (),
        therapy,
    ),
    st.sampled_from([LesionState.MEASURED] * 5 + list(LesionState)),
    axes.map(lambda both: (both[0] / 4, both[1] / 4)),
    st.booleans(),
    st.sampled_from([(), (), (), ((Decimal("12.5"), Decimal(8)),)]),
    st.sampled_from([None] * 6 + list(LocalTherapy)),
)
beside: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "non_target": st.sampled_from([NonTargetStatus.NONE] * 3 + list(NonTargetStatus)),
        "new_lesion": st.sampled_from([False, False, False, True]),
        "equivocal": st.sampled_from([False, False, True]),
        "neuro_oncology": st.builds(
            NeuroOncologyFindings,
            t2_flair=st.sampled_from([None, *Course]),
            dexamethasone_mg_per_day=st.sampled_from([None, Decimal(0), Decimal(4)]),
        ),
        "neuroblastoma": st.builds(
            NeuroblastomaFindings,
            primary_uptake=st.sampled_from([None, *Uptake]),
            mibg_score=st.sampled_from([None, 0, 4, 12]),
            marrow_percent=st.sampled_from([None, Decimal(0), Decimal(4), Decimal(30)]),
        ),
    }
)


@st.composite
def courses(draw: st.DrawFn) -> list[Reading]:
    """A baseline and what followed, of one to four lesions, each a node or not throughout."""
    nodes = draw(st.lists(st.booleans(), min_size=1, max_size=4))
    readings = []
    for on in DAYS[: draw(st.integers(2, len(DAYS)))]:
        found = tuple(replace(draw(targets), lesion_id=an_id(f"T{at}"), node=node) for at, node in enumerate(nodes))
        readings.append(Reading(on, found, **draw(beside)))
    return readings


def last(name: str, course: list[Reading]) -> Judgement:
    return judged(ENGINES[name], course[0], course[1:], course[-1])


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None, max_examples=30)
@given(course=courses(), data=st.data())
def test_neither_names_nor_order_nor_idle_zeros_change_a_judgement(
    name: str, course: list[Reading], data: st.DataObject
) -> None:
    salt = data.draw(st.text(min_size=1, max_size=3))

    def otherwise(target: Target) -> Target:
        """The same lesion under another name, with its diameters written to six places."""
        places = Decimal("0.000001")
        return replace(
            target,
            lesion_id=uuid5(PARTICIPANT, f"{salt}{target.lesion_id}"),
            longest_mm=None if target.longest_mm is None else target.longest_mm.quantize(places),
            perpendicular_mm=None if target.perpendicular_mm is None else target.perpendicular_mm.quantize(places),
        )

    told = [
        replace(each, targets=tuple(data.draw(st.permutations([otherwise(target) for target in each.targets]))))
        for each in course
    ]
    once = last(name, course)
    again = judged(ENGINES[name], told[0], data.draw(st.permutations(told[1:])), told[-1])
    assert (again.response, again.rule, again.explanation, again.would_change) == (
        once.response,
        once.rule,
        once.explanation,
        once.would_change,
    )
    lesions = {"not_assessed", "too_small", "below_minimum", "locally_treated", "modality_changed"}
    assert again.basis.model_dump(exclude=lesions) == once.basis.model_dump(exclude=lesions)
    assert all(len(getattr(again.basis, each)) == len(getattr(once.basis, each)) for each in lesions)


@pytest.mark.parametrize("name", ["SEED_V1", "SEED_SPD", "WHO_1979"])  # the others name millimetres
@settings(deadline=None, max_examples=40)
@given(course=st.lists(st.tuples(axes, axes), min_size=2, max_size=4), k=st.sampled_from(["0.1", "2.54", "10"]))
def test_the_unit_of_the_diameters_changes_no_response(
    name: str, course: list[tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]], k: str
) -> None:
    in_mm = [of_sizes(list(sizes), on) for sizes, on in zip(course, DAYS, strict=False)]
    otherwise = [of_sizes(list(sizes), on, Decimal(k)) for sizes, on in zip(course, DAYS, strict=False)]
    assert (last(name, in_mm).response, last(name, in_mm).rule) == (
        last(name, otherwise).response,
        last(name, otherwise).rule,
    )
