"""Distribution of the CAR+ cells over subsets."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.subset_distribution import Spread, Subset, SubsetDistribution, subset_distribution
from shared.contracts.biomarkers import CarSubsets


def of(found: SubsetDistribution, subset: Subset) -> tuple[int, str, str, str]:
    return texts(next(each for each in found.shares if each.subset is subset))


def texts(each: Spread) -> tuple[int, str, str, str]:
    return each.n, str(each.median), str(each.lowest), str(each.highest)


def subsets(cd4: str | None = None, cd8: str | None = None, naive: str | None = None) -> CarSubsets:
    told = (None if each is None else Decimal(each) for each in (cd4, cd8, naive))
    return CarSubsets(**dict(zip(("cd4_percent", "cd8_percent", "naive_percent"), told, strict=True)))


def test_shares_have_median_and_range_of_those_measured() -> None:
    found = subset_distribution(
        [(subsets("40", "60"), False), (subsets("50", "40", "10"), False), (subsets("70", None), False)]
    )
    assert (found.n, found.n_too_few) == (3, 0)
    assert of(found, Subset.CD4) == (3, "50", "40", "70")
    assert of(found, Subset.CD8) == (2, "50", "40", "60")
    assert of(found, Subset.NAIVE) == (1, "10", "10", "10")
    assert of(found, Subset.TEMRA) == (0, "None", "None", "None")
    assert texts(found.cd4_to_cd8) == (2, "0.96", "0.67", "1.25")


def test_shares_of_too_few_cells_and_ratios_to_none_are_left_out() -> None:
    found = subset_distribution([(subsets("90", "10"), True), (subsets("100", "0"), False)])
    assert (found.n, found.n_too_few) == (1, 1)
    assert of(found, Subset.CD4) == (1, "100", "100", "100")
    assert of(found, Subset.CD8) == (1, "0", "0", "0")  # a share that was measured to be 0 is one
    assert found.cd4_to_cd8.n == 0
    assert subset_distribution([]).n == 0


shares = st.decimals(0, 50, places=1) | st.none()


@given(
    st.lists(st.tuples(st.builds(CarSubsets, cd4_percent=shares, cd8_percent=shares), st.booleans()), max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_samples_does_not_matter(told: list[tuple[CarSubsets, bool]], random: object) -> None:
    found = subset_distribution(told)
    random.shuffle(told)  # type: ignore[attr-defined]
    assert subset_distribution(told) == found
