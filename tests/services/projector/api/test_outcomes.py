"""The outcome tables over HTTP: what they rest on, whose sites they cover, and how they come as CSV."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from shared.protocol import Protocol
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.house import House

OUTCOMES = ("adverse-events", "response-rate", "best-response", "survival", "persistence", "cytokines")
TABLES = (
    *(f"outcomes/{name}" for name in OUTCOMES),
    "sae-worklist",
    "participants",
    "visits",
    "adverse-events",
    "dose-limiting-toxicity",
    "safety-reconciliation",
)
READERS = {Role.COORDINATOR, Role.INVESTIGATOR, Role.SAFETY_OFFICER, Role.MONITOR, Role.SPONSOR, Role.SYSTEM}


async def csv_of(house: House, path: str, *roles: Role, sites: list[str] | None = None) -> list[dict[str, str]]:
    async with house.client(*roles, sites=sites, accept="text/csv") as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert '"events":' in answer.headers["trial-as-of"]
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_says_what_it_rests_on(trial: House, outcome: str) -> None:
    async with trial.client() as client:
        answer = (await client.get(f"/v1/outcomes/{outcome}")).json()
    assert answer["as_of"]["events"] > 0
    assert answer["as_of"]["last_event_id"] is not None
    assert (answer["as_of"]["parked"], answer["as_of"]["halted"]) == (0, False)
    assert (answer["sites"], answer["protocol"], answer["today"]) == (None, PROTOCOL.ref, "2026-04-20")
    assert answer["result"]["infused"] == 3


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_covers_the_sites_of_the_caller_alone(trial: House, outcome: str) -> None:
    async with trial.client(Role.INVESTIGATOR, sites=["SI"]) as client:
        answer = (await client.get(f"/v1/outcomes/{outcome}")).json()
    assert answer["sites"] == ["SI"]
    assert answer["result"]["infused"] == 1
    assert str(named("CU-001")) not in str(answer)


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_can_be_asked_for_one_site(trial: House, outcome: str) -> None:
    async with trial.client(Role.MONITOR, sites=["CU", "SI"]) as client:
        asked = (await client.get(f"/v1/outcomes/{outcome}", params={"site": "CU"})).json()
        foreign = (await client.get(f"/v1/outcomes/{outcome}", params={"site": "RAMA"})).json()
    assert (asked["sites"], asked["result"]["infused"]) == (["CU"], 2)
    assert (foreign["sites"], foreign["result"]["infused"]) == ([], 0)


async def test_adverse_events_are_counted_by_dose_level_where_that_is_asked_for(trial: House) -> None:
    path = "/v1/outcomes/adverse-events"
    async with trial.client() as client:
        plain = (await client.get(path)).json()["result"]
        asked = (await client.get(path, params={"by": "dose-level"})).json()["result"]
        wrong = await client.get(path, params={"by": "sex"})
    assert plain["by_dose_level"] is None
    (level,) = asked["by_dose_level"]
    assert (level["dose_level"], level["infused"], level["time_points"]) == ("DL1", 3, plain["time_points"])
    assert wrong.status_code == 422
    lines = await csv_of(trial, f"{path}?by=dose-level")
    assert {line.pop("dose_level") for line in lines} == {"DL1"}
    assert lines == await csv_of(trial, path)


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_who_reads_images_or_samples_does_not_read_outcomes(trial: House, outcome: str, role: Role) -> None:
    async with trial.client(role, sites=["CU"]) as client:
        answer = await client.get(f"/v1/outcomes/{outcome}")
    assert answer.status_code == (200 if role in READERS else 403)


@pytest.mark.parametrize("path", [f"/v1/{table}" for table in (*TABLES, "protocol")])
async def test_without_a_token_there_is_no_answer(trial: House, path: str) -> None:
    async with trial.client() as client:
        answer = await client.get(path, headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", [f"/v1/{table}" for table in TABLES])
async def test_a_table_comes_as_json_or_as_csv_and_as_nothing_else(trial: House, path: str) -> None:
    async with trial.client(accept="text/html") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (406, "not-acceptable")
    assert answer.headers["content-type"] == "application/problem+json"
    assert await csv_of(trial, path)


async def test_both_media_types_of_every_table_are_documented(trial: House) -> None:
    async with trial.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    of_participants = ("participants/{participant_id}/timeline", "participants/{participant_id}/visits")
    for table in (*TABLES, *of_participants):
        responses = paths[f"/v1/{table}"]["get"]["responses"]
        assert set(responses["200"]["content"]) == {"application/json", "text/csv"}
        assert {"401", "403", "406", "422", "503"} <= set(responses)


@pytest.mark.parametrize(
    ("params", "type_"),
    [
        ({"wait_for": "nonsense"}, "unknown-position"),
        ({"wait_for": "a b"}, "invalid-request"),
        ({"site": "cu!"}, "invalid-request"),
        ({"colour": "red"}, "invalid-request"),
        ({"agent": "astrology"}, "unknown-agent"),
    ],
)
async def test_a_question_that_cannot_be_understood_is_refused(
    trial: House, params: dict[str, str], type_: str
) -> None:
    async with trial.client() as client:
        answer = await client.get("/v1/outcomes/adverse-events", params=params)
    assert (answer.status_code, answer.json()["type"]) == (422, type_)


async def test_an_outcome_that_the_protocol_does_not_have_is_not_found(trial: House, tmp_path: Path) -> None:
    measures = tuple(each for each in PROTOCOL.outcome_measures if each.id == "adverse-events")
    other: Protocol = PROTOCOL.model_copy(update={"outcome_measures": measures})
    house = House(trial.db, tmp_path / "other", other)
    async with house.client() as client:
        answers = {name: await client.get(f"/v1/outcomes/{name}") for name in OUTCOMES}
    assert [answer.status_code for answer in answers.values()] == [200, *[404] * (len(OUTCOMES) - 1)]
    assert answers["cytokines"].json()["type"] == "no-such-outcome"


def picked(rows: list[dict[str, str]], *columns: str, **where: str) -> list[tuple[str, ...]]:
    found = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return [tuple(row[name] for name in columns) for row in found]


async def test_adverse_events_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/adverse-events")
    columns = ("at_risk", "n", "percent", "worst_grade_2", "worst_grade_3")
    assert picked(rows, *columns, visit="D7", span="interval", level="all", events="any") == [
        ("3", "3", "100.0", "2", "1")
    ]
    term = {"level": "term", "term": "Cytokine release syndrome", "events": "related"}
    assert picked(rows, *columns, visit="M12", span="cumulative", **term) == [("3", "2", "66.7", "0", "2")]
    assert picked(rows, "percent", visit="M12", span="interval", level="all", events="any") == [("",)]


async def test_responses_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/response-rate")
    rate = ("responders", "n", "percent", "lower", "upper")
    assert picked(rows, *rate, visit="D30", denominator="infused") == [("1", "2", "50.0", "1.3", "98.7")]
    best = {"label": "Best overall response, unconfirmed", "denominator": "infused"}
    assert picked(rows, *rate, "cr", "pd", "ne", **best) == [("1", "3", "33.3", "0.8", "90.6", "1", "1", "1")]
    by_participant = await csv_of(trial, "/v1/outcomes/response-rate?sheet=participants")
    columns = ("best", "visit", "assigned", "response", "overridden")
    assert picked(by_participant, *columns, subject_number="CU-001") == [
        ("CR", "D30", "SD", "PR", "true"),
        ("CR", "D90", "CR", "CR", "false"),
    ]


async def test_responses_by_group_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/response-rate?by=tumour-type")
    assert {row.pop("grouped_by") for row in rows} == {"tumour-type"}
    assert {row.pop("group") for row in rows} == {"neuroblastoma"}
    assert rows == await csv_of(trial, "/v1/outcomes/response-rate")


async def test_best_responses_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/best-response")
    asked = {"grouped_by": "dose-level", "confirmed": "true", "denominator": "infused"}
    columns = ("group", "n", "n_with", "percent", "lower", "upper", "wilson_lower", "wilson_upper", "pr", "missing")
    assert picked(rows, *columns, outcome="objective-response", **asked) == [
        ("DL1", "3", "1", "33.3", "0.8", "90.6", "6.1", "79.2", "1", "0")
    ]
    people = await csv_of(trial, "/v1/outcomes/best-response?sheet=participants")
    assert picked(people, "best", "day", "progressed_on_day", subject_number="CU-002", confirmed="false") == [
        ("PD", "30", "30")
    ]


async def test_survival_as_csv(trial: House) -> None:
    path = "/v1/outcomes/survival?endpoint=pfs"
    groups = await csv_of(trial, path)
    columns = ("infused", "evaluable", "n", "events", "censored", "endings", "median_days", "log_log_lower")
    assert picked(groups, *columns, grouped_by="all") == [
        ("3", "3", "3", "1", "2", "progression: 1; last-assessment: 2", "30", "30")
    ]
    points = await csv_of(trial, f"{path}&sheet=time-points")
    assert picked(points, "at_risk", "survival", grouped_by="all", day="30") == [("2", "0.500000")]
    assert picked(points, "at_risk", "survival", grouped_by="all", day="365") == [("0", "")]
    curve = await csv_of(trial, f"{path}&sheet=curve")
    assert picked(curve, "day", "log_lower", "log_upper", grouped_by="all", events="1") == [
        ("30", "0.125049", "1.000000")
    ]
    people = await csv_of(trial, f"{path}&sheet=participants")
    assert picked(people, "endpoint", "days", "event", "ending", subject_number="CU-002") == [
        ("pfs", "30", "true", "progression")
    ]


async def test_an_endpoint_that_there_is_not_is_refused(trial: House) -> None:
    async with trial.client() as client:
        answer = await client.get("/v1/outcomes/survival", params={"endpoint": "efs"})
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")


async def test_persistence_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/persistence")
    columns = ("n", "n_detectable", "percent_detectable", "median", "lowest", "highest")
    assert picked(rows, *columns, visit="D7") == [("3", "2", "66.7", "<26.25", "<2", "50.5")]
    courses = await csv_of(trial, "/v1/outcomes/persistence?sheet=participants")
    assert picked(courses, "cmax", "tmax_day", "lost_on_day", "value", visit="D60") == [("120", "14", "60", "<1")]
    assert picked(courses, "value", "detectable", subject_number="SI-001", visit="D7") == [("", "true")]


async def test_kinetics_and_loss_as_csv(trial: House) -> None:
    path = "/v1/outcomes/persistence"
    kinetics = await csv_of(trial, f"{path}?sheet=kinetics")
    columns = ("infusion", "cmax", "tmax_d", "lambda_z", "observed_at")
    assert picked(kinetics, *columns, subject_number="CU-001") == [("1", "120", "14.0000", "", "scheduled-visits")]
    assert "lambda_z: 2 quantifiable values" in picked(kinetics, "missing", subject_number="CU-001")[0][0]
    loss = await csv_of(trial, f"{path}?sheet=loss")
    assert picked(loss, "n", "events", "at_risk", "lost", "survival", day="60") == [("3", "1", "1", "1", "0.000000")]
    by_response = await csv_of(trial, f"{path}?sheet=loss&by=best-response")
    assert picked(by_response, "n", "events", "day", group="CR") == [("1", "1", "60")]
    points = await csv_of(trial, f"{path}?by=dose-level")
    assert picked(points, "grouped_by", "n", "median", visit="D7", group="DL1") == [("dose-level", "3", "<26.25")]


async def test_cytokines_as_csv(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/cytokines")
    columns = ("n", "n_censored", "median", "median_fold_change", "certainty")
    assert picked(rows, *columns, analyte="IL6", visit="D7") == [("3", "1", "40", "15", "at-least")]
    assert picked(rows, "n", "median", analyte="IL6", label="Peak, day 0 to 30") == [("3", "40")]
    peaks = await csv_of(trial, "/v1/outcomes/cytokines?sheet=participants")
    assert picked(peaks, "peak", "day", "fold_change", "bound", analyte="IL6", subject_number="CU-002") == [
        ("40", "7", "20", "at-least")
    ]


async def test_responses_of_participants_without_assessments_are_lines_too(trial: House) -> None:
    rows = await csv_of(trial, "/v1/outcomes/response-rate?sheet=participants&evaluator=independent-reader-1")
    assert picked(rows, "subject_number", "best", "assessment_id") == [
        ("CU-001", "MISSING", ""),
        ("CU-002", "MISSING", ""),
        ("SI-001", "MISSING", ""),
    ]


async def test_an_empty_trial_has_empty_tables(house: House) -> None:
    async with house.client() as client:
        answers: list[Any] = [(await client.get(f"/v1/outcomes/{name}")).json() for name in OUTCOMES]
    assert [answer["result"]["infused"] for answer in answers] == [0] * len(OUTCOMES)
    assert {answer["as_of"]["last_event_id"] for answer in answers} == {None}
