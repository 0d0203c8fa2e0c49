"""A protocol file that cannot be used says so at start, with the line and the place of every problem."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.protocol import ProtocolUnusable, load_protocol, parse_protocol
from shared.protocol.loading import PACKAGED
from tests.shared.protocol.documents import changed, cmd03, protocol_with

TEXT = PACKAGED.read_text(encoding="utf-8")


def refused(text: str) -> str:
    with pytest.raises(ProtocolUnusable) as refusal:
        parse_protocol(text, name="trial.yaml")
    return str(refusal.value)


def edited(edit: Callable[[dict[str, Any]], Any]) -> str:
    document = cmd03()
    edit(document)
    return json.dumps(document)


def test_without_a_path_the_packaged_protocol_is_loaded() -> None:
    assert load_protocol() == load_protocol(PACKAGED)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolUnusable, match=r"nowhere\.yaml: .*No such file"):
        load_protocol(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "protocol.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProtocolUnusable, match=r"protocol\.yaml: .*utf-8"):
        load_protocol(tmp_path / "protocol.yaml")


def test_a_problem_is_told_with_its_line() -> None:
    line = next(number for number, text in enumerate(TEXT.splitlines(), start=1) if "window: {value: {minus: 7" in text)
    broken = TEXT.replace("window: {value: {minus: 7", "window: {value: {minus: -7", 1)
    assert refused(broken).startswith(f"trial.yaml:{line}: visits.6.window.value.minus: Input should be greater than")


def test_every_problem_is_told_at_once() -> None:
    messages = refused(changed(version="1", phase__mark="X", visits__2__code="d7")).splitlines()
    assert [message.split(": ")[1] for message in messages] == ["version", "phase.mark", "visits.2.code"]


def test_a_missing_part_is_told_where_it_is_missed() -> None:
    assert "response: Field required" in refused(edited(lambda it: it.pop("response")))


def test_an_unknown_key_is_refused() -> None:
    assert "consent.age: Extra inputs are not permitted (given: 18)" in refused(changed(consent__age=18))


def test_a_text_is_no_number_and_a_number_no_text() -> None:
    assert "planned_participants.value: Input should be a valid integer" in refused(
        changed(planned_participants__value=True)
    )
    assert "ctcae.edition.value: Input should be a valid string (given: 5)" in refused(changed(ctcae__edition__value=5))


def test_the_fingerprint_is_never_taken_from_the_file() -> None:
    assert "trial.yaml:1: sha256: is computed" in refused(changed(sha256="0" * 64))


def test_the_fingerprint_is_of_what_is_said_not_of_how() -> None:
    assert parse_protocol(json.dumps(cmd03())).sha256 == load_protocol().sha256
    assert protocol_with(planned_participants__value=12).sha256 != load_protocol().sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "trial.yaml:2: a is given twice"),
        ("a:\n  b: 2.5\n", 'trial.yaml:2: quote a decimal number, so that it stays exact: "2.5"'),
        ("a: 1e3\n", 'trial.yaml:1: quote a decimal number, so that it stays exact: "1e3"'),
        ("a: [1,\n", "trial.yaml:2: did not find expected node content"),
        ("? [1]\n: 2\n", "trial.yaml:1: a key must be a plain text"),
        ("- 1\n", "trial.yaml:1: expected keys and values"),
        ("", "trial.yaml:1: expected keys and values"),
        ("a: \x01\n", "trial.yaml:1: unacceptable character"),
        ("a: !!python/object:os.system x\n", "trial.yaml:1: could not determine a constructor"),
    ],
)
def test_yaml_that_leaves_room_for_surprises_is_refused(text: str, message: str) -> None:
    assert message in refused(text)


def test_words_that_yaml_would_guess_at_stay_words() -> None:
    rest = [f"{key}: {json.dumps(value)}" for key, value in cmd03().items() if key != "title"]
    title = parse_protocol("\n".join(["title: {value: 2026-03-01, mark: S, source: no}", *rest])).title
    assert (title.value, title.source) == ("2026-03-01", "no")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # visits
        ({"visits__3__code": "D7"}, "visits.3: D7 is there already, at visits.2"),
        ({"visits__2__window__value__plus": 5}, "visits.3.window: the window of D14, days 12 to 16, overlaps"),
        ({"visits__3__nominal_day__value": 7}, "visits.3.nominal_day: D14 on day 7 does not follow D7 on day 7"),
        ({"visits__0__window__value__plus": 1}, "PRE is before the infusion, yet its window ends on day 1"),
        ({"visits__1__window__value__minus": 1}, "D0 is not before the infusion, yet its window begins on day -1"),
        ({"visits__1__before_infusion": True}, "visits.1.nominal_day: D0 on day 0 does not follow PRE on day 0"),
        ({"visits__2__due": ["cytokines", "cytokines"]}, "D7 names an assessment twice"),
        ({"visits__2__due": []}, "visits.2.due: Tuple should have at least 1 item"),
        ({"visits__2__due": ["x-ray"]}, "visits.2.due.0: Input should be 'adverse-events', 'response'"),
        # outcome measures
        ({"outcome_measures__1__id": "persistence"}, "outcome_measures.2: persistence is there already"),
        ({"outcome_measures__0__time_points__0__visit": "D8"}, "'7 days' has no visit: there is no D8"),
        ({"outcome_measures__1__time_points__0__visit": "D60"}, "D60 is not due for response"),
        ({"outcome_measures__0__time_points__0__days": 8}, "'7 days' is day 8, yet its visit D7 is on day 7"),
        ({"outcome_measures__0__time_points__6__months": 5}, "months_to_days does not say how many days 5 months are"),
        ({"outcome_measures__0__time_points__6__days": 182}, "'6 months' gives days and months; give one"),
        ({"outcome_measures__3__time_points__0__days": 1}, "PRE lie on two sides of the infusion"),
        (
            {"outcome_measures__0__time_points__1": {"label": "again", "days": 7, "visit": "D7"}},
            "outcome_measures.0.time_points.1: 'again' does not follow '7 days'",
        ),
        # schedule
        ({"schedule__time_zone__value": "Asia/Atlantis"}, "unknown time zone 'Asia/Atlantis'"),
        ({"schedule__time_zone__value": "../../etc/passwd"}, "unknown time zone"),
        (
            {"schedule__months_to_days__value": {"1": 30, "6": 400, "12": 365}},
            "more months must be more days: {1: 30, 6: 400, 12: 365}",
        ),
        # eligibility
        ({"eligibility__1__id": "CMD03-I1a"}, "eligibility.1: CMD03-I1a is there already, at eligibility.0"),
        ({"eligibility__0__operator": "=>"}, "eligibility.0.operator: Input should be '>=', '<='"),
        ({"eligibility__0__operator": "in"}, "CMD03-I1a: a number is compared by <, <=, =, >, >=, not by in"),
        ({"eligibility__0__unit": "years"}, "eligibility.0.unit: Input should be 'a', 'wk'"),
        ({"eligibility__0__unit": None}, "CMD03-I1a: numbers have a unit, and nothing else has"),
        ({"eligibility__4__unit": "d"}, "CMD03-I4: numbers have a unit, and nothing else has"),
        ({"eligibility__0__threshold": True}, "CMD03-I1a: True is no threshold for a number"),
        ({"eligibility__4__threshold": "1"}, "CMD03-I4: Decimal('1') is no threshold for a flag"),
        ({"eligibility__2__threshold": ["F"]}, "CMD03-I2: any value will do, so leave the threshold out"),
        ({"eligibility__0__half_lives": "3"}, "CMD03-I1a: half-lives shorten a threshold in days alone"),
        # clocks, agents, consent, dosing
        ({"clocks__1__id": "dsur"}, "dsur is there already, at clocks.1"),
        ({"clocks__0__limit": {"hours": 24, "months": 1}}, "a limit is given in exactly one of hours"),
        ({"clocks__0__limit": {}}, "a limit is given in exactly one of hours"),
        ({"causality__agents__value": ["disease", "disease"]}, "disease is there already, at causality.agents.0"),
        ({"consent__majority_age_years__value": 12}, "must not fall with age: [7, 13, 12]"),
        ({"dosing__levels__value__0__dose_cells_per_kg": "500000"}, "from the lowest dose to the highest"),
        ({"lymphodepletion": None}, "ctcae.baseline: the protocol has no lymphodepletion that a baseline could lie"),
        (
            {"lymphodepletion__drugs__value": ["fludarabine", "fludarabine"]},
            "lymphodepletion.drugs.1: fludarabine is there already, at lymphodepletion.drugs.0",
        ),
        ({"lymphodepletion__dose_units__value": ["mg/m²"]}, "lymphodepletion.dose_units.value.0: Input should be 'a'"),
        # dose escalation
        ({"dosing__levels__value__1__name": "DL-1"}, "dosing.levels.value.1: DL-1 is there already"),
        ({"dosing__escalation__value": "rolling-six"}, "dosing.escalation.value: Input should be '3+3', 'rolling-6'"),
        (
            {"dose_escalation__start_level__value": "DL4"},
            "dose_escalation.start_level: unknown dose level DL4; dosing.levels has DL-1, DL1, DL2, DL3",
        ),
        ({"dosing__escalation__value": "BOIN"}, "dose_escalation.target: BOIN aims at a rate of dose-limiting"),
        ({"dose_escalation__target__value": "0.61"}, "dose_escalation.target.value"),
        ({"dose_escalation__cohort_size__value": 7}, "dose_escalation.cohort_size: a cohort is larger than what"),
        ({"dosing": None}, "dose_escalation: there are no dose levels to escalate"),
        ({"dose_escalation__override_roles__value": ["sponsor", "sponsor"]}, "an override needs two different roles"),
        ({"dose_escalation__override_roles__value": ["sponsor", "nurse"]}, "Input should be 'coordinator'"),
        # dose-limiting toxicity and stopping
        ({"dose_limiting__rules__1__id": "crs-grade-4"}, "dose_limiting.rules.1: crs-grade-4 is there already"),
        ({"dose_limiting__exclusions__1__id": "lymphopenia"}, "dose_limiting.exclusions.1: lymphopenia is there"),
        ({"dose_limiting__rules__0__related_to": "car-t-product"}, "terms and causality belong to adverse events"),
        ({"dose_limiting__rules__4__related_to": "cells"}, "unknown agent cells; causality.agents has car-t-product,"),
        ({"stopping__rules__1__event__related_to": "cells"}, "stopping.rules.1.event.related_to: unknown agent cells"),
        ({"stopping__rules__1__event": None}, "a rule that counts adverse events says which in `event`"),
        ({"stopping__rules__0__event": {"grade_at_least": 5}}, "a rule that counts adverse events says which"),
        ({"stopping__rules__1__id": "excessive-dose-limiting-toxicity"}, "stopping.rules.1: excessive-dose-limiting"),
        # biomarkers
        ({"cytokines__analytes__1__key": "IL2"}, "cytokines.analytes.1: IL2 is there already"),
        ({"cytokines__analytes__0__loinc": "33939-1"}, "IL2: 33939-1 is no LOINC code, its check digit should be 0"),
        ({"cytokines__flag_after_tocilizumab__value": ["IL8"]}, "unknown analyte IL8; the panel is IL2, IL4,"),
        ({"cytokines__unit__value": "pg/dL"}, "cytokines.unit.value: Input should be 'a', 'wk'"),
        ({"cytokines__unit_factors__value__pg/mL": "2"}, "unit_factors must hold pg/mL, the unit itself"),
        ({"cytokines__peak_from_day__value": 31}, "peak_from_day lies after peak_until_day"),
        ({"persistence__lloq_events__value": 10}, "lloq_events must not lie below lod_events"),
        ({"persistence__parent_populations__value": ["cd3"]}, "absolute_from names lymphocytes, not among"),
        ({"persistence__below_lloq__between__value": "lloq"}, "no curve runs through the limit itself"),
        ({"persistence__below_lloq__after_last__value": "zero"}, "a curve ends with its last quantifiable value"),
        ({"persistence__kinetics__interval_from_day__value": 28}, "interval_from_day must lie before interval_until"),
        ({"persistence__kinetics__lambda_z_minimum_points__value": 2}, "greater than or equal to 3"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    assert message in refused(changed(**change))


def test_a_place_that_the_file_does_not_have_gets_the_line_of_what_is_around_it() -> None:
    line = next(number for number, text in enumerate(TEXT.splitlines(), start=1) if 'threshold: "100"' in text)
    told = refused(TEXT.replace('threshold: "100"', "threshold: HIGH", 1)).splitlines()
    assert told[0].startswith(f"trial.yaml:{line}: eligibility.6.threshold.decimal: Input should be a valid decimal")


def test_an_empty_panel_flags_nothing() -> None:
    assert "unknown analyte IL6; the panel is empty" in refused(changed(cytokines__analytes=[]))


def a_document(kind: str, version: str, required_from: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "version": version, "required_from": required_from, "mark": "D", "source": "test"}


def test_consent_documents_may_follow_each_other() -> None:
    documents = [
        a_document("guardian", "1.0"),
        a_document("assent", "1.0", "2026-05-01"),
        a_document("guardian", "2.0", "2026-03-01"),
    ]
    assert len(protocol_with(consent__documents=documents).consent.documents) == 3


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([a_document("own", "1.0"), a_document("own", "1.0")], "own documents: a version is listed twice: 1.0, 1.0"),
        (
            [a_document("own", "2.0", "2026-03-01"), a_document("own", "1.0", "2026-02-28")],
            "own documents: list them in the order in which they were required",
        ),
    ],
)
def test_consent_documents_out_of_order_are_refused(documents: list[dict[str, Any]], message: str) -> None:
    assert message in refused(changed(consent__documents=documents))


@pytest.mark.parametrize("loinc", ["33939-0", "27161-9", "26881-3", "26848-2", "3074-2", "27415-9", "731-0", "2345-7"])
def test_real_loinc_codes_pass_their_check_digit(loinc: str) -> None:
    assert protocol_with(cytokines__analytes__0__loinc=loinc).cytokines.analytes[0].loinc == loinc
