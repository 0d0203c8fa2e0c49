"""Lesions: which may be targets, and how a wrong entry is mended."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.efficacy.domain.lesions import (
    BaselineAlreadyAssessed,
    CorrectLesion,
    IdentifyLesion,
    LabelTaken,
    LesionAlreadyIdentified,
    LesionWasRetracted,
    NoSuchLesion,
    RetractLesion,
    TooManyTargets,
    TooManyTargetsInOneOrgan,
)
from services.efficacy.domain.naming import AnotherIdInTheBody
from services.efficacy.domain.tumour_burden import DECIDER
from shared.contracts.efficacy import LesionCorrected, LesionIdentified, LesionRetracted
from shared.contracts.efficacy_terms import LesionDescription, LesionRole
from shared.kernel.events import Event
from tests.services.efficacy.domain.builders import FACTS, PARTICIPANT, a_baseline, a_lesion, an_id
from tests.specs import Given, Spec

spec = Spec(DECIDER)


def identified(label: str = "T01", **given: Any) -> LesionIdentified:
    command = a_lesion(label, **given)
    return LesionIdentified(participant_id=PARTICIPANT, lesion_id=an_id(label), lesion=command.lesion)


def corrected_to(label: str = "T01", **given: Any) -> CorrectLesion:
    command = a_lesion(label, **given).model_dump()
    return CorrectLesion(**command, reason="Read from another report")


def after(*history: Event) -> Given:
    return spec.given(*history)


def with_baseline(*history: Event, targets: str) -> Given:
    return after(*history, *after(*history).when(a_baseline(targets, non_target="cr"), FACTS).decide())


RETRACTED = LesionRetracted(participant_id=PARTICIPANT, lesion_id=an_id("T01"), reason="Wrong participant")


def test_a_target_lesion_is_identified_before_the_baseline() -> None:
    after().when(a_lesion(laterality="left"), FACTS).then(identified(laterality="left"))


def test_the_same_lesion_twice_decides_to_nothing() -> None:
    after(identified()).when(a_lesion(), FACTS).then_nothing()


def test_the_same_lesion_sent_again_after_its_correction_decides_to_nothing() -> None:
    correction = corrected_to(organ="kidney")
    history = identified(), *after(identified()).when(correction, FACTS).decide()
    after(*history).when(a_lesion(), FACTS).then_nothing()
    after(*history).when(correction, FACTS).then_nothing()


def test_another_lesion_under_the_same_id_is_rejected() -> None:
    after(identified()).when(a_lesion(organ="kidney"), FACTS).then_rejected(LesionAlreadyIdentified)


def test_a_label_belongs_to_one_lesion() -> None:
    other = IdentifyLesion(lesion_id=an_id("other"), label="T01", role=LesionRole.NON_TARGET, organ="lung")
    after(identified()).when(other, FACTS).then_rejected(LabelTaken)
    after(identified(), RETRACTED).when(other, FACTS).then(
        LesionIdentified(participant_id=PARTICIPANT, lesion_id=an_id("other"), lesion=other.lesion)
    )


def test_five_targets_are_allowed_and_a_sixth_is_not() -> None:
    five = [identified(f"T0{n}", organ=o) for n, o in enumerate(("liver", "lung", "bone", "kidney", "brain"), start=1)]
    after(*five[:4]).when(a_lesion("T05", organ="brain"), FACTS).then(five[4])
    after(*five).when(a_lesion("T06", organ="skin"), FACTS).then_rejected(TooManyTargets, match="5 target lesions")


def test_two_targets_of_one_organ_are_allowed_and_a_third_is_not() -> None:
    two = identified("T01"), identified("T02", laterality="right")
    after(two[0]).when(a_lesion("T02", laterality="right"), FACTS).then(two[1])
    after(*two).when(a_lesion("T03"), FACTS).then_rejected(TooManyTargetsInOneOrgan, match="2 target lesions")
    after(*two).when(a_lesion("T03", organ="lung"), FACTS).then(identified("T03", organ="lung"))


def test_a_retracted_target_makes_room_for_another() -> None:
    two = identified("T01"), identified("T02")
    after(*two, RETRACTED).when(a_lesion("T03"), FACTS).then(identified("T03"))


def test_lymph_nodes_are_one_organ_wherever_they_lie() -> None:
    nodes = identified("N1", organ="mediastinum", node=True), identified("N2", organ="lymph-node", node=True)
    third = a_lesion("N3", organ="retroperitoneum", node=True)
    after(*nodes).when(third, FACTS).then_rejected(TooManyTargetsInOneOrgan)
    mass = a_lesion("T1", organ="mediastinum")
    after(*nodes).when(mass, FACTS).then(identified("T1", organ="mediastinum"))


def test_other_organs_are_told_apart_by_their_words() -> None:
    diaphragm = {"organ": "other", "organ_text": "Diaphragm"}
    two = identified("T01", **diaphragm), identified("T02", organ="other", organ_text="diaphragm")
    after(*two).when(a_lesion("T03", **diaphragm), FACTS).then_rejected(TooManyTargetsInOneOrgan)
    larynx = a_lesion("T03", organ="other", organ_text="Larynx")
    after(*two).when(larynx, FACTS).then(identified("T03", organ="other", organ_text="Larynx"))


def test_non_target_lesions_are_not_limited() -> None:
    many = [identified(f"NT{n}", role="non-target") for n in range(9)]
    after(*many).when(a_lesion("NT9", role="non-target"), FACTS).then(identified("NT9", role="non-target"))


def test_after_the_baseline_no_lesion_is_identified() -> None:
    with_baseline(identified(), targets="T01=60x40").when(a_lesion("T02"), FACTS).then_rejected(BaselineAlreadyAssessed)


def test_a_lesion_is_corrected_with_a_reason() -> None:
    correction = corrected_to(organ="kidney", laterality="left")
    after(identified()).when(correction, FACTS).then(
        LesionCorrected(
            participant_id=PARTICIPANT,
            lesion_id=an_id("T01"),
            lesion=LesionDescription(label="T01", role=LesionRole.TARGET, organ="kidney", laterality="left"),
            reason="Read from another report",
        )
    )


def test_a_correction_obeys_the_limits_of_the_protocol() -> None:
    three = identified("T01"), identified("T02"), identified("T03", organ="lung")
    after(*three).when(corrected_to("T03", organ="liver"), FACTS).then_rejected(TooManyTargetsInOneOrgan)


def test_a_lesion_keeps_its_role_once_the_baseline_is_assessed() -> None:
    assessed = with_baseline(identified(), targets="T01=60x40")
    assessed.when(corrected_to(role="non-target"), FACTS).then_rejected(BaselineAlreadyAssessed)
    after(identified()).when(corrected_to(role="non-target"), FACTS).then(
        LesionCorrected(
            participant_id=PARTICIPANT,
            lesion_id=an_id("T01"),
            lesion=LesionDescription(label="T01", role=LesionRole.NON_TARGET, organ="liver"),
            reason="Read from another report",
        )
    )


def test_a_retracted_lesion_stays_retracted() -> None:
    command = RetractLesion(reason="Wrong participant").about(an_id("T01"))
    after(identified()).when(command, FACTS).then(RETRACTED)
    after(identified(), RETRACTED).when(command, FACTS).then_nothing()
    after(identified(), RETRACTED).when(corrected_to(organ="lung"), FACTS).then_rejected(LesionWasRetracted)


def test_a_lesion_nobody_identified_is_not_found() -> None:
    after().when(corrected_to(), FACTS).then_rejected(NoSuchLesion)
    after().when(RetractLesion(lesion_id=an_id("T01"), reason="Error"), FACTS).then_rejected(NoSuchLesion)


def test_the_id_in_the_body_agrees_with_the_path() -> None:
    command = RetractLesion(lesion_id=an_id("T01"), reason="Error")
    assert command.about(an_id("T01")) == command
    with pytest.raises(AnotherIdInTheBody):
        command.about(an_id("T02"))
    with pytest.raises(LookupError):
        after().when(RetractLesion(reason="Error"), FACTS).decide()


@pytest.mark.parametrize(
    "place", [{"organ": "other"}, {"organ": "liver", "organ_text": "Liver"}, {"organ": "lymph-node", "node": False}]
)
def test_the_place_of_a_lesion_is_whole(place: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_lesion(**place)
