"""The few fields of FHIR R4 resources that are read. All others, names of people first, are passed over and not kept.

Written by hand: `fhir.resources` (8.3.0) has R5, R4B and STU3 but no plain R4, and would read every field.

Source: HL7 FHIR R4 (4.0.1), hl7.org/fhir/R4.
"""

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=False)


class Coding(_Part):
    system: str | None = None
    code: str | None = None


class CodeableConcept(_Part):
    coding: tuple[Coding, ...] = ()

    @property
    def codes(self) -> list[str | None]:
        return [each.code for each in self.coding]


class Identifier(_Part):
    value: str | None = None


class Reference(_Part):
    reference: str | None = None
    identifier: Identifier | None = None


class Period(_Part):
    start: str | None = None


class Quantity(_Part):
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Component(_Part):
    """One measured value; an Observation is one, or has several."""

    code: CodeableConcept = CodeableConcept()
    value_quantity: Quantity | None = Field(None, alias="valueQuantity")
    value_string: str | None = Field(None, alias="valueString")
    value_integer: int | None = Field(None, alias="valueInteger")

    @property
    def has_value(self) -> bool:
        return not (self.value_quantity is None and self.value_string is None and self.value_integer is None)


class Clinical(_Part):
    """What Observation and DiagnosticReport have in common."""

    status: str
    subject: Reference | None = None
    effective_date_time: str | None = Field(None, alias="effectiveDateTime")
    effective_period: Period | None = Field(None, alias="effectivePeriod")
    effective_instant: str | None = Field(None, alias="effectiveInstant")

    @property
    def effective(self) -> str | None:
        period = self.effective_period.start if self.effective_period else None
        return self.effective_date_time or self.effective_instant or period


class Observation(Clinical, Component):
    code: CodeableConcept
    specimen: Reference | None = None
    method: CodeableConcept | None = None
    device: Reference | None = None
    component: tuple[Component, ...] = ()


class DiagnosticReport(Clinical):
    specimen: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()


class Collection(_Part):
    collected_date_time: str | None = Field(None, alias="collectedDateTime")
    collected_period: Period | None = Field(None, alias="collectedPeriod")


class Specimen(_Part):
    identifier: tuple[Identifier, ...] = ()
    accession_identifier: Identifier | None = Field(None, alias="accessionIdentifier")
    type: CodeableConcept | None = None
    collection: Collection | None = None


class Device(_Part):
    """The assay: of a kit, the model and the lot."""

    lot_number: str | None = Field(None, alias="lotNumber")
    model_number: str | None = Field(None, alias="modelNumber")


class Person(_Part):
    """Of Patient and ResearchSubject the identifiers alone."""

    identifier: tuple[Identifier, ...] = ()
    individual: Reference | None = None


class Entry(_Part):
    full_url: str | None = Field(None, alias="fullUrl")
    resource: dict[str, Any] | None = None


class Bundle(_Part):
    type: str
    entry: tuple[Entry, ...] = ()
