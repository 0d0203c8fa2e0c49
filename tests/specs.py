"""given(events).when(command, facts).then(events): decider specs that read like the trial."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from shared.kernel.decider import Command, Decider
from shared.kernel.errors import TrialError
from shared.kernel.events import Event, decode


@dataclass(frozen=True)
class Spec:
    """Starts the sentences about one decider: `spec = Spec(DECIDER)`, then `spec.given(...)`."""

    decider: Decider[Any, Any, Any, Any]

    def given(self, *history: Event) -> "Given":
        return Given(self.decider, history)


@dataclass(frozen=True)
class Given:
    decider: Decider[Any, Any, Any, Any]
    history: Sequence[Event]

    @property
    def state(self) -> Any:
        # Through the storage format and back, so that no spec passes on an event that cannot be stored.
        return self.decider.fold(decode(e.event_type, e.schema_version, e.to_json()) for e in self.history)

    def when(self, command: Command, facts: Any = None) -> "When":
        return When(self, command, facts)


@dataclass(frozen=True)
class When:
    given: Given
    command: Command
    facts: Any

    def decide(self) -> list[Event]:
        return self.given.decider.decide(self.command, self.given.state, self.facts)

    def then(self, *events: Event) -> None:
        assert self.decide() == list(events)

    def then_nothing(self) -> None:
        assert self.decide() == []

    def then_rejected(self, error: type[TrialError], match: str | None = None) -> None:
        with pytest.raises(error, match=match):
            self.decide()
