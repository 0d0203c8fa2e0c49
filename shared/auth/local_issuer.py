"""The issuer of the embedded mode: one ES256 key in the data folder, and tokens signed with it.

A hospital has its own OIDC issuer; this one lets a person try the trial, and tests play every role.

    python -m shared.auth.local_issuer prepare
    python -m shared.auth.local_issuer token --role investigator --site CU
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.kernel.actor import Role
from shared.settings import Settings, read_settings

KEY_ID = "local"


class LocalIssuer:
    """Signs tokens with a key of its own. The private key file is readable by its owner alone."""

    def __init__(self, folder: Path, *, issuer: str, audience: str) -> None:
        self._key_file = folder / "issuer-key.pem"
        self.jwks_file = folder / "issuer-jwks.json"
        self._issuer, self._audience = issuer, audience

    def prepare(self) -> "LocalIssuer":
        """Make the key on first use; the key set beside it is what services verify against."""
        if not self._key_file.exists():
            self._key_file.parent.mkdir(parents=True, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self._key_file.touch(mode=0o600)
            self._key_file.write_bytes(pem)
        public: dict[str, Any] = ECAlgorithm.to_jwk(self._key().public_key(), as_dict=True)
        public |= {"kid": KEY_ID, "use": "sig", "alg": "ES256"}
        self.jwks_file.write_text(json.dumps({"keys": [public]}), encoding="utf-8")
        return self

    def token(self, *, subject: str, roles: Iterable[Role], sites: Iterable[str], hours: float = 12) -> str:
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": now + int(hours * 3600),
            "roles": sorted(role.value for role in roles),
            "sites": sorted(sites),
        }
        return jwt.encode(claims, self._key(), algorithm="ES256", headers={"kid": KEY_ID})

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key_file} does not hold an elliptic-curve key")
        return key


def local_issuer(folder: Path, settings: Settings) -> LocalIssuer:
    """The issuer whose tokens a trial of these settings accepts, with its key in a folder; made on first use."""
    return LocalIssuer(folder, issuer=settings.oidc_issuer, audience=settings.oidc_audience).prepare()


def add_token_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", action="append", required=True, choices=[role.value for role in Role])
    parser.add_argument("--site", action="append", default=[], help="a site's code, or '*'; may be repeated")
    parser.add_argument("--subject", help="who the token is for; recorded with each event")
    parser.add_argument("--hours", type=float, default=12, help="how long it holds (12)")


def token_of(issuer: LocalIssuer, given: argparse.Namespace) -> str:
    """The token that the arguments of `add_token_arguments` ask for."""
    roles = [Role(role) for role in given.role]
    subject = given.subject or f"{roles[0].value}@{'-'.join(given.site) or 'nowhere'}"
    return issuer.token(subject=subject, roles=roles, sites=given.site, hours=given.hours)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m shared.auth.local_issuer", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".trial"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="make key and key set")
    add_token_arguments(commands.add_parser("token", help="print a bearer token"))
    given = parser.parse_args()
    settings = read_settings()
    issuer = local_issuer(given.folder, settings)
    said = token_of(issuer, given) if given.command == "token" else f"key set: {issuer.jwks_file}"
    sys.stdout.write(said + "\n")


if __name__ == "__main__":
    main()
