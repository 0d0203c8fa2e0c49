"""Bearer tokens: JWTs of an OIDC issuer, checked against its published keys.

Accepted: RS256 and ES256, with `iss`, `aud`, `exp` and `sub`. Claims of the trial: `roles` (list of the trial's
roles) and `sites` (list of site codes, or `["*"]` for all). What a sponsor may do, they may do at every site.

`sub` stands in the audit trail for good: an opaque identifier of the issuer's, never a person's name.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import jwt

from shared.kernel.actor import Actor, Role
from shared.kernel.errors import TrialError, Unavailable

ALGORITHMS = ["RS256", "ES256"]
KEYS_LIVE_SECONDS = 600  # the issuer's keys are asked for again after this
KEYS_RETRY_SECONDS = 10  # and for an unknown key id not more often than this
REMEMBERED_TOKENS = 2048
LEEWAY_SECONDS = 10
LONGEST_SUBJECT = 200  # characters


class Unauthenticated(TrialError):
    """No token, or one that does not hold: send `Authorization: Bearer <token>` of the trial's issuer."""


class IssuerAway(Unavailable):
    """The issuer's keys cannot be fetched, so no token can be checked."""


class Keys(Protocol):
    """Where the issuer's public keys come from: a JSON Web Key Set."""

    async def get(self, key_id: str | None) -> jwt.PyJWK: ...


class FileKeys:
    """A key set in a file, read once."""

    def __init__(self, path: Path) -> None:
        self._set = jwt.PyJWKSet.from_json(path.read_text(encoding="utf-8"))

    async def get(self, key_id: str | None) -> jwt.PyJWK:
        return _pick(self._set, key_id)


class UrlKeys:
    """A key set behind a URL, kept for ten minutes; an unknown key id asks again, so that keys can rotate."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._set: jwt.PyJWKSet | None = None
        self._asked = float("-inf")

    async def get(self, key_id: str | None) -> jwt.PyJWK:
        age = time.monotonic() - self._asked
        if self._set is None or age > KEYS_LIVE_SECONDS:
            await self._fetch()
        try:
            return _pick(self._set, key_id)
        except Unauthenticated:
            if age < KEYS_RETRY_SECONDS:
                raise
        await self._fetch()
        return _pick(self._set, key_id)

    async def _fetch(self) -> None:
        import httpx  # noqa: PLC0415 - with the command line it brings, 8 MiB that a key set in a file does not cost

        try:
            async with httpx.AsyncClient(timeout=5) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
                self._set = jwt.PyJWKSet.from_json(answer.text)
        except (httpx.HTTPError, jwt.PyJWTError, ValueError) as error:
            if self._set is None:
                raise IssuerAway("the issuer's keys cannot be fetched; try again") from error
        self._asked = time.monotonic()


def _pick(keys: jwt.PyJWKSet | None, key_id: str | None) -> jwt.PyJWK:
    """The key with its own algorithm, so that a token cannot choose another one for it."""
    known = keys.keys if keys is not None else []
    if key_id is None and len(known) == 1:
        return known[0]
    for key in known:
        if key.key_id == key_id:
            return key
    raise Unauthenticated("the token is signed with a key that the issuer does not publish")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token says of its bearer, before a permission has picked the role they act under."""

    id: str
    roles: frozenset[Role]
    sites: frozenset[str] | None
    expires_at: float

    def acting(self, held: frozenset[Role]) -> Actor:
        """As whom they do what these of their roles allow: at every site only if a sponsor may do it."""
        sites = None if Role.SPONSOR in held else self.sites
        return Actor(self.id, self.roles, sites, min(held))


class TokenVerifier:
    """Checks tokens, and remembers those that held until they expire: a signature costs more than a request."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._held: OrderedDict[bytes, Identity] = OrderedDict()

    async def identify(self, token: str) -> Identity:
        """Raises `Unauthenticated` with what is wrong, `IssuerAway` if the keys cannot be had."""
        digest = sha256(token.encode()).digest()
        known = self._held.get(digest)
        if known is not None:
            if known.expires_at + LEEWAY_SECONDS <= time.time():
                raise Unauthenticated("the token has expired")
            return known
        identity = await self._verify(token)
        self._held[digest] = identity
        if len(self._held) > REMEMBERED_TOKENS:
            self._held.popitem(last=False)
        return identity

    async def _verify(self, token: str) -> Identity:
        try:
            key = await self._keys.get(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token does not hold: {type(error).__name__}") from error
        return identity_of(claims)


def identity_of(claims: dict[str, Any]) -> Identity:
    """Read the trial's claims; an unknown role or a malformed claim makes the token unusable, never powerful."""
    roles, sites = claims.get("roles", []), claims.get("sites", [])
    if not _texts(roles) or not _texts(sites):
        raise Unauthenticated("the claims `roles` and `sites` are lists of texts")
    try:
        held = frozenset(Role(role) for role in roles)
    except ValueError as error:
        raise Unauthenticated("the token names a role that the trial does not know") from error
    everywhere = "*" in sites
    return Identity(_subject(claims["sub"]), held, None if everywhere else frozenset(sites), float(claims["exp"]))


def _subject(claimed: object) -> str:
    """As it goes into the audit trail: cut short or cleaned, it could be taken for somebody else's."""
    if not isinstance(claimed, str) or not claimed.strip():
        raise Unauthenticated("the claim `sub` is a text that says who calls")
    if len(claimed) > LONGEST_SUBJECT:
        raise Unauthenticated(f"the claim `sub` has at most {LONGEST_SUBJECT} characters")
    if not claimed.isprintable():
        raise Unauthenticated("the claim `sub` holds control characters")
    return claimed


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
