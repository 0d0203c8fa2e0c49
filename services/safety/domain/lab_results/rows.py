"""One row of a batch: what a laboratory sent, and what it says once codes, units and times are understood.

Everything in a row may be wrong, so nothing in it is required and little of it is checked on the way in: what cannot
be read is kept as it was sent, with the reason, until a mapping is added or somebody discards it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.safety.domain.age import age_in_months
from services.safety.domain.lab_grading import analytes, numbers
from services.safety.domain.lab_grading.analytes import Analyte, UnknownAnalyte
from services.safety.domain.lab_grading.facts import Limits, Measured, UnreadableValue
from services.safety.domain.lab_results.laboratory import Laboratory, UnitNotOfAnalyte, unit_code
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_laboratory import (
    Grading,
    LaboratoryResult,
    LimitsSource,
    QuarantineProblem,
    ResultQualifier,
    SpecimenType,
)
from shared.contracts.terms import Code
from shared.kernel.clock import CLOCK_SKEW
from shared.measurement import units

_NAMESPACE = UUID("5a1f3c52-9d0b-5b7e-8c43-6a2f0d9e7b14")  # of this rule; never changes
_CODE: TypeAdapter[str] = TypeAdapter(Code)
_HOSPITAL_NUMBER = re.compile(r"\b(?:HN|MRN)\W{0,3}\d{3,}", re.IGNORECASE)  # events cannot be erased
_FIRST_YEAR, _LAST_YEAR = 1900, 9998


class RowStatus(StrEnum):
    FINAL = "final"
    CANCELLED = "cancelled"  # it should never have been reported


def _storable(given: str | Decimal | None) -> str | Decimal | None:
    """PostgreSQL keeps no NUL. It is kept as the character that stands for one that cannot be shown."""
    return given.replace("\0", "\ufffd") if isinstance(given, str) else given


Text = Annotated[str | None, Field(max_length=200), AfterValidator(_storable)]
Number = Annotated[numbers.Number, AfterValidator(_storable)]


class SentRow(BaseModel):
    """One value of a batch. Any of `local_code`, `analyte` and `loinc` names what was measured.

    `row_id` is the laboratory's own id of the row; without one, `specimen_id` and the test are. The same row again
    changes nothing; with other content it is a correction, and says why in `reason`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    row_id: Text = Field(None, examples=["2026-03-15/0007/GPT"])
    specimen_id: Text = Field(None, description="Accession number")
    participant_id: Text = None
    subject_number: Text = Field(None, description="In place of participant_id", examples=["CU-001"])
    local_code: Text = Field(None, description="The laboratory's own test code, as it was mapped", examples=["GPT"])
    analyte: Text = Field(None, description="CDISC test code or usual name")
    loinc: Text = None
    value: Number = Field(None, description="120, <40 or >1000")
    unit: Text = Field(None, description="UCUM or a usual spelling; INR and pH need none")
    lln: Number = Field(None, description="Lower limit of normal")
    uln: Number = Field(None, description="Upper limit of normal")
    collected_at: Text = Field(None, description="RFC 3339; without an offset, in the laboratory's time zone")
    specimen_type: Text = Field(None, examples=["serum"])
    status: RowStatus = RowStatus.FINAL
    reason: Annotated[str | None, Field(max_length=500), AfterValidator(_storable)] = Field(
        None, description="Of a correction or a cancellation: why, in words that name nobody"
    )

    @property
    def test(self) -> str | None:
        return said(self.local_code) or said(self.analyte) or said(self.loinc)

    @property
    def key(self) -> str | None:
        """What the laboratory knows the row by; None where it names nothing."""
        if said(self.row_id):
            return said(self.row_id)
        specimen, test = said(self.specimen_id), self.test
        return f"{specimen}/{test}" if specimen and test else None


def said(text: str | None) -> str | None:
    """A text without blanks around it; a blank one says nothing, as an empty cell of a table does."""
    return text.strip() or None if text is not None else None


@dataclass(frozen=True, slots=True)
class Lymphodepletion:
    """When a course that prepared the first infusion began: the day at the site, and the hour where it is known."""

    began_on: date
    first_dose_at: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """What reading and grading need of a participant. None: not known here.

    `here_until`: the last day at the laboratory's site of somebody who was handed to another one.
    """

    participant_id: UUID
    zone: tzinfo
    sex: Sex | None
    birth_month: str | None
    infused_at: datetime | None
    lymphodepletions: tuple[Lymphodepletion, ...] = ()
    here_until: date | None = None

    def age_months(self, at: datetime) -> int | None:
        """Completed months at the site's date."""
        return None if self.birth_month is None else age_in_months(self.birth_month, at.astimezone(self.zone).date())


class Unreadable(Exception):
    """A row that cannot be read: the problem as a code, and what to do about it in words."""

    def __init__(self, problem: QuarantineProblem, says: str) -> None:
        super().__init__(says)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Reading:
    """What a row says. `result` is not graded yet; None: the row cancels what is on record under `result_id`."""

    person: Person
    result_id: UUID
    result: LaboratoryResult | None
    reason: str | None


def result_id(laboratory_id: str, key: str) -> UUID:
    """The id of the result that a row of a laboratory is about: the same row, the same id."""
    return uuid5(_NAMESPACE, f"{laboratory_id}\n{key}")


def read(row: SentRow, laboratory: Laboratory, person: Person | None, now: datetime) -> Reading:
    """What a row says.

    Raises:
        Unreadable: something in it is not understood.
    """
    key = _key(row)
    if person is None:
        raise Unreadable(
            QuarantineProblem.UNKNOWN_PARTICIPANT, "no such participant at this laboratory's site; it may still arrive"
        )
    identity = result_id(laboratory.id, key)
    if row.status is RowStatus.CANCELLED:
        return Reading(person, identity, None, row.reason)
    return Reading(person, identity, _result(row, key, identity, laboratory, person, now), row.reason)


def _key(row: SentRow) -> str:
    if row.key is None:
        raise Unreadable(QuarantineProblem.NOT_IDENTIFIED, "send row_id, or specimen_id and what was measured")
    if _HOSPITAL_NUMBER.search(row.key):
        raise Unreadable(
            QuarantineProblem.NOT_IDENTIFIED,
            "row_id or specimen_id seems to be a hospital number, which names the patient: send the laboratory's own",
        )
    return _code(row.key, QuarantineProblem.NOT_IDENTIFIED, "row_id and specimen_id are short codes")


def _code(text: str, problem: QuarantineProblem, says: str) -> str:
    try:
        return _CODE.validate_python(text)
    except ValidationError:
        raise Unreadable(problem, f"{says}: letters, digits and . _ / + : - and blanks, at most 64") from None


def _result(
    row: SentRow, key: str, identity: UUID, laboratory: Laboratory, person: Person, now: datetime
) -> LaboratoryResult:
    analyte = _analyte(row, laboratory)
    unit = _unit(row, analyte)
    collected_at = _collected_at(row, laboratory, now)
    on = collected_at.astimezone(laboratory.zone).date()
    if person.here_until is not None and on > person.here_until:
        raise Unreadable(
            QuarantineProblem.UNKNOWN_PARTICIPANT,
            "the participant had been handed to another site when this was collected: its laboratory sends it",
        )
    measured = _measured(row, unit)
    limits = _limits(row)
    source = None if limits == Limits() else LimitsSource.RESULT
    age_months = person.age_months(collected_at)
    if source is None and analyte is not None:
        own = laboratory.range_of(analyte, unit, person.sex, age_months, on)
        if own is not None:
            limits, source = Limits(own.lln, own.uln), LimitsSource.LABORATORY
    return LaboratoryResult(
        result_id=identity,
        laboratory_id=laboratory.id,
        row=key,
        test=_code(row.test or "", QuarantineProblem.UNKNOWN_TEST, "a test code is a short code"),
        analyte=analyte,
        value=measured.value,
        qualifier=None if measured.qualifier is None else ResultQualifier(measured.qualifier.value),
        unit=unit,
        lln=limits.lln,
        uln=limits.uln,
        limits_from=source,
        collected_at=collected_at,
        specimen=_specimen(row),
        age_months=age_months,
        grading=Grading(result_id=identity, baseline=None, grades=()),
    )


def _analyte(row: SentRow, laboratory: Laboratory) -> str | None:
    """The key of what was measured; None where the laboratory's code means something that is not graded.

    The first of local_code, analyte and loinc says what it is. What the others say besides must not contradict it; a
    name or a LOINC code that is not known here contradicts nothing.
    """
    key = _first_named(row, laboratory)
    besides = {found for found in (_known(analytes.named, row.analyte), _known(analytes.of_loinc, row.loinc)) if found}
    if key is not None and besides - {key}:
        named = " and ".join(sorted({key, *besides}))
        raise Unreadable(
            QuarantineProblem.UNKNOWN_TEST, f"local_code, analyte and loinc name different things, {named}"
        )
    return key


def _first_named(row: SentRow, laboratory: Laboratory) -> str | None:
    if code := said(row.local_code):
        if code in laboratory.tests:
            return laboratory.tests[code]
        raise Unreadable(QuarantineProblem.UNKNOWN_TEST, "this laboratory has no mapping of local_code: add one")
    try:
        if name := said(row.analyte):
            return analytes.named(name).key
        if loinc := said(row.loinc):
            return analytes.of_loinc(loinc).key
    except UnknownAnalyte as unknown:
        raise Unreadable(QuarantineProblem.UNKNOWN_TEST, str(unknown)) from None
    raise Unreadable(QuarantineProblem.UNKNOWN_TEST, "name what was measured in local_code, analyte or loinc")


def _known(find: Callable[[str], Analyte], text: str | None) -> str | None:
    name = said(text)
    try:
        return None if name is None else find(name).key
    except UnknownAnalyte:
        return None


def _unit(row: SentRow, analyte: str | None) -> str | None:
    """The unit's UCUM code. What is not graded may come without one, and in any that is known."""
    if analyte is not None:
        try:
            return unit_code(analytes.by_key(analyte), row.unit)
        except UnitNotOfAnalyte as unknown:
            raise Unreadable(QuarantineProblem.UNKNOWN_UNIT, str(unknown)) from None
    if row.unit is None or not row.unit.strip():
        return None
    unit = units.read(row.unit)
    if unit is None:
        raise Unreadable(QuarantineProblem.UNKNOWN_UNIT, "the unit is not known: send its UCUM code")
    return unit.code


def _measured(row: SentRow, unit: str | None) -> Measured:
    try:
        return numbers.measured(row.value, unit)
    except UnreadableValue as unreadable:
        raise Unreadable(QuarantineProblem.BAD_VALUE, str(unreadable)) from None


def _limits(row: SentRow) -> Limits:
    try:
        return Limits(numbers.plain("lln", row.lln), numbers.plain("uln", row.uln))
    except UnreadableValue as unreadable:
        raise Unreadable(QuarantineProblem.BAD_LIMITS, str(unreadable)) from None


def _collected_at(row: SentRow, laboratory: Laboratory, now: datetime) -> datetime:
    """When the specimen was taken. Laboratories write times without an offset; then it is their own zone's."""
    text = (row.collected_at or "").strip()
    try:
        written = datetime.fromisoformat(text) if "T" in text or " " in text else None
    except ValueError:
        written = None
    if written is None or not _FIRST_YEAR <= written.year <= _LAST_YEAR:
        raise Unreadable(
            QuarantineProblem.BAD_COLLECTION_TIME,
            "collected_at is a date and a time, such as 2026-03-14T10:30:00+07:00",
        )
    at = written if written.tzinfo is not None else written.replace(tzinfo=laboratory.zone)
    if at > now + CLOCK_SKEW:
        raise Unreadable(QuarantineProblem.BAD_COLLECTION_TIME, "collected_at lies in the future: check its offset")
    return at


def _specimen(row: SentRow) -> SpecimenType | None:
    if row.specimen_type is None or not row.specimen_type.strip():
        return None
    try:
        return SpecimenType(row.specimen_type.strip().casefold())
    except ValueError:
        raise Unreadable(
            QuarantineProblem.UNKNOWN_SPECIMEN, f"specimen_type is one of {', '.join(SpecimenType)}, or null"
        ) from None
