"""The channels by which somebody is told, and what comes of a try. Where nobody is named, no client is loaded."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from services.safety.domain.notices.message import Message
from shared.contracts.safety import AlertChannel
from shared.protocol import AlertLevel
from shared.settings import BadSettings, Settings

if TYPE_CHECKING:
    from services.safety.notices.mail import Mailer
    from services.safety.notices.webhook import Receiver


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver, or the mail server before it, has the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It said no. `gone`: it says that nobody will ever answer at this address (410).

    `why` is a code and, where an operator can mend it, what to mend: never what a server said, which may name people.
    """

    why: str
    gone: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came back. It may have the message, or not: the same message is sent again."""

    why: str


Answer = Accepted | Refused | NoAnswer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one recipient. `id` and content are the same on every try; `at` is the instant of this one."""

    id: str
    thread: str
    recipient: str
    message: Message
    since: datetime
    at: datetime


class Line(Protocol):
    """A channel that is open."""

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send once. Never raises for what the network or the receiver does."""
        ...


class Channel(Protocol):
    """One way of telling somebody."""

    def connected(self) -> AbstractAsyncContextManager[Line]: ...


def channels_of(settings: Settings, levels: tuple[AlertLevel, ...]) -> Mapping[AlertChannel, Channel]:
    """The channels that the settings name, for a chain of these levels; none where they name none.

    Raises:
        BadSettings: an address or a secret is missing or cannot be used; the message names the variable.
    """
    found: dict[AlertChannel, Channel] = {}
    webhook, mailer = _webhook_of(settings), _mailer_of(settings, levels)
    if webhook is not None:
        found[AlertChannel.WEBHOOK] = webhook
    if mailer is not None:
        found[AlertChannel.MAIL] = mailer
    return found


def _webhook_of(settings: Settings) -> "Receiver | None":
    if settings.alert_webhook_url is None:
        return None
    if settings.alert_webhook_secret is None:
        raise BadSettings("ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET, which the receiver checks signatures with")
    from services.safety.notices.webhook import Receiver  # noqa: PLC0415 - see above

    return Receiver(settings.alert_webhook_url, settings.alert_webhook_secret.get_secret_value())


def _mailer_of(settings: Settings, levels: tuple[AlertLevel, ...]) -> "Mailer | None":
    if settings.alert_smtp_host is None:
        if settings.alert_mail_to is not None:
            raise BadSettings("ALERT_MAIL_TO needs ALERT_SMTP_HOST, the mail server that alerts are handed to")
        return None
    from services.safety.notices.mail import Mailer  # noqa: PLC0415 - see above

    return Mailer.of(settings.alert_smtp_host, settings, levels)
