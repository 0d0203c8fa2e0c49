"""The requests of a usual course, as a hospital sends them."""

import json
from typing import Any
from uuid import UUID

from services.enrollment.domain import (
    anticancer_therapy,
    consent,
    eligibility,
    eligibility_exception,
    ending,
    follow_up_contact,
    infusion,
    lymphodepletion,
    screening,
    transfer,
    withdrawal,
)
from shared.kernel.decider import Command
from tests.services.enrollment import builders

VERBS: dict[type[Command], str] = {
    screening.RescreenParticipant: "rescreen",
    screening.CorrectScreeningData: "correct-screening-data",
    transfer.TransferParticipant: "transfer",
    consent.ObtainConsent: "obtain-consent",
    consent.CorrectConsent: "correct-consent",
    eligibility.AssessEligibility: "assess-eligibility",
    eligibility_exception.RequestEligibilityException: "request-eligibility-exception",
    eligibility_exception.DecideEligibilityException: "decide-eligibility-exception",
    screening.EnrolParticipant: "enrol",
    lymphodepletion.RecordLymphodepletion: "record-lymphodepletion",
    lymphodepletion.CorrectLymphodepletion: "correct-lymphodepletion",
    lymphodepletion.RetractLymphodepletion: "retract-lymphodepletion",
    infusion.RecordInfusion: "record-infusion",
    infusion.CorrectInfusion: "correct-infusion",
    infusion.RetractInfusion: "retract-infusion",
    anticancer_therapy.RecordAnticancerTherapy: "record-anticancer-therapy",
    anticancer_therapy.CorrectAnticancerTherapy: "correct-anticancer-therapy",
    anticancer_therapy.RetractAnticancerTherapy: "retract-anticancer-therapy",
    follow_up_contact.RecordFollowUpContact: "record-follow-up-contact",
    follow_up_contact.RetractFollowUpContact: "retract-follow-up-contact",
    ending.FailScreening: "fail-screening",
    ending.DiscontinueTreatment: "discontinue-treatment",
    ending.RecordLossToFollowUp: "record-loss-to-follow-up",
    ending.WithdrawConsent: "withdraw-consent",
    withdrawal.RestoreConsent: "restore-consent",
    ending.CompleteFollowUp: "complete-follow-up",
    ending.RecordDeath: "record-death",
    ending.RetractDiscontinuation: "retract-discontinuation",
}
PARTICIPANT = "/v1/participants/{participant_id}"


def body_of(command: Command) -> Any:
    return json.loads(command.model_dump_json(exclude_none=True))


def a_screening(participant_id: UUID | None = builders.WHO, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = body_of(builders.screening(**fields))
    del body["participant_id"]
    return body if participant_id is None else body | {"participant_id": str(participant_id)}


def steps(*commands: Command) -> list[tuple[str, Any]]:
    """Verb and body of each command."""
    return [(VERBS[type(command)], body_of(command)) for command in commands]


UNTIL_ENROLLED = steps(*builders.ENROLLED[1:])
UNTIL_PREPARED = steps(*builders.ENROLLED[1:], builders.lymphodepletion())
UNTIL_INFUSED = steps(*builders.INFUSED[1:])
UNTIL_TREATED = steps(*builders.INFUSED[1:], builders.therapy())
