"""What is to be sent: commands, in courses. The commands of a course follow each other; courses go side by side."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.kernel.actor import Role

PARTICIPANT = "the participant"
AWAITED = "{awaited}"


@dataclass(frozen=True, slots=True)
class Awaited:
    """What the trial itself puts on record before a command can be sent, and which is asked for until it is there.

    `find` gives, of the answer at `path`, what stands for AWAITED in the command's own path; None: not there yet.
    """

    what: str
    path: str
    find: Callable[[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and where it comes from.

    `thing` is what the command makes or changes: the next change of that thing names the version this one led to.
    Where something in `needs` was refused, the command is not sent. `row` names the source without quoting it, `rows`
    says how many lines of it speak in this command, and `beside` names the lines of other kinds that do, too.
    `batch` names the lines of a command that is answered line by line. A
    command that waits for something is decided on the version at which that was found.
    """

    kind: str
    row: str
    path: str
    body: dict[str, Any]
    role: Role
    thing: str
    id: UUID
    changes: bool = False
    needs: tuple[str, ...] = ()
    rows: int = 1
    beside: tuple[tuple[str, str], ...] = ()
    batch: tuple[str, ...] = ()
    awaits: Awaited | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """Everything about one participant, or one site. `first` is sent before the rest of any other course."""

    site: str
    first: Step
    rest: tuple[Step, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        yield self.first
        yield from self.rest
