"""Who alerts are sent to, and what comes of sending one. Where nobody is named, no HTTP client is loaded."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.settings import BadSettings, Settings

if TYPE_CHECKING:
    from services.safety.webhook import Receiver


@dataclass(frozen=True, slots=True)
class Accepted:
    """A 2xx answer: the receiver has the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Anything else. `gone`: the receiver says that nobody will ever answer at this address (410)."""

    why: str
    gone: bool = False
    retry_after: timedelta | None = None


def receiver_of(settings: Settings) -> "Receiver | None":
    """The receiver that the settings name, or None where they name none.

    Raises:
        BadSettings: the address or the secret cannot be used; the message names the variable.
    """
    if settings.alert_webhook_url is None:
        return None
    if settings.alert_webhook_secret is None:
        raise BadSettings("ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET, which the receiver checks signatures with")
    from services.safety.webhook import Receiver  # noqa: PLC0415 - see above

    return Receiver(settings.alert_webhook_url, settings.alert_webhook_secret.get_secret_value())
