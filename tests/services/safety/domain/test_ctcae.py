"""CTCAE v5.0 as published: 26 classes, 837 terms, 494 of them with grade 5."""

from collections import Counter

import pytest

from services.safety.domain import ctcae
from services.safety.domain.ctcae import GradeNotDefinedForTerm, NoSuchTerm, UnknownClass, UnknownTerm

# Terms, and those that offer grade 5, per class: counted in the workbook of the NCI.
PUBLISHED = {
    "Blood and lymphatic system disorders": (12, 10),
    "Cardiac disorders": (34, 29),
    "Congenital, familial and genetic disorders": (1, 1),
    "Ear and labyrinth disorders": (8, 2),
    "Endocrine disorders": (14, 7),
    "Eye disorders": (26, 0),
    "Gastrointestinal disorders": (122, 92),
    "General disorders and administration site conditions": (25, 9),
    "Hepatobiliary disorders": (18, 16),
    "Immune system disorders": (6, 6),
    "Infections and infestations": (88, 75),
    "Injury, poisoning and procedural complications": (79, 71),
    "Investigations": (42, 1),
    "Metabolism and nutrition disorders": (26, 24),
    "Musculoskeletal and connective tissue disorders": (44, 14),
    "Neoplasms benign, malignant and unspecified (incl cysts and polyps)": (7, 5),
    "Nervous system disorders": (68, 27),
    "Pregnancy, puerperium and perinatal conditions": (4, 1),
    "Psychiatric disorders": (21, 8),
    "Renal and urinary disorders": (23, 12),
    "Reproductive system and breast disorders": (49, 14),
    "Respiratory, thoracic and mediastinal disorders": (62, 46),
    "Skin and subcutaneous tissue disorders": (39, 11),
    "Social circumstances": (1, 1),
    "Surgical and medical procedures": (1, 1),
    "Vascular disorders": (17, 11),
}


def test_the_dictionary_has_the_terms_of_every_class_as_published() -> None:
    terms = Counter(term.soc for term in ctcae.TERMS)
    fatal = Counter(term.soc for term in ctcae.TERMS if 5 in term.grades)
    assert {soc: (terms[soc], fatal[soc]) for soc in terms} == PUBLISHED
    assert {each.name: each.terms for each in ctcae.CLASSES} == dict(terms)
    assert (len(ctcae.TERMS), fatal.total()) == (837, 494)


def test_codes_and_names_are_unique() -> None:
    assert len({term.meddra_code for term in ctcae.TERMS}) == len({t.name.casefold() for t in ctcae.TERMS}) == 837


def test_every_class_ends_with_one_term_that_asks_for_a_specification() -> None:
    asking = Counter(term.soc for term in ctcae.TERMS if term.needs_specification)
    assert asking == dict.fromkeys(PUBLISHED, 1)


@pytest.mark.parametrize(
    ("name", "grades"),
    [
        ("Anemia", (1, 2, 3, 4, 5)),
        ("Asystole", (1, 4, 5)),
        ("Aphonia", (3,)),
        ("Syncope", (3,)),
        ("Death NOS", (5,)),
        ("Sudden death NOS", (5,)),
        ("Disease progression", (5,)),
        ("Death neonatal", (4,)),
        ("Pregnancy loss", (4,)),
        ("Eosinophilia", (1, 3)),
    ],
)
def test_a_term_offers_exactly_its_grades(name: str, grades: tuple[int, ...]) -> None:
    term = ctcae.named(name)
    assert term.grades == grades
    for grade in range(1, 6):
        if grade in grades:
            term.require(grade)
        else:
            with pytest.raises(GradeNotDefinedForTerm, match=f"not {grade}"):
                term.require(grade)


def test_a_refused_grade_names_those_that_are_offered() -> None:
    with pytest.raises(GradeNotDefinedForTerm, match=r"^Asystole offers grade 1, 4 or 5, not 2$"):
        ctcae.named("Asystole").require(2)


def test_a_refused_grade_5_says_where_a_death_belongs() -> None:
    with pytest.raises(GradeNotDefinedForTerm, match=r"Syncope offers grade 3, not 5; .*Death NOS \(10011914\)"):
        ctcae.named("Syncope").require(5)


@pytest.mark.parametrize("reference", ["10052015", "Cytokine release syndrome", "CYTOKINE RELEASE SYNDROME"])
def test_a_term_is_named_by_code_or_by_name(reference: str) -> None:
    assert ctcae.named(reference) == ctcae.by_code("10052015")


@pytest.mark.parametrize(
    ("reference", "suggestion"),
    [
        ("Diarrhoea", "Diarrhea"),
        ("Anaemia", "Anemia"),
        ("cytokine release", "Cytokine release syndrome"),
        ("platelet decreased", "Platelet count decreased"),
        ("1005201", "Cytokine release syndrome"),
    ],
)
def test_an_unknown_term_suggests_the_nearest(reference: str, suggestion: str) -> None:
    with pytest.raises(UnknownTerm, match=suggestion):
        ctcae.named(reference)


def test_a_term_like_no_other_suggests_a_search() -> None:
    with pytest.raises(UnknownTerm, match="search the dictionary"):
        ctcae.named("qqqqqqqqqq")


def test_an_unknown_code_is_not_found() -> None:
    with pytest.raises(NoSuchTerm, match="99999999"):
        ctcae.by_code("99999999")


def names(text: str | None, soc: str | None = None) -> list[str]:
    return [term.name for term in ctcae.search(text, soc=soc)]


def test_the_exact_name_comes_first_then_beginnings_then_words() -> None:
    assert names("pain")[:4] == ["Pain", "Pain in extremity", "Pain of skin", "Abdominal pain"]


def test_a_part_inside_a_word_comes_last() -> None:
    # "neutro" begins the first, and a word of the second; "tension" begins no word of any.
    assert names("neutro") == ["Neutrophil count decreased", "Febrile neutropenia"]
    assert names("tension")[:3] == ["Abdominal distension", "Hypertension", "Hypotension"]
    assert names("release") == ["Cytokine release syndrome"]


def test_words_are_found_in_any_order_and_case() -> None:
    counts = ["Lymphocyte count decreased", "Neutrophil count decreased", "Platelet count decreased"]
    assert names("count decr") == names("  DECR   Count ") == counts


def test_a_code_is_found_like_a_name() -> None:
    assert names("10052015") == ["Cytokine release syndrome"]
    assert "Cytokine release syndrome" in names("100520")


def test_a_search_can_stay_within_a_class() -> None:
    assert len(names(None, "immune system disorders")) == 6
    assert names("other, specify", "Immune system disorders") == ["Immune system disorders - Other, specify"]
    with pytest.raises(UnknownClass, match="/v1/ctcae/socs"):
        names(None, "Immunity")


def test_no_words_list_the_dictionary_by_name() -> None:
    assert names(None) == names("  ") == sorted((t.name for t in ctcae.TERMS), key=str.casefold)


def test_a_search_without_a_hit_is_empty() -> None:
    assert names("qqqq") == []
