"""The declared topics, on a real broker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.messaging import BusUnavailable, UnknownTopic
from shared.messaging.topics import Topic, TopicsDiffer, create_topics, load_topics, verify_topics
from tests.servers import Kafka

ROOT = Path(__file__).parents[3]


def a_topic(**changes: object) -> Topic:
    fields = {"name": "trial.safety", "about": "a test", "partitions": 2, "min_insync_replicas": 2, "config": {}}
    return Topic.model_validate({**fields, **changes})


def test_the_trial_declares_a_topic_for_each_service_and_none_forgets() -> None:
    topics = load_topics()
    assert [topic.name for topic in topics] == [
        "trial.enrollment",
        "trial.safety",
        "trial.efficacy",
        "trial.biomarkers",
    ]
    for topic in topics:
        assert topic.partitions == 6
        assert topic.config["retention.ms"] == "-1"
        assert topic.config["cleanup.policy"] == "delete"
        assert int(topic.config["max.message.bytes"]) > 1024 * 1024


def test_topics_are_made_once_and_are_then_as_declared(kafka: Kafka) -> None:
    prefix, topics = kafka.prefix(), load_topics()
    with pytest.raises(UnknownTopic, match=f"{prefix}trial.enrollment"):
        verify_topics(kafka.bootstrap, topics, prefix=prefix)
    assert create_topics(kafka.bootstrap, topics, prefix=prefix) == [prefix + topic.name for topic in topics]
    assert create_topics(kafka.bootstrap, topics, prefix=prefix) == []
    verify_topics(kafka.bootstrap, topics, prefix=prefix)
    described = kafka.admin().describe_topics([prefix + topic.name for topic in topics])
    assert [len(topic["partitions"]) for topic in described] == [6, 6, 6, 6]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partitions": 3}, "trial.safety: partitions is 2, declared 3"),
        ({"config": {"retention.ms": "-1"}}, "trial.safety: retention.ms is 604800000, declared -1"),
        ({"config": {"no.such.setting": "1"}}, "trial.safety: no.such.setting is None, declared 1"),
    ],
)
def test_a_topic_that_differs_is_said_loudly_and_left_alone(
    kafka: Kafka, changes: dict[str, object], said: str
) -> None:
    prefix = kafka.prefix()
    create_topics(kafka.bootstrap, [a_topic()], prefix=prefix)
    for act in (create_topics, verify_topics):
        with pytest.raises(TopicsDiffer) as differs:
            act(kafka.bootstrap, [a_topic(**changes)], prefix=prefix)
        assert str(differs.value) == said
    verify_topics(kafka.bootstrap, [a_topic()], prefix=prefix)


def test_another_replication_factor_is_a_difference(kafka: Kafka) -> None:
    prefix = kafka.prefix()
    create_topics(kafka.bootstrap, [a_topic()], prefix=prefix)
    with pytest.raises(TopicsDiffer, match="replication factor is 1, declared 3"):
        verify_topics(kafka.bootstrap, [a_topic()], replication_factor=3, prefix=prefix)


def test_in_sync_replicas_are_capped_at_the_replication_factor() -> None:
    assert a_topic().configured(1)["min.insync.replicas"] == "1"
    assert a_topic().configured(3)["min.insync.replicas"] == "2"


def test_a_broker_that_is_away_is_said_so() -> None:
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9"):
        verify_topics("127.0.0.1:9", [a_topic()], answer_within=0.3)


def command(kafka: Kafka, action: str, file: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KAFKA_BOOTSTRAP": kafka.bootstrap, "KAFKA_TOPICS_FILE": str(file)}  # noqa: TID251
    return subprocess.run(
        [sys.executable, "-m", "shared.messaging", "topics", action],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_makes_and_verifies_topics(kafka: Kafka, tmp_path: Path) -> None:
    name = f"{kafka.prefix()}trial.safety"
    file = tmp_path / "topics.yaml"
    text = "topics: [{name: %s, about: a test, partitions: %d, min_insync_replicas: 1, config: {}}]"
    file.write_text(text % (name, 1))
    missing = command(kafka, "verify", file)
    assert missing.returncode == 1
    assert name in missing.stderr
    made = command(kafka, "create", file)
    assert (made.returncode, made.stdout) == (0, f"created {name}\n")
    again = command(kafka, "create", file)
    assert (again.returncode, again.stdout) == (0, "every topic is there, as declared\n")
    file.write_text(text % (name, 2))
    differs = command(kafka, "verify", file)
    assert (differs.returncode, differs.stderr) == (1, f"{name}: partitions is 1, declared 2\n")
