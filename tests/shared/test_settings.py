"""Settings come from the environment, are checked once, and keep their secrets."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from shared.messaging.kafka import security_of
from shared.settings import BadSettings, Settings, read_settings

SASL = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USERNAME": "trial", "KAFKA_SASL_PASSWORD": "s-4711"}


def test_nobody_but_this_machine_may_be_let_in_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_DISABLED", "1")
    assert read_settings().auth_disabled
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104 - the very thing that must be refused
    with pytest.raises(BadSettings, match="loopback"):
        read_settings()


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+asyncpg://u:secret@db/trial\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert read_settings().database_url == "postgresql+asyncpg://u:secret@db/trial"


def test_a_bad_setting_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "password4711")
    with pytest.raises(BadSettings, match="PORT") as raised:
        read_settings()
    assert "4711" not in str(raised.value)


def test_every_service_has_a_database_of_its_own() -> None:
    assert Settings().database_url_of("safety").endswith("safety.sqlite3")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **SASL, "KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
        (SASL, "would not use KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_PASSWORD": "4711"}, "would not use KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/nowhere/4711"}, "KAFKA_CA_FILE"),
        ({"KAFKA_CA_FILE": __file__}, "would not use KAFKA_CA_FILE"),
        ({"KAFKA_SASL_PASSWORD_FILE": "/nowhere/4711"}, "KAFKA_SASL_PASSWORD_FILE"),
    ],
)
def test_half_of_a_brokers_security_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=named) as raised:
        read_settings()
    assert "4711" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "known_to_the_library"),
    [
        ({}, {"security_protocol": "PLAINTEXT"}),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, {"security_protocol": "SSL"}),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": __file__},
            {"security_protocol": "SSL", "ssl_cafile": __file__},
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **SASL},
            {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": "trial",
                "sasl_plain_password": "s-4711",
            },
        ),
    ],
)
def test_a_brokers_security_is_told_in_the_names_of_kafka_python(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], known_to_the_library: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    told = security_of(read_settings())
    assert {name: value for name, value in told.items() if value is not None} == known_to_the_library
    for client in (KafkaProducer, KafkaConsumer, KafkaAdminClient):
        assert told.keys() <= client.DEFAULT_CONFIG.keys()
