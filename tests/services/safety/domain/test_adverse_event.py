"""An adverse event from its report to its end, as decisions."""

from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from services.safety.domain.adverse_event import (
    DECIDER,
    AdverseEventAlreadyReported,
    AdverseEventAlreadyRetracted,
    NoSuchAdverseEvent,
    ReportAdverseEvent,
)
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.ctcae import (
    GradeNotDefinedForTerm,
    SpecificationMissing,
    SpecificationNotAsked,
    UnknownTerm,
)
from services.safety.domain.death import DeathFactsDisagree
from services.safety.domain.follow_up import (
    AdverseEventAlreadyResolved,
    AssessCausality,
    GradeAlreadyOnRecord,
    NotAnEnd,
    ReassessSeriousness,
    RecordDeath,
    RegradeAdverseEvent,
    ResolveAdverseEvent,
)
from services.safety.domain.record import OnRecord, Unreported
from shared.contracts.safety import (
    AdverseEventRegraded,
    AdverseEventResolved,
    AdverseEventRetracted,
    AgentCausality,
    CausalityAssessed,
    GradeBasis,
    Outcome,
    Seriousness,
    SeriousnessReassessed,
)
from shared.kernel.decider import Command
from shared.kernel.errors import TrialError
from tests.services.safety.builders import (
    AWARE,
    CHILD,
    CRS,
    EVENT,
    HOSPITALISED,
    PROTOCOL,
    a_report,
    facts,
    raised,
    reported,
)
from tests.specs import Spec

spec = Spec(DECIDER)
given = spec.given
THESE: dict[str, Any] = {"adverse_event_id": EVENT, "participant_id": CHILD}
CELLS = AgentCausality(agent="car-t-product", attribution="probable")
DISEASE = AgentCausality(agent="disease", attribution="unlikely")


def regraded(previous: int, grade: int, since: str) -> AdverseEventRegraded:
    return AdverseEventRegraded(**THESE, previous_grade=previous, grade=grade, grade_basis=GradeBasis(), since=since)


def recovered(ended_on: str = "2026-03-16", outcome: Outcome = Outcome.RECOVERED) -> AdverseEventResolved:
    return AdverseEventResolved(**THESE, ended_on=ended_on, outcome=outcome)


# --- Report


def test_a_report_is_recorded_with_its_term_from_the_dictionary() -> None:
    given().when(a_report(), facts()).then(reported())


def test_a_term_may_be_given_by_its_code() -> None:
    given().when(a_report(term="10052015"), facts()).then(reported())


def test_the_same_report_twice_decides_to_nothing() -> None:
    given(reported()).when(a_report(), facts()).then_nothing()


def test_the_same_report_under_a_later_protocol_decides_to_nothing() -> None:
    given(reported(protocol="CMD03@0.9.0")).when(a_report(), facts()).then_nothing()


def test_a_report_sent_again_after_a_change_decides_to_nothing() -> None:
    given(reported(), regraded(2, 3, "2026-03-16")).when(a_report(), facts()).then_nothing()


def test_another_report_under_the_same_id_is_rejected() -> None:
    given(reported()).when(a_report(grade=3), facts()).then_rejected(AdverseEventAlreadyReported)


def test_a_grade_that_the_term_does_not_offer_is_rejected_with_those_it_does() -> None:
    given().when(a_report(term="Asystole", grade=2), facts()).then_rejected(GradeNotDefinedForTerm, "1, 4 or 5")


def test_an_unknown_term_is_rejected_with_the_nearest() -> None:
    given().when(a_report(term="Anaemia"), facts()).then_rejected(UnknownTerm, "Anemia")


OTHER = "Nervous system disorders - Other, specify"


def test_an_other_term_says_what_was_seen() -> None:
    given().when(a_report(term=OTHER), facts()).then_rejected(SpecificationMissing)
    term = CRS.model_copy(
        update={
            "meddra_code": "10029205",
            "name": OTHER,
            "soc": "Nervous system disorders",
            "specification": "ICANS, ASTCT grade 2",
        }
    )
    given().when(a_report(term=OTHER, specification="ICANS, ASTCT grade 2"), facts()).then(reported(term=term))


def test_any_other_term_takes_no_specification() -> None:
    given().when(a_report(specification="CRS"), facts()).then_rejected(SpecificationNotAsked)


def test_a_mapped_grade_says_how_it_was_mapped() -> None:
    mapped = GradeBasis(how="mapped", mapping="AESEV: mild 1, moderate 2, severe 3")
    given().when(a_report(grade_basis=mapped), facts()).then(reported(grade_basis=mapped))


@pytest.mark.parametrize("basis", [{"how": "mapped"}, {"how": "ctcae", "mapping": "AESEV"}])
def test_a_mapping_is_named_if_and_only_if_there_is_one(basis: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="mapping"):
        a_report(grade_basis=basis)


@pytest.mark.parametrize("grade", [0, 6, True, "3", 2.5])
def test_a_grade_is_a_whole_number_from_1_to_5(grade: object) -> None:
    with pytest.raises(ValueError, match="grade"):
        a_report(grade=grade)


def test_causality_is_asked_of_the_agents_that_the_protocol_lists() -> None:
    given().when(a_report(causality=[DISEASE, CELLS]), facts()).then(reported(causality=(CELLS, DISEASE)))
    aspirin = AgentCausality(agent="aspirin", attribution="possible")
    given().when(a_report(causality=[aspirin]), facts()).then_rejected(UnknownAgent, "car-t-product")
    given().when(a_report(causality=[CELLS, CELLS]), facts()).then_rejected(AgentNamedTwice)


def test_grade_seriousness_and_causality_are_independent() -> None:
    # Severe and not serious; mild and serious; serious and unrelated.
    given().when(a_report(grade=4), facts()).then(reported(grade=4))
    mild = a_report(grade=1, seriousness=HOSPITALISED)
    given().when(mild, facts()).then(reported(grade=1, seriousness=HOSPITALISED), raised(grade=1))


# --- Death


@pytest.mark.parametrize("grade", [4, 5])
@pytest.mark.parametrize("fatal", [True, False])
@pytest.mark.parametrize("death", [True, False])
def test_a_death_is_said_by_grade_seriousness_and_outcome_or_by_none(grade: int, fatal: bool, death: bool) -> None:
    report = a_report(
        grade=grade,
        outcome=Outcome.FATAL if fatal else Outcome.UNKNOWN,
        seriousness=[Seriousness.DEATH] if death else [],
        ended_on="2026-03-16",
    )
    if (grade == 5) == fatal == death:
        assert given().when(report, facts()).decide()
    else:
        given().when(report, facts()).then_rejected(DeathFactsDisagree, "record-death")


def died(on: str = "2026-03-16") -> RecordDeath:
    return RecordDeath(died_on=on, became_aware_at=AWARE)


def test_a_death_sets_all_three_at_once() -> None:
    decided = given(reported()).when(died(), facts()).decide()
    assert decided[:3] == [
        regraded(2, 5, "2026-03-16"),
        SeriousnessReassessed(**THESE, previous=(), seriousness=(Seriousness.DEATH,), became_aware_at=AWARE),
        recovered(outcome=Outcome.FATAL),
    ]


def test_the_same_death_twice_decides_to_nothing() -> None:
    history = given(reported()).when(died(), facts()).decide()
    given(reported(), *history).when(died(), facts()).then_nothing()
    given(reported(), *history).when(died("2026-03-15"), facts()).then_rejected(AdverseEventAlreadyResolved, "fatal")


def test_a_fatal_event_without_its_day_learns_the_day() -> None:
    fatal = reported(grade=5, seriousness=("results-in-death",), outcome=Outcome.FATAL)
    given(fatal).when(died(), facts()).then(recovered(outcome=Outcome.FATAL))


def test_nobody_dies_of_an_event_they_recovered_from() -> None:
    given(reported(), recovered()).when(died(), facts()).then_rejected(AdverseEventAlreadyResolved)


def test_a_death_under_a_term_without_grade_5_is_rejected_with_advice() -> None:
    syncope = CRS.model_copy(update={"meddra_code": "10042772", "name": "Syncope", "soc": "Nervous system disorders"})
    given(reported(term=syncope, grade=3)).when(died(), facts()).then_rejected(GradeNotDefinedForTerm, "Death NOS")


def test_a_regrade_to_5_is_told_to_record_the_death() -> None:
    regrade = RegradeAdverseEvent(grade=5, since="2026-03-16")
    given(reported()).when(regrade, facts()).then_rejected(DeathFactsDisagree, "record-death")


def test_no_grade_follows_a_death() -> None:
    fatal = reported(grade=5, seriousness=("results-in-death",), outcome=Outcome.FATAL)
    regrade = RegradeAdverseEvent(grade=4, since="2026-03-16")
    given(fatal).when(regrade, facts()).then_rejected(DeathFactsDisagree, "correct the history")


# --- Regrade


def test_a_regrade_keeps_the_grade_before_it() -> None:
    regrade = RegradeAdverseEvent(grade=3, since="2026-03-16")
    given(reported()).when(regrade, facts()).then(regraded(2, 3, "2026-03-16"))
    record = given(reported(), regraded(2, 3, "2026-03-16"), regraded(3, 1, "2026-03-16")).state
    assert [(entry.grade, entry.since) for entry in record.grades] == [
        (2, "2026-03-15"),
        (3, "2026-03-16"),
        (1, "2026-03-16"),
    ]
    assert (record.grade, record.worst_grade) == (1, 3)


def test_the_same_regrade_twice_decides_to_nothing() -> None:
    regrade = RegradeAdverseEvent(grade=3, since="2026-03-16")
    given(reported(), regraded(2, 3, "2026-03-16")).when(regrade, facts()).then_nothing()


def test_a_regrade_to_the_grade_on_record_from_another_day_is_rejected() -> None:
    regrade = RegradeAdverseEvent(grade=2, since="2026-03-16")
    given(reported()).when(regrade, facts()).then_rejected(GradeAlreadyOnRecord, "grade 2 since 2026-03-15")


def test_a_regrade_stays_within_the_term() -> None:
    regrade = RegradeAdverseEvent(grade=2, since="2026-03-16")
    asystole = CRS.model_copy(update={"meddra_code": "10003586", "name": "Asystole", "soc": "Cardiac disorders"})
    given(reported(term=asystole, grade=4)).when(regrade, facts()).then_rejected(GradeNotDefinedForTerm)


# --- Causality


def test_an_opinion_replaces_the_one_about_the_same_agent_alone() -> None:
    definite = AgentCausality(agent="car-t-product", attribution="definite")
    assess = AssessCausality(causality=[definite, DISEASE])
    given(reported(causality=(CELLS, DISEASE))).when(assess, facts()).then(
        CausalityAssessed(**THESE, causality=(definite,))
    )
    record = given(reported(causality=(CELLS, DISEASE)), CausalityAssessed(**THESE, causality=(definite,))).state
    assert record.causality == (definite, DISEASE)


def test_the_same_opinion_twice_decides_to_nothing() -> None:
    given(reported(causality=(CELLS,))).when(AssessCausality(causality=[CELLS]), facts()).then_nothing()


@pytest.mark.parametrize(
    ("attribution", "related"),
    [("unrelated", False), ("unlikely", False), ("possible", True), ("probable", True), ("definite", True)],
)
def test_possible_and_above_is_related(attribution: str, related: bool) -> None:
    assert AgentCausality(agent="disease", attribution=attribution).attribution.is_related is related


# --- Resolve


def resolve(ended_on: str = "2026-03-16", outcome: Outcome = Outcome.RECOVERED) -> ResolveAdverseEvent:
    return ResolveAdverseEvent(ended_on=ended_on, outcome=outcome)


def test_an_event_is_resolved_once() -> None:
    given(reported()).when(resolve(), facts()).then(recovered())
    given(reported(), recovered()).when(resolve(), facts()).then_nothing()
    given(reported(), recovered()).when(resolve("2026-03-15"), facts()).then_rejected(AdverseEventAlreadyResolved)


def test_an_event_reported_as_recovered_learns_its_end() -> None:
    given(reported(outcome=Outcome.RECOVERED)).when(resolve(), facts()).then(recovered())


@pytest.mark.parametrize("outcome", [Outcome.NOT_RECOVERED, Outcome.RECOVERING, Outcome.UNKNOWN])
def test_an_event_that_goes_on_is_not_resolved(outcome: Outcome) -> None:
    given(reported()).when(resolve(outcome=outcome), facts()).then_rejected(NotAnEnd, "recovered")


def test_a_fatal_end_is_recorded_as_a_death() -> None:
    given(reported()).when(resolve(outcome=Outcome.FATAL), facts()).then_rejected(DeathFactsDisagree, "record-death")


# --- Retract


RETRACT = RetractAdverseEvent(reason="Entered for another participant")
RETRACTED = AdverseEventRetracted(**THESE, reason="Entered for another participant")


def test_a_retraction_ends_the_life_of_an_event() -> None:
    given(reported()).when(RETRACT, facts()).then(RETRACTED)
    given(reported(), RETRACTED).when(RETRACT, facts()).then_nothing()
    given(reported(), RETRACTED).when(resolve(), facts()).then_rejected(AdverseEventAlreadyRetracted)
    given(reported(), RETRACTED).when(a_report(), facts()).then_nothing()
    given(reported(), RETRACTED).when(a_report(grade=3), facts()).then_rejected(AdverseEventAlreadyReported)


def test_nothing_that_follows_changes_a_retracted_event() -> None:
    assert given(reported(), RETRACTED, recovered()).state == given(reported(), RETRACTED).state


# --- Whatever the command

LATER = [
    RegradeAdverseEvent(grade=3, since="2026-03-16"),
    ReassessSeriousness(seriousness=HOSPITALISED, became_aware_at=AWARE),
    AssessCausality(causality=[CELLS]),
    resolve(),
    died(),
    CorrectAdverseEvent(reason="Typing error", onset="2026-03-14"),
    RETRACT,
]


@pytest.mark.parametrize("command", LATER, ids=lambda command: type(command).__name__)
def test_a_later_command_needs_a_report(command: Command) -> None:
    given().when(command, facts()).then_rejected(NoSuchAdverseEvent)
    assert DECIDER.fold([recovered()]) == Unreported()


dates = st.sampled_from(["2026", "2026-03", "2026-03-13", "2026-03-14", "2026-03-15", "2026-03-16"])
sets = st.frozensets(st.sampled_from(Seriousness), max_size=3)
outcomes = st.sampled_from(Outcome)
opinions = st.lists(
    st.builds(
        AgentCausality,
        agent=st.sampled_from(PROTOCOL.causality.agents.value),
        attribution=st.sampled_from(["unrelated", "possible"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda opinion: opinion.agent,
)
grades = st.integers(min_value=1, max_value=5)
reports = st.builds(
    a_report,
    term=st.sampled_from(["Cytokine release syndrome", "Asystole", "Syncope"]),
    grade=grades,
    onset=dates,
    seriousness=sets,
    outcome=outcomes,
    causality=opinions,
)
reasons = st.just("Transcription error")
changes = st.one_of(
    st.builds(RegradeAdverseEvent, grade=grades, since=dates),
    st.builds(ReassessSeriousness, seriousness=sets, became_aware_at=st.just(AWARE)),
    st.builds(AssessCausality, causality=opinions),
    st.builds(ResolveAdverseEvent, ended_on=dates, outcome=outcomes),
    st.builds(RecordDeath, died_on=dates, became_aware_at=st.just(AWARE)),
    st.builds(CorrectAdverseEvent, reason=reasons, grade=st.none() | grades, onset=st.none() | dates, outcome=outcomes),
    st.builds(RetractAdverseEvent, reason=reasons),
)


@settings(max_examples=300)
@over(report=reports, later=st.lists(changes, max_size=6))
def test_the_same_command_twice_decides_to_nothing(report: ReportAdverseEvent, later: list[Command]) -> None:
    state: Any = DECIDER.initial
    decide: Any = DECIDER.decide
    for command in [report, *later]:
        try:
            decided = decide(command, state, facts())
        except TrialError:
            continue
        for event in decided:
            state = DECIDER.evolve(state, event)
        assert decide(command, state, facts()) == []
        if isinstance(state, OnRecord):
            says_death = {state.grade == 5, Seriousness.DEATH in state.seriousness, state.outcome is Outcome.FATAL}
            assert len(says_death) == 1
            assert [alert.number for alert in state.alerts] == list(range(1, len(state.alerts) + 1))
            assert bool(state.seriousness) <= bool(state.alerts)  # whatever is serious has raised an alert
