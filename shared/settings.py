"""Settings: from the environment alone, validated once at the start, never printed.

A secret may be given by path: `DATABASE_URL_FILE=/run/secrets/url` is read where `DATABASE_URL` is expected.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kernel.errors import TrialError

# What may come from a file.
SECRETS = ("database_url", "alert_webhook_secret", "alert_smtp_password", "alert_mail_to", "kafka_sasl_password")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class BadSettings(TrialError):
    """The process cannot start with these settings; the message names the variable."""


class Settings(BaseSettings):
    """What a process of the trial can be told. Field names are the variables, in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: str = Field(
        "sqlite+aiosqlite:///.trial/{service}.sqlite3",
        pattern=r"^(sqlite\+aiosqlite:///|postgresql\+asyncpg://)[^\s]+$",
        description="SQLAlchemy URL; {service} stands for the service's name",
    )
    database_pool_size: int = Field(8, ge=1, le=64)
    kafka_bootstrap: str | None = Field(None, description="host:port, comma separated; none: the bus is SQLite")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca_file: FilePath | None = Field(
        None, description="PEM of who signed the brokers' certificates; none: the system's"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_topics_file: Path = Path("deploy/kafka/topics.yaml")
    kafka_replication_factor: int = Field(1, ge=1, le=5)
    bus_file: Path = Field(Path(".trial/bus.sqlite3"), description="the bus of the embedded mode")
    protocol_file: Path | None = Field(None, description="another trial's protocol; none: CMD03")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_url: str = Field("http://127.0.0.1:8000", description="the one base URL that callers use")
    graceful_seconds: int = Field(15, ge=1, le=300)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    table_file_mib: int = Field(16, ge=1, le=1024, description="the largest table or plate reader's file, in MiB")
    fcs_file_mib: int = Field(256, ge=1, le=4096, description="the largest file of a cytometer, in MiB")
    file_reading_seconds: int = Field(120, ge=1, le=3600, description="how long an instrument's file may be read")
    file_reading_mib: int = Field(3072, ge=512, le=65536, description="address space of a process that reads one")

    auth_disabled: bool = Field(False, description="1: nobody is asked who they are; loopback only")
    oidc_issuer: str = "urn:cmd03:local"
    oidc_audience: str = "cmd03"
    oidc_jwks_url: str | None = None
    oidc_jwks_file: Path | None = None

    alert_webhook_url: str | None = Field(None, description="receives serious adverse events as signed webhooks")
    alert_webhook_secret: SecretStr | None = Field(None, description="whsec_... of Standard Webhooks")
    alert_smtp_host: str | None = Field(None, description="the mail server that alerts are handed to; none: no mail")
    alert_smtp_port: int | None = Field(None, ge=1, le=65535, description="none: 587 for STARTTLS, 465 for TLS")
    alert_smtp_security: Literal["STARTTLS", "TLS"] = "STARTTLS"
    alert_smtp_ca_file: FilePath | None = Field(
        None, description="PEM of who signed its certificate; none: the system's"
    )
    alert_smtp_username: str | None = None
    alert_smtp_password: SecretStr | None = None
    alert_mail_from: str | None = Field(None, description="the address that alerts are sent from")
    alert_mail_to: SecretStr | None = Field(
        None, description="label=address for each label of the protocol's chain, comma or line separated"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: Any) -> Any:
        for name in SECRETS:
            path = os.environ.get(f"{name.upper()}_FILE")  # noqa: TID251 - the one place
            if path:
                given = {**given, name: _secret_in(Path(path), f"{name.upper()}_FILE")}
        return given

    @model_validator(mode="after")
    def _open_only_at_home(self) -> "Settings":
        if self.auth_disabled and self.host not in LOOPBACK:
            raise ValueError(f"AUTH_DISABLED=1 refuses any address but loopback; HOST is {self.host}")
        return self

    @model_validator(mode="after")
    def _say_all_of_the_broker(self) -> "Settings":
        sasl = {
            "KAFKA_SASL_MECHANISM": self.kafka_sasl_mechanism,
            "KAFKA_SASL_USERNAME": self.kafka_sasl_username,
            "KAFKA_SASL_PASSWORD": self.kafka_sasl_password,
        }
        protocol = self.kafka_security_protocol
        if protocol.startswith("SASL_"):
            if missing := [name for name, value in sasl.items() if value is None]:
                raise ValueError(f"KAFKA_SECURITY_PROTOCOL={protocol} needs {', '.join(missing)}")
        elif given := [name for name, value in sasl.items() if value is not None]:
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL={protocol} would not use {', '.join(given)}: say SASL_SSL")
        if self.kafka_ca_file is not None and not protocol.endswith("SSL"):
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL={protocol} would not use KAFKA_CA_FILE: say SSL or SASL_SSL")
        return self

    def database_url_of(self, service: str) -> str:
        return self.database_url.replace("{service}", service)


def _secret_in(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ValueError(f"{variable} names no file that can be read as text") from unreadable


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        BadSettings: a variable does not fit; the message names each, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        places = (f"{'.'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg']}" for e in error.errors())
        raise BadSettings("; ".join(places)) from None
