"""Where a trial answers: the address that a person is told, and whether it is free."""

import errno
import socket

from shared.kernel.errors import TrialError
from shared.settings import BadSettings, Settings

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - an address to read, not one to bind


class PortTaken(TrialError):
    """Another process listens there. Stop it, or choose another port with PORT."""


def local_url(settings: Settings) -> str:
    """Where a trial of this machine listens."""
    return f"http://{EVERYWHERE.get(settings.host, settings.host)}:{settings.port}"


def url_of(settings: Settings) -> str:
    """The base URL that callers use: what was configured, else where it listens."""
    return settings.public_url.rstrip("/") if "public_url" in settings.model_fields_set else local_url(settings)


def ensure_free(settings: Settings) -> None:
    """Say in words, before anything starts, that a port is taken.

    Raises:
        PortTaken: another process listens there.
        BadSettings: HOST is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise BadSettings(f"HOST {settings.host} is no address of this machine") from error
            raise PortTaken(
                f"port {settings.port} on {settings.host} is taken: stop what listens there, or choose another one "
                f"with PORT, such as PORT={settings.port + 10}"
            ) from None
