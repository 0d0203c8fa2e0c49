"""Episodes of CRS, ICANS and IEC-HS in the sample trial's files."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.loading.sample_rows import Row, says_one_thing
from shared.contracts.safety import Attribution, Outcome, Seriousness
from shared.contracts.safety_episodes import EpisodeKind, Observation, Treatment
from shared.contracts.terms import Code, Instant, Measurement


class Seen(Row):
    observed_at: Instant
    observation: Observation


class Given(Row):
    treatment: Treatment
    given_at: Instant
    dose: Measurement | None = None
    unit: Code | None = None


class EpisodeEnd(Row):
    ended_at: Instant
    outcome: Outcome


class EpisodeFollowUp(Row):
    """What became of an episode after its opening: one verb each."""

    record_observation: Seen | None = None
    record_treatment: Given | None = None
    end: EpisodeEnd | None = None


class ToxicityEpisode(Seen):
    """An episode of CRS, ICANS or IEC-HS with its first observation. Its adverse event needs no line of its own."""

    kind: EpisodeKind
    onset: Instant
    became_aware_at: Instant
    seriousness: tuple[Seriousness, ...] = ()
    causality: dict[Code, Attribution] = Field(default_factory=dict)
    then: tuple[Annotated[EpisodeFollowUp, AfterValidator(says_one_thing)], ...] = ()
