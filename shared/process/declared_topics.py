"""Whether the broker has the topics that a worker needs, as they are declared. Asked at its start.

A topic that is missing or differs ends the worker, with the command that helps: it would else wait for ever, or lose
the order of a participant's events. A broker that is away is waited for.
"""

import asyncio
import logging
from collections.abc import Sequence

from shared.messaging import BusUnavailable, UnknownTopic
from shared.messaging.lease import set_within
from shared.process.service import Service
from shared.settings import BadSettings, Settings

log = logging.getLogger("trial.process")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
ANSWER_SECONDS = 3.0


class DeclaredTopics:
    """The topics that a service publishes to or reads. `verified` is shown by readiness."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.verified = False
        self._settings = settings
        self._names = names_of(service)

    async def verify(self, stop: asyncio.Event) -> None:
        """Ask until the broker answers, or `stop`.

        Raises:
            UnknownTopic: a topic is missing.
            TopicsDiffer: a topic is not as declared.
            BadSettings: a topic is not declared, or the declarations cannot be read.
        """
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                await asyncio.to_thread(self._ask)
            except UnknownTopic:
                raise
            except BusUnavailable as away:
                log.warning("topics are not verified yet", extra={"reason_code": away.code, "seconds": pause})
                await set_within(stop, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self.verified = True
                return

    def _ask(self) -> None:
        from shared.messaging.kafka import security_of  # noqa: PLC0415 - loaded by who has a broker
        from shared.messaging.topics import load_topics, verify_topics  # noqa: PLC0415 - likewise

        settings = self._settings
        assert settings.kafka_bootstrap is not None  # noqa: S101 - else there is nothing to verify
        declared = {topic.name: topic for topic in load_topics(settings.kafka_topics_file)}
        if undeclared := [name for name in self._names if name not in declared]:
            raise BadSettings(f"KAFKA_TOPICS_FILE does not declare {', '.join(undeclared)}")
        verify_topics(
            settings.kafka_bootstrap,
            [declared[name] for name in self._names],
            replication_factor=settings.kafka_replication_factor,
            answer_within=ANSWER_SECONDS,
            security=security_of(settings),
        )


def names_of(service: Service) -> Sequence[str]:
    """In alphabetical order."""
    read = {topic for projection in service.projections for topic in projection.topics}
    return sorted(read | ({service.topic} if service.topic else set()))
