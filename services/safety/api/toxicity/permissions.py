"""Who may decide what limits the dose and what becomes of a halt, within their sites. The rest is as of any event."""

from typing import Annotated

from fastapi import Depends, Request

from services.safety.toxicity.dose_limiting import DoseLimitingToxicities
from services.safety.toxicity.episodes import Episodes
from services.safety.toxicity.halts import DosingHalts
from shared.auth.permissions import allow
from shared.kernel.actor import Actor, Role

# The safety committee's, by its officer.
MayDecide = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER))]

# The history of halts names participants of every site.
MayReadHalts = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER, Role.SPONSOR))]


async def _episodes(request: Request) -> Episodes:
    episodes: Episodes = request.app.state.episodes
    return episodes


async def _dose_limiting(request: Request) -> DoseLimitingToxicities:
    toxicities: DoseLimitingToxicities = request.app.state.dose_limiting
    return toxicities


async def _halts(request: Request) -> DosingHalts:
    halts: DosingHalts = request.app.state.halts
    return halts


EpisodesDep = Annotated[Episodes, Depends(_episodes)]
DoseLimitingDep = Annotated[DoseLimitingToxicities, Depends(_dose_limiting)]
HaltsDep = Annotated[DosingHalts, Depends(_halts)]
