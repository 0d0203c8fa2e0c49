"""Sends courses to the trial: sites, then first steps in order, then the rest of each course, several at once.

First steps go one after the other because a site gives its numbers in the order in which people are screened. Within
a course order matters; across courses it does not.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.loading.client import AT_ONCE, PAUSE_SECONDS, Answer, TrialClient, pauses
from services.loading.progress import Shown
from services.loading.steps import AWAITED, Awaited, Course, Step
from services.loading.tally import Tally

WORKERS_SECONDS = 60.0  # within which a worker has put on record what follows from a write, on a slow machine too


@dataclass(slots=True)
class Sent:
    """How far one course is: the version of each thing that there is, and the last position in each service."""

    course: Course
    etags: dict[str, str | None] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)


ON_THE_WAY = frozenset({"no-such-participant", "consent-does-not-cover"})  # as a service says that has not heard yet


class Sender:
    """Carries out courses through one client. Start it again after a stop: it is taken up where it was."""

    def __init__(self, client: TrialClient, tally: Tally, shown: Shown) -> None:
        self._client, self._tally, self._shown = client, tally, shown
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def send(self, sites: Iterable[Course], people: Sequence[Course]) -> list[Sent]:
        """Send everything; what is refused is in the tally."""
        for site in sites:
            opened = Sent(site)
            for step in site:
                await self._step(step, opened)
        begun = [Sent(course) for course in people]
        for each in begun:
            await self._step(each.course.first, each)
        try:
            async with asyncio.TaskGroup() as group:
                for each in begun:
                    group.create_task(self._rest(each))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return begun

    async def _rest(self, sent: Sent) -> None:
        async with self._gate:
            for step in sent.course.rest:
                await self._step(step, sent)

    async def _step(self, step: Step, sent: Sent) -> None:
        refusal = await self._refused(step, sent)
        if refusal is not None:
            self._shown.say(refusal)
        self._shown.step()

    async def _refused(self, step: Step, sent: Sent) -> str | None:
        """Send one command; gives the line that says why, where it was refused or could not be sent."""
        there_first = (*step.needs, step.thing) if step.changes and step.awaits is None else step.needs
        missing = next((thing for thing in there_first if thing not in sent.etags), None)
        if missing is not None:
            return self._tally.refuse(step, f"not sent: {missing} was refused")
        if step.awaits is not None:
            ready = await self._found(step, step.awaits, sent)
            if ready is None:
                return self._tally.refuse(step, f"not sent: {step.awaits.what} did not come")
            step = ready
        answer = await self._answered(step, sent)
        refusal = self._tally.note(step, answer)
        if refusal is None:
            self._keep(step, sent, answer)
        return refusal

    def _keep(self, step: Step, sent: Sent, answer: Answer) -> None:
        sent.etags[step.thing] = answer.etag
        if answer.position is not None:
            sent.positions[answer.position.partition(":")[0]] = answer.position

    async def _found(self, step: Step, awaited: Awaited, sent: Sent) -> Step | None:
        """The step with what it waits for in its path, on the version at which that was found; None: it never came."""
        clock = asyncio.get_running_loop().time
        give_up, often = clock() + WORKERS_SECONDS, pauses()
        while True:
            answer = await self._client.look(awaited.path, role=step.role, site=sent.course.site)
            found = awaited.find(answer.body) if answer.accepted else None
            if found is not None:
                sent.etags[step.thing] = answer.etag
                return replace(step, path=step.path.replace(AWAITED, found))
            if clock() > give_up:
                return None
            await asyncio.sleep(next(often, PAUSE_SECONDS))

    async def _answered(self, step: Step, sent: Sent) -> Answer:
        """The trial's verdict.

        A participant screened a moment ago, or a consent, may not have reached the other services yet: they are asked
        again. A file states facts, not reactions to a version, so a change that comes late (412) goes again on the
        present one.
        """
        answer = await self._post(step, sent, sent.etags.get(step.thing) if step.changes else None)
        for pause in pauses():
            if answer.problem not in ON_THE_WAY or not step.needs:
                break
            await asyncio.sleep(pause)
            answer = await self._post(step, sent, sent.etags.get(step.thing) if step.changes else None)
        if answer.status == 412 and answer.body.get("current_version"):
            answer = await self._post(step, sent, f'"{answer.body["current_version"]}"')
        return answer

    async def _post(self, step: Step, sent: Sent, etag: str | None) -> Answer:
        body: dict[str, Any] = step.body
        return await self._client.post(step.path, body, role=step.role, site=sent.course.site, key=step.id, etag=etag)
