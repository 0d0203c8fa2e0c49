"""Signed webhooks after Standard Webhooks: one receiver, whose address and secret the settings name.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

import asyncio
import binascii
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from http import HTTPStatus

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from services.safety.notices.channels import Accepted, Answer, NoAnswer, Outgoing, Refused
from shared.settings import LOOPBACK, BadSettings

CONNECT_SECONDS = 5
READ_SECONDS = 10
TOTAL_SECONDS = 20  # for an answer that arrives drop by drop

log = logging.getLogger("trial.safety")


class Receiver:
    """Who alerts are sent to."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = _usable(url)
        self._signer = _signer(secret)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["WebhookLine"]:
        # The environment is read by the settings alone, so no proxy is taken from it.
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client:
            yield WebhookLine(client, self._url, self._signer)


class WebhookLine:
    """An open connection pool to the receiver."""

    def __init__(self, client: httpx.AsyncClient, url: httpx.URL, signer: Webhook) -> None:
        self._client = client
        self._url = url
        self._signer = signer

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send once. Never raises for what the network or the receiver does."""
        body = outgoing.message.body()
        headers = {
            "content-type": "application/json",
            "webhook-id": outgoing.id,
            "webhook-timestamp": str(int(outgoing.at.timestamp())),
            "webhook-signature": self._signer.sign(outgoing.id, outgoing.at.astimezone(UTC), body),
        }
        try:
            async with (
                asyncio.timeout(TOTAL_SECONDS),
                self._client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                return _verdict(response)
        except (httpx.HTTPError, TimeoutError) as error:
            return NoAnswer(f"no answer: {type(error).__name__}")


def _verdict(response: httpx.Response) -> Accepted | Refused:
    if response.is_success:
        return Accepted()
    if response.status_code == HTTPStatus.GONE:
        return Refused("410: the receiver has given this address up; mend ALERT_WEBHOOK_URL", gone=True)
    if response.is_redirect:
        return Refused(f"{response.status_code}: redirects are not followed; mend ALERT_WEBHOOK_URL")
    asked = response.headers.get("retry-after", "")
    retry_after = timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 6 else None
    return Refused(f"{response.status_code}", retry_after=retry_after)


def _usable(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadSettings("ALERT_WEBHOOK_URL is not a URL") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise BadSettings("ALERT_WEBHOOK_URL starts with https:// and names a host")
    if parsed.scheme == "http" and parsed.host not in LOOPBACK:
        log.warning("alerts leave this machine unencrypted: ALERT_WEBHOOK_URL is not https")
    return parsed


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (binascii.Error, ValueError, EmptyWebhookSecretError) as error:
        raise BadSettings("ALERT_WEBHOOK_SECRET is whsec_ and base64, as Standard Webhooks has it") from error
