"""A change of one participant: what every such endpoint is given, does and can answer."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response

from services.enrollment.api.permissions import EnrollmentDep
from services.enrollment.application import Enrollment
from services.enrollment.domain.facts import InTheFuture, NoSuchParticipant, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.participant import LaterCommand
from shared.http import answers, problems
from shared.http.answers import Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.kernel.actor import Actor
from shared.kernel.errors import TrialError


def changes(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    """The answers of an endpoint that changes a participant: its own problems, and those that any change can meet."""
    return {
        **problems.of(
            NoSuchParticipant,
            NotAtThisPoint,
            InTheFuture,
            OutOfOrder,
            *VERSION_PROBLEMS,
            *errors,
        ),
        **answers.CHANGED,
    }


@dataclass(frozen=True, slots=True)
class ParticipantChange:
    """Carries out one command on the participant named in the path, and answers with what was recorded."""

    participant_id: UUID
    expected: int
    command_id: UUID
    enrollment: Enrollment
    response: Response

    async def __call__(self, command: LaterCommand, actor: Actor) -> Recorded:
        receipt = await self.enrollment.change(
            self.participant_id, command, expected=self.expected, command_id=self.command_id, by=actor
        )
        return answers.changed(self.response, receipt, self.participant_id)


async def _change(
    participant_id: UUID, expected: IfMatch, mint: Mint, enrollment: EnrollmentDep, response: Response
) -> ParticipantChange:
    return ParticipantChange(participant_id, expected, mint(None), enrollment, response)


Change = Annotated[ParticipantChange, Depends(_change)]
