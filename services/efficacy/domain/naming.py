"""Commands about one lesion or one assessment of a participant, which the path of the request names."""

from typing import Self
from uuid import UUID

from pydantic import Field

from shared.kernel.decider import Command
from shared.kernel.errors import Unacceptable


class AnotherIdInTheBody(Unacceptable):
    """The body names another thing than the path: leave the id out of the body, or make them agree."""


def _known(given: UUID | None) -> UUID:
    if given is None:
        raise LookupError("a command is about something: call `about` before it is decided")
    return given


def _same(given: UUID | None, named: UUID) -> UUID:
    if given not in (None, named):
        raise AnotherIdInTheBody("the id in the body is not the one in the path; leave it out of the body")
    return named


class AboutLesion(Command):
    """A command about one lesion; `which` is known once `about` has been called."""

    lesion_id: UUID | None = Field(None, description="A new lesion: the caller's own id. Later: as in the path")

    @property
    def which(self) -> UUID:
        return _known(self.lesion_id)

    def about(self, lesion_id: UUID) -> Self:
        return self.model_copy(update={"lesion_id": _same(self.lesion_id, lesion_id)})


class AboutAssessment(Command):
    """A command about one assessment; `which` is known once `about` has been called."""

    assessment_id: UUID | None = Field(None, description="A new assessment: the caller's own id. Later: as in the path")

    @property
    def which(self) -> UUID:
        return _known(self.assessment_id)

    def about(self, assessment_id: UUID) -> Self:
        return self.model_copy(update={"assessment_id": _same(self.assessment_id, assessment_id)})
