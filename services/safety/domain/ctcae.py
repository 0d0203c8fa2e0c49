"""CTCAE version 5.0: its 837 terms, the grades each offers, and how to find them.

Source: National Cancer Institute, CTCAE v5.0, 27 November 2017; see `ctcae_v5.README.md` beside the data.
"""

import csv
import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.safety import AdverseEventTerm, MeddraCode
from shared.kernel.errors import NotFound, Unacceptable

EDITION = "5.0"

_FILE = Path(__file__).with_name("ctcae_v5.csv")
_OTHER = " - Other, specify"


class UnknownTerm(Unacceptable):
    """Neither a MedDRA code nor the exact name of a CTCAE term; the message suggests the nearest ones."""


class GradeNotDefinedForTerm(Unacceptable):
    """A grade without a definition is not available; the message names the grades that the term offers."""


class SpecificationMissing(Unacceptable):
    """An 'Other, specify' term says what was seen in words of its own."""


class SpecificationNotAsked(Unacceptable):
    """Only an 'Other, specify' term takes a text: every other term already says what was seen."""


class UnknownClass(Unacceptable):
    """CTCAE has no such system organ class."""


class NoSuchTerm(NotFound):
    """No CTCAE term has this MedDRA code."""


class Term(BaseModel):
    """One CTCAE term, with exactly the grades it offers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meddra_code: MeddraCode
    name: str = Field(examples=["Cytokine release syndrome"])
    soc: str = Field(description="System organ class", examples=["Immune system disorders"])
    grades: tuple[int, ...] = Field(description="The offered grades; not always a run", examples=[[1, 2, 3, 4, 5]])
    needs_specification: bool = Field(description="'Other, specify': what was seen has to be said in words")

    def require(self, grade: int) -> None:
        """Refuse a grade that this term does not offer."""
        if grade in self.grades:
            return
        death = "; record a death under the term of its cause, or under Death NOS (10011914)" if grade == 5 else ""
        raise GradeNotDefinedForTerm(f"{self.name} offers grade {_listed(self.grades)}, not {grade}{death}")


class SystemOrganClass(BaseModel):
    """A MedDRA system organ class, and how many CTCAE terms it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(examples=["Immune system disorders"])
    terms: int = Field(examples=[6])


def _read() -> tuple[Term, ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_term(row) for row in csv.DictReader(file))


def _term(row: dict[str, str]) -> Term:
    return Term(
        meddra_code=row["meddra_code"],
        name=row["term"],
        soc=row["soc"],
        grades=tuple(int(grade) for grade in row["grades"].split(",")),
        needs_specification=row["term"].endswith(_OTHER),
    )


TERMS = _read()
CLASSES = tuple(SystemOrganClass(name=name, terms=terms) for name, terms in Counter(t.soc for t in TERMS).items())

_BY_CODE = MappingProxyType({term.meddra_code: term for term in TERMS})
_BY_NAME = MappingProxyType({term.name.casefold(): term for term in TERMS})


def by_code(meddra_code: str) -> Term:
    """The term with this MedDRA code.

    Raises:
        NoSuchTerm: CTCAE has none.
    """
    term = _BY_CODE.get(meddra_code)
    if term is None:
        raise NoSuchTerm(f"CTCAE {EDITION} has no term with MedDRA code {meddra_code}; search by name with q")
    return term


def named(reference: str) -> Term:
    """The term meant by a MedDRA code or by its exact name, upper and lower case alike.

    Raises:
        UnknownTerm: there is none; the message suggests the nearest.
    """
    term = _BY_CODE.get(reference) or _BY_NAME.get(reference.casefold())
    if term is None:
        raise UnknownTerm(f"not a term of CTCAE {EDITION}; {_advice(reference)}")
    return term


def is_term(reference: str) -> bool:
    """Whether this is a MedDRA code or the exact name of a term, upper and lower case alike."""
    return reference in _BY_CODE or reference.casefold() in _BY_NAME


def as_reported(reference: str, specification: str | None) -> AdverseEventTerm:
    """A term as a report states it.

    Raises:
        UnknownTerm: CTCAE has no such term.
        SpecificationMissing, SpecificationNotAsked: the text is there if and only if the term asks for it.
    """
    term = named(reference)
    if term.needs_specification and specification is None:
        raise SpecificationMissing(f"{term.name} needs specification: what was seen, in words that name nobody")
    if specification is not None and not term.needs_specification:
        raise SpecificationNotAsked(f"{term.name} says what was seen; only 'Other, specify' terms take a specification")
    return AdverseEventTerm(
        edition=EDITION, meddra_code=term.meddra_code, name=term.name, soc=term.soc, specification=specification
    )


def _advice(reference: str) -> str:
    nearest = [f"{term.name} ({term.meddra_code})" for term in nearest_to(reference)]
    if not nearest:
        return "search the dictionary, and use the class's 'Other, specify' term only if none fits"
    return f"the nearest are {'; '.join(nearest)}"


def nearest_to(reference: str) -> tuple[Term, ...]:
    """Up to three terms: those that hold all its words, then those spelled much like it."""
    spelled_alike = get_close_matches(reference.casefold(), _BY_NAME, n=3, cutoff=0.6)
    found = [*search(reference)[:3], *(_BY_NAME[name] for name in spelled_alike)]
    return tuple(dict.fromkeys(found))[:3]


def search(text: str | None = None, *, soc: str | None = None) -> list[Term]:
    """The terms that fit, best first: the exact name or code, a beginning, whole beginnings of words, any part.

    Several words must all be found, in any order. Upper and lower case are alike; so is white space.

    Raises:
        UnknownClass: there is no class `soc`.
    """
    wanted = " ".join((text or "").casefold().split())
    ranked = [(_rank(term, wanted), term) for term in _within(soc)]
    found = [(rank, term) for rank, term in ranked if rank is not None]
    return [term for _, term in sorted(found, key=lambda each: (each[0], each[1].name.casefold()))]


def _within(soc: str | None) -> tuple[Term, ...]:
    if soc is None:
        return TERMS
    terms = tuple(term for term in TERMS if term.soc.casefold() == soc.casefold())
    if not terms:
        raise UnknownClass(f"CTCAE {EDITION} has no such system organ class; list them at /v1/ctcae/socs")
    return terms


def _rank(term: Term, wanted: str) -> int | None:
    name = term.name.casefold()
    if wanted in {"", name, term.meddra_code}:
        return 0
    if name.startswith(wanted) or term.meddra_code.startswith(wanted):
        return 1
    words = wanted.split()
    if all(re.search(rf"\b{re.escape(word)}", name) for word in words):
        return 2
    return 3 if all(word in name for word in words) else None


def _listed(grades: tuple[int, ...]) -> str:
    *most, last = map(str, grades)
    return f"{', '.join(most)} or {last}" if most else last
