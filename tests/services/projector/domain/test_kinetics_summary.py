"""Kinetics of a cohort: who counts, who is left out and why, and the figures of those who count."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.cell_kinetics import KineticsOfInfusion, ObservedAt
from services.projector.domain.cohort import Infused
from services.projector.domain.kinetics_summary import KineticsSummary, Parameter, ParameterSummary, counted
from services.projector.domain.persistence import PersistenceBy, persistence
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.domain.test_persistence import DAY_ZERO, QUANTITY, sample

PEOPLE = [
    Infused(named(name), name, "CU", DAY_ZERO, DAY_ZERO, dose_level=level)
    for name, level in (("CU-001", "DL1"), ("CU-002", "DL1"), ("CU-003", "DL2"), ("CU-004", "DL2"), ("CU-005", "DL2"))
]
# 001 halves every week. 002 is lost after day 14, so that nothing is known of its curve until day 28; 003 was never
# quantified, 004 has a percentage alone, and 005 no sample.
TOLD: list[list[tuple[int, str | None]]] = [
    [(7, "16"), (14, "8"), (21, "4"), (30, "2")],
    [(7, "4"), (14, "1"), (21, "<1"), (30, "<1")],
    [(7, "<1"), (14, "<1")],
    [(7, None), (14, None)],
    [],
]
SAMPLES = [sample(day, cells, who=who) for who, told in zip(PEOPLE, TOLD, strict=True) for day, cells in told]


def of(summary: KineticsSummary, parameter: Parameter) -> ParameterSummary:
    return next(each for each in summary.parameters if each.parameter is parameter)


def numbers(found: ParameterSummary) -> list[str | None]:
    told = (found.median, found.lowest, found.highest, found.geometric_mean)
    return [None if each is None else format(each.normalize(), "f") for each in told]


def test_a_parameter_is_summarised_over_those_who_have_it_and_the_others_are_counted() -> None:
    found = persistence(PROTOCOL, PEOPLE, SAMPLES, quantity=QUANTITY).kinetics
    assert (found.n, found.observed_at) == (5, ObservedAt.SCHEDULED_VISITS)
    cmax = of(found, Parameter.CMAX)
    assert (cmax.n, cmax.n_never_quantified, cmax.n_not_sampled, cmax.n_not_determined) == (2, 2, 1, 0)
    assert numbers(cmax) == ["10", "4", "16", "8"]  # the geometric mean of 4 and 16; neither 0 nor a limit among them
    assert numbers(of(found, Parameter.TMAX)) == ["7", "7", "7", "7"]
    assert numbers(of(found, Parameter.TLAST)) == ["22", "14", "30", "20.4939"]
    interval = of(found, Parameter.AUC_INTERVAL)
    assert (interval.n, interval.n_not_determined, interval.n_never_quantified) == (1, 1, 2)
    assert interval.median == interval.lowest == interval.highest
    assert of(found, Parameter.AUC_LAST).n == 2
    half_life = of(found, Parameter.HALF_LIFE)
    assert (half_life.n, half_life.n_not_determined) == (1, 1)


def test_of_nobody_there_is_no_figure_and_the_reason_is_told() -> None:
    found = persistence(PROTOCOL, PEOPLE[2:], SAMPLES, quantity=QUANTITY).kinetics
    for parameter in Parameter:
        each = of(found, parameter)
        assert (each.n, numbers(each), each.no_geometric_mean) == (0, [None] * 4, "nothing-measured")


def test_a_geometric_mean_is_of_positive_numbers_alone() -> None:
    """A value at the moment of the infusion makes Tmax 0."""
    told = [sample(0, "5"), sample(7, "2")]
    tmax = of(persistence(PROTOCOL, PEOPLE[:1], told, quantity=QUANTITY).kinetics, Parameter.TMAX)
    assert (tmax.median, tmax.geometric_mean, tmax.no_geometric_mean) == (Decimal(0), None, "not-positive")


def test_each_group_has_its_own_summary() -> None:
    found = persistence(PROTOCOL, PEOPLE, SAMPLES, quantity=QUANTITY, by=PersistenceBy.DOSE_LEVEL)
    told = [(each.group, each.kinetics.n, of(each.kinetics, Parameter.CMAX).n) for each in found.groups or ()]
    assert told == [("DL1", 2, 2), ("DL2", 3, 0)]


def test_samples_between_visits_are_told() -> None:
    found = persistence(PROTOCOL, PEOPLE, [*SAMPLES, sample(10, "20", who=PEOPLE[0])], quantity=QUANTITY)
    assert found.kinetics.observed_at is ObservedAt.VISITS_AND_BETWEEN


def test_the_infusion_from_which_the_schedule_counts_is_the_one() -> None:
    given_on = (DAY_ZERO - timedelta(days=28), DAY_ZERO)
    samples = [sample(day, cells) for day, cells in ((-21, "90"), (7, "16"))]
    (who,) = persistence(
        PROTOCOL, PEOPLE[:1], samples, quantity=QUANTITY, infusions={PEOPLE[0].participant_id: given_on}
    ).participants
    assert [each.cmax for each in who.kinetics] == [90, 16]
    assert counted(who.kinetics, DAY_ZERO).cmax == 16
    assert counted(who.kinetics, DAY_ZERO + timedelta(days=1)).infusion == 1  # corrected meanwhile: the first


draws = st.lists(
    st.tuples(st.sampled_from((7, 14, 21, 30, 60)), st.sampled_from([None, "<1", "0.5", "3", "40", "90"])),
    max_size=5,
    unique_by=lambda draw: draw[0],
)


@settings(max_examples=40, deadline=None)
@given(st.lists(draws, min_size=1, max_size=5), st.sampled_from((1000, 7)), st.randoms(use_true_random=False))
def test_everybody_counts_once_whatever_the_unit_and_the_order(
    told: list[list[tuple[int, str | None]]], factor: int, random: object
) -> None:
    people = PEOPLE[: len(told)]
    samples = [sample(day, cells, who=who) for who, own in zip(people, told, strict=True) for day, cells in own]
    found = persistence(PROTOCOL, people, samples, quantity=QUANTITY).kinetics
    for each in found.parameters:
        assert each.n + each.n_not_sampled + each.n_never_quantified + each.n_not_determined == len(people)
        assert (each.median is None) == (each.n == 0)
        if each.lowest is not None and each.median is not None and each.highest is not None:
            assert each.lowest <= each.median <= each.highest
    random.shuffle(samples)  # type: ignore[attr-defined]
    assert persistence(PROTOCOL, people, samples, quantity=QUANTITY).kinetics == found
    scaled = [sample(day, times(cells, factor), who=who) for who, own in zip(people, told, strict=True)
              for day, cells in own]  # fmt: skip
    other = persistence(PROTOCOL, people, scaled, quantity=QUANTITY).kinetics
    for one, another in zip(found.parameters, other.parameters, strict=True):
        assert counts(one) == counts(another)


def times(cells: str | None, factor: int) -> str | None:
    if cells is None:
        return None
    return ("<" if cells.startswith("<") else "") + str(Decimal(cells.strip("<")) * factor)


def counts(summary: ParameterSummary) -> tuple[int, int, int, int]:
    return summary.n, summary.n_not_sampled, summary.n_never_quantified, summary.n_not_determined


def test_kinetics_keep_their_names() -> None:
    assert {each.value for each in Parameter} <= set(KineticsOfInfusion.model_fields)
