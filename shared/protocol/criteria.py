"""Who may take part: eligibility criteria as rules, and the ages of consent and assent."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Mark, Part, Setting, Text
from shared.protocol.units import Unit

Age = Annotated[int, Field(ge=0, le=120)]


class CriterionType(StrEnum):
    INCLUSION = "inclusion"  # IECAT C25532
    EXCLUSION = "exclusion"  # IECAT C25370


class Operator(StrEnum):
    """How the quantity is compared. `any` accepts every value, as long as it is known."""

    AT_LEAST = ">="
    AT_MOST = "<="
    BELOW = "<"
    ABOVE = ">"
    EQUAL = "="
    IN = "in"
    ANY = "any"


class ValueType(StrEnum):
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"


class AppliesTo(StrEnum):
    EVERYONE = "everyone"
    FEMALE = "female"
    MINOR = "minor"


_OPERATORS = {
    ValueType.NUMBER: {Operator.AT_LEAST, Operator.AT_MOST, Operator.BELOW, Operator.ABOVE, Operator.EQUAL},
    ValueType.FLAG: {Operator.EQUAL},
    ValueType.CHOICE: {Operator.IN, Operator.ANY},
}
_THRESHOLDS: dict[ValueType, type] = {
    ValueType.NUMBER: Decimal,
    ValueType.FLAG: bool,
    ValueType.CHOICE: tuple,
}


class Criterion(Part):
    """One criterion: a quantity, compared with a threshold.

    An exclusion describes what keeps a child out. A missing threshold means that no number is known:
    the criterion can never be evaluated, and so never counts as met. `max_age_days` is the age beyond
    which a result no longer answers. `half_lives`, in half-lives of the drug, shortens a threshold in
    days where it is the shorter of the two.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+(-[A-Za-z0-9]+)*$")]
    type: CriterionType
    quantity: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    label: Text
    value_type: ValueType
    operator: Operator
    threshold: Decimal | bool | tuple[Text, ...] | None
    unit: Unit | None = None
    half_lives: Annotated[Decimal, Field(gt=0)] | None = None
    max_age_days: Annotated[int, Field(gt=0)] | None = None
    applies_to: AppliesTo = AppliesTo.EVERYONE
    mark: Mark
    source: Text
    note: Text | None = None

    @property
    def is_set(self) -> bool:
        return self.operator is Operator.ANY or self.threshold is not None

    @model_validator(mode="after")
    def _compares_like_with_like(self) -> Self:
        if self.operator not in _OPERATORS[self.value_type]:
            known = ", ".join(sorted(_OPERATORS[self.value_type]))
            raise ValueError(f"{self.id}: a {self.value_type} is compared by {known}, not by {self.operator}")
        if self.threshold is not None and not isinstance(self.threshold, _THRESHOLDS[self.value_type]):
            raise ValueError(f"{self.id}: {self.threshold!r} is no threshold for a {self.value_type}")
        if self.operator is Operator.ANY and self.threshold is not None:
            raise ValueError(f"{self.id}: any value will do, so leave the threshold out")
        if (self.unit is None) == (self.value_type is ValueType.NUMBER):
            raise ValueError(f"{self.id}: numbers have a unit, and nothing else has")
        if self.half_lives is not None and self.unit is not Unit.DAY:
            raise ValueError(f"{self.id}: half-lives shorten a threshold in days alone")
        return self


class Enrolment(Part):
    """What enrolment goes by beside the criteria. A criterion whose threshold nobody knows is unset."""

    unset_criteria_block: Setting[bool]


class ConsentDocumentKind(StrEnum):
    GUARDIAN = "guardian"
    ASSENT = "assent"
    OWN = "own"


class ConsentGate(StrEnum):
    """Data that are refused where the consent of their day does not cover them."""

    FOLLOW_UP = "follow-up"  # tumour assessments; data about safety are flagged, and never refused
    SAMPLES = "samples"  # specimens and what was measured in them


class ConsentDocument(Part):
    """One version of a consent form. From `required_from` on, a consent given on an older version is outdated."""

    kind: ConsentDocumentKind
    version: Text
    required_from: date | None = None
    mark: Mark
    source: Text
    note: Text | None = None


class Consent(Part):
    """Ages, in completed years, at which a participant's own voice is asked for, and the forms it is given on.

    `documents` are in order of time for each kind. A kind without documents accepts any version. A site that has
    declared documents of a kind goes by them instead; a consent on an older version lasts `reconsent_grace_days`
    longer, where the site says nothing else. `gates` names the data that consent must cover.
    """

    majority_age_years: Setting[Age]
    assent_from_age_years: Setting[Age]
    written_assent_from_age_years: Setting[Age]
    reconsent_at_majority: Setting[bool]
    reconsent_grace_days: Setting[Annotated[int, Field(ge=0, le=366)]]
    gates: Setting[tuple[ConsentGate, ...]]
    documents: tuple[ConsentDocument, ...]

    @model_validator(mode="after")
    def _ages_rise(self) -> Self:
        ages = [
            self.assent_from_age_years.value,
            self.written_assent_from_age_years.value,
            self.majority_age_years.value,
        ]
        if ages != sorted(ages):
            raise ValueError(f"assent, written assent and majority must not fall with age: {ages}")
        return self

    @model_validator(mode="after")
    def _documents_follow_each_other(self) -> Self:
        for kind in ConsentDocumentKind:
            listed = [document for document in self.documents if document.kind is kind]
            versions = [document.version for document in listed]
            dates = [document.required_from for document in listed if document.required_from is not None]
            if len(set(versions)) < len(versions):
                raise ValueError(f"{kind} documents: a version is listed twice: {', '.join(versions)}")
            if dates != sorted(dates):
                raise ValueError(f"{kind} documents: list them in the order in which they were required")
        return self
