"""Sends courses to the trial: sites, then first steps in order, then the rest of each course, several at once.

First steps go one after the other because a site gives its numbers in the order in which people are screened. Within
a course order matters; across courses it does not.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.loading.client import AT_ONCE, Answer, TrialClient, pauses
from services.loading.progress import Shown
from services.loading.steps import Course, Step
from services.loading.tally import Tally


@dataclass(slots=True)
class Sent:
    """How far one course is: the version of each thing that there is, and the last position in each service."""

    course: Course
    etags: dict[str, str | None] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)


class Sender:
    """Carries out courses through one client. Start it again after a stop: it is taken up where it was."""

    def __init__(self, client: TrialClient, tally: Tally, shown: Shown) -> None:
        self._client, self._tally, self._shown = client, tally, shown
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def send(self, sites: Iterable[Course], people: Sequence[Course]) -> list[Sent]:
        """Send everything; what is refused is in the tally."""
        for site in sites:
            await self._step(site.first, Sent(site))
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
        there_first = (*step.needs, step.thing) if step.changes else step.needs
        missing = next((thing for thing in there_first if thing not in sent.etags), None)
        if missing is not None:
            refusal: str | None = self._tally.refuse(step, f"not sent: {missing} was refused")
        else:
            answer = await self._answered(step, sent)
            refusal = self._tally.note(step, answer)
            if refusal is None:
                self._keep(step, sent, answer)
        if refusal is not None:
            self._shown.say(refusal)
        self._shown.step()

    def _keep(self, step: Step, sent: Sent, answer: Answer) -> None:
        sent.etags[step.thing] = answer.etag
        if answer.position is not None:
            sent.positions[answer.position.partition(":")[0]] = answer.position

    async def _answered(self, step: Step, sent: Sent) -> Answer:
        """The trial's verdict.

        A participant screened a moment ago may not have reached the other services yet: they are asked again. A file
        states facts, not reactions to a version, so a change that comes late (412) goes again on the present one.
        """
        answer = await self._post(step, sent, sent.etags.get(step.thing) if step.changes else None)
        for pause in pauses():
            if answer.problem != "no-such-participant" or not step.needs:
                break
            await asyncio.sleep(pause)
            answer = await self._post(step, sent, sent.etags.get(step.thing) if step.changes else None)
        if answer.status == 412 and answer.body.get("current_version"):
            answer = await self._post(step, sent, f'"{answer.body["current_version"]}"')
        return answer

    async def _post(self, step: Step, sent: Sent, etag: str | None) -> Answer:
        body: dict[str, Any] = step.body
        return await self._client.post(step.path, body, role=step.role, site=sent.course.site, key=step.id, etag=etag)
