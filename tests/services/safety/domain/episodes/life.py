"""An episode and its adverse event, led through commands as the application does, without a store."""

from functools import reduce
from typing import Any

from pydantic import TypeAdapter

from services.safety.domain import adverse_event, record
from services.safety.domain.episodes import episode
from services.safety.domain.episodes import record as episode_record
from services.safety.domain.episodes.commands import (
    CorrectObservation,
    EndEpisode,
    EpisodeCommand,
    OpenEpisode,
    RecordObservation,
    RecordTreatment,
    ReopenEpisode,
    RetractEpisode,
    RetractObservation,
    RetractTreatment,
)
from services.safety.domain.episodes.grading import Facts
from services.safety.domain.episodes.record import Course, Unopened
from services.safety.domain.record import OnRecord, Retracted, Unreported
from shared.contracts.safety_episodes import AdverseEventNotFollowed
from shared.kernel.events import Event, decode
from tests.services.safety.builders import facts
from tests.services.safety.toxicity.episodes import opening

COMMANDS: dict[str, type[EpisodeCommand]] = {
    "observe": RecordObservation,
    "correct": CorrectObservation,
    "retract-observation": RetractObservation,
    "treat": RecordTreatment,
    "retract-treatment": RetractTreatment,
    "end": EndEpisode,
    "reopen": ReopenEpisode,
    "retract": RetractEpisode,
}
WHY = "Read off the wrong chart"


class Life:
    """`course` and `event` as they stand; what the last command led to in `said` and `logged`."""

    def __init__(self, *, birth_month: str | None = "2017-03", **opened: Any) -> None:
        self.birth_month = birth_month
        self.state: Any = Unopened()
        self.log: Any = Unreported()
        self.said: list[Event] = []
        self.logged: list[Event] = []
        self.carry_out(OpenEpisode.model_validate(opening(**opened)))

    @property
    def facts(self) -> Facts:
        return Facts(facts(), self.birth_month, self.log)

    @property
    def course(self) -> Course:
        assert isinstance(self.state, Course)
        return self.state

    @property
    def event(self) -> OnRecord:
        assert isinstance(self.log, OnRecord)
        return self.log

    @property
    def history(self) -> list[tuple[int, str]]:
        return [(entry.grade, entry.since) for entry in self.event.grades]

    @property
    def grades(self) -> list[tuple[int | None, int | None]]:
        return [(each.grades.astct, each.grades.ctcae) for each in self.course.series]

    def does(self, verb: str, **body: Any) -> "Life":
        return self.carry_out(TypeAdapter(COMMANDS[verb]).validate_python(body))

    def carry_out(self, command: EpisodeCommand) -> "Life":
        decided = episode.decide(command, self.state, self.facts)
        failed = any(isinstance(event, AdverseEventNotFollowed) for event in decided)
        logged = [] if failed or not decided else episode.followed(command, self.state, decided, self.facts)
        self.said, self.logged = [*decided], [*logged]
        self.state = reduce(episode_record.evolve, map(_stored, decided), self.state)
        self.log = reduce(record.evolve, map(_stored, logged), self.log)
        return self

    def by_hand(self, command: adverse_event.AdverseEventCommand) -> "Life":
        """Somebody edits the adverse event itself."""
        decided = adverse_event.decide(command, self.log, facts())
        self.log = reduce(record.evolve, decided, self.log)
        return self

    @property
    def problem(self) -> str | None:
        found = [event.problem for event in self.said if isinstance(event, AdverseEventNotFollowed)]
        return found[0] if found else None

    @property
    def was_retracted(self) -> bool:
        return isinstance(self.log, Retracted)


def _stored(event: Event) -> Any:
    """Through the storage format and back."""
    return decode(event.event_type, event.schema_version, event.to_json())
