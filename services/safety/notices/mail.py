"""Alerts by e-mail: handed to the mail server that the settings name, over verified TLS, one mail for each recipient.

A mail that a server may have taken without our hearing of it is sent again, under the same Message-ID.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Self

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.errors import SMTPConnectError

from services.safety.domain.notices import mail as alert_mail
from services.safety.notices.channels import Accepted, Answer, NoAnswer, Outgoing, Refused
from shared.protocol import AlertLevel
from shared.settings import BadSettings, Settings

STEP_SECONDS = 10  # for each answer of the server
TOTAL_SECONDS = 40
FAREWELL_SECONDS = 2

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_UNFOLDED = SMTP_POLICY.clone(max_line_length=300)  # an id is longer than 78, and is looked for in one line
_PORTS = {"STARTTLS": 587, "TLS": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and who we are to it. Without a name no one logs in."""

    host: str
    port: int
    tls_from_the_start: bool
    context: ssl.SSLContext
    login: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Mailer:
    """Who alerts are mailed to: the address behind each label."""

    server: Server
    sender: str
    addresses: Mapping[str, str]
    safety_url: str

    @classmethod
    def of(cls, host: str, settings: Settings, levels: tuple[AlertLevel, ...]) -> Self:
        """The mailer that the settings describe, with an address for each label of these levels.

        Raises:
            BadSettings: something is missing or cannot be used; the message names the variable, and no address.
        """
        if settings.alert_mail_from is None or not _ADDRESS.fullmatch(settings.alert_mail_from):
            raise BadSettings("ALERT_SMTP_HOST needs ALERT_MAIL_FROM, an address such as alerts@trial.example.org")
        labels = {label for level in levels for label in level.mail_to}
        safety_url = f"{settings.public_url.rstrip('/')}/safety"
        return cls(_server_of(host, settings), settings.alert_mail_from, _addresses_of(settings, labels), safety_url)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["MailLine"]:
        """Each mail has a connection of its own: alerts are rare, and servers close what is idle."""
        yield MailLine(self)


@dataclass(frozen=True, slots=True)
class MailLine:
    """Hands mails over, one at a time."""

    mailer: Mailer

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send once. Never raises for what the network or the server does."""
        if outgoing.recipient not in self.mailer.addresses:
            return Refused("ALERT_MAIL_TO has no address for this label")
        client = _client(self.mailer)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                answer = await self._hand_over(client, outgoing)
            if isinstance(answer, Accepted):
                with suppress(SMTPException, OSError):  # it has the mail, whatever becomes of the farewell
                    await client.quit(timeout=FAREWELL_SECONDS)
        except TimeoutError:
            return NoAnswer("no answer: too slow")
        else:
            return answer
        finally:
            client.close()

    async def _hand_over(self, client: SMTP, outgoing: Outgoing) -> Answer:
        address = self.mailer.addresses[outgoing.recipient]
        step = "connection"
        try:
            await client.connect()
            if not self.mailer.server.tls_from_the_start:
                step = "STARTTLS"
                await client.starttls()
            if self.mailer.server.login is not None:
                step = "authentication"
                await client.login(*self.mailer.server.login)
            step = "sender"
            await client.mail(self.mailer.sender)
            step = "recipient"
            await client.rcpt(address)
            step = "message"
            await client.data(compose(self.mailer, outgoing).as_bytes())
        except (SMTPException, OSError) as error:
            return _verdict(step, error)
        return Accepted()


def compose(mailer: Mailer, outgoing: Outgoing) -> EmailMessage:
    """The mail, of the same bytes on every try. Mails of one alert stand in one thread."""
    domain = mailer.sender.rpartition("@")[2]
    mail = EmailMessage(_UNFOLDED)
    mail["From"] = mailer.sender
    mail["To"] = mailer.addresses[outgoing.recipient]
    mail["Subject"] = alert_mail.subject(outgoing.message)
    mail["Date"] = format_datetime(outgoing.since)
    mail["Message-ID"] = f"<{outgoing.id}@{domain}>"
    mail["References"] = f"<{outgoing.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers it
    mail.set_content(alert_mail.text(outgoing.message, mailer.safety_url))
    return mail


def _client(mailer: Mailer) -> SMTP:
    return SMTP(
        hostname=mailer.server.host,
        port=mailer.server.port,
        local_hostname=mailer.sender.rpartition("@")[2],
        timeout=STEP_SECONDS,
        use_tls=mailer.server.tls_from_the_start,
        start_tls=False,  # asked for as a step of its own, so that a failure says which
        tls_context=mailer.server.context,
    )


def _verdict(step: str, error: SMTPException | OSError) -> Refused | NoAnswer:
    if isinstance(error, SMTPResponseException):
        return Refused(f"{error.code} at {step}")
    if _for_its_certificate(error):
        return Refused("the server's certificate is not trusted; mend ALERT_SMTP_CA_FILE or ALERT_SMTP_HOST")
    if isinstance(error, SMTPServerDisconnected | SMTPConnectError | OSError):
        return NoAnswer(f"no answer at {step}: {type(error).__name__}")
    return Refused(f"{step} is not offered")


def _for_its_certificate(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _server_of(host: str, settings: Settings) -> Server:
    name, password = settings.alert_smtp_username, settings.alert_smtp_password
    if (name is None) is not (password is None):
        raise BadSettings("ALERT_SMTP_USERNAME and ALERT_SMTP_PASSWORD are given both, or neither")
    try:
        context = ssl.create_default_context(cafile=settings.alert_smtp_ca_file)
    except ssl.SSLError as error:
        raise BadSettings("ALERT_SMTP_CA_FILE holds no certificate in PEM") from error
    return Server(
        host=host,
        port=settings.alert_smtp_port or _PORTS[settings.alert_smtp_security],
        tls_from_the_start=settings.alert_smtp_security == "TLS",
        context=context,
        login=None if name is None or password is None else (name, password.get_secret_value()),
    )


def _addresses_of(settings: Settings, labels: set[str]) -> dict[str, str]:
    given = settings.alert_mail_to.get_secret_value() if settings.alert_mail_to else ""
    found: dict[str, str] = {}
    for entry in filter(None, (each.strip() for each in re.split(r"[,\n]", given))):
        label, _, address = (part.strip() for part in entry.partition("="))
        if label in found or label not in labels or not _ADDRESS.fullmatch(address):
            raise BadSettings(f"ALERT_MAIL_TO is label=address, once for each of {', '.join(sorted(labels))}")
        found[label] = address
    if missing := sorted(labels - found.keys()):
        raise BadSettings(f"ALERT_MAIL_TO has no address for {', '.join(missing)}")
    return found
