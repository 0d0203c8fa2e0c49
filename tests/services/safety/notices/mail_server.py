"""A mail server on a real socket, aiosmtpd, with TLS of certificates made for the test."""

import asyncio
import contextlib
import email
import email.policy
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "trial", "s-4711-correct-horse"


@dataclass(frozen=True)
class Certificates:
    """An authority, a server certificate that it signed for a host name, and one of the same name that it did not."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


def make_certificates(folder: Path) -> Certificates:
    """`trusted` is for 127.0.0.1 and signed; `stranger` signed itself; `elsewhere` is signed for another name."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key, authority_key, "authority", is_authority=True)
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for name, host in (("trusted", "127.0.0.1"), ("elsewhere", "mail.example.org"), ("stranger", "127.0.0.1")):
        key = ec.generate_private_key(ec.SECP256R1())
        signer, issuer = (key, name) if name == "stranger" else (authority_key, "authority")
        certificate = _certificate(name, key, signer, issuer, host=host)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return Certificates(folder)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    host: str | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)  # noqa: TID251 - TLS asks the machine's own clock
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if is_authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = built.add_extension(usage, critical=True)
    if host is not None:
        with contextlib.suppress(ValueError):
            address = x509.IPAddress(ipaddress.ip_address(host))
            return built.add_extension(x509.SubjectAlternativeName([address]), critical=False).sign(
                signer, hashes.SHA256()
            )
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return built.sign(signer, hashes.SHA256())


@dataclass
class MailServer:
    """What a server got, and what it is to answer: by step, in turn, then yes for ever."""

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    in_plain_text: list[str] = field(default_factory=list)
    drops_after_data: int = 0
    before_answering: Any = None

    def will_answer(self, step: str, *lines: str) -> None:
        self.answers.setdefault(step, []).extend(lines)

    def answer(self, step: str) -> str | None:
        waiting = self.answers.get(step)
        return waiting.pop(0) if waiting else None

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.got]

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        said = (data.login.decode(), data.password.decode())
        self.logins.append(said)
        return AuthResult(success=said == (USER, PASSWORD), handled=False)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks for it by this name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if session.ssl is None:
            self.in_plain_text.append(address)
        refused = self.answer("sender")
        if refused is not None:
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refused = self.answer("recipient")
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        refused = self.answer("message")
        if refused is not None:
            return refused
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        self.recipients += envelope.rcpt_tos
        if self.before_answering is not None:
            self.before_answering()
        if self.drops_after_data:
            self.drops_after_data -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


@contextmanager
def serving(
    certificates: Certificates, *, certificate: str = "trusted", mode: str = "STARTTLS", logs_in: bool = False
) -> Iterator[MailServer]:
    """A mail server in a thread of its own. `mode`: STARTTLS, TLS, or NONE, which offers no TLS at all."""
    server = MailServer()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        server.port = found.getsockname()[1]
    context = None if mode == "NONE" else certificates.context(certificate)
    told: dict[str, Any] = {"hostname": "127.0.0.1", "port": server.port, "server_hostname": "mail.test"}
    if mode == "TLS":
        told |= {"ssl_context": context, "auth_require_tls": False}
    elif mode == "STARTTLS":
        told |= {"tls_context": context, "require_starttls": True}
    if logs_in:
        told |= {"auth_required": True, "authenticator": server.authenticate}
    controller = Controller(server, **told)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
