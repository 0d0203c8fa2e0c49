"""An E2B(R3) message says what the report says, where ICH wants it, and is refused where something is missing."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.correction import RetractAdverseEvent
from services.safety.domain.e2b import codes
from services.safety.domain.e2b.elements import ELEMENTS
from services.safety.domain.e2b.message import RequiredElementsMissing, icsr
from services.safety.domain.e2b.timestamps import instant
from services.safety.domain.e2b.values import missing, values
from services.safety.domain.follow_up import RecordDeath
from shared.contracts.enrollment_terms import Route, Sex
from shared.contracts.safety import ActionTaken, Attribution, Outcome, Seriousness
from shared.contracts.safety_cases import AgeAtOnset, ReportSubmitted
from shared.protocol import Qualification, SenderType, StudyType
from tests.services.safety.builders import EVENT
from tests.services.safety.cases.course import INFUSION, opinion
from tests.services.safety.domain.e2b.reports import (
    NARRATIVE,
    NS,
    OPINION,
    PLACES,
    a_course,
    a_report,
    found,
    says,
    told,
    with_content,
    with_part,
)

GOLDEN = Path(__file__).with_name("golden.xml")
REPORT = a_report()
OTHER = {"term": "Nervous system disorders - Other, specify", "specification": "ICANS"}


def changed_event(**changed: Any) -> ReportSubmitted:
    return with_part(REPORT, "adverse_event", **changed)


def changed_frame(**changed: Any) -> ReportSubmitted:
    return with_part(REPORT, "frame", **changed)


def lacking(report: ReportSubmitted) -> list[str]:
    with pytest.raises(RequiredElementsMissing) as refused:
        icsr(report)
    return [number for number, _ in refused.value.places]


def test_the_message_is_the_golden_one() -> None:
    assert icsr(REPORT).decode() == GOLDEN.read_text(encoding="utf-8")


def test_the_same_report_gives_the_same_bytes_once_stored_too() -> None:
    assert icsr(REPORT) == icsr(REPORT) == icsr(ReportSubmitted.model_validate_json(REPORT.to_json()))


@pytest.mark.parametrize("element", [each for each in ELEMENTS if each.is_required], ids=lambda each: each.number)
def test_every_required_element_is_where_ich_puts_it(element: Any) -> None:
    [value] = says(REPORT, element.number)
    assert value


@pytest.mark.parametrize("number", ["D.9.1", "D.9.2.r", "D.9.3", "C.1.11.1", "C.1.11.2", "D.2.3", "E.i.1.2", "E.i.5"])
def test_an_element_that_this_case_has_not_is_left_out(number: str) -> None:
    assert says(REPORT, number) == []


def test_the_list_is_read_whole() -> None:
    assert len(ELEMENTS) == 74 + 4 + 4  # rows, the four pairs, the four of the wrapper
    assert len({each.number for each in ELEMENTS}) == len(ELEMENTS)
    assert sum(each.is_required for each in ELEMENTS) == 41


FRAME_GIVES = {
    "country": ["N.2.r.1", "C.1.1", "C.1.8.1"],
    "organisation_code": ["N.2.r.1", "C.1.1", "C.1.8.1"],
    "sender_identifier": ["N.1.3", "N.2.r.2"],
    "receiver_identifier": ["N.1.4", "N.2.r.3"],
    "sender_type": ["C.3.1"],
    "sender_organisation": ["C.3.2"],
    "reporter_qualification": ["C.2.r.4"],
    "registration_number": ["C.5.1.r.1"],
    "registration_country": ["C.5.1.r.2"],
    "study_name": ["C.5.2"],
    "sponsor_study_number": ["C.5.3"],
    "study_type": ["C.5.4"],
    "product_name": ["G.k.2.2"],
    "meddra_version": ["E.i.2.1a"],
}


@pytest.mark.parametrize(("field", "numbers"), FRAME_GIVES.items())
def test_what_the_protocol_does_not_say_is_listed_by_number(field: str, numbers: list[str]) -> None:
    assert lacking(changed_frame(**{field: None})) == numbers


def test_a_narrative_and_a_subject_number_are_asked_for_by_number() -> None:
    assert lacking(with_content(REPORT, narrative=None)) == ["H.1"]
    assert lacking(with_part(REPORT, "participant", subject_number=None)) == ["D.1.1.4"]
    both = with_part(with_content(REPORT, narrative=None), "participant", subject_number=None)
    assert lacking(both) == ["D.1.1.4", "H.1"]


def test_each_required_element_that_is_taken_away_is_listed_alone() -> None:
    whole = values(REPORT)
    for element in ELEMENTS:
        without = {**whole, element.number: None}
        assert [each.number for each in missing(without)] == [element.number] * element.is_required


def test_what_a_death_and_a_change_need_is_asked_for_with_them() -> None:
    fatal = {**values(REPORT), "E.i.3.2a": "true", "C.1.11.1": "2"}
    assert [each.number for each in missing(fatal)] == ["C.1.11.2", "D.9.1", "D.9.2.r", "D.9.3"]


def test_a_trial_that_says_nothing_of_case_reports_hears_everything_that_is_missing() -> None:
    course = a_course()
    course.protocol = course.protocol.model_copy(update={"case_reports": None})
    listed = lacking(a_report(course=course))
    assert listed == sorted(
        {
            number
            for field, numbers in FRAME_GIVES.items()
            if field not in {"registration_number", "study_name"}
            for number in numbers
        },
        key=[each.number for each in ELEMENTS].index,
    )


def test_the_message_of_the_refusal_names_number_and_meaning() -> None:
    with pytest.raises(RequiredElementsMissing, match=r"C\.3\.2 \(sender organisation\), H\.1 \(narrative\)"):
        icsr(with_content(changed_frame(sender_organisation=None), narrative=None))


def test_the_case_keeps_its_number_over_follow_ups_and_recipients() -> None:
    course = a_course()
    first = a_report(course=course)
    follow_up = a_report(course=course.wait(days=1), kind="follow-up")
    numbers = {number for report in (first, follow_up) for number in says(report, "C.1.1")}
    assert numbers == {f"TH-CHULA-{EVENT}"}
    assert says(first, "C.1.8.1") == says(follow_up, "C.1.8.1") == says(first, "N.2.r.1") == [f"TH-CHULA-{EVENT}"]
    assert (says(first, "N.1.2"), says(follow_up, "N.1.2")) == ([str(UUID(int=1))], [str(UUID(int=2))])
    assert says(follow_up, "C.1.11.1") == []


def test_an_amendment_and_a_nullification_say_so_and_why() -> None:
    course = a_course()
    a_report(course=course)
    amended = a_report(course=course.wait(hours=1), kind="amendment", reason="The lot was <wrong>")
    course.wait(hours=1).site(RetractAdverseEvent(reason="Entered for another participant"))
    nullified = a_report(course=course, kind="nullification", reason="Another participant's event")
    assert (says(amended, "C.1.11.1"), says(amended, "C.1.11.2")) == (["2"], ["The lot was <wrong>"])
    assert (says(nullified, "C.1.11.1"), says(nullified, "C.1.11.2")) == (["1"], ["Another participant's event"])


def test_instants_are_told_in_the_sites_time_with_its_distance_from_utc() -> None:
    assert says(REPORT, "C.1.2") == ["20260318090000+0700"]
    assert says(REPORT, "C.1.4") == says(REPORT, "C.1.5") == ["20260316090000+0700"]
    assert says(REPORT, "G.k.4.r.4") == ["20260314163000+0700"]
    assert instant(datetime(2026, 1, 1, tzinfo=UTC), "Asia/Kolkata") == "20260101053000+0530"
    assert instant(datetime(2026, 7, 1, tzinfo=UTC), "America/New_York") == "20260630200000-0400"


@pytest.mark.parametrize(("onset", "written"), [("2026-03-15", "20260315"), ("2026-03", "202603"), ("2026", "2026")])
def test_a_partial_date_is_told_as_far_as_it_is_known(onset: str, written: str) -> None:
    assert says(changed_event(onset=onset, ended_on=onset), "E.i.4") == [written]
    assert says(changed_event(onset=onset, ended_on=onset), "E.i.5") == [written]


@pytest.mark.parametrize(("onset", "days"), [("2026-03-14", ["0"]), ("2026-03-20", ["6"]), ("2026-03-13", []),
                                            ("2026-03", [])])  # fmt: skip
def test_days_from_the_first_infusion_to_the_onset(onset: str, days: list[str]) -> None:
    assert says(changed_event(onset=onset), "G.k.9.i.3.1") == days


@pytest.mark.parametrize("number", codes.SERIOUSNESS)
def test_seriousness_is_the_events_and_true_or_not_said(number: str) -> None:
    criterion, _ = codes.SERIOUSNESS[number]
    report = changed_event(seriousness=(criterion,))
    said = {each: says(report, each) for each in codes.SERIOUSNESS}
    assert said == {each: ["true" if each == number else "NI"] for each in codes.SERIOUSNESS}


def test_every_criterion_outcome_action_and_sex_has_a_code() -> None:
    assert {criterion for criterion, _ in codes.SERIOUSNESS.values()} == set(Seriousness)
    assert set(codes.OUTCOMES) == set(Outcome)
    assert set(codes.ACTIONS) == set(ActionTaken)
    assert set(codes.SEXES) == set(Sex)
    assert set(codes.QUALIFICATIONS) == set(Qualification)
    assert set(codes.SENDER_TYPES) == set(SenderType)
    assert set(codes.STUDY_TYPES) == set(StudyType)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("recovered", "1"),
        ("recovering", "2"),
        ("not-recovered", "3"),
        ("recovered-with-sequelae", "4"),
        ("fatal", "5"),
        ("unknown", "0"),
    ],
)
def test_outcomes_have_the_codes_of_e2b(outcome: str, code: str) -> None:
    assert says(changed_event(outcome=Outcome(outcome)), "E.i.7") == [code]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("drug-withdrawn", "1"),
        ("drug-interrupted", "1"),
        ("dose-reduced", "2"),
        ("dose-rate-reduced", "2"),
        ("dose-increased", "3"),
        ("dose-not-changed", "4"),
        ("unknown", "0"),
        ("not-evaluable", "0"),
        ("not-applicable", "9"),
    ],
)
def test_actions_have_the_codes_of_e2b(action: str, code: str) -> None:
    assert says(changed_event(action_taken=ActionTaken(action)), "G.k.8") == [code]


@pytest.mark.parametrize(("sex", "code"), [("M", "1"), ("F", "2"), ("U", "UNK"), ("UNDIFFERENTIATED", "UNK")])
def test_sex_is_male_female_or_unknown(sex: str, code: str) -> None:
    assert says(with_part(REPORT, "participant", sex=Sex(sex)), "D.5") == [code]


def test_a_participant_of_whom_little_is_known_here_is_told_with_null_flavours() -> None:
    report = with_part(REPORT, "participant", sex=None, age_at_onset=None, weight_kg=None)
    assert (says(report, "D.5"), says(report, "D.2.3"), says(report, "D.3")) == (["UNK"], ["UNK"], [])
    assert says(report, "D.2.2a") == []


def test_names_are_masked_and_the_number_is_told() -> None:
    assert (says(REPORT, "D.1"), says(REPORT, "D.1.1.4")) == (["MSK"], ["CU-001"])
    assert b"<given nullFlavor" in icsr(REPORT)


@pytest.mark.parametrize(
    ("least", "most", "age", "unit"),
    [(107, 107, "107", "mo"), (107, 108, "107", "mo"), (95, 107, "7", "a"), (0, 1, "0", "mo"), (10, 12, "0", "a")],
)
def test_age_is_told_in_months_where_these_are_known_to_one_month_else_in_years(
    least: int, most: int, age: str, unit: str
) -> None:
    known = AgeAtOnset(months_at_least=least, months_at_most=most)
    report = with_part(REPORT, "participant", age_at_onset=known)
    assert (says(report, "D.2.2a"), says(report, "D.2.2b"), says(report, "D.2.3")) == ([age], [unit], [])


@pytest.mark.parametrize(("weight", "written"), [("21.5", "21.5"), ("100.00", "100"), ("8.6667", "8.67")])
def test_weight_fits_six_characters(weight: str, written: str) -> None:
    assert says(with_part(REPORT, "participant", weight_kg=Decimal(weight)), "D.3") == [written]


def test_investigator_and_sponsor_assess_apart() -> None:
    assert says(REPORT, "G.k.9.i.2.r.1") == ["Investigator", "Sponsor"]
    assert says(REPORT, "G.k.9.i.2.r.3") == [
        "probable (reasonable possibility)",
        "possible (reasonable possibility)",
    ]
    for each in found(icsr(REPORT), OPINION):
        event = each.find("h:subject1/h:adverseEffectReference/h:id", NS)
        product = each.find("h:subject2/h:productUseReference/h:id", NS)
        assert (event is not None and event.get("root")) == str(EVENT)
        assert (product is not None and product.get("root")) == str(product_in(REPORT))


def product_in(report: ReportSubmitted) -> str | None:
    path = PLACES["G.k.2.2"][0].removesuffix("/h:consumable/h:instanceOfKind/h:kindOfProduct/h:name")
    return found(icsr(report), f"{path}/h:id")[0].get("root")


@pytest.mark.parametrize("attribution", Attribution)
def test_an_opinion_ends_in_the_two_way_answer(attribution: Attribution) -> None:
    course = a_course()
    course.assessed(causality=opinion(attribution), became_aware_at=course.now)
    ending = "(reasonable possibility)" if attribution.is_related else "(no reasonable possibility)"
    assert says(a_report(course=course), "G.k.9.i.2.r.3")[1] == f"{attribution} {ending}"


def test_an_opinion_that_was_not_given_is_no_assessment_and_one_on_another_agent_is_told_in_words() -> None:
    course = a_course(onset="2026-03-15")
    course.assessed(
        causality=opinion("unlikely", "lymphodepletion"),
        expectedness="expected",
        reason="Listed in the draft",
        became_aware_at=course.now,
    )
    report = with_part(a_report(course=course), "adverse_event", causality=())
    assert says(report, "G.k.9.i.2.r.1") == []
    [comment] = says(report, "H.4")
    assert comment is not None
    assert "expected by the sponsor" in comment
    assert "The investigator has given no opinion" in comment
    assert "lymphodepletion: unlikely (no reasonable possibility)" in comment
    assert comment.endswith("The sponsor's reason: Listed in the draft")


def test_before_any_infusion_the_product_was_not_administered() -> None:
    report = with_content(REPORT, infusions=())
    assert (says(report, "G.k.1"), says(report, "G.k.4.r.4"), says(report, "G.k.9.i.3.1")) == (["4"], [], [])
    assert says(REPORT, "G.k.1") == ["1"]


def test_each_infusion_is_a_dose_with_its_own_lot_and_route() -> None:
    second = INFUSION.model_copy(
        update={"number": 2, "lot": None, "route": Route.INTRATHECAL, "cells_per_kg": None,
                "total_car_positive_cells": None}
    )  # fmt: skip
    long = INFUSION.model_copy(update={"number": 3, "lot": "L" * 36})
    report = with_content(REPORT, infusions=(INFUSION, second, long))
    assert says(report, "G.k.4.r.7") == ["LOT-7"]
    assert says(report, "G.k.4.r.10") == ["ROA-20045000", None, "ROA-20045000"]
    assert says(report, "G.k.4.r.1b") == ["{DF}"] * 3
    texts = says(report, "G.k.4.r.8")
    assert texts[0] == ("Infusion 1; 21500000 CAR-positive cells; 1000000 viable CAR-positive cells per kg; lot LOT-7")
    assert texts[1] == "Infusion 2"
    assert texts[2] is not None
    assert texts[2].endswith("L" * 36)


def test_a_death_is_told_with_its_day_and_cause() -> None:
    course = a_course()
    course.site(RecordDeath(died_on="2026-03-18", became_aware_at=course.now))
    report = a_report(course=course)
    assert (says(report, "E.i.3.2a"), says(report, "E.i.7")) == (["true"], ["5"])
    assert (says(report, "D.9.1"), says(report, "D.9.2.r"), says(report, "D.9.3")) == (
        ["20260318"],
        ["Cytokine release syndrome"],
        ["UNK"],
    )
    undated = with_part(report, "adverse_event", ended_on=None)
    assert says(undated, "D.9.1") == ["ASKU"]


def test_a_term_that_ctcae_has_none_for_needs_meddras_lowest_level_term() -> None:
    assert lacking(a_report(course=a_course(**OTHER))) == ["E.i.2.1b"]
    report = a_report(course=a_course(**OTHER), reaction_llt="10084741")
    assert (says(report, "E.i.2.1b"), says(report, "E.i.1.1a")) == (["10084741"], ["ICANS"])


def test_a_thai_text_is_told_as_thai_with_ctcaes_term_for_translation() -> None:
    course = a_course(**{**OTHER, "specification": "สับสน พูดไม่ชัด"})
    report = a_report(course=course, reaction_llt="10084741")
    assert (says(report, "E.i.1.1a"), says(report, "E.i.1.1b")) == (["สับสน พูดไม่ชัด"], ["tha"])
    assert says(report, "E.i.1.2") == ["Nervous system disorders - Other, specify"]


def test_documents_and_expedited_reporting_follow_the_report() -> None:
    plain = with_part(with_content(REPORT, narrative_reference=None), "sponsor", susar=None)
    assert (says(REPORT, "C.1.6.1"), says(REPORT, "C.1.6.1.r.1"), says(REPORT, "C.1.7")) == (
        ["true"],
        ["DOC-0007"],
        ["true"],
    )
    assert (says(plain, "C.1.6.1"), says(plain, "C.1.6.1.r.1"), says(plain, "C.1.7")) == (["false"], [], ["false"])


ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(ANY_TEXT | st.text(alphabet="<&>\"']]ไข้\n\t", min_size=1))
def test_any_text_stays_well_formed_and_reads_back(text: str) -> None:
    report = with_content(REPORT, narrative=text)
    readable = "".join(
        letter if letter in "\t\n\r" or ("\x20" <= letter <= "\ufffd") or letter > "\uffff" else "\ufffd"
        for letter in text
    )
    normal = readable.replace("\r\n", "\n").replace("\r", "\n")  # as every reader of XML does
    assert [(each or "").strip() for each in says(report, "H.1")] == [normal.strip()]


@given(ANY_TEXT)
def test_any_name_stays_well_formed_in_an_attribute(text: str) -> None:
    xml = icsr(with_part(REPORT, "participant", subject_number=text))
    assert len(told(xml, "D.1.1.4")) == 1


def test_the_narrative_reads_back_with_its_lines() -> None:
    assert says(REPORT, "H.1") == [NARRATIVE]
