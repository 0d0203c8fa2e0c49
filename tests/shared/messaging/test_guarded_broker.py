"""A broker that speaks TLS and asks who we are: Apache Kafka itself, with a certificate made for this test."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from deploy.native.kafka import KafkaServer
from deploy.native.server import free_port
from shared.messaging import BusUnavailable, KafkaBus, PublishFailed
from shared.messaging.kafka import security_of
from shared.messaging.topics import Topic, create_topics, verify_topics
from shared.settings import Settings
from tests.servers import temporary_folder
from tests.shared.messaging.support import an_envelope, read_all

PASSWORD = "s3cret-4711"
TOPIC = Topic(name="trial.safety", about="a test", partitions=1, min_insync_replicas=1, config={})

GUARDED = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},GUARDED://127.0.0.1:{guarded}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},GUARDED://127.0.0.1:{guarded}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,GUARDED:SASL_SSL
listener.name.guarded.sasl.enabled.mechanisms=PLAIN
listener.name.guarded.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_trial="{password}";
listener.name.guarded.ssl.keystore.type=PEM
listener.name.guarded.ssl.keystore.location={keystore}
"""


class GuardedKafka(KafkaServer):
    """The same server with a second door. `ca` is the PEM to trust."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.guarded = f"127.0.0.1:{free_port()}"
        self.ca = self.folder / "ca.pem"

    def _prepare(self) -> None:
        super()._prepare()
        key, certificate = self_signed()
        self.ca.write_bytes(certificate)
        keystore = self.folder / "keystore.pem"
        keystore.write_bytes(key + certificate)
        added = GUARDED.format(
            port=self.port,
            controller=self._controller_port,
            guarded=self.guarded.partition(":")[2],
            password=PASSWORD,
            keystore=keystore,
        )
        self.settings.write_text(self.settings.read_text() + added)  # of a key given twice, the last one counts


def self_signed() -> tuple[bytes, bytes]:
    """Private key and certificate of 127.0.0.1, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")]), datetime.now(UTC)  # noqa: TID251
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def broker() -> Iterator[GuardedKafka]:
    with temporary_folder() as folder, GuardedKafka(folder) as server:
        yield server


def told(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings()


async def test_it_is_reached_by_who_trusts_it_and_says_who_they_are(
    broker: GuardedKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    security = security_of(
        told(
            monkeypatch,
            KAFKA_CA_FILE=str(broker.ca),
            KAFKA_SASL_USERNAME="trial",
            KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "password"),
        )
    )
    assert create_topics(broker.guarded, [TOPIC], security=security) == [TOPIC.name]
    verify_topics(broker.guarded, [TOPIC], security=security)
    bus = KafkaBus(broker.guarded, patience=10, security=security)
    await bus.publish(TOPIC.name, [an_envelope()])
    assert len(await read_all(bus, TOPIC.name)) == 1
    await bus.close()


# kafka-python leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("wrong", ["password", "certificate", "no security"])
async def test_anybody_else_is_kept_out_and_no_password_is_said(
    broker: GuardedKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(self_signed()[1])
    security = security_of(
        told(
            monkeypatch,
            KAFKA_CA_FILE=str(stranger if wrong == "certificate" else broker.ca),
            KAFKA_SASL_USERNAME="trial",
            KAFKA_SASL_PASSWORD="guessed-0815" if wrong == "password" else PASSWORD,
        )
    )
    bus = KafkaBus(broker.guarded, patience=3, security={} if wrong == "no security" else security)
    with pytest.raises(PublishFailed) as refused:
        await bus.publish(TOPIC.name, [an_envelope()])
    with pytest.raises(BusUnavailable):
        await bus.end_offsets([TOPIC.name])
    assert "guessed-0815" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
    await bus.close()
