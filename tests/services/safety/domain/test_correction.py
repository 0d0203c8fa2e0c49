"""Wrong entries put right: what was entered and what is true stay side by side."""

from typing import Any

import pytest

from services.safety.domain.adverse_event import DECIDER
from services.safety.domain.causality import UnknownAgent
from services.safety.domain.chronology import DatesContradict
from services.safety.domain.correction import CorrectAdverseEvent
from services.safety.domain.ctcae import GradeNotDefinedForTerm, SpecificationMissing
from services.safety.domain.death import DeathFactsDisagree
from shared.contracts.safety import (
    ActionTaken,
    AdverseEventCorrected,
    AdverseEventRegraded,
    AdverseEventTerm,
    AgentCausality,
    GradeBasis,
    GradeSince,
    Outcome,
    Replaced,
    Seriousness,
)
from tests.services.safety.builders import AWARE, CHILD, CRS, EVENT, facts, reported
from tests.specs import Spec

given = Spec(DECIDER).given
WHY = "Transcription error"
MAPPED = GradeBasis(how="mapped", mapping="AESEV: mild 1, moderate 2, severe 3")
REGRADED = AdverseEventRegraded(
    adverse_event_id=EVENT,
    participant_id=CHILD,
    previous_grade=2,
    grade=3,
    grade_basis=GradeBasis(),
    since="2026-03-16",
)
FEVER = AdverseEventTerm(
    edition="5.0",
    meddra_code="10016558",
    name="Fever",
    soc="General disorders and administration site conditions",
)
OPINION = AgentCausality(agent="disease", attribution="possible")


def correct(**facts: Any) -> CorrectAdverseEvent:
    return CorrectAdverseEvent(reason=WHY, **facts)


def corrected(**pairs: tuple[Any, Any]) -> AdverseEventCorrected:
    replaced: dict[str, Any] = {name: Replaced(was=was, now=now) for name, (was, now) in pairs.items()}
    return AdverseEventCorrected.model_validate(
        {"adverse_event_id": EVENT, "participant_id": CHILD, "reason": WHY, **replaced}
    )


def since(grade: int, day: str, basis: GradeBasis | None = None) -> GradeSince:
    return GradeSince(grade=grade, since=day, basis=basis or GradeBasis())


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (correct(term="Fever"), corrected(term=(CRS, FEVER))),
        (correct(grade=1), corrected(grades=((since(2, "2026-03-15"),), (since(1, "2026-03-15"),)))),
        (
            correct(grade_basis=MAPPED),
            corrected(grades=((since(2, "2026-03-15"),), (since(2, "2026-03-15", MAPPED),))),
        ),
        (
            correct(onset="2026-03"),
            corrected(onset=("2026-03-15", "2026-03"), grades=((since(2, "2026-03-15"),), (since(2, "2026-03"),))),
        ),
        (correct(ended_on="2026-03-16"), corrected(ended_on=(None, "2026-03-16"))),
        (correct(causality=[OPINION]), corrected(causality=((), (OPINION,)))),
        (
            correct(action_taken=ActionTaken.NOT_APPLICABLE),
            corrected(action_taken=(ActionTaken.UNKNOWN, ActionTaken.NOT_APPLICABLE)),
        ),
        (correct(outcome=Outcome.RECOVERING), corrected(outcome=(Outcome.UNKNOWN, Outcome.RECOVERING))),
    ],
    ids=lambda value: (
        None if isinstance(value, AdverseEventCorrected) else ",".join(value.model_fields_set - {"reason"})
    ),
)
def test_a_correction_names_what_was_wrong_and_what_is_true(
    command: CorrectAdverseEvent, event: AdverseEventCorrected
) -> None:
    given(reported()).when(command, facts()).then(event)
    given(reported(), event).when(command, facts()).then_nothing()
    record = given(reported(), event).state
    for name in AdverseEventCorrected.model_fields:
        entry = getattr(event, name)
        if isinstance(entry, Replaced):
            assert getattr(record, name) == entry.now


def test_a_correction_that_says_what_is_on_record_decides_to_nothing() -> None:
    same = correct(term=CRS.meddra_code, grade=2, onset="2026-03-15", became_aware_at=AWARE, outcome=Outcome.UNKNOWN)
    given(reported()).when(same, facts()).then_nothing()


def test_the_grade_now_is_corrected_and_the_earlier_ones_stay() -> None:
    before = (since(2, "2026-03-15"), since(3, "2026-03-16"))
    after = (since(2, "2026-03-15"), since(4, "2026-03-16"))
    given(reported(), REGRADED).when(correct(grade=4), facts()).then(corrected(grades=(before, after)))


def test_an_earlier_grade_is_corrected_by_the_whole_history() -> None:
    before = (since(2, "2026-03-15"), since(3, "2026-03-16"))
    after = (since(1, "2026-03-15"), since(3, "2026-03-16"))
    given(reported(), REGRADED).when(correct(grades=after), facts()).then(corrected(grades=(before, after)))


def test_a_history_of_grades_begins_at_the_onset() -> None:
    history = [since(1, "2026-03-14"), since(3, "2026-03-16")]
    given(reported()).when(correct(grades=history), facts()).then_rejected(DatesContradict, "at onset")
    given(reported()).when(correct(grades=history, onset="2026-03-14"), facts()).then(
        corrected(
            onset=("2026-03-15", "2026-03-14"),
            grades=((since(2, "2026-03-15"),), tuple(history)),
        )
    )


def test_a_grade_and_a_history_of_grades_are_not_sent_together() -> None:
    with pytest.raises(ValueError, match="either grade"):
        correct(grade=3, grades=[since(3, "2026-03-15")])
    with pytest.raises(ValueError, match="either ended_on or ongoing"):
        correct(ended_on="2026-03-16", ongoing=True)


def test_an_end_that_was_entered_by_mistake_is_taken_away() -> None:
    ended = reported(ended_on="2026-03-16", outcome=Outcome.RECOVERED)
    given(ended).when(correct(ongoing=True, outcome=Outcome.NOT_RECOVERED), facts()).then(
        corrected(ended_on=("2026-03-16", None), outcome=(Outcome.RECOVERED, Outcome.NOT_RECOVERED))
    )
    given(reported()).when(correct(ongoing=True), facts()).then_nothing()


def test_a_death_that_was_none_is_corrected_as_a_whole() -> None:
    fatal = reported(grade=5, seriousness=("results-in-death",), outcome=Outcome.FATAL, ended_on="2026-03-16")
    given(fatal).when(correct(grade=4), facts()).then_rejected(DeathFactsDisagree, "without grade 5")
    alive = correct(grade=4, seriousness=[Seriousness.LIFE_THREATENING], outcome=Outcome.RECOVERING, ongoing=True)
    given(fatal).when(alive, facts()).then(
        corrected(
            grades=((since(5, "2026-03-15"),), (since(4, "2026-03-15"),)),
            seriousness=((Seriousness.DEATH,), (Seriousness.LIFE_THREATENING,)),
            outcome=(Outcome.FATAL, Outcome.RECOVERING),
            ended_on=("2026-03-16", None),
        )
    )


def test_a_corrected_term_keeps_to_the_rules_of_a_report() -> None:
    given(reported()).when(correct(term="Syncope"), facts()).then_rejected(GradeNotDefinedForTerm, "grade 3")
    other = correct(term="Nervous system disorders - Other, specify")
    given(reported()).when(other, facts()).then_rejected(SpecificationMissing)
    stranger = correct(causality=[AgentCausality(agent="aspirin", attribution="possible")])
    given(reported()).when(stranger, facts()).then_rejected(UnknownAgent)


def test_the_words_of_an_other_term_are_corrected_alone() -> None:
    other = FEVER.model_copy(
        update={
            "meddra_code": "10029205",
            "name": "Nervous system disorders - Other, specify",
            "soc": "Nervous system disorders",
            "specification": "ICANS",
        }
    )
    now = other.model_copy(update={"specification": "ICANS, ASTCT grade 2"})
    command = correct(specification="ICANS, ASTCT grade 2")
    given(reported(term=other)).when(command, facts()).then(corrected(term=(other, now)))
