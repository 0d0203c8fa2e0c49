"""Who may do what to lesions, assessments and responses, within their sites; and what every change needs."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from services.efficacy.application import Change, Efficacy
from shared.auth.permissions import COURSE_READERS, allow
from shared.http import answers
from shared.http.answers import Recorded
from shared.http.etags import IfMatch
from shared.http.identities import Mint
from shared.kernel.actor import Actor, Role

# Those who measure tumours read what they measured; those who measure samples do not.
MayRead = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.RADIOLOGIST))]

# Measurements come from whoever reads the images, from data entry, and from the hospital's integration engine.
MayRecord = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.RADIOLOGIST, Role.COORDINATOR, Role.SYSTEM))]

# To judge otherwise than the criteria, and to take back what was recorded, is a physician's.
MayJudge = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.RADIOLOGIST))]

ParticipantPath = Annotated[UUID, Path(description="The participant's id")]


async def _efficacy(request: Request) -> Efficacy:
    efficacy: Efficacy = request.app.state.efficacy
    return efficacy


EfficacyDep = Annotated[Efficacy, Depends(_efficacy)]

CarryOut = Callable[[Change, Actor], Awaitable[Recorded]]


async def _carrier(
    participant_id: ParticipantPath, efficacy: EfficacyDep, expected: IfMatch, mint: Mint, response: Response
) -> CarryOut:
    async def carry_out(command: Change, actor: Actor) -> Recorded:
        command_id = mint(None)
        receipt = await efficacy.change(participant_id, command, by=actor, expected=expected, command_id=command_id)
        return answers.changed(response, receipt, command.which)

    return carry_out


ChangeDep = Annotated[CarryOut, Depends(_carrier)]
