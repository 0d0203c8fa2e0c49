"""What is seen at the bedside amounts to the grades of the worked cases."""

from decimal import Decimal
from typing import Any

import pytest

from services.safety.domain.astct import crs, crs_observed
from shared.contracts.safety_episodes import CrsObservation, HypotensionSupport, OxygenDevice
from tests.services.safety.domain.astct import cases

SUPPORT = {
    "none": "none",
    "fluids": "fluids",
    "one_pressor": "one-vasopressor",
    "one_pressor_plus_vasopressin": "one-vasopressor-and-vasopressin",
    "vasopressin_alone": "vasopressin-alone",
    "multiple_pressors": "multiple-vasopressors",
}
DEVICE = {
    "room_air": "room-air",
    "low_flow_nc": "low-flow-cannula",
    "blow_by": "blow-by",
    "high_flow_nc": "high-flow-cannula",
    "facemask": "face-mask",
    "venturi": "venturi-mask",
    "nonrebreather": "non-rebreather",
    "cpap": "cpap",
    "bipap": "bipap",
    "intubated_mv": "ventilation",
}


def of_case(row: dict[str, str]) -> CrsObservation:
    return CrsObservation(
        temperature_c=Decimal(row["temp_c"]),
        fever_has_other_cause=cases.yes(row, "fever_has_other_cause"),
        fever_earlier=cases.yes(row, "fever_earlier_in_episode"),
        antipyretic_or_anticytokine=cases.yes(row, "antipyretic_or_anticytokine_given"),
        hypotension=HypotensionSupport(SUPPORT[row["hypotension_support"]]),
        oxygen_device=OxygenDevice(DEVICE[row["oxygen_support"]]),
        fio2_percent=Decimal(row["fio2_pct"]),
        oxygen_need_due_to_crs=cases.yes(row, "oxygen_need_due_to_crs"),
        life_threatening=cases.yes(row, "life_threatening_judgement"),
        death=cases.yes(row, "death_due_to_crs"),
    )


@pytest.mark.parametrize("row", cases.CRS, ids=lambda row: row["case_id"])
def test_a_worked_case_has_both_its_grades_as_it_was_seen(row: dict[str, str]) -> None:
    found = crs_observed.findings(of_case(row), [], drug_before=False)
    expected = int(row["expected_astct_grade"]), int(row["expected_ctcae_v5_crs_grade"])
    assert (crs.astct(found).grade, crs.ctcae(found, Decimal(50)).grade) == expected, row["rationale"]


@pytest.mark.parametrize(
    ("seen", "fever"),
    [
        ({"temperature_c": "37.99", "fever_has_other_cause": None}, False),
        ({"temperature_c": "38.0", "fever_has_other_cause": False}, True),
        ({"temperature_c": "38.0", "fever_has_other_cause": True}, False),
        ({"temperature_c": "38.0", "fever_has_other_cause": None}, None),
        ({"temperature_c": None, "fever_has_other_cause": False}, None),
    ],
)
def test_a_fever_is_thirty_eight_degrees_with_no_other_cause(seen: dict[str, Any], fever: bool | None) -> None:
    assert crs_observed.fever(CrsObservation.model_validate(seen)) is fever


@pytest.mark.parametrize(
    ("device", "flow", "due", "hypoxia"),
    [
        ("low-flow-cannula", "6", True, "low-flow"),
        ("low-flow-cannula", "6.1", True, "high-flow"),
        ("low-flow-cannula", None, True, "low-flow"),
        ("high-flow-cannula", "4", True, "high-flow"),
        ("room-air", None, None, "none"),
        ("cpap", None, None, None),
        ("cpap", None, False, "none"),
        (None, None, True, None),
        (None, None, False, "none"),
    ],
)
def test_device_and_flow_say_how_much_oxygen_is_needed(
    device: str | None, flow: str | None, due: bool | None, hypoxia: str | None
) -> None:
    seen = CrsObservation.model_validate(
        {"oxygen_device": device, "flow_l_per_min": flow, "oxygen_need_due_to_crs": due}
    )
    assert crs_observed.findings(seen, [], drug_before=False).hypoxia == hypoxia


FEVER = CrsObservation(temperature_c=Decimal(39), fever_has_other_cause=False)
COOL = CrsObservation(temperature_c=Decimal("36.8"))
UNKNOWN = CrsObservation()


@pytest.mark.parametrize(
    ("earlier", "seen", "drug_before", "masked"),
    [
        ([FEVER], COOL, True, True),
        ([FEVER, COOL], COOL, True, True),
        ([FEVER], COOL.model_copy(update={"antipyretic_or_anticytokine": True}), False, True),
        ([FEVER], COOL.model_copy(update={"antipyretic_or_anticytokine": False}), False, False),
        ([FEVER], COOL, False, None),  # nobody said whether a drug was given
        ([COOL], COOL, True, False),
        ([COOL, UNKNOWN], COOL, True, None),
        ([], COOL, True, None),  # the first observation, and nothing told of before
        ([], COOL.model_copy(update={"fever_earlier": True}), True, True),
        ([], COOL.model_copy(update={"fever_earlier": False}), True, False),
        ([COOL.model_copy(update={"fever_earlier": True})], COOL, True, True),
    ],
)
def test_a_fever_before_and_a_drug_since_mask_it(
    earlier: list[CrsObservation], seen: CrsObservation, drug_before: bool, masked: bool | None
) -> None:
    assert crs_observed.findings(seen, earlier, drug_before=drug_before).fever_masked is masked
