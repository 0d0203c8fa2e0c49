"""A recipient's answer on paper, such as an ethics committee's letter: what a safety officer reads off it.

Nothing of the letter is kept but who wrote it, when it came, what it decides and the number on it.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from services.safety.domain.cases.case import AcknowledgementOfAnotherReport, AcknowledgeReport, CaseDatesContradict
from shared.contracts.safety_cases import AcknowledgementForm, ReportSubmitted
from shared.contracts.terms import Instant, ReferenceNumber
from shared.kernel.decider import Command
from shared.protocol import Recipient


class RecordPaperAcknowledgement(Command):
    """A letter that answers a report came. A text is not taken: the letter itself is kept where letters are kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recipient": "ethics-committee",
                    "received_at": "2026-03-20T14:00:00+07:00",
                    "verdict": "accepted",
                    "reference_number": "IRB-0456/26",
                }
            ]
        }
    )

    recipient: Recipient = Field(description="Of the report, who wrote the letter")
    received_at: Instant
    verdict: Literal["accepted", "rejected"] = Field(description="Rejected: it counts as not sent, and is sent again")
    reference_number: ReferenceNumber


def paper_acknowledgement(letter: RecordPaperAcknowledgement, report: ReportSubmitted) -> AcknowledgeReport:
    """What the letter says of this report.

    Raises:
        AcknowledgementOfAnotherReport: it was written by somebody else than the report was sent to.
        CaseDatesContradict: it came before the report was sent.
    """
    if letter.recipient != report.recipient:
        raise AcknowledgementOfAnotherReport(f"report {report.number} went to {report.recipient}, who answers it alone")
    if letter.received_at < report.sent_at:
        raise CaseDatesContradict("received_at lies before the report was sent")
    return AcknowledgeReport(
        report_number=report.number,
        form=AcknowledgementForm.PAPER,
        verdict=letter.verdict,
        receiver_reference=letter.reference_number,
        acknowledged_at=letter.received_at,
    )
