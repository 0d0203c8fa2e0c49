"""The packaged protocol says what the trial says, and how well each setting is known."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.protocol import Assessment, Mark, MeasureId, Operator, Protocol, Rank, load_protocol
from shared.protocol.loading import PACKAGED
from shared.protocol.strict_yaml import read

PILOT = PACKAGED.with_name("cdisc_pilot.yaml")
CMD03 = load_protocol()

EIGHT_TIMES = [
    ("7 days", 7),
    ("14 days", 14),
    ("21 days", 21),
    ("30 days", 30),
    ("60 days", 60),
    ("90 days", 90),
    ("6 months", 182),
    ("12 months", 365),
]

# A released version never changes: decisions on record name it. Whoever changes a file raises its version and
# adds a line here.
RELEASED = {
    "CMD03@1.0.0": "d87cf2e0deb84ae1ff8d85465a215564ad50c5e70dbd0830410532edb0b41edb",
    "CDISCPILOT01@1.0.0": "bdc7fe5800a2f143c16fb02d7cdca4bdbc7afa46ed0763acc06936ab73f88d09",
}


@pytest.mark.parametrize("path", [PACKAGED, PILOT], ids=["cmd03", "cdisc_pilot"])
def test_the_content_of_a_released_version_never_changes(path: Path) -> None:
    protocol = load_protocol(path)
    assert protocol.sha256 == RELEASED[protocol.ref], "raise `version` in the file, and add its line to RELEASED"


def test_the_protocol_names_the_trial() -> None:
    assert CMD03.ref == "CMD03@1.0.0"
    assert CMD03.registry_id.value == "NCT06612645"
    assert CMD03.sponsor.value == "Chulalongkorn University"
    assert CMD03.phase.value == "Phase 1"
    assert CMD03.planned_participants.value == 9


@pytest.mark.parametrize(
    ("measure", "rank", "times"),
    [
        (MeasureId.ADVERSE_EVENTS, Rank.PRIMARY, EIGHT_TIMES),
        (
            MeasureId.RESPONSE_RATE,
            Rank.PRIMARY,
            [("1 month", 30), ("3 months", 90), ("6 months", 182), ("12 months", 365)],
        ),
        (MeasureId.PERSISTENCE, Rank.SECONDARY, EIGHT_TIMES),
        (MeasureId.CYTOKINES, Rank.SECONDARY, [("before infusion", 0), *EIGHT_TIMES[:4]]),
    ],
)
def test_outcomes_are_read_when_the_trial_says(measure: MeasureId, rank: Rank, times: list[tuple[str, int]]) -> None:
    outcome = CMD03.measure(measure)
    assert outcome.rank.value == rank
    assert [(point.label, CMD03.visit(point.visit).day) for point in outcome.time_points] == times


def test_the_rank_of_the_response_rate_stays_a_proposal() -> None:
    assert CMD03.measure("response-rate").rank.mark is Mark.PROPOSED


@pytest.mark.parametrize(
    ("code", "first", "nominal", "last", "due"),
    [  # days after the infusion; e adverse events, r response, f CAR-T flow, c cytokines
        ("PRE", -28, 0, 0, "erfc"),
        ("D0", 0, 0, 0, "e"),
        ("D7", 6, 7, 8, "efc"),
        ("D14", 12, 14, 16, "efc"),
        ("D21", 19, 21, 23, "efc"),
        ("D30", 27, 30, 33, "erfc"),
        ("D60", 53, 60, 67, "ef"),
        ("D90", 83, 90, 97, "erf"),
        ("M6", 168, 182, 196, "erf"),
        ("M12", 335, 365, 395, "erf"),
    ],
)
def test_visits_have_their_windows_and_assessments(code: str, first: int, nominal: int, last: int, due: str) -> None:
    letters = {
        Assessment.ADVERSE_EVENTS: "e",
        Assessment.RESPONSE: "r",
        Assessment.CAR_T_FLOW: "f",
        Assessment.CYTOKINES: "c",
    }
    visit = CMD03.visit(code)
    assert (visit.first_day, visit.day, visit.last_day) == (first, nominal, last)
    assert "".join(letters[assessment] for assessment in visit.due) == due


def test_lymphodepletion_is_a_comparable_trials_and_the_baseline_lies_before_it() -> None:
    lymphodepletion = CMD03.lymphodepletion
    assert lymphodepletion is not None
    assert (lymphodepletion.drugs.value, lymphodepletion.drugs.mark) == (
        ("fludarabine", "cyclophosphamide"),
        Mark.ANALOGOUS,
    )
    assert CMD03.ctcae.baseline.value == "last-before-lymphodepletion"
    assert CMD03.ctcae.baseline.alternatives == ("last-before-infusion",)


def test_response_limits_are_those_of_the_trial_and_strict() -> None:
    response = CMD03.response
    assert (response.pr_decrease_percent.value, response.pr_strict.value) == (Decimal(50), True)
    assert (response.pd_increase_percent.value, response.pd_strict.value) == (Decimal(25), True)
    assert response.pr_decrease_percent.mark is response.pd_increase_percent.mark is Mark.SEED
    assert response.measure.value == "sum-of-diameters"
    assert response.measure.mark is Mark.PROPOSED


@pytest.mark.parametrize(
    ("key", "loinc", "testcd", "status"),
    [
        ("IL2", "33939-0", "INTLK2", "verified"),
        ("IL4", "27161-9", "INTLK4", "general-knowledge"),
        ("IL6", "26881-3", "INTLK6", "verified"),
        ("IL10", "26848-2", "INTLK10", "verified"),
        ("TNF", "3074-2", "TNF", "verified"),
        ("IFNG", "27415-9", "IFNG", "verified"),
    ],
)
def test_the_panel_holds_the_six_cytokines(key: str, loinc: str, testcd: str, status: str) -> None:
    analyte = CMD03.analyte(key)
    assert (analyte.loinc, analyte.cdisc_testcd, analyte.loinc_status.value) == (loinc, testcd, status)


def test_the_panel_holds_nothing_else() -> None:
    assert len(CMD03.cytokines.analytes) == 6


@pytest.mark.parametrize(
    ("criterion_id", "operator", "threshold", "unit"),
    [
        ("CMD03-I1a", ">=", Decimal(1), "a"),
        ("CMD03-I1b", "<=", Decimal(25), "a"),
        ("CMD03-I3", "in", ("POSITIVE",), None),
        ("CMD03-I4", "=", True, None),
        ("AN-04", "<", Decimal(5), "{xULN}"),
        ("AN-12", "<=", Decimal("2.5"), "mg/m2/d"),
        ("AN-17", "<", Decimal(14), "d"),
    ],
)
def test_criteria_are_rules(criterion_id: str, operator: str, threshold: object, unit: str | None) -> None:
    criterion = CMD03.criterion(criterion_id)
    assert (criterion.operator, criterion.threshold, criterion.unit) == (Operator(operator), threshold, unit)
    assert criterion.is_set


def test_numbers_that_nobody_knows_stay_unset() -> None:
    unset = [criterion.id for criterion in CMD03.eligibility if not criterion.is_set]
    assert unset == ["AN-19", "AN-20", "AN-21"]


def test_every_sex_is_welcome_but_must_be_known() -> None:
    sex = CMD03.criterion("CMD03-I2")
    assert sex.operator is Operator.ANY
    assert sex.threshold is None
    assert sex.is_set


def test_an_antibody_waits_30_days_or_three_half_lives() -> None:
    criterion = CMD03.criterion("AN-10")
    assert (criterion.threshold, criterion.half_lives) == (Decimal(30), Decimal(3))


def test_a_pregnancy_test_is_good_for_7_days() -> None:
    assert CMD03.criterion("AN-14").max_age_days == 7


@pytest.mark.parametrize(
    ("clock_id", "limit", "starts_from", "applies_when"),
    [
        ("investigator-to-sponsor", (24, None, None), "site-awareness", "serious"),
        (
            "thai-fda-fatal-or-life-threatening-susar",
            (None, 7, None),
            "sponsor-awareness",
            "fatal-or-life-threatening-susar",
        ),
        ("thai-fda-susar-follow-up", (None, 8, None), "initial-report", "expedited-report-sent"),
        ("thai-fda-other-susar", (None, 15, None), "sponsor-awareness", "other-susar"),
        ("ethics-fatal-or-life-threatening", (24, None, None), "site-awareness", "fatal-or-life-threatening"),
        ("ethics-other-serious", (None, 7, None), "site-awareness", "other-serious"),
        ("ethics-ordinary", (None, None, 6), "previous-report", "any-event"),
        ("follow-up-information", (None, 15, None), "new-information", "new-information"),
        ("dsur", (None, 60, None), "data-lock-point", "yearly"),
    ],
)
def test_clocks_run_as_published(
    clock_id: str, limit: tuple[int | None, ...], starts_from: str, applies_when: str
) -> None:
    clock = CMD03.clock(clock_id)
    assert (clock.limit.hours, clock.limit.calendar_days, clock.limit.months) == limit
    assert (clock.starts_from.value, clock.applies_when.value) == (starts_from, applies_when)
    assert clock.enabled


def test_clocks_of_the_us_fda_are_off_until_there_is_an_ind() -> None:
    assert [clock.id for clock in CMD03.clocks if not clock.enabled] == [
        "us-fda-fatal-or-life-threatening-susar",
        "us-fda-other-susar",
    ]


def test_consent_follows_thai_majority() -> None:
    assert CMD03.consent.majority_age_years.value == 20
    assert CMD03.consent.majority_age_years.mark is Mark.PUBLISHED
    assert CMD03.consent.assent_from_age_years.mark is Mark.UNVERIFIED


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (lambda: CMD03.visit("D8"), r"no visit D8; it has PRE, D0, D7, "),
        (lambda: CMD03.measure("survival"), r"no outcome measure survival; it has adverse-events, "),
        (lambda: CMD03.criterion("AN-99"), r"no criterion AN-99"),
        (lambda: CMD03.clock("moon"), r"no clock moon"),
        (lambda: CMD03.analyte("CRP"), r"no analyte CRP; it has IL2, IL4, IL6, IL10, TNF, IFNG"),
    ],
)
def test_looking_up_what_is_not_there_names_what_is(look_up: Any, message: str) -> None:
    with pytest.raises(LookupError, match=message):
        look_up()


@pytest.mark.parametrize("path", [PACKAGED, PILOT], ids=["cmd03", "cdisc_pilot"])
def test_every_setting_has_its_mark_and_source(path: Path) -> None:
    settings = list(_mappings(read(path.read_text(encoding="utf-8")).content))
    marked = [setting for setting in settings if "value" in setting or "source" in setting or "mark" in setting]
    assert len(marked) > 70
    for setting in marked:
        assert setting["mark"] in list(Mark), setting
        assert setting["source"], setting


@pytest.mark.parametrize("path", [PACKAGED, PILOT], ids=["cmd03", "cdisc_pilot"])
def test_nothing_is_left_without_a_mark(path: Path) -> None:
    content = read(path.read_text(encoding="utf-8")).content
    del content["protocol_id"], content["version"]
    assert list(_unmarked(content, ())) == []


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(inner)


def _unmarked(value: Any, place: tuple[str, ...]) -> Iterator[str]:
    """Places of texts, numbers and flags above which no mark stands. Visit codes and labels only name."""
    if isinstance(value, dict):
        if "mark" not in value:
            for key, inner in value.items():
                if key not in {"code", "label", "before_infusion", "due"} or "nominal_day" not in value:
                    yield from _unmarked(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unmarked(inner, (*place, str(index)))
    elif value is not None:
        yield ".".join(place)


def test_the_served_document_is_plain_json_with_exact_numbers() -> None:
    served = json.loads(json.dumps(CMD03.model_dump(mode="json")))
    assert served["ref"] == "CMD03@1.0.0"
    assert served["sha256"] == CMD03.sha256
    assert served["response"]["minimum_size_mm"] == {
        "value": "10",
        "mark": "D",
        "source": "as in RANO, in both axes",
        "alternatives": [],
    }
    assert served["schedule"]["months_to_days"]["value"] == {"1": 30, "3": 90, "6": 182, "12": 365}


def test_the_protocol_has_a_json_schema_for_the_api_page() -> None:
    assert "ref" in Protocol.model_json_schema(mode="serialization")["properties"]


def test_another_trial_has_its_own_times() -> None:
    pilot = load_protocol(PILOT)
    assert pilot.ref == "CDISCPILOT01@1.0.0"
    assert [pilot.visit(point.visit).day for point in pilot.measure("response-rate").time_points] == [42, 84, 126, 168]
    assert [measure.id for measure in pilot.outcome_measures] == list(MeasureId)
    assert pilot.measure("cytokines").time_points == ()
    assert pilot.eligibility == ()
    assert pilot.dosing is None
    with pytest.raises(LookupError, match="it has none"):
        pilot.criterion("AN-01")
