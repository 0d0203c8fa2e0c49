"""What is known of a child whom nobody has enrolled yet: findings, and which of them answers a criterion.

The newest valid finding counts, of the day asked for or before. A finding that says nothing the criterion can read, or
is too old for it, is passed over, and told. Of two of the same day that differ none counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from services.enrollment.domain.criteria import answering, quantities
from services.enrollment.domain.criteria.comparing import Qualifier
from services.enrollment.domain.criteria.reasons import INVALID, Answered, Reason, open_for
from shared.contracts.enrollment_terms import Evidence
from shared.contracts.terms import Code
from shared.protocol import Criterion


class Finding(Evidence):
    """One finding: what was found, and of which day. It is named by the protocol's quantity, a test code, or LOINC.

    A laboratory's value that is asked in multiples of the upper limit of normal comes with that limit, in its own unit.
    """

    finding_id: Code = Field(description="The caller's own name of the finding", examples=["f1"])
    quantity: Code | None = Field(None, description="As the protocol names it", examples=["neutrophils"])
    analyte: Code | None = Field(None, description="CDISC test code", examples=["NEUT"])
    loinc: Code | None = Field(None, examples=["751-8"])
    qualifier: Qualifier | None = Field(None, description="The number is a bound")

    @model_validator(mode="after")
    def _is_named_once(self) -> Self:
        if sum(name is not None for name in (self.quantity, self.analyte, self.loinc)) != 1:
            raise ValueError("one of quantity, analyte and loinc says what was found")
        if self.qualifier is not None and self.number is None:
            raise ValueError("a qualifier stands before a number")
        return self

    @property
    def quantities(self) -> frozenset[str]:
        """The quantities that it may be a finding of."""
        if self.quantity is not None:
            return frozenset({self.quantity})
        if self.analyte is not None:
            return quantities.of_analyte(self.analyte)
        return quantities.of_loinc(self.loinc or "")


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A finding that did not count. `why` None: there is a newer one that does."""

    finding: Finding
    why: Reason | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the findings say of one criterion: which count, those of the same day together, and which do not."""

    answered: Answered
    counted: tuple[tuple[Finding, Answered], ...]
    passed_over: tuple[PassedOver, ...]


def weighed(criterion: Criterion, findings: Iterable[Finding], on: date) -> Weighed:
    """What findings of a criterion's quantity say, in whatever order they come."""
    told = [
        (each, answering.from_evidence(criterion, each, on, each.qualifier))
        for each in sorted(findings, key=_newest_first)
    ]
    valid = [(each, answered) for each, answered in told if answered.why not in INVALID]
    counted = tuple((each, answered) for each, answered in valid if each.observed_on == valid[0][0].observed_on)
    passed_over = tuple(
        PassedOver(each, answered.why if answered.why in INVALID else None)
        for each, answered in told
        if (each, answered) not in counted
    )
    if counted:
        return Weighed(_together([answered for _, answered in counted]), counted, passed_over)
    return Weighed(told[0][1] if told else open_for(Reason.MISSING), (), passed_over)


def _newest_first(finding: Finding) -> tuple[int, str]:
    """What has no date comes last."""
    return -finding.observed_on.toordinal() if finding.observed_on else 0, finding.finding_id


def _together(answers: Sequence[Answered]) -> Answered:
    if len({each.answer for each in answers}) > 1:
        return open_for(Reason.FINDINGS_DIFFER)
    return answers[0]
