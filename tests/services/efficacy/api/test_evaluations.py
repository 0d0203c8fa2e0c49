"""The calculator of responses over HTTP: the issue's shape, every set, and what it refuses."""

from typing import Any

import httpx
import pytest

from shared.kernel.actor import Role
from tests.services.efficacy.api.trial import Trial

PATH = "/v1/evaluations"


def target(longest: str = "60", perpendicular: str = "40", **given: Any) -> dict[str, Any]:
    return {
        "lesion_id": "T1",
        "node": False,
        "state": "measured",
        "longest_mm": longest,
        "perpendicular_mm": perpendicular,
    } | given


def assessed(on: str, *targets: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"on": on, "baseline": False, "targets": targets, "non_target": "none", "new_lesion": False} | given


MANY = [target(lesion_id=f"T{number}") for number in range(50)]
BASELINE = assessed("2026-01-05", target(), baseline=True)


async def ask(trial: Trial, criteria: list[str], *assessments: dict[str, Any]) -> httpx.Response:
    body = {"criteria": criteria, "assessments": assessments}
    return await trial.client.post(PATH, json=body, headers=trial.headers(Role.MONITOR))


async def test_a_course_is_judged_by_every_set_asked_for(trial: Trial) -> None:
    answer = await ask(
        trial,
        ["SEED_V1", "SEED_SPD", "WHO_1979", "RECIST_1_1", "IRECIST", "INRC_2017", "RANO_HGG_2010", "RAPNO_DIPG"],
        assessed("2026-03-06", target("76", "50")),  # in any order
        BASELINE,
        assessed("2026-02", target("29", "20")),
    )
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert {name: [each["response"] for each in found] for name, found in results.items()} == {
        "SEED_V1": ["PR", "PD"],
        "SEED_SPD": ["PR", "PD"],
        "WHO_1979": ["PR", "PD"],
        "RECIST_1_1": ["PR", "PD"],
        "IRECIST": ["iPR", "iUPD"],
        "INRC_2017": [None, "PD"],
        "RANO_HGG_2010": ["PR", "PD"],
        "RAPNO_DIPG": ["PR", "PD"],
    }
    first = results["SEED_V1"][0]
    assert (first["on"], first["measure"], first["unit"]) == ("2026-02", "sum-of-diameters", "mm")
    assert (first["sum"], first["percent_from_baseline"], first["percent_from_nadir"]) == ("49", "-51.00", "-51.00")
    assert "Response is below 50 mm" in first["explanation"]
    assert first["would_change"] == ["PD at a sum above 125 mm."]
    assert results["INRC_2017"][0]["unknown"] == ["uptake"]


async def test_a_lesion_left_out_was_not_assessed_and_a_course_needs_no_baseline(trial: Trial) -> None:
    left_out = (await ask(trial, ["SEED_V1"], BASELINE, assessed("2026-02-04"))).json()["results"]["SEED_V1"][0]
    assert (left_out["response"], left_out["rule"], left_out["sum"]) == ("NE", "target-not-assessed", None)
    alone = (await ask(trial, ["SEED_V1"], assessed("2026-02-04", target()))).json()["results"]["SEED_V1"][0]
    assert (alone["response"], alone["rule"]) == ("NE", "no-baseline")
    assert (await ask(trial, ["SEED_V1"])).json() == {"results": {"SEED_V1": []}}


async def test_what_was_seen_beside_diameters_counts(trial: Trial) -> None:
    now = assessed("2026-02-04", target("29", "20"), neuro_oncology={"t2_flair": "worse"})
    found = (await ask(trial, ["RANO_HGG_2010"], BASELINE, now)).json()["results"]["RANO_HGG_2010"][0]
    assert (found["response"], found["rule"]) == ("PD", "worse-beside-imaging")
    doubtful = assessed("2026-02-04", target(), equivocal_new_lesion=True)
    assert "image again" in (await ask(trial, ["SEED_V1"], BASELINE, doubtful)).text
    uptake = assessed("2026-02-04", target("35", "20"), neuroblastoma={"primary_uptake": "stable"})
    assert '"PR"' in (await ask(trial, ["INRC_2017"], BASELINE, uptake)).text


@pytest.mark.parametrize(
    ("then", "response", "rule"),
    [
        ({"new_lesions": [{"lesion_id": "N1", "longest_mm": "12"}]}, "iUPD", "unconfirmed-unchanged"),
        ({"new_lesions": [{"lesion_id": "N1"}]}, "iUPD", "unconfirmed-unchanged"),
        ({"new_lesions": [{"lesion_id": "N1", "longest_mm": "16.9"}]}, "iUPD", "unconfirmed-unchanged"),
        ({"new_lesions": [{"lesion_id": "N1", "longest_mm": "17"}]}, "iCPD", "confirmed"),
        ({"new_lesions": [{"lesion_id": "N1"}, {"lesion_id": "N2"}], "new_lesion": True}, "iCPD", "confirmed"),
        ({"new_lesion": True}, "iCPD", "confirmed"),
        ({}, "iSD", "neither-response-nor-progression"),
    ],
)
async def test_a_new_lesion_that_is_still_there_confirms_no_progression(
    trial: Trial, then: dict[str, Any], response: str, rule: str
) -> None:
    found = {"on": "2026-02-04", "targets": [target()], "non_target": "none"}
    first = found | {"new_lesions": [{"lesion_id": "N1", "longest_mm": "12"}]}
    answer = await ask(trial, ["IRECIST", "SEED_V1"], BASELINE, first, found | then | {"on": "2026-03-11"})
    assert answer.status_code == 200, answer.text
    told = answer.json()["results"]
    assert [each["response"] for each in told["IRECIST"]] == ["iUPD", response]
    assert told["IRECIST"][1]["rule"] == rule
    assert told["SEED_V1"][0]["response"] == "PD"


async def test_a_target_that_is_absent_at_baseline_is_none_and_new_where_it_appears(trial: Trial) -> None:
    absent = {"lesion_id": "T2", "state": "absent"}
    baseline = assessed("2026-01-05", target(), absent, baseline=True)
    small = target("29", "20")
    never = assessed("2026-02-04", small, absent)
    there = assessed("2026-03-06", small, target("8", "8", lesion_id="T2"), new_lesion=False)
    answer = await ask(trial, ["SEED_V1", "RECIST_1_1", "RANO_HGG_2010", "IRECIST"], baseline, never, there)
    assert answer.status_code == 200, answer.text
    told = answer.json()["results"]
    assert {name: [each["response"] for each in found] for name, found in told.items()} == {
        "SEED_V1": ["PR", "PD"],
        "RECIST_1_1": ["PR", "PD"],
        "RANO_HGG_2010": ["PR", "PD"],
        "IRECIST": ["iPR", "iUPD"],
    }
    assert {found[1]["rule"] for found in told.values()} == {"new-lesion"}
    nothing = await ask(
        trial, ["SEED_V1"], assessed("2026-01-05", absent, baseline=True), assessed("2026-02-04", absent)
    )
    assert nothing.json()["results"]["SEED_V1"][0]["rule"] == "no-disease-at-baseline"


@pytest.mark.parametrize(
    ("criteria", "assessments", "told"),
    [
        (["RECIST_2"], [BASELINE], "SEED_V1"),
        (["SEED_V1"], [BASELINE, BASELINE | {"on": "2026-01-06"}], "only one"),
        (["SEED_V1"], [BASELINE, assessed("2026-02-04", target(lesion_id="T2"))], "new_lesion"),
        (["SEED_V1"], [BASELINE, assessed("2026-02-04", target(node=True))], "node"),
        (["SEED_V1"], [assessed("2026-01-05", target(), target(), baseline=True)], "once"),
        (["SEED_V1"], [assessed("2026-01-05", target(perpendicular_mm=None))], "longest_mm and perpendicular_mm"),
        (["SEED_V1"], [assessed("2026-01-05", target(state="absent"))], "leave them out"),
        (["SEED_V1"], [assessed("2026-01-05", target("40", "60"))], "may not exceed"),
        (["SEED_V1"], [assessed("2026-13", target())], "2026-03"),
        (["SEED_V1"], [assessed("2026-02-04", *MANY)] * 21, "at most 1000 sizes"),
        ([], [BASELINE], "criteria"),
        (["SEED_V1"], [BASELINE, assessed("2026-02-04", new_lesions=[{"lesion_id": "N1"}])], "or left out"),
        (["SEED_V1"], [assessed("2026-02-04", new_lesion=True, new_lesions=[{"lesion_id": "N1"}] * 2)], "once"),
    ],
)
async def test_what_cannot_be_judged_is_refused_with_what_to_send(
    trial: Trial, criteria: list[str], assessments: list[dict[str, Any]], told: str
) -> None:
    answer = await ask(trial, criteria, *assessments)
    assert answer.status_code == 422
    assert told in answer.text
    assert "RECIST_2" not in answer.text, "what was sent is not quoted"


async def test_nobody_judges_without_a_token(trial: Trial) -> None:
    assert (await trial.client.post(PATH, json={"criteria": ["SEED_V1"], "assessments": []})).status_code == 401
