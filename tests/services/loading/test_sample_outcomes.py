"""The sample trial, sent to a real process over real HTTP, against figures worked out by hand from its files.

The hand's work is in the comments: P1 to P10 are the files p01 to p10; P6 failed screening. Nothing here depends on
the day of the test, as every participant's follow-up is over.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.loading.outcomes import Outcomes
from shared.kernel.actor import Role
from tests.services.loading.support import Running, tokens_of


def test_nine_of_ten_screened_were_infused_at_two_sites(sample_outcomes: Outcomes) -> None:
    people = sample_outcomes.participants["items"]
    assert [(each["subject_number"], each["status"], each["dose_level"]) for each in people] == [
        ("CU-001", "withdrawn", "DL1"),
        ("CU-002", "completed", "DL1"),
        ("CU-003", "completed", "DL2"),
        ("CU-004", "screen-failed", None),
        ("CU-005", "completed", "DL2"),
        ("CU-006", "lost-to-follow-up", "DL2"),
        ("CU-007", "died", "DL2"),
        ("NCH-001", "completed", "DL1"),
        ("NCH-002", "completed", "DL2"),
        ("NCH-003", "lost-to-follow-up", "DL2"),
    ]
    tables = (sample_outcomes.adverse_events, sample_outcomes.responses, sample_outcomes.persistence)
    assert {table["result"]["infused"] for table in tables} == {9}
    assert not sample_outcomes.adverse_events["as_of"]["halted"]
    assert sample_outcomes.adverse_events["as_of"]["parked"] == 0


def _points(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {point["visit"]: point for point in table["result"]["time_points"]}


def _counted(incidences: dict[str, Any]) -> tuple[int, int, list[int], int, int]:
    """N at risk, any, by worst grade, related, serious."""
    worst = [each["n"] for each in incidences["any"]["by_worst_grade"]]
    kinds = (incidences[kind]["n"] for kind in ("related", "serious"))
    return (incidences["at_risk"], incidences["any"]["n"], worst, *kinds)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("visit", "cumulative"),
    [
        # Everybody had CRS in the first week. Worst: P8 grade 1; P2 (the nausea corrected from 3) and P10 grade 2;
        # P3 (febrile neutropenia) and P9 grade 3; P1 (lymphocytes, from 3 before the infusion), P4, P5, P7 grade 4.
        # Serious: P3 febrile neutropenia, P5 CRS and ICANS, P9 CRS.
        ("D7", (9, 9, [1, 2, 2, 4, 0], 9, 3)),
        # P8's anemia makes that grade 3; P9's hydrocephalus is serious, but P9 is counted already.
        ("D14", (9, 9, [0, 2, 3, 4, 0], 9, 3)),
        ("D21", (9, 9, [0, 2, 3, 4, 0], 9, 4)),  # P7's catheter infection on day 19
        ("D90", (9, 9, [0, 2, 3, 4, 0], 9, 4)),
        ("M6", (9, 9, [0, 1, 3, 4, 1], 9, 5)),  # P10 died of the disease on day 142
        ("M12", (9, 9, [0, 1, 3, 4, 1], 9, 5)),
    ],
)
def test_adverse_events_up_to_a_time_point(sample_outcomes: Outcomes, visit: str, cumulative: tuple[Any, ...]) -> None:
    assert _counted(_points(sample_outcomes.adverse_events)[visit]["cumulative"]) == cumulative


@pytest.mark.parametrize(
    ("visit", "interval"),
    [
        # P2 anemia 2, P3 platelets 3 (related), P4 rash 1 (related), P8 anemia 3, P9 hydrocephalus 3 (serious): each
        # attributed to the cells as possible at least.
        ("D14", (9, 5, [1, 1, 3, 0, 0], 5, 1)),
        ("D21", (9, 1, [0, 0, 1, 0, 0], 0, 1)),  # P7's catheter infection, unlikely to be of the cells
        ("D30", (9, 1, [0, 1, 0, 0, 0], 0, 0)),  # P10's hypertension
        ("D60", (9, 2, [0, 2, 0, 0, 0], 0, 0)),  # P2's cold on day 48, P10's headache on day 60
        ("D90", (9, 1, [0, 1, 0, 0, 0], 0, 0)),  # P1's pain on day 75
        ("M6", (9, 1, [0, 0, 0, 0, 1], 0, 1)),
        ("M12", (7, 1, [0, 1, 0, 0, 0], 0, 0)),  # P7's lung infection; P8 was lost on day 100, P10 had died
    ],
)
def test_adverse_events_of_an_interval(sample_outcomes: Outcomes, visit: str, interval: tuple[Any, ...]) -> None:
    assert _counted(_points(sample_outcomes.adverse_events)[visit]["interval"]) == interval


def test_cytokine_release_syndrome_and_neurotoxicity_by_worst_grade(sample_outcomes: Outcomes) -> None:
    socs = _points(sample_outcomes.adverse_events)["M12"]["cumulative"]["by_soc"]
    terms = {
        term["term"]: [each["n"] for each in term["any"]["by_worst_grade"]] for soc in socs for term in soc["terms"]
    }
    assert terms["Cytokine release syndrome"] == [3, 4, 1, 1, 0]  # P1 P2 P8; P3 P4 P7 P10; P9; P5
    assert terms["Nervous system disorders - Other, specify"] == [1, 0, 1, 0, 0]  # ICANS: P10; P5
    assert terms["Nausea"] == [1, 1, 0, 0, 0]  # P8; P2, corrected
    assert "Fever" not in terms  # P2's was retracted


@pytest.mark.parametrize(
    ("visit", "counts", "responders", "evaluable", "progressed_before", "not_assessed"),
    [
        # PR: P3 (64 of 136 mm), P4 (28 of 63). PD: P8 (219 over 1.25 x 169). NE: P7, liver not imaged.
        # SD: P1, P2, P9, P10, and P5 by override (168 over 1.25 x 132 would be PD).
        ("D30", (0, 2, 5, 1, 1), 2, 8, 0, 0),
        # CR: P4. PR: P5 (63 of 132). PD: P1 (new lesion), P10 (82 over 1.25 x 65), P8 since before. P3 is back to SD.
        ("D90", (1, 1, 4, 3, 0), 2, 9, 1, 0),
        # CR: P4, P5 (tumour gone, node 7 mm). PD: P2 (80 over 1.25 x 60), P3 (110 over 1.25 x 64), and P1, P8, P10.
        # SD: P7, P9 (the new lesion is equivocal).
        ("M6", (2, 0, 2, 5, 0), 2, 9, 3, 0),
        ("M12", (2, 0, 0, 6, 0), 2, 8, 5, 0),  # P7 by non-targets; P9 began radiotherapy in the month after day 180
    ],
)
def test_responses_at_a_time_point(
    sample_outcomes: Outcomes,
    visit: str,
    counts: tuple[int, ...],
    responders: int,
    evaluable: int,
    progressed_before: int,
    not_assessed: int,
) -> None:
    point = _points(sample_outcomes.responses)[visit]
    assert tuple(point["counts"][each] for each in ("cr", "pr", "sd", "pd", "ne")) == counts
    assert [(rate["responders"], rate["n"]) for rate in point["rates"]] == [(responders, 9), (responders, evaluable)]
    assert (point["progressed_before"], point["not_assessed"], point["not_yet_due"]) == (
        progressed_before,
        not_assessed,
        0,
    )
    assert point["after_new_therapy"] == (visit == "M12")


def test_progression_free_and_overall_survival(sample_outcomes: Outcomes) -> None:
    times = {
        endpoint: {each["subject_number"]: (each["days"], each["ending"]) for each in answer["result"]["participants"]}
        for endpoint, answer in (("pfs", sample_outcomes.progression_free), ("os", sample_outcomes.overall))
    }
    assert times["pfs"] == {
        "CU-001": (88, "progression"),
        "CU-002": (184, "progression"),
        "CU-003": (364, "last-assessment"),
        "CU-005": (370, "progression"),
        "CU-006": (29, "progression"),
        "CU-007": (93, "progression"),
        "NCH-001": (179, "progression"),
        "NCH-002": (368, "last-assessment"),
        "NCH-003": (180, "before-new-anticancer-therapy"),  # radiotherapy in December, from day 181 on
    }
    assert {who: ending for who, (_, ending) in times["os"].items() if ending == "death"} == {"CU-007": "death"}
    assert times["os"]["CU-007"] == (142, "death")
    # PFS: 9 at risk; 29, 88, 93: 6/9; 179: 5/9; 180 censored; 184: 5/9 x 3/4 = 0.417, at or below a half.
    everybody = sample_outcomes.progression_free["result"]["groups"][0]
    assert (everybody["n"], everybody["events"], everybody["median"]["days"]) == (9, 6, "184")


def test_two_blinded_readers_differ_once_and_the_adjudicator_decides(sample_outcomes: Outcomes) -> None:
    points = {
        (review["participant_id"], point["time_point"]): point
        for review in sample_outcomes.reviews
        for point in review["time_points"]
    }
    numbers = {each["participant_id"]: each["subject_number"] for each in sample_outcomes.participants["items"]}
    told = {
        (numbers[who], at): (
            point["reader_1"]["response"],
            point["reader_2"]["response"],
            point["response"],
            point["by"],
        )
        for (who, at), point in points.items()
    }
    assert told == {
        ("CU-003", "D30"): ("PR", "PR", "PR", "agreement"),
        ("CU-003", "D90"): ("CR", "CR", "CR", "agreement"),
        ("NCH-001", "D30"): ("PR", "PR", "PR", "agreement"),
        ("NCH-001", "D90"): ("SD", "PD", "SD", "adjudication"),  # 76 of 136 mm; 86 over 1.25 x 64
    }


def test_best_overall_response_with_and_without_confirmation(sample_outcomes: Outcomes) -> None:
    result = sample_outcomes.responses["result"]
    best, confirmed = result["best_overall"], result["other_rule"]
    nobody = dict.fromkeys(("mr", "non_cr_non_pd", "ne", "missing"), 0)
    assert best["counts"] == nobody | {"cr": 2, "pr": 1, "sd": 5, "pd": 1}
    assert confirmed["counts"] == nobody | {"cr": 2, "pr": 0, "sd": 6, "pd": 1}  # P3's PR was not confirmed
    infused = best["rates"][0]
    # 3 of 9: beta quantiles (3; 7; 0.025) and (4; 6; 0.975), as printed in tables of Clopper-Pearson limits.
    assert (infused["percent"], infused["interval"]["lower"], infused["interval"]["upper"]) == ("33.3", "7.5", "70.1")


def test_an_override_and_what_the_criteria_had_said_stay_side_by_side(sample_outcomes: Outcomes) -> None:
    people = {each["subject_number"]: each for each in sample_outcomes.responses["result"]["participants"]}
    overridden = [each for each in people["NCH-002"]["assessments"] if each["overridden"]]
    assert [(each["visit"], each["assigned"], each["response"]) for each in overridden] == [("D30", "PD", "SD")]


@pytest.mark.parametrize(
    ("visit", "n", "detectable", "below", "median", "lowest", "highest"),
    [
        # cells/uL = ALC x 1000 x CD3 share x CAR share; P1 by share of lymphocytes.
        # D7: P8 3.5, P2 9, P1 18, P3 30, P10 36, P7 42, P9 48, P4 100, P5 200
        ("D7", 9, 9, 0, "36", "3.5", "200"),
        # D14, without P10: 13.5, 24, 54, 80 | 144, 148.5, 300, 600
        ("D14", 8, 8, 0, "112", "13.5", "600"),
        # D21, P7 as corrected from 12 to 5 percent: 3.5, 9, 22, 22.5, 36, 52.5, 83.2, 176, 288
        ("D21", 9, 9, 0, "36", "3.5", "288"),
        # D30: 0.825, 2.6, 6, 7.68, 10.5, 18, 21, 90, 120
        ("D30", 9, 9, 0, "10.5", "0.825", "120"),
        # D60, without P7: <, <, 1.2, 1.4625 | 2.4, 6, 40, 42
        ("D60", 8, 6, 2, "1.93125", "<0.21", "42"),
        # D90: <, <, <, 0.45, 1.2, 2.4, 2.7, 15, 19.5
        ("D90", 9, 6, 3, "1.2", "<0.225", "19.5"),
        # M6, without P8 and P10: five below their limits (50 of 250,000 events x ALC), then 3.3, 9.6. The fourth
        # limit in order is 0.304: P1 0.32, P2 0.27, P3 0.272, P7 0.304, P9 0.255.
        ("M6", 7, 2, 5, "<0.304", "<0.255", "9.6"),
        # M12: P2 0.285, P3 0.27, P5 0.368, P7 0.3 below their limits; P4 4. The third in order is 0.3.
        ("M12", 5, 1, 4, "<0.3", "<0.27", "4"),
    ],
)
def test_persistence_at_a_time_point(
    sample_outcomes: Outcomes, visit: str, n: int, detectable: int, below: int, median: str, lowest: str, highest: str
) -> None:
    point = _points(sample_outcomes.persistence)[visit]
    assert (point["n"], point["n_detectable"], point["n_below_lloq"]) == (n, detectable, below)
    told = (point["median"], point["range"]["lowest"], point["range"]["highest"])
    assert tuple(level["text"] for level in told) == (median, lowest, highest)


def test_the_course_of_one_participant_whose_cells_persist_and_of_one_who_lost_them(sample_outcomes: Outcomes) -> None:
    people = {each["subject_number"]: each for each in sample_outcomes.persistence["result"]["participants"]}
    stays, goes = people["CU-003"], people["CU-002"]
    assert (stays["cmax"]["value"], stays["cmax"]["day"], stays["last_detectable_day"]) == ("300", 14, 364)
    assert not stays["lost"]
    assert (goes["cmax"]["value"], goes["last_detectable_day"], goes["lost_on_day"]) == ("24", 30, 62)


def test_copies_are_found_longer_than_cells(sample_outcomes: Outcomes) -> None:
    [by_pcr] = [each for each in sample_outcomes.transgene["result"]["participants"] if each["samples"]]
    by_flow = {each["subject_number"]: each for each in sample_outcomes.persistence["result"]["participants"]}[
        "NCH-001"
    ]
    assert (by_pcr["subject_number"], by_pcr["cmax"]["value"], by_pcr["cmax"]["day"]) == ("NCH-001", "48000", 14)
    assert (by_flow["last_detectable_day"], by_pcr["last_detectable_day"]) == (90, 179)
    assert [each["specimen_flags"] for each in by_pcr["samples"][:3]] == [[], [], []]
    assert by_pcr["samples"][-1]["value"]["text"] == "<50"


@pytest.mark.parametrize(
    ("analyte", "visit", "n", "censored", "median", "lowest", "highest"),
    [
        ("IL6", "PRE", 9, 2, "4.0", "<2.5", "8.0"),  # <, <, 2.8, 3.0, 4.0, 5.0, 5.5, 6.0, 8.0
        ("IL6", "D7", 9, 1, "350", "40", ">10000"),  # 40, 60, 85, 280, 350, 420, 610, 1500, >
        ("IL6", "D14", 8, 0, "35", "6", "2400"),  # 6, 9, 12, 30 (corrected from 300) | 40, 45, 120, 2400
        ("IL6", "D21", 8, 0, "12", "3.0", "90"),  # P2's was drawn late: 3.0, 4.0, 8, 10 | 14, 15, 28, 90
        ("IL6", "D30", 9, 2, "4.0", "<2.5", "12"),  # <, <, 3, 3.2, 4.0, 6, 7, 9, 12
        ("IFNG", "D7", 9, 0, "180", "20", "2600"),
        ("IL2", "PRE", 9, 9, "<2.1", "<2.1", "<2.1"),
        ("IL4", "D21", 7, 7, "<1.0", "<1.0", "<1.0"),  # P10's sample was too small for it
    ],
)
def test_cytokines_at_a_time_point(
    sample_outcomes: Outcomes, analyte: str, visit: str, n: int, censored: int, median: str, lowest: str, highest: str
) -> None:
    point = _cytokine(sample_outcomes, analyte, visit)
    assert (point["n"], point["n_censored"]) == (n, censored)
    told = (point["median"], point["range"]["lowest"], point["range"]["highest"])
    assert tuple(level["text"] for level in told) == (median, lowest, highest)


def test_interleukin_6_rises_84_fold_or_more(sample_outcomes: Outcomes) -> None:
    """Over the baseline: 14.3, 20, 34+, 50.9, 84, 87.5, 244+, 250, 1250+; 34+ may lie beyond the middle."""
    fold = _cytokine(sample_outcomes, "IL6", "D7")["fold_change"]
    assert (fold["n"], fold["median"], fold["certainty"], fold["n_at_least"]) == (9, "84", "at-least", 3)


def _cytokine(outcomes: Outcomes, analyte: str, visit: str) -> dict[str, Any]:
    analytes = {each["analyte"]: each for each in outcomes.cytokines["result"]["analytes"]}
    points: dict[str, dict[str, Any]] = {each["visit"]: each for each in analytes[analyte]["time_points"]}
    return points[visit]


def test_the_serious_events_and_who_has_them_in_hand(sample_outcomes: Outcomes) -> None:
    items = sample_outcomes.worklist["result"]["items"]
    told = {(each["subject_number"], each["term"], each["because"], each["acknowledged_by"]) for each in items}
    officer = "safety-officer@NCH"
    assert told == {
        ("NCH-001", "Febrile neutropenia", "reported-serious", officer),
        ("NCH-002", "Cytokine release syndrome", "became-life-threatening", officer),
        ("NCH-002", "Nervous system disorders - Other, specify", "reported-serious", None),
        ("CU-005", "Catheter related infection", "reported-serious", None),
        ("NCH-003", "Cytokine release syndrome", "reported-serious", None),
        ("NCH-003", "Hydrocephalus", "reported-serious", None),
        ("CU-007", "Disease progression", "reported-serious", None),
    }
    upgrade = next(each for each in items if each["because"] == "became-life-threatening")
    # The clock runs from the awareness of the upgrade, 05:30 in Bangkok on 6 April, not from the event's onset.
    assert upgrade["duties"][0]["due_at"] == "2025-04-06T22:30:00Z"
    assert [each["recipient"] for each in upgrade["reports"]] == ["sponsor", "ethics-committee", "thai-fda"]
    met = {each["clock"]: each["state"] for each in upgrade["clocks"] if each["report_number"] is not None}
    assert met == {
        "investigator-to-sponsor": "met",
        "ethics-fatal-or-life-threatening": "met",
        "thai-fda-fatal-or-life-threatening-susar": "met",
    }
    assert upgrade["assessed_at"] is not None
    assert [each["answered"] for each in upgrade["reports"]] == [None, "accepted", "accepted"]


def test_what_is_unexpected_follows_from_the_version_of_the_reference_safety_information(
    sample_outcomes: Outcomes,
) -> None:
    """IB-1.0 lists CRS and febrile neutropenia up to grade 3. Who has no opinion of the sponsor's counts as related."""
    items = sample_outcomes.worklist["result"]["items"]
    held = {(each["subject_number"], each["term"]): each["susar"] for each in items}
    assert held["NCH-001", "Febrile neutropenia"] is None
    assert held["NCH-003", "Cytokine release syndrome"] is None
    assert held["NCH-002", "Cytokine release syndrome"] == "fatal-or-life-threatening"
    assert held["NCH-003", "Hydrocephalus"] == "other"


def test_a_course_of_crs_is_observed_through_three_days_and_rises_and_falls(sample_outcomes: Outcomes) -> None:
    (episode,) = (each for answer in sample_outcomes.courses for each in answer["result"] if each["kind"] == "crs")
    at = [datetime.fromisoformat(each["observed_at"]) for each in episode["series"]]
    between = [later - earlier for earlier, later in pairwise(at)]
    assert (min(between), max(between)) == (timedelta(hours=1), timedelta(hours=12))
    assert timedelta(days=2) < at[-1] - at[0] < timedelta(days=3)
    grades = [each["astct_grade"] for each in episode["series"]]
    worst = grades.index(max(grades))
    assert grades[: worst + 1] == sorted(grades[: worst + 1])
    assert grades[worst:] == sorted(grades[worst:], reverse=True)
    assert (grades[0], max(grades), grades[-1]) == (1, 3, 1)
    given = [(each["treatment"], datetime.fromisoformat(each["given_at"])) for each in episode["treatments"]]
    assert [treatment for treatment, _ in given] == ["tocilizumab", "corticosteroid"]
    assert all(at[0] < moment < at[worst] + timedelta(hours=6) for _, moment in given)


def test_one_of_the_nine_had_a_dose_limiting_toxicity_and_no_rule_stopped_the_trial(sample_outcomes: Outcomes) -> None:
    result = sample_outcomes.dose_limiting["result"]
    levels = {each["dose_level"]: each for each in result["levels"]}
    columns = ("treated", "in_window", "evaluable_without_dlt", "with_dlt", "not_evaluable", "undecided")
    assert tuple(levels["DL1"][each] for each in columns) == (3, 0, 3, 0, 0, 0)
    assert tuple(levels["DL2"][each] for each in columns) == (6, 0, 5, 1, 0, 0)
    decided = {
        (who["subject_number"], each["term"]): each["decision"]
        for who in result["participants"]
        for each in who["toxicities"]
        if not each["withdrawn"]
    }
    assert decided == {
        ("CU-005", "Neutrophil count decreased"): "refuted",
        ("NCH-002", "Cytokine release syndrome"): "confirmed",
        ("NCH-002", "Nervous system disorders - Other, specify"): "refuted",
        ("NCH-003", "Cytokine release syndrome"): "refuted",
        ("NCH-003", "Hydrocephalus"): "refuted",
    }
    assert {each["state"] for each in result["stopping_rules"]} == {"not-fired"}


def test_figures_and_tables_of_the_independent_review_show_what_was_settled(demo: Running, demo_folder: Path) -> None:
    """NCH-001: 64 of 136 mm, then the adjudicated 76. CU-003: 28 of 62 mm, then nothing."""
    token = tokens_of(demo_folder)(Role.SPONSOR, "*")

    def asked(path: str) -> Any:
        of_review = {"evaluator": "independent-review"}
        answer = httpx.get(f"{demo.url}{path}", params=of_review, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    bars = asked("/trial/v1/figures/waterfall")["datasets"]["bars"]
    assert [(bar["participant"], bar["change"], bar["best"]) for bar in bars] == [
        ("NCH-001", -52.94, "PR"),
        ("CU-003", -100.0, "CR"),
    ]
    points = asked("/trial/v1/figures/spider")["datasets"]["points"]
    assert [(each["day"], each["change"]) for each in points if each["participant"] == "NCH-001"] == [
        (-7, 0.0),
        (31, -52.94),
        (90, -44.12),
    ]
    best = asked("/trial/v1/outcomes/best-response")["result"]["participants"]
    assert {who["subject_number"]: who["rules"][0]["best"] for who in best if who["evaluable"]} == {
        "CU-003": "CR",
        "NCH-001": "PR",
    }


def test_where_the_specimens_stand(demo: Running, demo_folder: Path) -> None:
    """NCH-001: seven tubes with results, a clotted one, and draws without custody. CU-007 was too unwell on day 14."""
    token = tokens_of(demo_folder)(Role.SPONSOR, "*")
    answer = httpx.get(
        f"{demo.url}/trial/v1/specimens", params={"limit": 200}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    lines = answer.json()["items"]
    told = {
        (line["purpose"], line["visit"], line["status"], line["because"])
        for line in lines
        if line["subject_number"] == "NCH-001" and line["specimen_id"] is not None
    }
    assert told == {
        *(("car-t-flow", visit, "analysed", None) for visit in ("D7", "D14", "D30")),
        *(("cytokines", visit, "analysed", None) for visit in ("PRE", "D7", "D14", "D30")),
        (None, None, "rejected", "clotting"),
    }
    missing = {
        (line["subject_number"], line["purpose"], line["visit"], line["because"])
        for line in lines
        if line["status"] == "missing"
    }
    assert missing == {("CU-007", purpose, "D14", "too-unwell") for purpose in ("car-t-flow", "cytokines")}
