"""`python -m shared.messaging topics create | verify`: the topics of the trial on the broker of KAFKA_BOOTSTRAP."""

import argparse
import sys

from shared.kernel.errors import TrialError
from shared.messaging.kafka import security_of
from shared.messaging.topics import create_topics, load_topics, verify_topics
from shared.settings import read_settings


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.messaging", description=__doc__)
    parser.add_argument("what", choices=["topics"])
    parser.add_argument("action", choices=["create", "verify"])
    given = parser.parse_args(arguments)
    try:
        settings = read_settings()
        if settings.kafka_bootstrap is None:
            parser.error("KAFKA_BOOTSTRAP is not set: say where the broker is, as host:port")
        topics = load_topics(settings.kafka_topics_file)
        replicas, security = settings.kafka_replication_factor, security_of(settings)
        if given.action == "create":
            made = create_topics(settings.kafka_bootstrap, topics, replication_factor=replicas, security=security)
            print("\n".join(f"created {name}" for name in made) or "every topic is there, as declared")
        else:
            verify_topics(settings.kafka_bootstrap, topics, replication_factor=replicas, security=security)
            print("every topic is there, as declared")
    except TrialError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
