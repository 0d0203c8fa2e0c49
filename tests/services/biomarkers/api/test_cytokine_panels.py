"""Cytokine panels over HTTP: converted, compared with the baseline whatever arrives first, corrected, refused."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from tests.services.biomarkers.api.trial import INFUSED, Trial
from tests.services.biomarkers.reports import PANEL, PARTICIPANT, a_cytokine_report, a_line

PANELS = "/v1/cytokine-panels"
WITH_ID: dict[str, Any] = {"cytokine_panel_id": str(PANEL), "participant_id": str(PARTICIPANT)}


async def test_a_panel_is_recorded_and_read_back_in_the_trials_unit(trial_on_both: Trial) -> None:
    trial = trial_on_both
    report = a_cytokine_report(
        a_line("26881-3", value="0.0384", lloq="0.0025", uloq="10", unit="ng/mL"),
        a_line("IL-2", value="2.1", qualifier="<", lloq=None, uloq=None),
        {"analyte": "IFN-gamma", "not_measured": "assay-failed"},
        after_tocilizumab=True,
    )
    answer = await trial.post(PANELS, {**WITH_ID, **report})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{PANELS}/{PANEL}"
    assert answer.headers["Trial-Position"] == f"cytokine-panel:{PANEL}@1"

    found = await trial.get(f"{PANELS}/{PANEL}")
    assert found.headers["ETag"] == '"1"'
    current = found.json()["current"]
    results = {each["analyte"]: each for each in current["results"]}
    assert (results["IL6"]["value_pg_ml"], results["IL6"]["flags"]) == ("38.4", ["after-tocilizumab"])
    assert (results["IL2"]["qualifier"], results["IL2"]["lloq_pg_ml"], results["IL2"]["value_pg_ml"]) == (
        "<",
        "2.1",
        None,
    )
    assert results["IFNG"]["not_measured"] == "assay-failed"
    assert results["TNF"]["not_measured"] == "not-reported"
    assert current["report"]["results"][0]["value"] == "0.0384"
    assert (current["report"]["kit"], current["report"]["lot"]) == ("HCYTA-60K", "A1")


async def test_a_fold_change_is_over_the_sample_before_the_infusion(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await trial.infused()
    baseline = await trial.panel(-1, a_line(value="4"))
    later = await trial.panel(7, a_line(value="38"))
    fold = await trial.fold(later)
    assert (fold["ratio"], fold["bound"], fold["missing"]) == ("9.5", None, None)
    assert baseline.endswith(fold["baseline_panel_id"])
    assert (await trial.fold(baseline))["missing"] == "before-infusion"
    assert (await trial.get(later)).json()["fold_change_protocol"] == "CMD03@1.0.0"


async def test_the_order_of_arrival_never_matters(trial: Trial) -> None:
    async def early() -> None:
        await trial.panel(-9, a_line(value="1"), cytokine_panel_id=ids["early"])

    async def baseline() -> None:
        await trial.panel(-1, a_line(value="4"), cytokine_panel_id=ids["baseline"])

    async def later() -> None:
        await trial.panel(7, a_line(value="38"), cytokine_panel_id=ids["later"])

    folds = []
    for order in permutations([early, baseline, later, trial.infused]):
        ids = {name: str(uuid4()) for name in ("early", "baseline", "later")}
        for step in order:
            await step()
        fold = await trial.fold(f"{PANELS}/{ids['later']}")
        folds.append((fold["ratio"], fold["baseline_panel_id"] == ids["baseline"]))
        for path in ids.values():
            await trial.change(f"{PANELS}/{path}/cancel", {"ground": "cancelled"})
        await trial.infusion_retracted()
    assert set(folds) == {("9.5", True)}


async def test_a_corrected_or_cancelled_baseline_shows_at_once(trial: Trial) -> None:
    await trial.infused()
    early, baseline = await trial.panel(-9, a_line(value="2.5")), await trial.panel(-1, a_line(value="4"))
    later = await trial.panel(7, a_line(value="38"))
    await trial.change(f"{baseline}/correct", a_cytokine_report(a_line(value="5"), specimen=_drawn(-1)))
    assert (await trial.fold(later))["ratio"] == "7.6"
    await trial.change(f"{baseline}/cancel", {"ground": "entered-in-error"})
    assert (await trial.fold(later))["ratio"] == "15.2"
    await trial.change(f"{early}/cancel", {"ground": "cancelled"})
    assert (await trial.fold(later))["missing"] == "no-baseline"


async def test_a_corrected_infusion_moves_the_baseline(trial: Trial) -> None:
    await trial.infused()
    await trial.panel(-1, a_line(value="4"))
    on_the_day, later = await trial.panel(0.1, a_line(value="8")), await trial.panel(7, a_line(value="40"))
    assert (await trial.fold(later))["ratio"] == "10"
    await trial.infusion_corrected(INFUSED + timedelta(hours=4))
    assert (await trial.fold(later))["ratio"] == "5"
    assert (await trial.fold(on_the_day))["missing"] == "before-infusion"
    await trial.infusion_retracted()
    assert (await trial.fold(later))["missing"] == "infusion-unknown"


async def test_other_platforms_are_not_compared_and_other_lots_are_told(trial: Trial) -> None:
    await trial.infused()
    await trial.panel(-1, a_line(value="4"))
    assert (await trial.fold(await trial.panel(7, platform="MSD")))["missing"] == "other-platform"
    assert (await trial.fold(await trial.panel(7, lot="B2")))["differs"] == ["lot"]


async def test_a_cancelled_panel_has_no_fold_change(trial: Trial) -> None:
    path = await trial.panel(7)
    await trial.change(f"{path}/cancel", {"ground": "cancelled"})
    panel = (await trial.get(path)).json()
    assert (panel["status"], panel["fold_changes"]) == ("cancelled", [])
    refused = await trial.change(f"{path}/correct", a_cytokine_report(a_line()))
    assert (refused.status_code, refused.json()["type"]) == (409, "cytokine-panel-is-cancelled")


async def test_a_correction_supersedes_and_the_report_before_it_stays_readable(trial: Trial) -> None:
    path = await trial.panel(7, a_line(value="38.4"))
    answer = await trial.change(f"{path}/correct", a_cytokine_report(a_line(value="40.1"), specimen=_drawn(7)))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    panel = (await trial.get(path)).json()
    assert panel["status"] == "corrected"
    assert panel["current"]["results"][2]["value_pg_ml"] == "40.1"
    assert panel["superseded"][0]["results"][2]["value_pg_ml"] == "38.4"
    history = (await trial.get(f"{path}/history")).json()
    assert [entry["reason"] for entry in history] == [None, "Read from the wrong gate"]


async def test_the_same_panel_again_is_answered_as_the_first_time(trial: Trial) -> None:
    body = {**WITH_ID, **a_cytokine_report()}
    first, again = await trial.post(PANELS, body), await trial.post(PANELS, body)
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")
    other = await trial.post(PANELS, {**WITH_ID, **a_cytokine_report(a_line())})
    assert (other.status_code, other.json()["type"]) == (409, "other-content-on-record")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([a_line(value="0", lloq=None)], "zero-without-limit"),
        ([a_line(unit="IU/mL")], "unit-not-convertible"),
        ([a_line(unit=None)], "unit-missing"),
        ([a_line("IL8")], "analyte-not-in-panel"),
        ([a_line("IL6"), a_line("26881-3")], "analyte-twice"),
        ([a_line(value="10001")], "above-upper-limit"),
        ([a_line(value=None)], "nothing-measured"),
        ([a_line(not_measured="assay-failed")], "contradictory-report"),
        ([a_line(value="-1")], "invalid-request"),
        ([a_line(remark="haemolysed")], "invalid-request"),
    ],
)
async def test_what_cannot_be_a_result_is_refused(trial: Trial, lines: list[dict[str, Any]], problem: str) -> None:
    answer = await trial.post(PANELS, {**WITH_ID, **a_cytokine_report(*lines)})
    assert (answer.status_code, answer.json()["type"]) == (422, problem)


async def test_a_panel_from_the_future_is_refused(trial: Trial) -> None:
    answer = await trial.post(
        PANELS, {**WITH_ID, **a_cytokine_report(specimen={"collected_at": "2027-01-01T00:00:00Z"})}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "collected-in-future")


async def test_a_panel_that_is_not_on_record_is_not_found(trial: Trial) -> None:
    path = f"{PANELS}/{uuid4()}"
    for answer in (await trial.get(path), await trial.get(f"{path}/history")):
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-cytokine-panel")


async def test_the_id_of_a_flow_result_is_no_panel(trial: Trial) -> None:
    path = await trial.panel(7)
    assert (await trial.get(path.replace("cytokine-panels", "flow-results"))).status_code == 404


def _drawn(day: float) -> dict[str, str]:
    return {"collected_at": (INFUSED + timedelta(days=day)).isoformat()}
