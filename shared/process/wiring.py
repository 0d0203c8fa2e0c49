"""From settings to parts: which database, which bus, whose tokens. The only place that chooses implementations."""

from typing import TYPE_CHECKING

from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts, WorkerParts
from shared.kernel.clock import Clock, system_clock
from shared.messaging import Bus, Hint, LocalBus, LocalHint, PostgresHint
from shared.process.service import Service
from shared.settings import BadSettings, Settings

if TYPE_CHECKING:
    from shared.auth.tokens import TokenVerifier
    from shared.protocol import Protocol


def open_service_database(service: Service, settings: Settings) -> Database:
    return open_database(settings.database_url_of(service.name), service.name, pool_size=settings.database_pool_size)


def open_hint(db: Database, settings: Settings, service: Service) -> Hint:
    """On PostgreSQL another process's relay is woken by NOTIFY; on SQLite it runs in this one."""
    if db.dialect == "sqlite":
        return LocalHint()
    return PostgresHint(settings.database_url_of(service.name), service.name)


def open_bus(settings: Settings, client_id: str) -> Bus:
    if settings.kafka_bootstrap is None:
        return LocalBus(settings.bus_file)
    from shared.messaging.kafka import KafkaBus, security_of  # noqa: PLC0415 - an API is spared the library

    return KafkaBus(settings.kafka_bootstrap, client_id=client_id, security=security_of(settings))


def open_verifier(settings: Settings) -> "TokenVerifier | None":
    """None where authentication is switched off, which the settings allow on loopback alone."""
    from jwt.exceptions import PyJWKSetError  # noqa: PLC0415 - a worker checks no tokens

    from shared.auth.tokens import FileKeys, TokenVerifier, UrlKeys  # noqa: PLC0415 - likewise

    if settings.auth_disabled:
        return None
    if settings.oidc_jwks_url is not None:
        keys: FileKeys | UrlKeys = UrlKeys(settings.oidc_jwks_url)
    elif settings.oidc_jwks_file is not None:
        try:
            keys = FileKeys(settings.oidc_jwks_file)
        except (OSError, ValueError, PyJWKSetError) as unusable:
            raise BadSettings("OIDC_JWKS_FILE names no file with a JSON Web Key Set") from unusable
    else:
        raise BadSettings("set OIDC_JWKS_URL or OIDC_JWKS_FILE to the issuer's keys (or AUTH_DISABLED=1 on loopback)")
    return TokenVerifier(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience)


def open_protocol(settings: Settings) -> "Protocol":
    from shared.protocol import ProtocolUnusable, load_protocol  # noqa: PLC0415 - a worker decides nothing by it

    try:
        return load_protocol(settings.protocol_file)
    except ProtocolUnusable as unusable:
        raise BadSettings(f"PROTOCOL_FILE: {unusable}") from unusable


def assemble(
    db: Database,
    settings: Settings,
    *,
    verifier: "TokenVerifier | None",
    hint: Hint,
    protocol: "Protocol",
    clock: Clock = system_clock,
) -> Parts:
    """The parts of one service in one process that answers."""
    return Parts(
        db=db,
        store=EventStore(db, hint=hint),
        protocol=protocol,
        clock=clock,
        settings=settings,
        verifier=verifier,
    )


def worker_parts(db: Database, settings: Settings, hint: Hint, clock: Clock = system_clock) -> WorkerParts:
    """The parts of one service's worker."""
    return WorkerParts(db, EventStore(db, hint=hint), clock, settings)
