"""The topics of the trial as they are declared in `deploy/kafka/topics.yaml`: made, and compared with what is there.

These functions block; they are for commands and for the start of a process.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError
from pydantic import BaseModel, ConfigDict, Field

from shared.kernel.errors import TrialError
from shared.messaging.bus import BusUnavailable, UnknownTopic
from shared.messaging.kafka import NO_SECURITY, opened
from shared.settings import BadSettings

DECLARATIONS = Path(__file__).parents[2] / "deploy" / "kafka" / "topics.yaml"
ANSWER_SECONDS = 10.0


class TopicsDiffer(TrialError):
    """Topics are there and not as they are declared. Nothing was changed: somebody has to decide."""


class Topic(BaseModel):
    """One declared topic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str
    partitions: int = Field(ge=1)
    min_insync_replicas: int = Field(ge=1)
    config: dict[str, str]

    def configured(self, replication_factor: int) -> dict[str, str]:
        return {**self.config, "min.insync.replicas": str(min(self.min_insync_replicas, replication_factor))}


def load_topics(path: Path = DECLARATIONS) -> list[Topic]:
    """Raises `BadSettings` where the file is none of declared topics."""
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [Topic.model_validate(topic) for topic in declared["topics"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as unusable:
        raise BadSettings("KAFKA_TOPICS_FILE names no file that declares topics") from unusable


def create_topics(
    bootstrap: str,
    topics: Sequence[Topic],
    *,
    replication_factor: int = 1,
    prefix: str = "",
    security: Mapping[str, Any] = NO_SECURITY,
) -> list[str]:
    """Make the topics that are missing, and return their names. Run again, it makes none.

    Raises:
        TopicsDiffer: a topic was there before, and is not as declared.
        BusUnavailable: the broker does not answer, or refuses.
    """
    with _admin(bootstrap, ANSWER_SECONDS, security) as admin:
        there = _there(admin, topics, prefix)
        missing = [topic for topic in topics if topic.name not in there]
        for topic in missing:
            _create(admin, topic, replication_factor, prefix)
        admin.wait_for_topics([prefix + topic.name for topic in topics])
        _compare(admin, topics, replication_factor, prefix)
        return [prefix + topic.name for topic in missing]


def verify_topics(
    bootstrap: str,
    topics: Sequence[Topic],
    *,
    replication_factor: int = 1,
    prefix: str = "",
    answer_within: float = ANSWER_SECONDS,
    security: Mapping[str, Any] = NO_SECURITY,
) -> None:
    """Compare what is there with what is declared, and change nothing.

    Raises:
        UnknownTopic: a topic is missing.
        TopicsDiffer: a topic is not as declared.
        BusUnavailable: the broker does not answer.
    """
    with _admin(bootstrap, answer_within, security) as admin:
        there = _there(admin, topics, prefix)
        missing = [prefix + topic.name for topic in topics if topic.name not in there]
        if missing:
            raise UnknownTopic(f"missing: {', '.join(missing)}; python -m shared.messaging topics create makes them")
        _compare(admin, topics, replication_factor, prefix)


@contextmanager
def _admin(bootstrap: str, answer_within: float, security: Mapping[str, Any]) -> Iterator[Any]:
    try:
        answer_ms = int(answer_within * 1000)
        timeouts = {"bootstrap_timeout_ms": answer_ms, "request_timeout_ms": answer_ms}
        admin = opened(KafkaAdminClient, bootstrap_servers=bootstrap.split(","), **timeouts, **security)
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise BusUnavailable(f"the broker at {bootstrap} does not answer as expected ({error!r})") from error


def _there(admin: Any, topics: Sequence[Topic], prefix: str) -> set[str]:
    names = set(admin.list_topics())
    return {topic.name for topic in topics if prefix + topic.name in names}


def _create(admin: Any, topic: Topic, replication_factor: int, prefix: str) -> None:
    wanted = {
        "num_partitions": topic.partitions,
        "replication_factor": replication_factor,
        "configs": topic.configured(replication_factor),
    }
    try:
        admin.create_topics({prefix + topic.name: wanted})
    except TopicAlreadyExistsError:
        return  # somebody else made it just now; it is compared like any other


def _compare(admin: Any, topics: Sequence[Topic], replication_factor: int, prefix: str) -> None:
    differences = [
        line
        for topic, described in zip(topics, _described(admin, topics, prefix), strict=True)
        for line in _differences(topic, described, replication_factor)
    ]
    if differences:
        raise TopicsDiffer("\n".join(differences))


def _described(admin: Any, topics: Sequence[Topic], prefix: str) -> list[tuple[int, int, dict[str, str]]]:
    """Partitions, replication factor and settings of each topic, as the broker has them."""
    names = [prefix + topic.name for topic in topics]
    partitions = {topic["name"]: topic["partitions"] for topic in admin.describe_topics(names)}
    resources = [ConfigResource("topic", name) for name in names]
    settings = admin.describe_configs(resources, config_filter="all")["topic"]
    return [
        (
            len(partitions[name]),
            min(len(partition["replica_nodes"]) for partition in partitions[name]),
            {key: found["value"] for key, found in settings[name].items()},
        )
        for name in names
    ]


def _differences(topic: Topic, described: tuple[int, int, dict[str, str]], replication_factor: int) -> Iterator[str]:
    partitions, replicas, settings = described
    wanted = {"partitions": topic.partitions, "replication factor": replication_factor}
    for name, found in (("partitions", partitions), ("replication factor", replicas)):
        if found != wanted[name]:
            yield f"{topic.name}: {name} is {found}, declared {wanted[name]}"
    for name, value in topic.configured(replication_factor).items():
        if settings.get(name) != value:
            yield f"{topic.name}: {name} is {settings.get(name)}, declared {value}"
