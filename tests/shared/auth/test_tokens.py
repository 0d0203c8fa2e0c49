"""Which tokens hold, and what a token makes of its bearer."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, IssuerAway, TokenVerifier, Unauthenticated, UrlKeys, identity_of
from shared.kernel.actor import Role

ISSUER, AUDIENCE = "https://login.hospital.example", "cmd03"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())


def key_set(*ids: str) -> str:
    ecs = {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "alg": "ES256"}
    rsas = {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "alg": "RS256"}
    keys = {"ec": ecs, "rsa": rsas, "new": ecs}
    return json.dumps({"keys": [{**keys[name], "kid": name, "use": "sig"} for name in ids]})


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "dr-1",
        "exp": now + 60,
        "roles": ["investigator"],
        "sites": ["CU"],
        **other,
    }


def sign(payload: dict[str, Any], key: Any = EC_KEY, algorithm: str = "ES256", kid: str | None = "ec") -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    file = tmp_path / "jwks.json"
    file.write_text(key_set("ec", "rsa"), encoding="utf-8")
    return TokenVerifier(FileKeys(file), issuer=ISSUER, audience=AUDIENCE)


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(EC_KEY, "ES256", "ec"), (RSA_KEY, "RS256", "rsa")])
async def test_a_token_of_the_issuer_holds(verifier: TokenVerifier, key: Any, algorithm: str, kid: str) -> None:
    identity = await verifier.identify(sign(claims(), key, algorithm, kid))
    assert (identity.id, identity.roles, identity.sites) == ("dr-1", frozenset({Role.INVESTIGATOR}), frozenset({"CU"}))


@pytest.mark.parametrize(
    "token",
    [
        sign(claims(iss="https://elsewhere.example")),
        sign(claims(aud="other")),
        sign(claims(exp=int(time.time()) - 60)),
        sign({name: value for name, value in claims().items() if name != "exp"}),
        sign({name: value for name, value in claims().items() if name != "sub"}),
        sign(claims(), STRANGER),
        sign(claims(), RSA_KEY, "RS256", kid="ec"),
        sign(claims(), EC_KEY, "ES256", kid="rsa"),
        sign(claims(), kid="unpublished"),
        sign(claims(), kid=None),
        sign(claims(nbf=int(time.time()) + 600)),
        jwt.encode(claims(), "", algorithm="none"),
        jwt.encode(claims(), "a secret that is long enough for HS256", algorithm="HS256", headers={"kid": "ec"}),
        "nonsense",
        "",
    ],
)
async def test_any_other_token_does_not(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.identify(token)


async def test_a_remembered_token_still_expires(verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign(claims())
    await verifier.identify(token)
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await verifier.identify(token)


@pytest.mark.parametrize(
    "wrong", [{"roles": "investigator"}, {"roles": ["emperor"]}, {"sites": "CU"}, {"sites": [1]}, {"roles": None}]
)
def test_a_malformed_claim_makes_a_token_unusable_never_powerful(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        identity_of(claims(**wrong))


@pytest.mark.parametrize("subject", ["a", "auth0|5f7c8ec7c33c6c004bbafe82", "x" * 200, "สมาชิก-7"])
def test_a_subject_goes_into_the_audit_trail_as_it_was_signed(subject: str) -> None:
    assert identity_of(claims(sub=subject)).id == subject


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("x" * 201, "at most 200 characters"),
        ("dr-1\nadmin", "control characters"),
        ("dr-1\x00", "control characters"),
        ("dr-1\x7f", "control characters"),
        ("dr-1\x85", "control characters"),
        ("dr-1\u2028", "control characters"),
        ("dr-1\u202e", "control characters"),
        ("", "says who calls"),
        ("  ", "says who calls"),
        (7, "says who calls"),
        (None, "says who calls"),
    ],
)
def test_a_subject_that_the_audit_trail_could_not_show_makes_a_token_unusable(subject: Any, said: str) -> None:
    with pytest.raises(Unauthenticated, match=said):
        identity_of(claims(sub=subject))


@pytest.mark.parametrize(
    ("roles", "sites", "seen"),
    [
        (["sponsor"], [], None),
        (["monitor"], ["*"], None),
        (["monitor"], [], frozenset()),
        (["monitor"], ["CU"], {"CU"}),
    ],
)
def test_a_sponsor_sees_every_site_and_others_theirs(roles: list[str], sites: list[str], seen: Any) -> None:
    identity = identity_of(claims(roles=roles, sites=sites))
    assert identity.acting(identity.roles).sites == seen


def test_a_sponsor_who_is_also_an_investigator_writes_at_their_own_sites_alone() -> None:
    identity = identity_of(claims(roles=["sponsor", "investigator"], sites=["CU"]))
    assert identity.acting(frozenset({Role.INVESTIGATOR})).sites == frozenset({"CU"})
    assert identity.acting(identity.roles).sites is None


@pytest.fixture
def published() -> Iterator[tuple[str, dict[str, Any]]]:
    """An issuer's key set behind a real URL, which the test may change or break."""
    served: dict[str, Any] = {"keys": key_set("ec"), "status": 200, "asked": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served["asked"] += 1
            self.send_response(served["status"])
            self.end_headers()
            self.wfile.write(served["keys"].encode())

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jwks", served
    server.shutdown()
    server.server_close()
    thread.join()


async def test_keys_are_fetched_once_and_again_when_they_rotate(
    published: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, served = published
    verifier = TokenVerifier(UrlKeys(url), issuer=ISSUER, audience=AUDIENCE)
    await verifier.identify(sign(claims()))
    await verifier.identify(sign(claims(sub="dr-2")))
    assert served["asked"] == 1
    served["keys"] = key_set("ec", "new")
    with pytest.raises(Unauthenticated):  # asked again at most every ten seconds, whatever strangers send
        await verifier.identify(sign(claims(), kid="new"))
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert (await verifier.identify(sign(claims(), kid="new"))).id == "dr-1"
    assert served["asked"] == 2


@pytest.mark.parametrize("broken", [{"status": 500}, {"keys": "<html>maintenance</html>"}, {"keys": "{}"}])
async def test_an_issuer_that_is_away_makes_tokens_uncheckable_not_wrong(
    published: tuple[str, dict[str, Any]], broken: dict[str, Any]
) -> None:
    url, served = published
    served |= broken
    with pytest.raises(IssuerAway):
        await TokenVerifier(UrlKeys(url), issuer=ISSUER, audience=AUDIENCE).identify(sign(claims()))


async def test_the_local_issuer_signs_tokens_that_hold_and_keeps_its_key_to_itself(tmp_path: Path) -> None:
    issuer = LocalIssuer(tmp_path, issuer=ISSUER, audience=AUDIENCE).prepare()
    token = issuer.token(subject="x", roles=[Role.MONITOR], sites=["CU"])
    again = LocalIssuer(tmp_path, issuer=ISSUER, audience=AUDIENCE).prepare()
    identity = await TokenVerifier(FileKeys(again.jwks_file), issuer=ISSUER, audience=AUDIENCE).identify(token)
    assert identity.roles == {Role.MONITOR}
    assert (tmp_path / "issuer-key.pem").stat().st_mode & 0o077 == 0
    assert '"d"' not in issuer.jwks_file.read_text(encoding="utf-8")
