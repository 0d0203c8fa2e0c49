"""What a worker does at its start where topics are missing, differ, or cannot be asked for."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx
import pytest

from deploy.native.compose import ROOT
from deploy.native.kafka import KafkaServer
from deploy.native.server import Server, free_port
from deploy.native.stack import inherited, status_of
from services.embedded import SERVICES
from shared.messaging import UnknownTopic
from shared.messaging.topics import TopicsDiffer, create_topics, load_topics
from shared.process.declared_topics import DeclaredTopics, names_of
from shared.process.service import Service
from shared.settings import BadSettings, Settings
from tests.flows.commands import command
from tests.flows.waiting import until
from tests.servers import Kafka, temporary_folder

SAFETY, PROJECTOR = (service for service in SERVICES if service.name in {"safety", "projector"})
DECLARED = "topics: [{name: %s, about: a test, partitions: %d, min_insync_replicas: 1, config: {}}]"


@pytest.fixture
def topic(kafka: Kafka) -> str:
    return kafka.topic(partitions=2)


def asking(topic: str, kafka: Kafka, file: Path) -> DeclaredTopics:
    service: Service = replace(SAFETY, topic=topic, projections=())
    return DeclaredTopics(service, Settings(kafka_bootstrap=kafka.bootstrap, kafka_topics_file=file))


def test_a_service_needs_what_it_publishes_to_and_what_it_reads() -> None:
    assert names_of(SAFETY) == ["trial.enrollment", "trial.safety"]
    assert names_of(PROJECTOR) == ["trial.biomarkers", "trial.efficacy", "trial.enrollment", "trial.safety"]


async def test_topics_as_declared_are_verified(kafka: Kafka, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text(DECLARED % (topic, 2))
    asked = asking(topic, kafka, file)
    assert not asked.verified
    await asked.verify(asyncio.Event())
    assert asked.verified


@pytest.mark.parametrize(
    ("written", "asked_for", "refused", "said"),
    [
        ((None, 3), None, TopicsDiffer, "partitions is 2, declared 3"),
        (("nowhere", 2), "nowhere", UnknownTopic, "topics create makes them"),
        (("another", 2), None, BadSettings, "does not declare"),
    ],
)
async def test_a_topic_that_is_missing_or_differs_is_said_at_once(
    kafka: Kafka, topic: str, tmp_path: Path, written: Any, asked_for: str | None, refused: type[Exception], said: str
) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text(DECLARED % (written[0] or topic, written[1]))
    with pytest.raises(refused, match=said):
        await asking(asked_for or topic, kafka, file).verify(asyncio.Event())


@pytest.mark.parametrize("content", [None, "topics: {", "topics: [{name: x}]", "nothing: []", ""])
async def test_declarations_that_cannot_be_read_are_named(
    kafka: Kafka, topic: str, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "topics.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BadSettings, match="KAFKA_TOPICS_FILE"):
        await asking(topic, kafka, file).verify(asyncio.Event())


def of(folder: Path, bootstrap: str) -> dict[str, str]:
    url = f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3"
    return {"DATABASE_URL": url, "KAFKA_BOOTSTRAP": bootstrap, "PORT": str(free_port())}


def test_a_worker_without_its_topics_ends_and_names_the_command(new_kafka_server: Any, tmp_path: Path) -> None:
    environment = of(tmp_path, new_kafka_server().bootstrap)
    assert command("services.safety", "migrate", environment=environment).returncode == 0
    done = command("services.safety", "worker", environment=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "unknown-topic: missing: trial.enrollment, trial.safety; python -m shared.messaging topics create makes them"
    )


class SafetyWorker(Server):
    """A worker that counts as started as soon as it answers."""

    name = "safety-worker"
    stop_signal = SIGTERM
    working_folder = ROOT

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        super().__init__(folder, int(environment["PORT"]))
        self._told = {**inherited(), **environment}

    def _prepare(self) -> None:
        return None

    def _environment(self) -> dict[str, str]:
        return self._told

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "services.safety", "worker"]

    def _answers(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/health/live") == 200

    def readiness(self) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}/health/ready")

    def shows(self, topics: str) -> bool:
        shown = self.readiness().json()["checks"]["worker"]
        return bool(shown["topics"] == topics)


def test_a_worker_starts_without_its_broker_says_so_and_goes_on_when_it_is_there(tmp_path: Path) -> None:
    with temporary_folder() as folder, KafkaServer(folder) as broker:
        create_topics(broker.bootstrap, load_topics())
        broker.kill()
        environment = of(tmp_path, broker.bootstrap)
        assert command("services.safety", "migrate", environment=environment).returncode == 0
        with SafetyWorker(tmp_path, environment) as worker:
            until("it says so", lambda: worker.shows("not-verified"))
            assert broker.bootstrap not in worker.readiness().text
            broker.start()
            until("it has asked", lambda: worker.shows("verified"))
            assert worker.stop() == 0
