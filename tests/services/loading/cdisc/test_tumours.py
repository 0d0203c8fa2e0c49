"""TU and TR to lesions and assessments."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loading.cdisc.files import RowUnusable, SourceRow
from services.loading.cdisc.tumours import (
    BLINDED,
    INVESTIGATOR,
    Lesions,
    assessed,
    identified,
    is_investigators,
    reader_of,
    visits,
)
from shared.kernel.actor import Role
from tests.services.loading.cdisc.rows import a_diameter, a_row, a_state

TARGET, NON_TARGET = a_row("tu"), a_row("tu", TULNKID="NT01", TUSTRESC="NON-TARGET", TULOC="")
NEW = a_row("tu", TULNKID="NEW01", TUSTRESC="NEW", TULOC="LIVER", VISITNUM="12")
LESIONS = Lesions([TARGET, NON_TARGET, NEW])
MEASURED = (a_diameter("T01", "LDIAM", "16"), a_diameter("T01", "LPERP", "14.4"))
PRESENT = a_state("NT01", "PRESENT")


@pytest.mark.parametrize(
    ("tuloc", "place"),
    [
        ("BLADDER", {"organ": "bladder"}),
        ("ADRENAL GLAND", {"organ": "adrenal-gland"}),
        ("LYMPH NODE", {"organ": "lymph-node", "node": True}),
        ("BODY", {"organ": "other", "organ_text": "BODY"}),
        ("", {"organ": "other", "organ_text": "not in SDTM"}),
    ],
)
def test_a_lesion_has_its_place_as_far_as_it_is_told(tuloc: str, place: dict[str, object]) -> None:
    body = identified(a_row("tu", TULOC=tuloc)).body
    assert {name: body[name] for name in place} == place
    assert (body["label"], body["role"]) == ("T01", "target")


def test_a_visit_is_one_assessment_of_all_its_rows() -> None:
    step = assessed([*MEASURED, PRESENT], LESIONS)
    body = step.body
    assert [each["state"] for each in body["targets"]] == ["measured"]
    assert (body["targets"][0]["longest_mm"], body["targets"][0]["perpendicular_mm"]) == ("16", "14.4")
    assert (body["non_target"], body["baseline"], body["visit"], body["modality"]) == (
        "non-cr-non-pd",
        False,
        "WEEK 6",
        "ct",
    )
    assert step.rows == 3
    assert assessed([a_diameter("T01", "LDIAM", "9", VISITNUM="3"), *MEASURED[1:]], LESIONS).body["baseline"]


def state(*rows: SourceRow) -> str:
    (target,) = assessed([*rows, PRESENT], LESIONS).body["targets"]
    return str(target["state"])


def test_a_target_that_was_not_measured_says_why() -> None:
    done = {"TRSTAT": "NOT DONE", "TRREASND": "NOT ASSESSABLE: Image obscured"}
    assert state(a_diameter("T01", "LDIAM", "", **done), a_diameter("T01", "LPERP", "", **done)) == "not-assessed"
    assert state() == "not-assessed"
    assert state(a_state("T01", "ABSENT")) == "absent"
    assert state(a_diameter("T01", "LDIAM", "0"), a_diameter("T01", "LPERP", "0.0")) == "absent"
    small = {"TRSTRESC": "TOO SMALL TO MEASURE"}
    assert state(a_diameter("T01", "LDIAM", "", **small), a_diameter("T01", "LPERP", "", **small)) == "too-small"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([MEASURED[0]], "T01 has one diameter of two"),
        ([a_diameter("T01", "LDIAM", "wide"), MEASURED[1]], "LDIAM of T01 is no number"),
        ([a_diameter("T01", "LDIAM", ""), MEASURED[1]], "TRSTRESN is missing"),
        ([a_diameter("T01", "LDIAM", "1.6", TRSTRESU="cm"), MEASURED[1]], "LDIAM of T01 is not in mm"),
        ([a_diameter("T01", "LDIAM", "sNaN"), MEASURED[1]], "LDIAM of T01 is no number"),
        ([a_diameter("T01", "LDIAM", "", TRSTRESC="TOO SMALL TO MEASURE"), MEASURED[1]], "and one that is not"),
        ([*MEASURED, a_diameter("T01", "LDIAM", "17")], "LDIAM of T01 has two results"),
        ([*MEASURED, a_diameter("T01", "LPERP", "", TRSTAT="NOT DONE")], "LPERP of T01 has two results"),
        ([a_diameter("T01", "DIAMETER", "16"), PRESENT], "T01 has rows, and none of: LDIAM, LPERP, TUMSTATE"),
        ([a_diameter("", "SUMDIAM", "16")], "TRTESTCD is none of: LDIAM, LPERP, TUMSTATE"),
        ([*MEASURED, a_diameter("", "LDIAM", "16")], "TRLNKID is missing"),
        ([*MEASURED, a_state("T09", "PRESENT")], "TU identifies no lesion T09"),
        ([*MEASURED, a_state("NEW01", "PRESENT")], "neither EQUIVOCAL nor UNEQUIVOCAL"),
        ([a_diameter("T01", "LDIAM", "9", TRDTC="soon"), MEASURED[1]], "TRDTC is not an ISO 8601 date"),
    ],
)
def test_a_visit_that_cannot_be_told_says_why(rows: Sequence[SourceRow], why: str) -> None:
    with pytest.raises(RowUnusable, match=why):
        assessed(rows, LESIONS)


def test_a_row_that_stands_twice_changes_nothing_and_other_tests_are_left_out() -> None:
    once, twice = assessed([*MEASURED, PRESENT], LESIONS), assessed([*MEASURED, *MEASURED, PRESENT], LESIONS)
    others = (a_diameter("", "SUMDIAM", "16"), a_diameter("T01", "DIAMETER", "16"))
    beside = assessed([*MEASURED, PRESENT, *others], LESIONS)
    assert once.body == twice.body == beside.body
    assert (once.rows, twice.rows, beside.rows) == (3, 5, 3)


@given(st.lists(st.sampled_from(["ABSENT", "PRESENT", "UNEQUIVOCAL", "NOT DONE", "NO ROW"]), min_size=1, max_size=5))
def test_non_targets_are_judged_together(states: list[str]) -> None:
    """Worse in one is worse; else one unseen leaves it open; else gone is gone in all."""
    identifications = [a_row("tu", TULNKID=f"NT{n}", TUSTRESC="NON-TARGET") for n in range(len(states))]
    rows = [
        a_state(f"NT{n}", "" if said == "NOT DONE" else said, TRSTAT="NOT DONE" if said == "NOT DONE" else "")
        for n, said in enumerate(states)
        if said != "NO ROW"
    ]
    found = assessed([*MEASURED, *rows], Lesions([TARGET, *identifications])).body["non_target"]
    if "UNEQUIVOCAL" in states:
        assert found == "pd"
    elif {"NOT DONE", "NO ROW"} & set(states):
        assert found == "ne"
    else:
        assert found == ("cr" if set(states) == {"ABSENT"} else "non-cr-non-pd")


def test_without_non_targets_there_is_no_status_of_theirs() -> None:
    assert assessed(MEASURED, Lesions([TARGET])).body["non_target"] == "none"


def test_a_new_lesion_is_listed_where_it_is_seen_and_carries_its_row_along() -> None:
    step = assessed([*MEASURED, PRESENT, a_state("NEW01", "EQUIVOCAL")], LESIONS)
    assert step.body["new_lesions"] == [{"label": "NEW01", "certainty": "equivocal", "organ": "liver"}]
    assert step.beside == (("tu", NEW.name),)
    assert assessed([*MEASURED, PRESENT], LESIONS).beside == ()


@pytest.mark.parametrize(
    ("dates", "on"),
    [
        (("2014-01", "2014-01-02"), "2014-01-02"),
        (("2014-01-02", "2014-01-03"), "2014-01-03"),
        (("2014-01", "2014-01"), "2014-01"),
        (("2014-01-30", "2014-02"), "2014-02"),
    ],
)
def test_a_visit_is_dated_by_the_latest_of_its_dates_as_far_as_it_is_known(dates: tuple[str, str], on: str) -> None:
    rows = [a_diameter("T01", test, "9", TRDTC=day) for test, day in zip(("LDIAM", "LPERP"), dates, strict=True)]
    assert assessed(rows, LESIONS).body["assessed_on"] == on


def test_visits_come_in_the_order_of_time() -> None:
    late, early = a_row("tr", VISITNUM="9.2", TRDTC="2014-05"), a_row("tr", VISITNUM="12", TRDTC="2014-03-01")
    assert list(visits([late, early])) == [[early], [late]]


def test_readings_of_independent_assessors_are_known_as_such() -> None:
    assert is_investigators(a_row("tr", TREVAL=""))
    assert not is_investigators(a_row("tr", TREVAL="INDEPENDENT ASSESSOR"))


@pytest.mark.parametrize(
    ("who", "which", "reader"),
    [
        ("INVESTIGATOR", "", INVESTIGATOR),
        ("", "", INVESTIGATOR),
        ("INDEPENDENT ASSESSOR", "RADIOLOGIST 1", BLINDED["RADIOLOGIST 1"]),
        ("INDEPENDENT ASSESSOR", "Radiologist 2", BLINDED["RADIOLOGIST 2"]),
        ("INDEPENDENT ASSESSOR", "RADIOLOGIST 3", None),
        ("INDEPENDENT ASSESSOR", "", None),
        ("SPONSOR", "RADIOLOGIST 1", None),
    ],
)
def test_a_row_says_whose_reading_it_is(who: str, which: str, reader: object) -> None:
    assert reader_of(a_row("tu", TUEVAL=who, TUEVALID=which)) is reader
    assert reader_of(a_row("tr", TREVAL=who, TREVALID=which)) is reader


def test_a_blinded_reading_goes_to_that_readers_own_record() -> None:
    one, two = BLINDED.values()
    rows = [*MEASURED, PRESENT]
    steps = [assessed(rows, LESIONS, reader) for reader in (INVESTIGATOR, one, two)]
    assert [each.role for each in steps] == [Role.SYSTEM, Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2]
    assert all("/independent-reads/" in each.path for each in steps[1:])
    assert len({each.id for each in steps}) == len({each.thing for each in steps}) == len({each.row for each in steps})
    known = identified(TARGET, one)
    assert (known.role, str(known.id)) == (one.role, steps[1].body["targets"][0]["lesion_id"])
    assert known.id != identified(TARGET).id
