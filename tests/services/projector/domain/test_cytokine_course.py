"""One participant's cytokines with CRS beside them: what stands beside a sample, and that nothing is read from it."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.cytokine_course import CrsSeen, CytokineCourse, Given, crs_beside, cytokine_course
from services.projector.domain.cytokine_levels import AfterTocilizumab, Drawn
from shared.protocol.fold_change import NoFoldChange
from tests.services.projector.chronicle import PROTOCOL
from tests.services.projector.domain.test_cytokine_levels import DAY_ZERO, child, drawn

CHILD = child(1)


def seen(day: float, grade: int | None, until: float | None = None, *, drug: bool = False) -> CrsSeen:
    return CrsSeen(
        DAY_ZERO + timedelta(days=day), None if until is None else DAY_ZERO + timedelta(days=until), grade, grade, drug
    )


def course(
    *told: Drawn, crs: tuple[CrsSeen, ...] = (), given: tuple[Given, ...] = (), infused: Infused | None = CHILD
) -> CytokineCourse:
    who = child(1)
    return cytokine_course(
        PROTOCOL, infused, told, participant_id=who.participant_id, subject_number="CU-001", crs=crs, given=given
    )


@pytest.mark.parametrize(
    ("day", "grade"),
    [(2, None), (3, 1), (4.9, 1), (5, 3), (9, 3), (9.1, None), (20, 2), (40, 2)],
)
def test_beside_a_sample_stands_what_was_last_seen_of_a_syndrome_that_goes_on(day: float, grade: int | None) -> None:
    crs = [seen(3, 1, 9), seen(5, 3, 9), seen(20, 2)]
    beside = crs_beside(crs, DAY_ZERO + timedelta(days=day))
    assert (beside and beside.astct_grade) == grade


def test_a_sample_has_its_day_its_visit_and_its_fold_change() -> None:
    il6 = next(
        each for each in course(drawn(-1, "4"), drawn(7, "40"), drawn(10, "<2")).analytes if each.analyte == "IL6"
    )
    assert [(each.day, each.visit, each.value.text, each.fold_change) for each in il6.samples] == [
        (-1, "PRE", "4", None),
        (7, "D7", "40", 10),
        (10, None, "<2", 0.25),
    ]
    assert il6.peak is not None
    assert (il6.peak.day, il6.peak.level.text) == (7, "40")


def test_without_an_infusion_there_are_values_and_no_days() -> None:
    il6 = next(each for each in course(drawn(7, "40"), infused=None).analytes if each.analyte == "IL6")
    (only,) = il6.samples
    assert (only.day, only.visit, only.no_fold_change) == (None, None, NoFoldChange.INFUSION_UNKNOWN)
    assert il6.peak is None


def test_a_flag_says_how_it_is_known_and_an_unnamed_drug_flags_nothing() -> None:
    flagged = Drawn(child(1).participant_id, drawn(7, "40").measured, (AfterTocilizumab.ON_RECORD,))
    given = (Given(DAY_ZERO + timedelta(days=6), "tocilizumab"), Given(DAY_ZERO + timedelta(days=8), "anakinra"))
    il6 = next(
        each
        for each in course(drawn(3, "9"), flagged, crs=(seen(2, 1, drug=True),), given=given).analytes
        if each.analyte == "IL6"
    )
    assert [
        (each.after_tocilizumab, each.after_tocilizumab_because, each.given_before, each.unnamed_drug_told)
        for each in il6.samples
    ] == [
        (False, (), (), True),
        (True, (AfterTocilizumab.ON_RECORD,), ("tocilizumab",), True),
    ]


def test_no_value_of_a_cytokine_changes_the_grade_beside_it() -> None:
    crs = (seen(2, 2),)
    low, high = (
        next(each for each in course(drawn(3, value), crs=crs).analytes if each.analyte == "IL6")
        for value in ("<2", ">400")
    )
    assert low.samples[0].crs == high.samples[0].crs
    assert course().crs_grades_rest_on_cytokines is False


@holds_for(st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(random: Random) -> None:
    told = [drawn(-1, "4"), drawn(3, "9"), drawn(7, "40"), drawn(3, "5", analyte="TNF")]
    crs = [seen(2, 1), seen(3, 4), seen(6, 0)]
    other = random.sample(told, len(told))
    assert course(*told, crs=tuple(crs)) == course(*other, crs=tuple(random.sample(crs, 3)))
