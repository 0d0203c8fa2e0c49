"""The worked cases, as the calculators take them."""

import csv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

HYPOTENSION = {
    "none": "none",
    "fluids": "no-vasopressor",
    "one_pressor": "one-vasopressor",
    "one_pressor_plus_vasopressin": "one-vasopressor",
    "vasopressin_alone": "one-vasopressor",
    "multiple_pressors": "multiple-vasopressors",
}
HYPOXIA = {
    "room_air": "none",
    "low_flow_nc": "low-flow",
    "blow_by": "low-flow",
    "high_flow_nc": "high-flow",
    "facemask": "high-flow",
    "venturi": "high-flow",
    "nonrebreather": "high-flow",
    "cpap": "positive-pressure",
    "bipap": "positive-pressure",
    "intubated_mv": "positive-pressure",
}
CONSCIOUSNESS = {
    "spontaneous": "awake",
    "voice": "voice",
    "tactile": "touch",
    "vigorous_or_unarousable": "unarousable",
}
SEIZURE = {"none": "none", "brief_or_resolving": "brief", "prolonged_or_repetitive": "prolonged"}
OEDEMA = {"none": "none", "focal": "focal", "diffuse_or_raised_icp_signs": "diffuse"}


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"astct_{name}_cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def yes(row: dict[str, str], name: str) -> bool:
    assert row[name] in {"Y", "N"}
    return row[name] == "Y"


def crs_item(row: dict[str, str]) -> dict[str, Any]:
    """The calculator's item of a case. It has no field for the judgement "life-threatening"."""
    hot = float(row["temp_c"]) >= 38.0 and not yes(row, "fever_has_other_cause")
    masked = yes(row, "fever_earlier_in_episode") and yes(row, "antipyretic_or_anticytokine_given")
    return {
        "id": row["case_id"],
        "fever": hot,
        "fever_masked": masked,
        "hypotension": HYPOTENSION[row["hypotension_support"]],
        "hypoxia": HYPOXIA[row["oxygen_support"]] if yes(row, "oxygen_need_due_to_crs") else "none",
        "fio2": row["fio2_pct"],
        "death": yes(row, "death_due_to_crs"),
    }


def icans_item(row: dict[str, str]) -> dict[str, Any]:
    """The calculator's item of a case. A score that could not be taken is null."""
    return {
        "id": row["case_id"],
        "age_years": row["age_years"],
        "developmental_delay": yes(row, "developmental_delay"),
        "ice": _score(row["ice_score"]),
        "capd": _score(row["capd_score"]),
        "consciousness": CONSCIOUSNESS[row["arousal"]],
        "seizure": SEIZURE[row["seizure"]],
        "motor_weakness": row["motor"] == "deep_focal_weakness",
        "oedema": OEDEMA[row["oedema_icp"]],
        "death": yes(row, "death_due_to_icans"),
    }


def _score(text: str) -> int | None:
    return int(text) if text.isdigit() else None


CRS = rows("crs")
ICANS = rows("icans")
