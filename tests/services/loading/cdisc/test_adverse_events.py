"""AE to adverse events: terms, mapped grades, seriousness, causality, outcome."""

from typing import Any

import pytest

from services.loading.cdisc.adverse_events import Dictionary, contradicts_itself, reported, seriousness
from services.loading.cdisc.files import RowUnusable
from tests.services.loading.cdisc.rows import a_row


def _term(name: str, soc: str, *grades: int) -> dict[str, Any]:
    return {"name": name, "soc": soc, "grades": list(grades), "needs_specification": name.endswith("Other, specify")}


GUT, INFECTIONS = "Gastrointestinal disorders", "Infections and infestations"
DICTIONARY = Dictionary.of(
    [
        _term("Diarrhea", GUT, 1, 2, 3, 4, 5),
        _term("Nausea", GUT, 1, 2, 3),
        _term("Gastrointestinal disorders - Other, specify", GUT, 1, 2, 3, 4, 5),
        _term("Urinary tract infection", INFECTIONS, 2, 3, 4, 5),
        _term("Infections and infestations - Other, specify", INFECTIONS, 1, 2, 3, 4, 5),
    ]
)


def body(**values: str) -> dict[str, Any]:
    return reported(a_row("ae", **values), DICTIONARY, "study-drug").body


@pytest.mark.parametrize(
    ("names", "term", "specification"),
    [
        ({"AELLT": "DIARRHEA", "AEDECOD": "NAUSEA", "AETERM": "LOOSE"}, "Diarrhea", None),
        ({"AELLT": "FEELING SICK", "AEDECOD": "NAUSEA", "AETERM": "SICK"}, "Nausea", None),
        ({"AELLT": "", "AEDECOD": "", "AETERM": "Nausea"}, "Nausea", None),
        (
            {"AELLT": "x", "AEDECOD": "y", "AETERM": "BELLY ACHE"},
            "Gastrointestinal disorders - Other, specify",
            "BELLY ACHE",
        ),
        ({"AELLT": "", "AEDECOD": "DIARRHEA AND NAUSEA"}, "Gastrointestinal disorders - Other, specify", "DIARRHOEA"),
    ],
)
def test_a_term_is_ctcaes_where_the_names_are_the_same_else_the_classes_other(
    names: dict[str, str], term: str, specification: str | None
) -> None:
    told = body(**names)
    assert (told["term"], told.get("specification")) == (term, specification)


def test_a_term_that_does_not_offer_the_mapped_grade_gives_way_to_other_and_is_counted() -> None:
    mild = {
        "AELLT": "URINARY TRACT INFECTION",
        "AETERM": "UTI",
        "AESOC": "INFECTIONS AND INFESTATIONS",
        "AESEV": "MILD",
    }
    assert body(**mild)["term"] == "Infections and infestations - Other, specify"
    assert DICTIONARY.lacks_grade(a_row("ae", **mild))
    moderate = {**mild, "AESEV": "MODERATE"}
    assert body(**moderate)["term"] == "Urinary tract infection"
    assert not DICTIONARY.lacks_grade(a_row("ae", **moderate))


@pytest.mark.parametrize(
    ("values", "grade"),
    [
        ({"AESEV": "MILD"}, 1),
        ({"AESEV": "Moderate"}, 2),
        ({"AESEV": "SEVERE"}, 3),
        ({"AESEV": "SEVERE", "AESLIFE": "Y"}, 3),  # a criterion of seriousness is no grade
        ({"AESEV": "SEVERE", "AESDTH": "Y"}, 5),
        ({"AESEV": "", "AEOUT": "FATAL"}, 5),
    ],
)
def test_every_grade_is_mapped_and_says_so(values: dict[str, str], grade: int) -> None:
    told = body(**values)
    assert told["grade"] == grade
    assert told["grade_basis"]["how"] == "mapped"
    assert told["grade_basis"]["mapping"].startswith("AESEV: mild 1, moderate 2, severe 3")


@pytest.mark.parametrize(
    ("values", "criteria", "contradicts"),
    [
        ({"AESER": "N"}, [], False),
        ({"AESER": "Y", "AESHOSP": "Y"}, ["hospitalisation"], False),
        ({"AESER": "N", "AESHOSP": "Y"}, ["hospitalisation"], True),
        ({"AESER": "Y"}, ["medically-important"], False),
        ({"AESER": "Y", "AESDTH": "Y", "AESLIFE": "Y"}, ["life-threatening", "results-in-death"], False),
        ({"AESER": "Y", "AESCAN": "Y", "AESMIE": "Y"}, ["medically-important"], False),
        ({"AESER": "Y", "AESDISAB": "Y", "AESCONG": "Y"}, ["congenital-anomaly", "disability"], False),
    ],
)
def test_flags_are_criteria_and_a_criterion_outweighs_aeser(
    values: dict[str, str], criteria: list[str], contradicts: bool
) -> None:
    row = a_row("ae", **values)
    assert seriousness(row) == criteria
    assert contradicts_itself(row) is contradicts


@pytest.mark.parametrize(
    ("aerel", "attribution"),
    [
        ("NONE", "unrelated"),
        ("REMOTE", "unlikely"),
        ("POSSIBLE", "possible"),
        ("PROBABLE", "probable"),
        ("DEFINITE", "definite"),
    ],
)
def test_aerel_is_the_opinion_on_the_study_drug(aerel: str, attribution: str) -> None:
    assert body(AEREL=aerel)["causality"] == [{"agent": "study-drug", "attribution": attribution}]


def test_what_is_missing_is_left_out_and_not_invented() -> None:
    told = body(AEREL="", AEOUT="", AEENDTC="", AEACN="")
    assert told["causality"] == []
    assert (told["outcome"], told["action_taken"]) == ("unknown", "unknown")
    assert "ended_on" not in told


def test_dates_are_kept_partial_and_awareness_is_noon_of_the_day_of_the_record() -> None:
    told = body(AESTDTC="2013-12", AEENDTC="2014", AEDTC="2014-01-16T09:30", AEACN="DRUG WITHDRAWN")
    assert (told["onset"], told["ended_on"], told["became_aware_at"]) == (
        "2013-12",
        "2014",
        "2014-01-16T12:00:00+00:00",
    )
    assert told["action_taken"] == "drug-withdrawn"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"AESEV": ""}, "AESEV is missing"),
        ({"AESEV": "TERRIBLE"}, "AESEV is none of: MILD, MODERATE, SEVERE"),
        ({"AESEQ": ""}, "AESEQ is missing"),
        ({"AESTDTC": ""}, "AESTDTC is missing"),
        ({"AEDTC": "2014-01"}, "AEDTC has no day"),
        ({"AEREL": "MAYBE"}, "AEREL is none of"),
        ({"AEOUT": "GONE"}, "AEOUT is none of"),
        ({"AELLT": "x", "AEDECOD": "x", "AETERM": "x", "AESOC": "WEATHER"}, "one of CTCAE"),
    ],
)
def test_a_row_that_cannot_be_told_says_why(values: dict[str, str], why: str) -> None:
    with pytest.raises(RowUnusable, match=why):
        body(**values)


def test_the_same_row_has_the_same_id_and_the_next_another() -> None:
    assert body()["adverse_event_id"] == body()["adverse_event_id"] != body(AESEQ="4")["adverse_event_id"]
