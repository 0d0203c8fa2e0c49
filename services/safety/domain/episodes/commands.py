"""What can be said of an episode of CRS, ICANS or IEC-HS."""

from typing import Annotated, Self
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.safety.domain.adverse_event import Opinions
from shared.contracts.safety import Outcome, Seriousness
from shared.contracts.safety_episodes import EpisodeKind, Number, Observation, Treatment
from shared.contracts.terms import Code, Flag, Instant, Measurement, ParticipantId, Reason, ShortText
from shared.kernel.decider import Command

_SEEN: JsonDict = {
    "kind": "crs",
    "temperature_c": "38.9",
    "fever_has_other_cause": False,
    "hypotension": "none",
    "oxygen_device": "high-flow-cannula",
    "flow_l_per_min": "12",
    "fio2_percent": "35",
    "oxygen_need_due_to_crs": True,
    "death": False,
}


class OpenEpisode(Command):
    """A toxicity began, with the first observation of it. Its adverse event is reported with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "participant_id": "018f2b6e-0000-7000-8000-000000000001",
                    "kind": "crs",
                    "onset": "2026-03-15T21:00:00+07:00",
                    "became_aware_at": "2026-03-15T21:10:00+07:00",
                    "seriousness": ["hospitalisation"],
                    "observed_at": "2026-03-15T21:00:00+07:00",
                    "observation": _SEEN,
                }
            ]
        }
    )

    episode_id: UUID = Field(default_factory=uuid4)
    participant_id: ParticipantId
    kind: EpisodeKind
    onset: Instant
    became_aware_at: Instant = Field(description="When the site learned of it; clocks run from here")
    developmental_delay: Flag | None = Field(None, description="ICANS: true asks for CAPD at any age")
    delay_reason: ShortText | None = Field(None, description="Why, if and only if there is a developmental delay")
    seriousness: frozenset[Seriousness] = Field(
        frozenset(), description="ICH E2A criteria met, as the investigator says: no grade makes an event serious"
    )
    causality: Opinions = ()
    observed_at: Instant
    observation: Observation

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.observation.kind != self.kind:
            raise ValueError(f"the observation is one of {self.observation.kind}, the episode one of {self.kind}")
        if (self.developmental_delay is True) != (self.delay_reason is not None):
            raise ValueError("a developmental delay has its delay_reason, and nothing else has one")
        return self


class RecordObservation(Command):
    """The toxicity was looked at again. Observations may arrive in any order of time."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"observed_at": "2026-03-16T06:00:00+07:00", "observation": _SEEN}]}
    )

    observed_at: Instant
    observation: Observation
    seriousness: tuple[Seriousness, ...] | None = Field(
        None,
        max_length=len(Seriousness),
        description="Every ICH E2A criterion met by now, where that is new; null: as it was",
    )


class CorrectObservation(Command):
    """Put right an observation that was entered wrongly: as it should have read, whole."""

    number: Number
    observed_at: Instant
    observation: Observation
    reason: Reason


class RetractObservation(Command):
    """An observation should never have been entered."""

    number: Number
    reason: Reason


class RecordTreatment(Command):
    """Something was given for the toxicity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"treatment": "tocilizumab", "given_at": "2026-03-16T07:00:00+07:00", "dose": "8", "unit": "mg/kg"}
            ]
        }
    )

    treatment: Treatment
    given_at: Instant
    dose: Annotated[Measurement, Field(gt=0)] | None = None
    unit: Code | None = Field(None, description="UCUM, if and only if there is a dose")

    @model_validator(mode="after")
    def _has_a_unit(self) -> Self:
        if (self.dose is None) != (self.unit is None):
            raise ValueError("a dose has its unit, and a unit its dose")
        return self


class RetractTreatment(Command):
    """A treatment on record was not given."""

    number: Number
    reason: Reason


class EndEpisode(Command):
    """The toxicity is over. A death from it is an observation with `death`, and ends the episode by itself."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ended_at": "2026-03-19T08:00:00+07:00", "outcome": "recovered"}]}
    )

    ended_at: Instant
    outcome: Outcome


class ReopenEpisode(Command):
    """The end on record was an error."""

    reason: Reason


class RetractEpisode(Command):
    """The episode should never have been opened; its adverse event is retracted with it."""

    reason: Reason


Change = (
    RecordObservation
    | CorrectObservation
    | RetractObservation
    | RecordTreatment
    | RetractTreatment
    | EndEpisode
    | ReopenEpisode
    | RetractEpisode
)
EpisodeCommand = OpenEpisode | Change
