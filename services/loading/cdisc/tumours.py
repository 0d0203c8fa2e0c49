"""TU and TR: lesions, and one assessment per subject and visit from one row per diameter.

An assessment is dated by the latest date among its rows, as far as it is known. A target whose rows are missing or
NOT DONE was not assessed; 0 mm is absent. Non-targets together are CR where all are ABSENT, PD where one is
UNEQUIVOCAL (worse), NE where one was not done, else non-CR/non-PD. Other tests than LDIAM, LPERP and TUMSTATE, such as
sums of diameters, are left out; a target that has only such makes its visit unusable, as do two results of one test.
What an INDEPENDENT ASSESSOR read as RADIOLOGIST 1 or 2 is sent as that blinded reader's own, into a record that nobody
else who reads sees; other readers are left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from services.loading.cdisc.codelists import MODALITIES, kebab
from services.loading.cdisc.files import RowUnusable, SourceRow
from services.loading.cdisc.subjects import NOT_IN_DATA, participant_id
from services.loading.client import identity
from services.loading.steps import PARTICIPANT, Step
from shared.contracts.efficacy_terms import Organ
from shared.kernel.actor import Role

ROLES = {"TARGET": "target", "NON-TARGET": "non-target"}
TESTS = ("LDIAM", "LPERP", "TUMSTATE")
TUMOUR = "the tumour burden"
_RESULT = ("TRSTRESC", "TRSTRESN", "TRSTRESU", "TRSTAT")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who read the images: in which role their rows are sent, and where to."""

    role: Role
    name: str
    place: str
    thing: str

    def at(self, row: SourceRow) -> str:
        return f"/efficacy/v1/{self.place}/{participant_id(row)}"

    def identity(self, row: SourceRow, what: str, name: str) -> UUID:
        """The investigator's ids name no reader, so that what was loaded before is found again."""
        own = () if self is INVESTIGATOR else (self.name,)
        return identity("cdisc", row["STUDYID"], row.subject, what, name, *own)


INVESTIGATOR = Reader(Role.SYSTEM, "INVESTIGATOR", "participants", TUMOUR)
BLINDED = {
    "RADIOLOGIST 1": Reader(Role.INDEPENDENT_READER_1, "RADIOLOGIST 1", "independent-reads", f"{TUMOUR} of reader 1"),
    "RADIOLOGIST 2": Reader(Role.INDEPENDENT_READER_2, "RADIOLOGIST 2", "independent-reads", f"{TUMOUR} of reader 2"),
}
READERS = (INVESTIGATOR, *BLINDED.values())


def reader_of(row: SourceRow) -> Reader | None:
    """Whose reading a row of TU, TR or RS is; None: of somebody whom the trial does not know."""
    match (row["TUEVAL"] or row["TREVAL"] or row["RSEVAL"] or "INVESTIGATOR").upper():
        case "INVESTIGATOR":
            return INVESTIGATOR
        case "INDEPENDENT ASSESSOR":
            return BLINDED.get((row["TUEVALID"] or row["TREVALID"] or row["RSEVALID"]).upper())
        case _:
            return None


def is_investigators(row: SourceRow) -> bool:
    return reader_of(row) is INVESTIGATOR


def is_new(row: SourceRow) -> bool:
    return row["TUSTRESC"].upper().startswith("NEW")


def identified(row: SourceRow, reader: Reader = INVESTIGATOR) -> Step:
    """A lesion known at baseline."""
    role = ROLES.get(row["TUSTRESC"].upper())
    if role is None:
        raise RowUnusable(f"TUSTRESC is none of: {', '.join(ROLES)}, NEW")
    label = row.required("TULNKID")
    key = reader.identity(row, "lesion", label)
    body = {"lesion_id": str(key), "label": label, "role": role, **_place(row)}
    return Step("tu", row.name, f"{reader.at(row)}/lesions", body, reader.role, reader.thing, key, needs=(PARTICIPANT,))


def _place(row: SourceRow | None) -> dict[str, Any]:
    where = "" if row is None else row["TULOC"]
    organ = kebab(where)
    if organ not in set(Organ):
        return {"organ": "other", "organ_text": where or NOT_IN_DATA}
    return {"organ": organ, "node": True} if organ == Organ.LYMPH_NODE else {"organ": organ}


class Lesions:
    """What TU says of one subject's lesions."""

    def __init__(self, rows: Iterable[SourceRow]) -> None:
        by_label = {row["TULNKID"]: row for row in rows}
        self.new = {label: row for label, row in by_label.items() if is_new(row)}
        known = {label: row for label, row in by_label.items() if not is_new(row)}
        self.targets = [label for label, row in known.items() if row["TUSTRESC"].upper() == "TARGET"]
        self.non_targets = [label for label, row in known.items() if row["TUSTRESC"].upper() == "NON-TARGET"]
        self.baseline_visit = next((row["VISITNUM"] for row in known.values()), None)


def visits(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    """The rows of each visit, in order of time."""
    by_visit: Mapping[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        by_visit[row["VISITNUM"]].append(row)
    yield from sorted(by_visit.values(), key=lambda each: max(row["TRDTC"] for row in each))


def name_of(rows: Sequence[SourceRow], reader: Reader) -> str:
    """What people find a visit by: the file, the subject, the visit, and the reader who is not the investigator."""
    whose = "" if reader is INVESTIGATOR else f" {reader.name}"
    return f"{rows[0].name.partition(' ')[0]} {rows[0].subject} {_visit(rows[0])}{whose}"


def _visit(row: SourceRow) -> str:
    return row["VISIT"] or f"visit {row['VISITNUM']}"


def assessed(rows: Sequence[SourceRow], lesions: Lesions, reader: Reader = INVESTIGATOR) -> Step:
    """One visit's rows as one assessment."""
    first = rows[0]
    visit = _visit(first)
    key = reader.identity(first, "assessment", first.required("VISITNUM"))
    findings = _Findings(rows, lesions)
    body = {
        "assessment_id": str(key),
        "baseline": first["VISITNUM"] == lesions.baseline_visit,
        "assessed_on": max((row.date("TRDTC") for row in rows), key=lambda date: (date[:7], len(date), date)),
        "visit": visit,
        "modality": MODALITIES.get(first["TRMETHOD"].upper(), "other"),
        "targets": [
            {"lesion_id": str(reader.identity(first, "lesion", each)), **findings.target(each)}
            for each in lesions.targets
        ],
        "non_target": findings.non_target(),
        "new_lesions": findings.new_lesions(),
    }
    path = f"{reader.at(first)}/assessments"
    beside = tuple(("tu", row.name) for label, row in lesions.new.items() if label in findings.labels)
    return Step(
        "tr",
        name_of(rows, reader),
        path,
        body,
        reader.role,
        reader.thing,
        key,
        needs=(PARTICIPANT,),
        rows=findings.rows,
        beside=beside,
    )


class _Findings:
    """One visit's rows, by lesion and test."""

    def __init__(self, rows: Sequence[SourceRow], lesions: Lesions) -> None:
        taken = [row for row in rows if row["TRTESTCD"] in TESTS]
        if not taken:
            raise RowUnusable(f"TRTESTCD is none of: {', '.join(TESTS)}")
        self.rows = len(taken)
        self._by_test: dict[tuple[str, str], SourceRow] = {}
        self._otherwise = {row["TRLNKID"] for row in rows}
        self._lesions = lesions
        for row in taken:
            label, test = row.required("TRLNKID"), row["TRTESTCD"]
            first = self._by_test.setdefault((label, test), row)
            if any(first[variable] != row[variable] for variable in _RESULT):
                raise RowUnusable(f"{test} of {label} has two results")
        self.labels = {label for label, _ in self._by_test}
        stray = self.labels - {*lesions.targets, *lesions.non_targets, *lesions.new}
        if stray:
            raise RowUnusable(f"TU identifies no lesion {', '.join(sorted(stray))}")

    def target(self, label: str) -> dict[str, str]:
        if label in self._otherwise - self.labels:
            raise RowUnusable(f"{label} has rows, and none of: {', '.join(TESTS)}")
        longest, perpendicular = self._millimetres(label, "LDIAM"), self._millimetres(label, "LPERP")
        state = self._by_test.get((label, "TUMSTATE"))
        if longest is None and perpendicular is None:
            return {"state": "absent" if state is not None and _says(state) == "ABSENT" else "not-assessed"}
        if longest is None or perpendicular is None:
            raise RowUnusable(f"{label} has one diameter of two: the trial keeps both or neither")
        if longest == perpendicular == "too-small":
            return {"state": "too-small"}
        if "too-small" in (longest, perpendicular):
            raise RowUnusable(f"{label} has one diameter that is too small to measure, and one that is not")
        if Decimal(longest) == Decimal(perpendicular) == 0:
            return {"state": "absent"}
        return {"state": "measured", "longest_mm": longest, "perpendicular_mm": perpendicular}

    def _millimetres(self, label: str, test: str) -> str | None:
        row = self._by_test.get((label, test))
        if row is None or row["TRSTAT"].upper() == "NOT DONE":
            return None
        if "TOO SMALL" in row["TRSTRESC"].upper():
            return "too-small"
        try:
            is_number = Decimal(row.required("TRSTRESN")).is_finite()
        except InvalidOperation:
            is_number = False
        if not is_number:
            raise RowUnusable(f"{test} of {label} is no number")
        if row["TRSTRESU"] != "mm":
            raise RowUnusable(f"{test} of {label} is not in mm")
        return row["TRSTRESN"]

    def non_target(self) -> str:
        if not self._lesions.non_targets:
            return "none"
        rows = [self._by_test.get((label, "TUMSTATE")) for label in self._lesions.non_targets]
        states = [None if row is None else _says(row) for row in rows]
        if "UNEQUIVOCAL" in states:
            return "pd"
        if None in states:
            return "ne"
        return "cr" if set(states) == {"ABSENT"} else "non-cr-non-pd"

    def new_lesions(self) -> list[dict[str, Any]]:
        found = []
        for label, identification in self._lesions.new.items():
            row = self._by_test.get((label, "TUMSTATE"))
            certainty = None if row is None else _says(row)
            if certainty is not None:
                found.append({"label": label, "certainty": _certainty(certainty), **_place(identification)})
        return found


def _certainty(state: str) -> str:
    if state not in {"EQUIVOCAL", "UNEQUIVOCAL"}:
        raise RowUnusable("TUMSTATE of a new lesion is neither EQUIVOCAL nor UNEQUIVOCAL")
    return state.lower()


def _says(row: SourceRow) -> str | None:
    """The state of a tumour; None where nobody looked."""
    return None if row["TRSTAT"].upper() == "NOT DONE" else row["TRSTRESC"].upper() or None
