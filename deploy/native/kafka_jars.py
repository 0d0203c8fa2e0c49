"""Fetches Apache Kafka from Maven Central and prints its class path: `python deploy/native/kafka_jars.py`

`jgo` resolves the pinned version and its dependencies, checks each file's checksum and keeps about 46 MB in the
user's cache folder; the first time takes a quarter of a minute, later ones need no network. It is a process
of its own so that a test run, whose sockets reach loopback alone, can start it, and so that two runs that
start together fetch one after the other.
"""

import fcntl
import os
import sys
from pathlib import Path

from jgo.env import EnvironmentBuilder, LinkStrategy
from jgo.maven import MavenContext, PythonResolver

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
LOGGER = "org.slf4j:slf4j-simple:1.7.36"  # the version of slf4j-api that Kafka 4.4 brings; without one it logs nothing


def class_path() -> str:
    """The jars of one environment lie in two folders, `jars` and `modules`: both belong on the path."""
    lock = Path.home() / ".cache" / "cmd03-kafka.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        builder = EnvironmentBuilder(context=MavenContext(resolver=PythonResolver()), link_strategy=LinkStrategy.HARD)
        home = builder.from_endpoint(f"{KAFKA}+{LOGGER}").path
    return os.pathsep.join(f"{home}/{folder}/*" for folder in ("jars", "modules"))


if __name__ == "__main__":
    sys.stdout.write(class_path() + "\n")
