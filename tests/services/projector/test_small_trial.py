"""The tables of the small trial, worked out by hand."""

from typing import Any

import pytest

from tests.services.projector.chronicle import named
from tests.services.projector.house import House


async def ask(house: House, path: str, **params: str) -> Any:
    async with house.client() as client:
        answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def tally(n: int, percent: str | None, *grades: int) -> dict[str, Any]:
    """n, percent, and the worst grades of those n participants."""
    return {"n": n, "percent": percent, "grades": sorted(grades)}


def read(given: dict[str, Any]) -> dict[str, Any]:
    grades = [count["grade"] for count in given["by_worst_grade"] for _ in range(count["n"])]
    return {"n": given["n"], "percent": given["percent"], "grades": grades}


async def test_adverse_events_by_interval(trial: House) -> None:
    points = (await ask(trial, "/v1/outcomes/adverse-events"))["time_points"]
    found = {point["visit"]: (point["interval"]["at_risk"], read(point["interval"]["any"])) for point in points}
    assert found == {
        "D7": (3, tally(3, "100.0", 2, 3, 2)),  # CRS of 001 (2) and 002 (3), fever of 001 (1) and SI-001 (2)
        "D14": (3, tally(1, "33.3", 3)),  # CRS of 001 became grade 3 on day 8
        "D21": (3, tally(1, "33.3", 3)),  # anaemia, there before, got worse on day 15
        "D30": (2, tally(0, "0.0")),  # SI-001 is on day 21
        "D60": (2, tally(1, "50.0", 5)),  # sepsis on day 39, the last of 002
        "D90": (1, tally(0, "0.0")),
        "M6": (1, tally(0, "0.0")),  # 001 is on day 105
        "M12": (0, tally(0, None)),
    }


async def test_adverse_events_so_far(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/adverse-events")
    found = {point["visit"]: read(point["cumulative"]["any"]) for point in answer["time_points"]}
    assert found["D7"] == tally(3, "100.0", 2, 3, 2)
    assert found["D14"] == found["D21"] == found["D30"] == tally(3, "100.0", 3, 3, 2)
    assert found["D60"] == found["M12"] == tally(3, "100.0", 3, 5, 2)
    assert {point["cumulative"]["at_risk"] for point in answer["time_points"]} == {3}
    assert (answer["shown_first"], answer["infused"], answer["criteria"]) == ("cumulative", 3, "CTCAE 5.0")


async def test_related_and_serious_adverse_events_are_told_apart(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/adverse-events")
    assert answer["related_to"] == "car-t-product"
    by_visit = {point["visit"]: point["cumulative"] for point in answer["time_points"]}
    assert read(by_visit["D7"]["related"]) == tally(2, "66.7", 2, 3)
    assert read(by_visit["D7"]["serious"]) == tally(2, "66.7", 2, 3)
    assert read(by_visit["M12"]["related"]) == tally(2, "66.7", 3, 3)  # the sepsis was held unlikely to be
    assert read(by_visit["M12"]["serious"]) == tally(2, "66.7", 3, 5)


async def test_adverse_events_by_system_organ_class_and_term(trial: House) -> None:
    points = (await ask(trial, "/v1/outcomes/adverse-events"))["time_points"]
    found = {
        (soc["soc"], term["term"], term["meddra_code"]): read(term["any"])
        for soc in points[-1]["cumulative"]["by_soc"]
        for term in soc["terms"]
    }
    fever = "General disorders and administration site conditions", "Fever", "10016558"
    assert list(found.items()) == [  # alphabetical, and neither nausea nor headache among them
        (("Blood and lymphatic system disorders", "Anemia", "10002272"), tally(1, "33.3", 3)),
        (fever, tally(2, "66.7", 1, 2)),
        (("Immune system disorders", "Cytokine release syndrome", "10052015"), tally(2, "66.7", 3, 3)),
        (("Infections and infestations", "Sepsis", "10040047"), tally(1, "33.3", 5)),
    ]


@pytest.mark.parametrize(("agent", "related"), [("car-t-product", 2), ("disease", 0)])
async def test_related_means_related_to_the_agent_that_is_asked_for(trial: House, agent: str, related: int) -> None:
    points = (await ask(trial, "/v1/outcomes/adverse-events", agent=agent))["time_points"]
    assert points[-1]["cumulative"]["related"]["n"] == related


def rates(given: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        rate["denominator"]: (
            rate["responders"],
            rate["n"],
            rate["percent"],
            rate["interval"] and (rate["interval"]["lower"], rate["interval"]["upper"]),
        )
        for rate in given
    }


async def test_responses_by_time_point(trial: House) -> None:
    points = {each["visit"]: each for each in (await ask(trial, "/v1/outcomes/response-rate"))["time_points"]}
    nobody = dict.fromkeys(("cr", "pr", "mr", "sd", "non_cr_non_pd", "pd", "ne"), 0)
    half = (1, 2, "50.0", ("1.3", "98.7"))
    assert points["D30"]["counts"] == nobody | {"pr": 1, "pd": 1}
    assert rates(points["D30"]["rates"]) == {"infused": half, "response-evaluable": half}
    assert points["D90"]["counts"] == nobody | {"cr": 1, "pd": 1}  # 002 progressed before, and died
    assert points["D90"]["progressed_before"] == 1
    assert rates(points["D90"]["rates"]) == {"infused": half, "response-evaluable": half}
    none = (0, 1, "0.0", ("0.0", "97.5"))
    assert rates(points["M6"]["rates"]) == {"infused": none, "response-evaluable": none}
    assert [points[visit]["not_yet_due"] for visit in ("D30", "D90", "M6", "M12")] == [1, 1, 2, 2]
    assert {point["not_assessed"] for point in points.values()} == {0}


async def test_best_overall_response(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/response-rate")
    nobody = dict.fromkeys(("cr", "pr", "mr", "sd", "non_cr_non_pd", "pd", "ne", "missing"), 0)
    assert answer["best_overall"]["counts"] == nobody | {"cr": 1, "pd": 1, "ne": 1}
    third = (1, 3, "33.3", ("0.8", "90.6"))
    assert rates(answer["best_overall"]["rates"]) == {"infused": third, "response-evaluable": third}
    assert answer["best_overall"]["confirmed"] is False
    assert answer["other_rule"]["confirmed"] is True
    assert answer["other_rule"]["counts"] == nobody | {"pr": 1, "pd": 1, "ne": 1}  # PR, then CR 60 days later


async def test_an_overridden_response_counts_and_the_assigned_one_stays_visible(trial: House) -> None:
    first = (await ask(trial, "/v1/outcomes/response-rate"))["participants"][0]
    assert [
        (each["visit"], each["day"], each["assigned"], each["response"], each["overridden"])
        for each in first["assessments"]
    ] == [("D30", 30, "SD", "PR", True), ("D90", 90, "CR", "CR", False)]


async def test_best_response_by_both_rules_for_every_group(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/best-response")
    assert [(each["grouped_by"], each["infused"], each["evaluable"]) for each in answer["groups"]] == [
        ("all", 3, 3),
        ("dose-level", 3, 3),
        ("tumour-type", 3, 3),
    ]
    unconfirmed, confirmed = answer["groups"][0]["rules"]
    third = (1, 3, "33.3", ("0.8", "90.6"))
    assert rates(unconfirmed["rates"]) == rates(confirmed["rates"]) == {"infused": third, "response-evaluable": third}
    assert [each["controlled"] for each in unconfirmed["disease_control"]] == [1, 1]  # the SD of day 14 is too early
    wilson = unconfirmed["rates"][0]["wilson_interval"]
    assert (wilson["method"], wilson["lower"], wilson["upper"]) == ("wilson", "6.1", "79.2")
    first = answer["participants"][0]["rules"]
    assert [(each["best"], each["on"], each["first_response_day"]) for each in first] == [
        ("CR", "2026-04-05", 30),
        ("PR", "2026-02-04", 30),
    ]


@pytest.mark.parametrize(
    ("endpoint", "times"),
    [
        (
            "pfs",
            [
                ("CU-001", 0, 90, "last-assessment"),
                ("CU-002", 0, 30, "progression"),
                ("SI-001", 0, 14, "last-assessment"),
            ],
        ),
        (
            "os",
            [
                ("CU-001", 0, 90, "last-known-alive"),
                ("CU-002", 0, 39, "death"),
                ("SI-001", 0, 14, "last-known-alive"),  # a sample; the one of day 21 was cancelled
            ],
        ),
        ("dor", [("CU-001", 30, 90, "last-assessment")]),
        ("ttr", [("CU-001", 0, 30, "response")]),
    ],
)
async def test_the_time_to_an_event(trial: House, endpoint: str, times: list[tuple[str, int, int, str]]) -> None:
    answer = await ask(trial, "/v1/outcomes/survival", endpoint=endpoint)
    found = [
        (each["subject_number"], each["from_day"], each["until_day"], each["ending"]) for each in answer["participants"]
    ]
    assert found == times
    everybody = answer["groups"][0]
    assert (everybody["infused"], everybody["evaluable"], everybody["n"]) == (3, 3, len(times))
    assert everybody["events"] == sum(ending in {"progression", "death", "response"} for *_, ending in times)


async def test_progression_free_survival_as_kaplan_and_meier_estimate_it(trial: House) -> None:
    everybody = (await ask(trial, "/v1/outcomes/survival"))["groups"][0]
    assert [(step["day"], step["at_risk"], step["events"], step["survival"]) for step in everybody["curve"]] == [
        (14, 3, 0, "1.000000"),
        (30, 2, 1, "0.500000"),
        (90, 1, 0, "0.500000"),
    ]
    assert everybody["median"]["days"] == "30"
    # Greenwood's sum is 1/2: 0.5 ** exp(+-1.96 * sqrt(0.5) / ln 0.5), and 0.5 * exp(+-1.96 * sqrt(0.5)).
    assert everybody["curve"][1]["log_log"] == {"lower": "0.005983", "upper": "0.910410"}
    assert everybody["curve"][1]["log"] == {"lower": "0.125049", "upper": "1.000000"}


async def test_whether_a_response_needs_a_confirmation_can_be_asked(trial: House) -> None:
    confirmed = await ask(trial, "/v1/outcomes/survival", endpoint="ttr", confirmed="true")
    assert (confirmed["confirmed"], confirmed["groups"][0]["n"]) == (True, 1)
    by_the_protocol = await ask(trial, "/v1/outcomes/survival", endpoint="ttr")
    assert by_the_protocol["confirmed"] is False


async def test_the_response_table_can_be_asked_by_group(trial: House) -> None:
    plain = await ask(trial, "/v1/outcomes/response-rate")
    asked = await ask(trial, "/v1/outcomes/response-rate", by="dose-level")
    assert plain["groups"] is None
    (level,) = asked["groups"]
    assert (level["grouped_by"], level["group"], level["infused"]) == ("dose-level", "DL1", 3)
    assert level["time_points"] == plain["time_points"]


async def test_persistence_by_time_point(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/persistence")
    found = {
        point["visit"]: (
            point["n"],
            point["n_detectable"],
            point["percent_detectable"],
            point["n_measured"],
            point["n_below_lloq"],
            point["median"] and point["median"]["text"],
            point["range"] and (point["range"]["lowest"]["text"], point["range"]["highest"]["text"]),
        )
        for point in answer["time_points"]
    }
    assert found == {
        "D7": (3, 2, "66.7", 2, 1, "<26.25", ("<2", "50.5")),  # between <2 and 50.5: below their middle
        "D14": (3, 3, "100.0", 3, 0, "20", ("10", "120")),  # 200 was corrected to 20
        "D21": (1, 1, "100.0", 1, 0, "80", ("80", "80")),  # the clotted tube does not count
        "D30": (1, 1, "100.0", 1, 0, "30.2", ("30.2", "30.2")),
        "D60": (1, 0, "0.0", 1, 1, "<1", ("<1", "<1")),
        "D90": (1, 0, "0.0", 1, 1, "<1", ("<1", "<1")),
        "M6": (0, 0, None, 0, 0, None, None),
        "M12": (0, 0, None, 0, 0, None, None),
    }
    assert answer["quantity"] == {"series": "flow", "specimen": "blood", "unit": "/uL", "percent_of": None}


async def test_the_course_of_each_participant(trial: House) -> None:
    courses = {
        course["subject_number"]: course for course in (await ask(trial, "/v1/outcomes/persistence"))["participants"]
    }
    first, second, third = (courses[number] for number in ("CU-001", "CU-002", "SI-001"))
    assert (first["cmax"]["value"], first["cmax"]["day"]) == ("120", 14)
    assert (first["clast"]["value"], first["clast"]["day"]) == ("30.2", 30)
    assert (first["last_detectable_day"], first["lost"], first["lost_on_day"]) == (30, True, 60)
    assert [sample["visit"] for sample in first["samples"]] == ["D7", "D14", "D21", "D30", "D60", "D90"]
    assert (second["cmax"]["value"], second["lost"]) == ("10", False)
    assert (third["cmax"]["value"], third["last_detectable_day"]) == ("20", 14)


async def test_the_kinetics_of_each_participant(trial: House) -> None:
    """CU-001 to day 28: 50.5*7/2 + (50.5+120)/2*7, then down by the logarithm (120-80)*7/ln(120/80) and (80-C)*7/
    ln(80/C), where C = 80 (30.2/80)^(7/9) = 37.499 on day 28."""
    answer = await ask(trial, "/v1/outcomes/persistence")
    (found,) = next(each for each in answer["participants"] if each["subject_number"] == "CU-001")["kinetics"]
    assert (found["infusion"], found["n"], found["observed_at"]) == (1, 6, "scheduled-visits")
    assert (found["cmax"], found["tmax_d"], found["clast"], found["tlast_d"]) == ("120", "14.0000", "30.2", "30.0000")
    assert abs(float(found["auc_interval"]) - (176.75 + 596.75 + 690.565 + 392.646)) < 0.01
    assert found["missing"]["half_life_d"] == "2 quantifiable values after Tmax, and 3 are asked"
    assert answer["kinetics_by"] == {
        "auc_method": "linear-up-log-down",
        "interval_from_day": 0,
        "interval_until_day": 28,
    }


async def test_the_loss_of_cells_by_group(trial: House) -> None:
    ends = {
        each["subject_number"]: (each["end"]["status"], each["end"]["after_day"], each["end"]["by_day"])
        for each in (await ask(trial, "/v1/outcomes/persistence"))["participants"]
    }
    assert ends == {
        "CU-001": ("lost", 30, 60),
        "CU-002": ("persisting", 14, None),
        "SI-001": ("persisting", 14, None),
    }
    by_response = await ask(trial, "/v1/outcomes/persistence", by="best-response")
    told = [
        (each["group"], each["infused"], each["loss"]["n"], each["loss"]["events"]) for each in by_response["groups"]
    ]
    assert told == [("CR", 1, 1, 1), ("PD", 1, 1, 0), ("NE", 1, 1, 0)]
    (level,) = (await ask(trial, "/v1/outcomes/persistence", by="dose-level"))["groups"]
    assert (level["grouped_by"], level["group"]) == ("dose-level", "DL1")
    assert (level["time_points"], level["loss"]) == (by_response["time_points"], by_response["loss"])


async def test_persistence_in_percent_of_a_population(trial: House) -> None:
    found = await ask(trial, "/v1/outcomes/persistence", percent_of="cd3")
    day_7 = found["time_points"][0]
    assert (day_7["n_measured"], day_7["n_below_lloq"], day_7["median"]["text"]) == (3, 1, "5")
    other = await ask(trial, "/v1/outcomes/persistence", percent_of="cd8")
    assert {point["n"] for point in other["time_points"]} == {0}


async def test_cytokines_by_time_point(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/cytokines")
    il6 = next(each for each in answer["analytes"] if each["analyte"] == "IL6")
    found = {
        point["visit"]: (
            point["n"],
            point["n_censored"],
            point["median"] and point["median"]["text"],
            point["range"] and (point["range"]["lowest"]["text"], point["range"]["highest"]["text"]),
            point["fold_change"] and (point["fold_change"]["median"], point["fold_change"]["certainty"]),
        )
        for point in il6["time_points"]
    }
    assert found == {
        "PRE": (3, 1, "5.0", ("<2", "8"), None),
        "D7": (3, 1, "40", ("<2", "50"), ("15", "at-least")),  # 50/5 and 40 over <2; another platform gives none
        "D14": (0, 0, None, None, None),
        "D21": (0, 0, None, None, None),
        "D30": (0, 0, None, None, None),
    }
    assert [each["analyte"] for each in answer["analytes"]] == ["IL2", "IL4", "IL6", "IL10", "TNF", "IFNG"]


async def test_peaks_of_cytokines(trial: House) -> None:
    answer = await ask(trial, "/v1/outcomes/cytokines")
    il6 = next(each for each in answer["analytes"] if each["analyte"] == "IL6")
    assert [
        (peak["subject_number"], peak["level"]["text"], peak["day"], peak["fold_change"], peak["bound"])
        for peak in il6["peaks"]
    ] == [
        ("CU-001", "500", 3, "100", None),  # between two visits: unscheduled, and a peak all the same
        ("CU-002", "40", 7, "20", "at-least"),
        ("SI-001", "<2", 7, None, None),
    ]
    assert (il6["median_peak"]["text"], il6["median_peak_day"]) == ("40", "7")


async def test_the_worklist_of_serious_adverse_events(trial: House) -> None:
    answer = await ask(trial, "/v1/sae-worklist", show="all")
    crs, worse, sepsis = (
        named(name)
        for name in (
            "CU-001 Cytokine release syndrome 2026-01-08",
            "CU-002 Cytokine release syndrome 2026-01-15",
            "CU-002 Sepsis 2026-02-20",
        )
    )
    assert [
        (each["alert_id"], each["overdue"], [duty["state"] for duty in each["duties"]], each["acknowledged_by"])
        for each in answer["items"]
    ] == [
        (f"{worse}-1", True, ["overdue"], None),
        (f"{sepsis}-1", True, ["overdue"], None),
        (f"{crs}-1", False, ["in-hand"], "so-nok"),
    ]
    assert answer["sites"] == [{"site_id": "CU", "listed": 3, "open": 2, "overdue": 2}]
    resolved_and_in_hand = await ask(trial, "/v1/sae-worklist")
    assert len(resolved_and_in_hand["items"]) == 2


async def test_dose_limiting_toxicity_by_dose_level(trial: House) -> None:
    answer = await ask(trial, "/v1/dose-limiting-toxicity")
    levels = {each.pop("dose_level"): each for each in answer["levels"]}
    nobody = dict.fromkeys(
        ("treated", "in_window", "evaluable_without_dlt", "with_dlt", "not_evaluable", "undecided"), 0
    )
    assert levels["DL1"] == {
        **nobody,
        "dose_cells_per_kg": "500000",
        "treated": 3,
        "in_window": 1,  # SI-001 is on day 21
        "evaluable_without_dlt": 1,  # CU-002: the proposal was withdrawn, and the death came after the window
        "with_dlt": 1,
        "reasons": [],
        "undecided": 2,  # the fever of SI-001; and of 001 less holds than was confirmed
    }
    assert levels["DL2"] == nobody | {"dose_cells_per_kg": "1000000", "reasons": []}
    people = {each["subject_number"]: each for each in answer["participants"]}
    assert {number: each["status"] for number, each in people.items()} == {
        "CU-001": "dlt",
        "CU-002": "evaluable-without-dlt",
        "SI-001": "in-window",
        "SI-002": "not-infused",
    }
    assert people["SI-001"]["window_ends"] == "2026-04-27T02:30:00Z"
    (confirmed,), (withdrawn,) = people["CU-001"]["toxicities"], people["CU-002"]["toxicities"]
    assert (confirmed["term"], confirmed["grade"], confirmed["rules"], confirmed["decision"]) == (
        "Cytokine release syndrome",
        3,
        ["organ-toxicity-grade-3-beyond-72-h"],
        "confirmed",
    )
    assert (confirmed["decided_by"], confirmed["wants_a_look"]) == ("so-nok", True)
    assert (withdrawn["withdrawn"], withdrawn["rules"], withdrawn["wants_a_look"]) == (True, [], False)


async def test_stopping_rules_that_fired_and_were_reviewed(trial: House) -> None:
    excessive, death = (await ask(trial, "/v1/dose-limiting-toxicity"))["stopping_rules"]
    assert (death["state"], death["firings"]) == ("not-fired", [])
    (fired,) = excessive["firings"]
    assert (excessive["state"], fired["events"], fired["evaluable"], fired["posterior"]) == (
        "resumed",
        1,
        3,
        "0.916300",
    )
    assert (fired["holds"], fired["decision"], fired["reviewed_by"]) == (False, "resume", "so-nok")
    assert fired["participants"] == [str(named("CU-001"))]


async def test_what_is_open(trial: House) -> None:
    answer = await ask(trial, "/v1/safety-reconciliation")
    found = {
        who["subject_number"]: sorted((item["kind"], item["term"]) for item in who["items"])
        for who in answer["participants"]
    }
    assert list(found.items()) == [
        (
            "CU-001",
            [("dlt-basis-changed", "Cytokine release syndrome"), ("report-missing", "Cytokine release syndrome")],
        ),
        (
            "CU-002",
            [
                ("alert-unacknowledged", "Cytokine release syndrome"),
                ("alert-unacknowledged", "Sepsis"),
                ("report-missing", "Cytokine release syndrome"),
                ("report-missing", "Sepsis"),
            ],
        ),
        ("SI-001", [("dlt-undecided", "Fever")]),
    ]
    assert {each["kind"]: each["n"] for each in answer["open"] if each["n"]} == {
        "report-missing": 3,
        "alert-unacknowledged": 2,
        "dlt-undecided": 1,
        "dlt-basis-changed": 1,
    }


async def test_visits_of_one_participant(trial: House) -> None:
    async with trial.client() as client:
        answer = await client.get(f"/v1/participants/{named('SI-001')}/visits")
    found = {(each["visit"], each["assessment"]): each["status"] for each in answer.json()["items"]}
    assert found["PRE", "response"] == "done"
    assert found["PRE", "car-t-flow"] == "missed"
    assert found["D7", "cytokines"] == "done"
    assert found["D14", "cytokines"] == "missed"
    assert found["D21", "car-t-flow"] == "due"  # the tube of today was clotted
    assert found["D30", "response"] == "upcoming"
    assert answer.json()["items"][0]["visit"] == "PRE"


async def test_visits_after_the_end_of_follow_up_are_not_applicable(trial: House) -> None:
    async with trial.client() as client:
        answer = await client.get("/v1/visits", params={"status": "not-applicable", "limit": "200"})
    found = {(each["subject_number"], each["visit"]) for each in answer.json()["items"]}
    assert found == {("CU-002", visit) for visit in ("D60", "D90", "M6", "M12")}
