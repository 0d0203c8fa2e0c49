"""What can go wrong, as the domain says it. HTTP has its own words for these; see `shared.http.problems`.

    TrialError
    ├── Unacceptable   breaks a rule whatever the state of the trial
    ├── Conflict       a true command at the wrong moment
    │   └── AlreadyExists   another content is on record under this id
    ├── StaleVersion   somebody wrote first: reload, decide again
    ├── NotFound       there is no such thing, or not for this actor
    ├── Forbidden      the actor's roles do not allow it
    ├── Unavailable    a database or a broker is away: try again
    └── NotInstalled   this installation cannot do it, now or later

A message says what is wrong and what to send instead. It never carries health data of a participant.
"""

import re
from typing import ClassVar


def kebab(name: str) -> str:
    """`GradeNotDefined` as `grade-not-defined`: the stable code of an error class."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


class TrialError(Exception):
    """Something the caller is told about. `code` names the kind of problem and never changes."""

    code: ClassVar[str] = "trial-error"

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = kebab(cls.__name__)


class Unacceptable(TrialError):
    """The command breaks a rule whatever the state: it must be changed before it is sent again."""


class Conflict(TrialError):
    """The command is well formed and comes at the wrong moment."""


class AlreadyExists(Conflict):
    """Another content is on record under this id."""


class StaleVersion(TrialError):
    """Somebody wrote to this stream first; `current` is the version it is at, if known."""

    def __init__(self, message: str, *, current: int | None = None) -> None:
        super().__init__(message)
        self.current = current


class NotFound(TrialError):
    """There is no such thing, or none that this actor may know of."""


class NoSuchParticipant(NotFound):
    """Nobody of this id is known here, or at the caller's sites. A participant screened just now may still arrive.

    One message for both: another would tell whether somebody takes part at another site.
    """

    def __init__(self) -> None:
        super().__init__("no such participant at your sites; one screened just now may still arrive: try again")


class Forbidden(TrialError):
    """The actor is known, and their roles do not allow this."""


class Unavailable(TrialError):
    """A database or a broker cannot be reached. Nothing is half done; the same request may be sent again."""


class NotInstalled(TrialError):
    """This installation lacks an optional part; its operator can add it."""
