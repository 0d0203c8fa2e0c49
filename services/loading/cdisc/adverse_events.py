"""AE: adverse events in terms of CTCAE.

AESEV is a severity of three points and no CTCAE grade: it is mapped, and every grade says so (`GRADE_MAPPING`). The
term is CTCAE's where AELLT, AEDECOD or AETERM is its very name; CTCAE's terms are lowest level terms, so AELLT comes
first. Else, and where CTCAE's term does not offer the mapped grade, it is the class's "Other, specify" with the words
of AETERM: a mapped grade is no reason to lose an event.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from services.loading.cdisc.codelists import (
    ATTRIBUTIONS,
    DEATH_GRADE,
    GRADE_MAPPING,
    GRADES,
    OUTCOMES,
    SERIOUSNESS,
    coded,
    kebab,
)
from services.loading.cdisc.files import RowUnusable, SourceRow
from services.loading.cdisc.subjects import noon, participant_id
from services.loading.client import identity
from services.loading.steps import PARTICIPANT, Step
from shared.contracts.safety import ActionTaken
from shared.kernel.actor import Role


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The trial's terms, and its classes' "Other, specify" terms, each by its name in small letters."""

    terms: dict[str, dict[str, Any]]
    others: dict[str, str]

    @classmethod
    def of(cls, terms: Iterable[dict[str, Any]]) -> Self:
        every = list(terms)
        return cls(
            {term["name"].casefold(): term for term in every if not term["needs_specification"]},
            {term["soc"].casefold(): term["name"] for term in every if term["needs_specification"]},
        )

    def same(self, row: SourceRow) -> dict[str, Any] | None:
        """The term that has the row's very name, if there is one."""
        names = (row[variable].casefold() for variable in ("AELLT", "AEDECOD", "AETERM"))
        return next((self.terms[name] for name in names if name in self.terms), None)

    def lacks_grade(self, row: SourceRow) -> bool:
        """Whether the term of this name does not offer the row's grade."""
        same = self.same(row)
        return same is not None and _grade(row) not in same["grades"]

    def term(self, row: SourceRow) -> dict[str, str]:
        """`term`, and `specification` where the class's "Other, specify" has to do."""
        same = self.same(row)
        if same is not None and _grade(row) in same["grades"]:
            return {"term": same["name"]}
        soc = next((row[name] for name in ("AESOC", "AEBODSYS") if row[name].casefold() in self.others), None)
        if soc is None:
            raise RowUnusable("neither the term nor its class (AESOC, AEBODSYS) is one of CTCAE")
        return {"term": self.others[soc.casefold()], "specification": row.required("AETERM")}


def reported(row: SourceRow, dictionary: Dictionary, agent: str) -> Step:
    """One row as a report. `agent` is what AEREL asks about."""
    key = identity("cdisc", row["STUDYID"], row.subject, "ae", row.required("AESEQ"))
    action = kebab(row["AEACN"])
    body: dict[str, Any] = {
        "adverse_event_id": str(key),
        "participant_id": str(participant_id(row)),
        **dictionary.term(row),
        "grade": _grade(row),
        "grade_basis": {"how": "mapped", "mapping": GRADE_MAPPING},
        "onset": row.date("AESTDTC"),
        "became_aware_at": noon(row.full_date("AEDTC")),
        "seriousness": seriousness(row),
        "causality": [{"agent": agent, "attribution": coded(row, "AEREL", ATTRIBUTIONS)}] if row["AEREL"] else [],
        "action_taken": action if action in set(ActionTaken) else ActionTaken.UNKNOWN.value,
        "outcome": coded(row, "AEOUT", OUTCOMES) if row["AEOUT"] else "unknown",
    }
    if row["AEENDTC"]:
        body["ended_on"] = row.date("AEENDTC")
    needs = (PARTICIPANT,)
    return Step("ae", row.name, "/safety/v1/adverse-events", body, Role.SYSTEM, row.name, key, needs=needs)


def _grade(row: SourceRow) -> int:
    """CTCAE's grade 5 is death due to the event, whatever AESEV says beside it."""
    if row["AESDTH"] == "Y" or row["AEOUT"].upper() == "FATAL":
        return DEATH_GRADE
    severity = row.required("AESEV").upper()
    if severity not in GRADES:
        raise RowUnusable(f"AESEV is none of: {', '.join(GRADES)}")
    return GRADES[severity]


def seriousness(row: SourceRow) -> list[str]:
    """The criteria that are flagged. AESER alone says serious and not why: medically important, the residual one."""
    criteria = {criterion for flag, criterion in SERIOUSNESS.items() if row[flag] == "Y"}
    if row["AESER"] == "Y" and not criteria:
        criteria = {"medically-important"}
    return sorted(criteria)


def contradicts_itself(row: SourceRow) -> bool:
    """AESER says not serious beside a criterion that is met: the criterion counts."""
    return row["AESER"] != "Y" and bool(seriousness(row))
