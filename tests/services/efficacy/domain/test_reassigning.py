"""Responses assigned anew because other criteria decide, though nobody has changed the record."""

from dataclasses import replace

from services.efficacy.domain.burden import EfficacyEvent
from services.efficacy.domain.criteria import TrialCriteria
from services.efficacy.domain.tumour_burden import DECIDER, ReassignResponses
from shared.contracts.efficacy import OverrideBasisChanged, ResponseAssigned, SupportiveResponsesAssigned
from shared.contracts.efficacy_terms import Response
from tests.services.efficacy.domain.builders import FACTS, PROTOCOL, a_baseline, a_lesion, an_assessment, an_id
from tests.services.efficacy.domain.test_overrides import an_override

OF_NEUROBLASTOMA = TrialCriteria(PROTOCOL).of("neuroblastoma")
OF_MEDULLOBLASTOMA = TrialCriteria(PROTOCOL).of("medulloblastoma")
NEUROBLASTOMA = replace(FACTS, supportive=OF_NEUROBLASTOMA.supportive)
MEDULLOBLASTOMA = replace(FACTS, supportive=OF_MEDULLOBLASTOMA.supportive)
RECIST = next(each for each in OF_NEUROBLASTOMA.supportive if each.name == "RECIST_1_1")


def recorded() -> list[EfficacyEvent]:
    """60 x 40 mm, and 76 x 50 a month later."""
    history: list[EfficacyEvent] = []
    for command in (a_lesion(), a_baseline(), an_assessment(targets="T01=76x50")):
        history += DECIDER.decide(command, DECIDER.fold(history), NEUROBLASTOMA)
    return history


def test_the_same_criteria_decide_to_nothing() -> None:
    assert DECIDER.decide(ReassignResponses(), DECIDER.fold(recorded()), NEUROBLASTOMA) == []
    assert DECIDER.decide(ReassignResponses(), DECIDER.fold([]), NEUROBLASTOMA) == []


def test_another_diagnosis_changes_what_stands_beside_the_response_once() -> None:
    history = recorded()
    told = DECIDER.decide(ReassignResponses(), DECIDER.fold(history), MEDULLOBLASTOMA)
    (beside,) = told
    assert isinstance(beside, SupportiveResponsesAssigned)
    assert [each.criteria for each in beside.responses] == [each.name for each in OF_MEDULLOBLASTOMA.supportive]
    assert DECIDER.decide(ReassignResponses(), DECIDER.fold([*history, *told]), MEDULLOBLASTOMA) == []


def test_where_no_set_is_computed_beside_any_more_that_is_said_once() -> None:
    history, alone = recorded(), replace(FACTS, supportive=())
    (beside,) = told = DECIDER.decide(ReassignResponses(), DECIDER.fold(history), alone)
    assert isinstance(beside, SupportiveResponsesAssigned)
    assert beside.responses == ()
    assert DECIDER.decide(ReassignResponses(), DECIDER.fold([*history, *told]), alone) == []


def test_another_set_that_decides_assigns_anew_and_an_override_rests_on_less() -> None:
    history = recorded()
    history += DECIDER.decide(an_override(), DECIDER.fold(history), NEUROBLASTOMA)
    deciding = replace(NEUROBLASTOMA, criteria=RECIST)
    assigned, basis, *_ = DECIDER.decide(ReassignResponses(), DECIDER.fold(history), deciding)
    assert isinstance(assigned, ResponseAssigned)
    assert (assigned.criteria, assigned.response, assigned.supersedes) == ("RECIST_1_1", Response.PD, Response.PD)
    assert isinstance(basis, OverrideBasisChanged)
    assert basis.assessment_id == an_id("month 1")
