"""Each set of criteria at its limits and just past them, and what it asks beside diameters."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.efficacy.domain.criteria import engines
from services.efficacy.domain.criteria.course import judged
from services.efficacy.domain.criteria.readings import Judgement, Reading, Target
from shared.contracts.efficacy_terms import (
    LesionState,
    LocalTherapy,
    Modality,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
)
from tests.services.efficacy.domain.builders import PROTOCOL, an_id, sizes

ENGINES = engines(PROTOCOL)
DAYS = ("2026-01-05", "2026-02-04", "2026-03-06", "2026-04-06", "2026-05-06")


def a_reading(
    targets: str, on: str = DAYS[0], *, non_target: str = "none", new: bool = False, **beside: Any
) -> Reading:
    nodes = (each.startswith("N") for each in targets.split("|") if each)
    return Reading(
        on,
        tuple(
            Target(each.lesion_id, node, each.state, each.longest_mm, each.perpendicular_mm)
            for each, node in zip(sizes(targets), nodes, strict=True)
        ),
        NonTargetStatus(non_target),
        new_lesion=new,
        **beside,
    )


def course(name: str, *targets: str | Reading) -> Judgement:
    """The judgement on the last of a course: a baseline and assessments a month apart."""
    readings = [a_reading(each, on) if isinstance(each, str) else each for each, on in zip(targets, DAYS, strict=False)]
    return judged(ENGINES[name], readings[0], readings[1:], readings[-1])


@pytest.mark.parametrize(
    ("name", "targets", "response"),
    [
        ("SEED_V1", ["T1=60x40", "T1=75x50"], "SD"),
        ("SEED_V1", ["T1=60x40", "T1=75.001x50"], "PD"),
        ("SEED_SPD", ["T1=40x40", "T1=50x40"], "SD"),
        ("SEED_SPD", ["T1=40x40", "T1=50.001x40"], "PD"),
        ("SEED_SPD", ["T1=40x40", "T1=40x20"], "SD"),
        ("SEED_SPD", ["T1=40x40", "T1=40x19.999"], "PR"),
        ("WHO_1979", ["T1=40x40", "T1=49.999x40"], "SD"),
        ("WHO_1979", ["T1=40x40", "T1=50x40"], "PD"),
        ("WHO_1979", ["T1=40x40", "T1=40x20.001"], "SD"),
        ("WHO_1979", ["T1=40x40", "T1=40x20"], "PR"),
        ("WHO_1979", ["T1=40x40|T2=90x90", "T1=50x40|T2=10x10"], "PD"),
        ("WHO_1979", ["T1=40x40|T2=90x90", "T1=49x40|T2=10x10"], "PR"),
        ("WHO_1979", ["T1=40x40", "T1=0x0", "T1=2x1"], "PD"),
        ("RANO_HGG_2010", ["T1=40x40", "T1=49.999x40"], "SD"),
        ("RANO_HGG_2010", ["T1=40x40", "T1=50x40"], "PD"),
        ("RANO_HGG_2010", ["T1=40x40", "T1=40x20"], "PR"),
        ("RAPNO_HGG", ["T1=40x40", "T1=40x20.001"], "SD"),
        ("RAPNO_HGG", ["T1=40x40", "T1=40x20"], "PR"),
        ("RAPNO_LGG", ["T1=40x40", "T1=40x30.001"], "SD"),
        ("RAPNO_LGG", ["T1=40x40", "T1=40x30"], "MR"),
        ("RAPNO_LGG", ["T1=40x40", "T1=40x20.001"], "MR"),
        ("RAPNO_LGG", ["T1=40x40", "T1=40x20"], "PR"),
        ("RAPNO_DIPG", ["T1=40x40", "T1=40x30.001"], "SD"),
        ("RAPNO_DIPG", ["T1=40x40", "T1=40x30"], "PR"),
        ("RAPNO_MEDULLOBLASTOMA", ["T1=40x40", "T1=40x20"], "PR"),
        ("RAPNO_MEDULLOBLASTOMA", ["T1=40x40", "T1=50x40"], "PD"),
        ("RECIST_1_1", ["T1=100x50", "T1=70.001x50"], "SD"),
        ("RECIST_1_1", ["T1=100x50", "T1=70x50"], "PR"),
        ("RECIST_1_1", ["T1=100x50", "T1=119.999x50"], "SD"),
        ("RECIST_1_1", ["T1=100x50", "T1=120x50"], "PD"),
        ("RECIST_1_1", ["T1=20x20", "T1=24.999x20"], "SD"),
        ("RECIST_1_1", ["T1=20x20", "T1=25x20"], "PD"),
        ("RECIST_1_1", ["T1=40x40", "T1=0x0", "T1=3x2"], "PD"),
        ("RECIST_1_1", ["N1=30x20", "N1=60x13.999"], "PR"),
        ("IRECIST", ["T1=100x50", "T1=120x50"], "iUPD"),
        ("IRECIST", ["T1=100x50", "T1=70x50"], "iPR"),
    ],
)
def test_the_limits_are_exact(name: str, targets: list[str], response: str) -> None:
    assert course(name, *targets).response == response


@pytest.mark.parametrize(("short_axis", "counted"), [("15", True), ("14.999", False)])
def test_a_node_is_a_target_of_recist_from_15_mm_in_its_short_axis(short_axis: str, counted: bool) -> None:
    judgement = course("RECIST_1_1", f"N1=30x{short_axis}|T1=20x20", f"N1=30x{short_axis}|T1=0x0")
    assert (judgement.basis.below_minimum == ()) is counted
    assert judgement.basis.sum == (Decimal(short_axis) if counted else 0)
    assert judgement.response == "PR"  # the node is left, measured or not


@pytest.mark.parametrize(("node", "response"), [("8x6", "CR"), ("NE", "PR"), ("20x12", "PR")])
def test_disease_too_small_for_recist_has_to_be_gone_for_a_complete_response(node: str, response: str) -> None:
    assert course("RECIST_1_1", "N1=20x12|T1=20x20", f"N1={node}|T1=0x0").response == response


def test_a_worse_non_target_status_is_kept_where_lesions_are_followed_without_measure() -> None:
    reading = a_reading("N1=20x12|T1=20x20", DAYS[1], non_target="pd")
    assert course("RECIST_1_1", "N1=20x12|T1=20x20", reading).response == "PD"


@pytest.mark.parametrize(("status", "response"), [("non-cr-non-pd", "NON-CR/NON-PD"), ("ne", "NE"), ("cr", "CR")])
def test_disease_that_was_never_measurable_has_its_own_response_by_recist(status: str, response: str) -> None:
    assert course("RECIST_1_1", a_reading("", non_target=status), a_reading("", non_target=status)).response == response


@pytest.mark.parametrize("targets", ["", "T1=9x9"])
@pytest.mark.parametrize(("name", "response"), [("RANO_HGG_2010", "NE"), ("RAPNO_HGG", "CR"), ("WHO_1979", "CR")])
def test_disease_that_was_never_measurable_is_no_complete_response_by_rano(
    name: str, response: str, targets: str
) -> None:
    gone = a_reading(targets and "T1=0x0", DAYS[1], non_target="cr")
    assert course(name, a_reading(targets, non_target="non-cr-non-pd"), gone).response == response


def test_criteria_for_the_brain_know_no_nodes() -> None:
    judgement = course("RANO_HGG_2010", "N1=30x20", "N1=14x9")
    assert (judgement.response, judgement.rule) == (None, "nodes-not-covered")


STABLE = {"t2_flair": "stable", "clinical": "stable", "dexamethasone_mg_per_day": "4"}


@pytest.mark.parametrize(
    ("targets", "found", "response", "rule"),
    [
        ("T1=40x20", STABLE, "PR", "shrinkage-from-baseline"),
        ("T1=40x20", STABLE | {"dexamethasone_mg_per_day": "4.1"}, "SD", "steroids-above-baseline"),
        ("T1=40x20", STABLE | {"t2_flair": "worse"}, "PD", "worse-beside-imaging"),
        ("T1=40x20", STABLE | {"clinical": "worse"}, "PD", "worse-beside-imaging"),
        ("T1=40x40", STABLE | {"clinical": "worse", "t2_flair": "worse"}, "PD", "worse-beside-imaging"),
        ("T1=50x40", STABLE | {"clinical": "worse"}, "PD", "growth-over-nadir"),
        ("T1=40x40", STABLE | {"dexamethasone_mg_per_day": "8"}, "SD", "neither-response-nor-progression"),
        ("T1=0x0", STABLE, "PR", "complete-on-steroids"),
        ("T1=0x0", STABLE | {"dexamethasone_mg_per_day": "0"}, "CR", "all-disease-gone"),
        ("T1=0x0", STABLE | {"dexamethasone_mg_per_day": "5"}, "SD", "steroids-above-baseline"),
    ],
)
def test_rano_asks_for_more_than_diameters(targets: str, found: dict[str, str], response: str, rule: str) -> None:
    baseline = a_reading("T1=40x40", neuro_oncology=NeuroOncologyFindings.model_validate(STABLE))
    now = a_reading(targets, DAYS[1], neuro_oncology=NeuroOncologyFindings.model_validate(found))
    judgement = course("RANO_HGG_2010", baseline, now)
    assert (judgement.response, judgement.rule, judgement.basis.unknown) == (response, rule, ())


def test_what_nobody_told_is_named_and_not_taken_as_stable() -> None:
    judgement = course("RANO_HGG_2010", "T1=40x40", "T1=40x20")
    assert judgement.basis.unknown == ("t2-flair", "clinical-state", "steroids")
    assert judgement.explanation.endswith("nobody has given t2-flair, clinical-state, steroids.")
    dose = NeuroOncologyFindings.model_validate(STABLE)
    without = course("RANO_HGG_2010", "T1=40x40", a_reading("T1=40x20", DAYS[1], neuro_oncology=dose))
    assert without.basis.unknown == ("steroids",)  # more or less than at baseline, which nobody knows
    progressed = course("RANO_HGG_2010", "T1=40x40", "T1=60x40")
    assert "nobody has given" not in progressed.explanation  # one reason is enough


def test_without_a_baseline_rano_has_nothing_to_compare() -> None:
    assert ENGINES["RANO_HGG_2010"].judge(None, [], a_reading("T1=40x40")).rule == "no-baseline"


FIRST = "T1=52x40"  # a progression over T1=40x30


@pytest.mark.parametrize(
    ("later", "response", "rule"),
    [
        ([FIRST, "T1=56.999x40"], "iUPD", "unconfirmed-unchanged"),
        ([FIRST, "T1=57x40"], "iCPD", "confirmed"),
        ([FIRST, "T1=57x40", "T1=10x10"], "iCPD", "confirmed-before"),
        ([FIRST, "T1=40x30", FIRST], "iUPD", "growth-over-nadir"),
        ([FIRST, "T1=40x30", FIRST, "T1=57x40"], "iCPD", "confirmed"),
        ([FIRST, "T1=NE", "T1=57x40"], "iCPD", "confirmed"),
        ([FIRST, "T1=20x10"], "iPR", "shrinkage-from-baseline"),
    ],
)
def test_a_first_progression_waits_to_be_confirmed(later: list[str], response: str, rule: str) -> None:
    judgement = course("IRECIST", "T1=40x30", *later)
    assert (judgement.response, judgement.rule) == (response, rule)


@pytest.mark.parametrize(("day", "rule"), [("2026-03-03", "unconfirmed-too-early"), ("2026-03-04", "confirmed")])
def test_a_progression_is_confirmed_four_weeks_later_at_the_earliest(day: str, rule: str) -> None:
    assert course("IRECIST", "T1=40x30", FIRST, a_reading("T1=60x46", day)).rule == rule


@pytest.mark.parametrize(
    ("first", "then", "response"),
    [
        ({"new": True}, {"new": True, "new_labels": frozenset({"A"})}, "iCPD"),
        ({"new": True, "new_labels": frozenset({"A"})}, {"new": True, "new_labels": frozenset({"A"})}, "iUPD"),
        ({"new": True, "new_labels": frozenset({"A"})}, {"new": True, "new_labels": frozenset({"A", "B"})}, "iCPD"),
        ({"non_target": "pd"}, {"new": True, "new_labels": frozenset({"A"})}, "iCPD"),
        ({"new": True, "new_labels": frozenset({"A"})}, {"non_target": "pd"}, "iCPD"),
        ({"non_target": "pd"}, {"non_target": "pd"}, "iUPD"),
        (
            {"new": True, "new_labels": frozenset({"A"}), "new_sum_mm": Decimal(10)},
            {"new": True, "new_labels": frozenset({"A"}), "new_sum_mm": Decimal(15)},
            "iCPD",
        ),
        (
            {"new": True, "new_labels": frozenset({"A"}), "new_sum_mm": Decimal(10)},
            {"new": True, "new_labels": frozenset({"A"}), "new_sum_mm": Decimal("14.999")},
            "iUPD",
        ),
    ],
)
def test_what_worsens_further_confirms(first: dict[str, Any], then: dict[str, Any], response: str) -> None:
    readings = [a_reading("T1=40x30", DAYS[1], **first), a_reading("T1=40x30", DAYS[2], **then)]
    assert course("IRECIST", "T1=40x30", *readings).response == response


@pytest.mark.parametrize(
    ("first", "targets", "response"),
    [
        ("T1=57x40", "T1=60x40", "iCPD"),  # over the nadir of 50: 14 % first, then 20 %, 3 mm more than first
        ("T1=57x40", "T1=59.999x40", "iSD"),
        ("T1=60x40", "T1=63x40", "iUPD"),  # the sum had progressed already: 5 mm more are asked
        ("T1=NE", "T1=60x40", "iCPD"),
    ],
)
def test_progression_of_the_targets_confirms_what_began_with_a_new_lesion(
    first: str, targets: str, response: str
) -> None:
    began = a_reading(first, DAYS[2], new=True)
    assert course("IRECIST", "T1=60x40", "T1=50x40", began, a_reading(targets, DAYS[3])).response == response


def neuroblastoma(targets: str, on: str = DAYS[0], *, non_target: str = "none", **found: Any) -> Reading:
    return a_reading(targets, on, non_target=non_target, neuroblastoma=NeuroblastomaFindings(**found))


GONE, HALF, SAME = "T1=0x0", "T1=20x15", "T1=40x30"


@pytest.mark.parametrize(
    ("targets", "before", "now", "response", "rule"),
    [
        (GONE, {}, {"primary_uptake": "negative"}, "CR", "all-components-complete"),
        ("T1=9.9x9", {}, {"primary_uptake": "negative"}, "CR", "all-components-complete"),
        ("T1=10x9", {}, {"primary_uptake": "negative"}, "PR", "complete-or-partial-in-all-components"),
        ("T1=TSTM", {}, {"primary_uptake": "negative"}, "CR", "all-components-complete"),
        (GONE, {}, {"primary_uptake": "stable"}, "PR", "complete-or-partial-in-all-components"),
        (HALF, {}, {"primary_uptake": "increased"}, "SD", "no-component-better"),
        ("T1=NE", {}, {"primary_uptake": "stable"}, "NE", "component-not-evaluated"),
        ("T1=60x30", {}, {"primary_uptake": "stable"}, "PD", "growth-over-nadir"),
        ("T1=60x30", {}, {}, "PD", "growth-over-nadir"),
        (SAME, {}, {}, None, "uptake-unknown"),
        (HALF, {"mibg_score": 10}, {"mibg_score": 0}, "PR", "complete-or-partial-in-all-components"),
        (SAME, {"mibg_score": 10}, {"mibg_score": 5}, "MR", "one-component-better-another-stable"),
        (SAME, {"mibg_score": 10}, {"mibg_score": 6}, "SD", "no-component-better"),
        (SAME, {"mibg_score": 10}, {"mibg_score": 11}, "SD", "no-component-better"),
        (SAME, {"mibg_score": 10}, {"mibg_score": 12}, "PD", "metastases-by-uptake"),
        (SAME, {"mibg_score": 0}, {"mibg_score": 0}, "SD", "no-component-better"),
        (SAME, {"mibg_score": 0}, {"mibg_score": 1}, "PD", "metastases-by-uptake"),
        (SAME, {"mibg_score": 10}, {"primary_uptake": "stable"}, "NE", "component-not-evaluated"),
        (HALF, {"marrow_percent": "40"}, {"marrow_percent": "5"}, "PR", "complete-or-partial-in-all-components"),
        (HALF, {"marrow_percent": "40"}, {"marrow_percent": "5.1"}, "MR", "one-component-better-another-stable"),
        (HALF, {"marrow_percent": "40"}, {"marrow_percent": "0"}, "PR", "complete-or-partial-in-all-components"),
        (HALF, {"marrow_percent": "0"}, {"marrow_percent": "0"}, "PR", "complete-or-partial-in-all-components"),
        (SAME, {"marrow_percent": "0"}, {"marrow_percent": "5"}, "SD", "no-component-better"),
        (SAME, {"marrow_percent": "0"}, {"marrow_percent": "5.1"}, "PD", "marrow"),
        (SAME, {"marrow_percent": "10"}, {"marrow_percent": "20"}, "SD", "no-component-better"),
        (SAME, {"marrow_percent": "10"}, {"marrow_percent": "20.1"}, "PD", "marrow"),
        (SAME, {"marrow_percent": "15"}, {"marrow_percent": "30"}, "SD", "no-component-better"),
        (SAME, {}, {"marrow_percent": "3"}, "NE", "component-not-evaluated"),
    ],
)
def test_inrc_joins_its_components(
    targets: str, before: dict[str, Any], now: dict[str, Any], response: str | None, rule: str
) -> None:
    if now and "primary_uptake" not in now:
        now = now | {"primary_uptake": "stable"}
    judgement = course("INRC_2017", neuroblastoma(SAME, **before), neuroblastoma(targets, DAYS[1], **now))
    assert (judgement.response, judgement.rule) == (response, rule)


@pytest.mark.parametrize(
    ("before", "between", "now", "response", "rule"),
    [
        ({"mibg_score": 10}, {"mibg_score": 0}, {"mibg_score": 1}, "PD", "metastases-by-uptake"),
        ({"mibg_score": 10}, {"mibg_score": 1}, {"mibg_score": 5}, "MR", "one-component-better-another-stable"),
        ({"marrow_percent": "10"}, {"marrow_percent": "0"}, {"marrow_percent": "5"}, "SD", "no-component-better"),
        ({"marrow_percent": "10"}, {"marrow_percent": "0"}, {"marrow_percent": "5.1"}, "PD", "marrow"),
        ({"marrow_percent": "40"}, {"marrow_percent": "10.1"}, {"marrow_percent": "20.2"}, "SD", "no-component-better"),
        ({"marrow_percent": "40"}, {"marrow_percent": "10.1"}, {"marrow_percent": "20.3"}, "PD", "marrow"),
        ({"marrow_percent": "40"}, {}, {"marrow_percent": "40"}, "SD", "no-component-better"),
    ],
)
def test_inrc_compares_with_the_smallest_so_far(
    before: dict[str, Any], between: dict[str, Any], now: dict[str, Any], response: str, rule: str
) -> None:
    readings = [
        neuroblastoma(SAME, on, primary_uptake="stable", **found)
        for on, found in zip(DAYS, (before, between, now), strict=False)
    ]
    judgement = course("INRC_2017", *readings)
    assert (judgement.response, judgement.rule) == (response, rule)


@pytest.mark.parametrize(
    ("before", "now", "response", "rule"),
    [
        ({"marrow_percent": "40"}, {"marrow_percent": "0"}, "CR", "all-components-complete"),
        ({"mibg_score": 10}, {"mibg_score": 5}, "PR", "complete-or-partial-in-all-components"),
        ({"mibg_score": 10}, {"mibg_score": 5, "primary_uptake": "negative"}, "PR", None),
        ({"mibg_score": 10}, {"mibg_score": 12}, "PD", "metastases-by-uptake"),
        ({"mibg_score": 10}, {"mibg_score": 5, "primary_uptake": "stable"}, "NE", "component-not-evaluated"),
        ({"mibg_score": 0}, {"mibg_score": 0}, None, "uptake-unknown"),
        ({}, {"primary_uptake": "negative"}, "NE", "component-not-evaluated"),
    ],
)
def test_inrc_without_soft_tissue_disease_is_that_of_marrow_and_metastases(
    before: dict[str, Any], now: dict[str, Any], response: str | None, rule: str | None
) -> None:
    judgement = course("INRC_2017", neuroblastoma("", **before), neuroblastoma("", DAYS[1], **now))
    assert judgement.response == response
    assert rule in (judgement.rule, None)
    found = a_reading("", DAYS[1], new=True, neuroblastoma=NeuroblastomaFindings(**now))
    assert course("INRC_2017", neuroblastoma("", **before), found).response == "PD"


def test_progression_by_inrc_needs_no_uptake() -> None:
    now = neuroblastoma(SAME, DAYS[1], mibg_score=12)
    judgement = course("INRC_2017", neuroblastoma(SAME, mibg_score=10), now)
    assert (judgement.response, judgement.rule, judgement.basis.unknown) == ("PD", "metastases-by-uptake", ())
    assert ENGINES["INRC_2017"].judge(None, [], a_reading("", new=True)).response == "PD"
    assert ENGINES["INRC_2017"].judge(None, [], a_reading("")).rule == "uptake-unknown"


def test_inrc_without_a_baseline_or_with_other_disease_left() -> None:
    now = neuroblastoma(GONE, DAYS[1], non_target="non-cr-non-pd", primary_uptake="negative")
    assert course("INRC_2017", SAME, now).response == "PR"
    assert ENGINES["INRC_2017"].judge(None, [], now).rule == "no-baseline"


def one(reading: Reading, **changes: Any) -> Reading:
    return replace(reading, targets=(replace(reading.targets[0], **changes), *reading.targets[1:]))


def test_a_split_lesion_is_the_sum_of_its_parts() -> None:
    split = one(a_reading("T1=20x10", DAYS[1]), further_parts=((Decimal(15), Decimal(5)),))
    assert course("SEED_V1", "T1=60x40", split).basis.sum == 50
    assert course("SEED_SPD", "T1=60x40", split).basis.sum == 275
    assert course("INRC_2017", "T1=60x40", replace(split, neuroblastoma=NeuroblastomaFindings())).response is None
    residue = one(
        neuroblastoma("T1=9x9", DAYS[1], primary_uptake="negative"), further_parts=((Decimal(9), Decimal(9)),)
    )
    assert course("INRC_2017", "T1=60x40", residue).response == "PR"


def test_a_merged_lesion_counts_where_the_whole_is_measured_and_is_not_gone() -> None:
    merged = a_reading("T1=0x0|T2=0x0", DAYS[1])
    merged = one(merged, state=LesionState.MERGED)
    assert course("SEED_V1", "T1=30x20|T2=30x20", merged).response == "PR"
    whole = one(a_reading("T1=0x0|T2=50x30", DAYS[1]), state=LesionState.MERGED)
    assert course("SEED_V1", "T1=30x20|T2=30x20", whole).basis.sum == 80
    node = one(a_reading("N1=0x0", DAYS[1]), state=LesionState.MERGED)
    assert course("SEED_V1", "N1=30x20", node).response == "PR"


@pytest.mark.parametrize("therapy", LocalTherapy)
def test_a_lesion_treated_locally_can_show_progression_and_no_response(therapy: LocalTherapy) -> None:
    treated = one(a_reading("T1=0x0|T2=20x20", DAYS[1]), local_therapy=therapy)
    judgement = course("SEED_V1", "T1=60x40|T2=20x20", treated)
    assert judgement.response == "NE"
    assert (judgement.basis.sum, judgement.basis.seen_sum) == (None, Decimal(40))
    assert judgement.basis.locally_treated == (an_id("T1"),)
    assert "treated locally" in judgement.explanation
    assert course("SEED_V1", "T1=60x40|T2=20x20", treated, "T1=0x0|T2=20x20").response == "NE"  # from then on
    assert course("SEED_V1", "T1=60x40|T2=20x20", treated, "T1=0x0|T2=100x80").response == "PD"


def test_a_change_of_modality_is_flagged() -> None:
    by_ct = one(a_reading("T1=60x40|T2=20x20"), modality=Modality.CT)
    by_mri = one(a_reading("T1=60x40|T2=20x20", DAYS[1]), modality=Modality.MRI)
    assert course("SEED_V1", by_ct, by_mri).basis.modality_changed == (an_id("T1"),)
    assert course("SEED_V1", by_ct, replace(by_ct, on=DAYS[1])).basis.modality_changed == ()
    assert course("SEED_V1", "T1=60x40|T2=20x20", by_mri).basis.modality_changed == ()  # nobody said by what


@pytest.mark.parametrize(
    ("name", "readings", "changes"),
    [
        ("SEED_V1", ["T1=60x40", "T1=60x40"], ("PD at a sum above 125 mm.", "PR at a sum below 50 mm.")),
        ("SEED_V1", ["T1=60x40", "T1=29x20"], ("PD at a sum above 125 mm.",)),
        (
            "RECIST_1_1",
            ["T1=20x20", "T1=20x20"],
            ("PD at a sum at or above 25 mm.", "PR at a sum at or below 14 mm."),
        ),
        (
            "RECIST_1_1",
            ["T1=60x40", "T1=80x50"],
            ("No PD at a sum below 72 mm.", "PR at a sum at or below 42 mm."),
        ),
        (
            "SEED_V1",
            ["T1=60x40", "T1=20x20", "T1=26x26"],
            (
                "No PD at a sum at or below 50 mm.",
                "No PD with the baseline as the reference.",
                "PR at a sum below 50 mm.",
            ),
        ),
        ("WHO_1979", ["T1=60x40", "T1=60x40"], ()),
        ("SEED_V1", ["T1=60x40|T2=20x20", "T1=NE|T2=20x20"], ("PD at a sum above 175 mm.",)),
        ("SEED_V1", ["T1=60x40|T2=20x20", "T1=NE|T2=100x90"], ()),
        ("SEED_V1", ["T1=NE", "T1=60x40"], ()),
    ],
)
def test_what_would_have_changed_a_response_is_told(name: str, readings: list[str], changes: tuple[str, ...]) -> None:
    assert course(name, *readings).would_change == changes


@pytest.mark.parametrize(
    ("found", "change"),
    [
        ({"new": True}, "SD without the new lesion."),
        ({"non_target": "pd"}, "SD without the worsening of non-target disease."),
    ],
)
def test_what_alone_makes_progression_is_told(found: dict[str, Any], change: str) -> None:
    assert course("SEED_V1", "T1=60x40", a_reading("T1=60x40", DAYS[1], **found)).would_change == (change,)
    both = a_reading("", DAYS[1], **found)
    assert course("SEED_V1", "", both).would_change[0].startswith("NE without")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("targets", ["T1=40x40", ""])
def test_where_no_baseline_is_on_record_every_set_answers_all_the_same(name: str, targets: str) -> None:
    first, later = a_reading(targets), a_reading(targets, DAYS[1])
    for others in ((first,), (first, later)):
        assert judged(ENGINES[name], None, others, others[-1]).response in {None, "NE", "SD"}


@pytest.mark.parametrize("name", sorted(ENGINES.keys() - {"INRC_2017"}))
def test_nothing_is_gone_of_what_was_never_there(name: str) -> None:
    """A target that is absent at baseline already is no disease that could have answered."""
    found = course(name, "T1=0x0", "T1=0x0")
    assert (found.response, found.rule) == ("NE", "no-disease-at-baseline")
    assert course(name, "T1=0x0", "T1=20x20").response in ("PD", "iUPD")
    assert course(name, "T1=0x0|T2=40x40", "T1=0x0|T2=0x0").response in ("CR", "iCR")


@pytest.mark.parametrize(("name", "response"), [("RECIST_1_1", "CR"), ("RANO_HGG_2010", "NE"), ("SEED_V1", "CR")])
def test_beside_a_target_that_was_never_there_other_disease_decides(name: str, response: str) -> None:
    before = a_reading("T1=0x0", non_target="non-cr-non-pd")
    assert course(name, before, a_reading("T1=0x0", DAYS[1], non_target="cr")).response == response


NEURO = ("t2-flair", "clinical-state", "steroids")
OF_INRC = ("uptake", "mibg-score", "marrow")


@pytest.mark.parametrize(
    ("name", "targets", "confirmation", "asks"),
    [
        ("SEED_V1", (5, 2), ("as-the-protocol-sets", 28), ()),
        ("SEED_SPD", (5, 2), ("as-the-protocol-sets", 28), ()),
        ("WHO_1979", (None, None), ("response", 28), ()),
        ("RANO_HGG_2010", (5, None), ("response", 28), NEURO),
        ("RAPNO_HGG", (3, None), ("response", 28), NEURO),
        ("RAPNO_LGG", (5, None), ("response", 28), NEURO),
        ("RAPNO_DIPG", (None, None), ("response", 28), NEURO),
        ("RAPNO_MEDULLOBLASTOMA", (None, None), ("response", 28), NEURO),
        ("RECIST_1_1", (5, 2), ("response-of-single-arm-trials", 28), ()),
        ("IRECIST", (5, 2), ("progression", 28), ()),
        ("INRC_2017", (5, 2), ("not-stated", None), OF_INRC),
    ],
)
def test_a_set_holds_its_number_of_targets_its_confirmation_and_what_it_asks(
    name: str, targets: Any, confirmation: Any, asks: Any
) -> None:
    """The rows "targets" and "confirmation" of the table of standards."""
    engine = ENGINES[name]
    told = engine.diameters
    assert (told.targets.at_most, told.targets.at_most_per_organ) == targets
    assert (told.confirmation.of, told.confirmation.minimum_days) == confirmation
    assert engine.asks == asks
    assert told.source


@pytest.mark.parametrize(("lesions", "said"), [(3, False), (4, True)])
def test_more_targets_than_a_set_takes_are_all_summed_and_it_says_so(lesions: int, said: bool) -> None:
    engine = ENGINES["RAPNO_HGG"]
    targets = tuple(Target(UUID(int=n), False, LesionState.MEASURED, Decimal(20), Decimal(20)) for n in range(lesions))
    baseline, now = (Reading(on, targets, NonTargetStatus.NONE, False) for on in ("2026-01-01", "2026-02-01"))
    judgement = engine.judge(baseline, (), now)
    assert judgement.basis.sum == 400 * lesions
    assert ("takes at most 3 target lesions; the sum is of 4" in judgement.explanation) is said
