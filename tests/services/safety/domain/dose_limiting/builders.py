"""Toxicities of one child infused on 1 March 2026, from 09:00 to 09:30 in Bangkok."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.safety.domain.dose_limiting.toxicity import Toxicity, of_adverse_event, of_episode
from services.safety.domain.episodes.record import Course, Ended, Observed
from services.safety.domain.record import OnRecord
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventTerm,
    AgentCausality,
    Attribution,
    GradeSince,
    Outcome,
)
from shared.contracts.safety_episodes import CrsObservation, EpisodeKind, Grades, ToxicityEpisodeOpened
from shared.protocol.dose_limiting_status import DltWindow, window_of
from tests.services.safety.builders import AWARE, BANGKOK, CHILD, EVENT, PROTOCOL, reported

INFUSED = datetime(2026, 3, 1, 9, 0, tzinfo=BANGKOK)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=BANGKOK)
EPISODE = UUID("018f2b6e-7000-7000-8000-000000000001")

TERMS = {
    "liver": ("10019805", "Hepatic failure", "Hepatobiliary disorders"),
    "alt": ("10001551", "Alanine aminotransferase increased", "Investigations"),
    "neutrophils": ("10029366", "Neutrophil count decreased", "Investigations"),
    "lymphocytes": ("10025256", "Lymphocyte count decreased", "Investigations"),
    "anaemia": ("10002272", "Anemia", "Blood and lymphatic system disorders"),
    "alopecia": ("10001760", "Alopecia", "Skin and subcutaneous tissue disorders"),
    "fever": ("10016558", "Fever", "General disorders and administration site conditions"),
    "progression": ("10061818", "Disease progression", "General disorders and administration site conditions"),
}


def day(number: float) -> datetime:
    """The beginning of a study day at the site, or so many days after that of day 0."""
    return MIDNIGHT + timedelta(days=number)


def date_of(number: int) -> str:
    return day(number).date().isoformat()


def the_window() -> DltWindow:
    window = window_of(PROTOCOL, INFUSED, INFUSED + timedelta(minutes=30), BANGKOK)
    assert window is not None
    return window


def an_event(term: str, *grades: tuple[int, int | str], ended: int | str | None = None, **changed: Any) -> Toxicity:
    """An adverse event with (grade, study day or date) in order, and the day it ended on."""
    return of_adverse_event(a_record(term, *grades, ended=ended, **changed), BANGKOK)


def a_record(term: str, *grades: tuple[int, int | str], ended: int | str | None = None, **changed: Any) -> OnRecord:
    code, name, soc = TERMS[term]
    history = tuple(GradeSince(grade=grade, since=_date(since)) for grade, since in grades)
    stated: dict[str, Any] = {
        "adverse_event_id": EVENT,
        "participant_id": CHILD,
        "term": AdverseEventTerm(edition="5.0", meddra_code=code, name=name, soc=soc),
        "grades": history,
        "onset": history[0].since,
        "became_aware_at": AWARE,
        "ended_on": None if ended is None else _date(ended),
        "seriousness": (),
        "causality": (),
        "action_taken": ActionTaken.UNKNOWN,
        "outcome": Outcome.NOT_RECOVERED if ended is None else Outcome.RECOVERED,
        "reported": reported(),
    }
    return OnRecord(**{**stated, **changed})


def _date(given: int | str) -> str:
    return given if isinstance(given, str) else date_of(given)


def judged(attribution: Attribution, agent: str = "car-t-product") -> tuple[AgentCausality, ...]:
    return (AgentCausality(agent=agent, attribution=attribution),)


def an_episode(
    kind: EpisodeKind,
    *grades: tuple[float, int | None],
    ended: float | None = None,
    outcome: Outcome = Outcome.RECOVERED,
) -> Toxicity:
    """An episode with (hours after the infusion, ASTCT grade) in order."""
    toxicity = of_episode(a_course(kind, *grades, ended=ended, outcome=outcome), BANGKOK)
    assert toxicity is not None
    return toxicity


def a_course(
    kind: EpisodeKind,
    *grades: tuple[float, int | None],
    ended: float | None = None,
    outcome: Outcome = Outcome.RECOVERED,
) -> Course:
    opened = ToxicityEpisodeOpened(
        episode_id=EPISODE,
        participant_id=CHILD,
        adverse_event_id=EVENT,
        kind=kind,
        onset=INFUSED,
        became_aware_at=INFUSED,
        developmental_delay=None,
        delay_reason=None,
        seriousness=(),
        causality=(),
        protocol=PROTOCOL.ref,
    )
    seen = tuple(
        Observed(
            number=number,
            observed_at=_after(hours),
            observation=CrsObservation(),
            grades=Grades(astct=grade, ctcae=None, explanation="", rule="ASTCT 2019"),
        )
        for number, (hours, grade) in enumerate(grades, start=1)
    )
    end = None if ended is None else Ended(_after(ended), outcome)
    return Course(opened, (), seen, len(seen), ended=end)


def _after(hours: float) -> datetime:
    return INFUSED + timedelta(hours=hours)
