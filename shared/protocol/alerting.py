"""Who hears of an alert that nobody has taken in hand, and after how long."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Part, Setting

# A label, never an address: who is behind it is a setting of each deployment.
MailLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


class AlertLevel(Part):
    """One level of the chain, reached this long after the alert was raised if nobody has acknowledged it."""

    after_minutes: Annotated[int, Field(ge=0)]
    webhook: bool
    mail_to: tuple[MailLabel, ...]

    @model_validator(mode="after")
    def _tells_somebody_once(self) -> Self:
        if not self.webhook and not self.mail_to:
            raise ValueError("a level of an alert tells somebody: by webhook, by mail, or both")
        if len(set(self.mail_to)) < len(self.mail_to):
            raise ValueError("a level of an alert names each label once")
        return self


class Alerting(Part):
    """The chain of an alert, until a safety officer acknowledges it."""

    levels: Setting[Annotated[tuple[AlertLevel, ...], Field(min_length=1)]]

    @model_validator(mode="after")
    def _begins_at_once_and_rises(self) -> Self:
        after = [level.after_minutes for level in self.levels.value]
        if after[0] != 0:
            raise ValueError("the first level of an alert is reached at once: after_minutes 0")
        if any(later <= earlier for earlier, later in pairwise(after)):
            raise ValueError("levels of an alert are listed in order of time")
        return self
