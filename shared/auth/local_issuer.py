"""The issuer of the embedded mode: one ES256 key in the data folder, and tokens signed with it.

A hospital has its own OIDC issuer; this one lets a person try the trial, and tests play every role.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.kernel.actor import Role

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
