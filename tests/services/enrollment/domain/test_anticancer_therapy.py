"""New anticancer therapy: when it may have begun, beside infusions and death, and how its record is put right."""

from uuid import uuid4

import pytest

from services.enrollment.domain.anticancer_therapy import (
    AnticancerTherapyAlreadyRecorded,
    NoSuchAnticancerTherapy,
    TherapyBeforeInfusion,
)
from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.life import AnticancerTherapy
from services.enrollment.domain.participant import ParticipantCommand
from shared.contracts.enrollment_anticancer_therapy import (
    AnticancerTherapyCorrected,
    AnticancerTherapyRecorded,
    AnticancerTherapyRetracted,
    TherapyKind,
)
from shared.kernel.errors import TrialError
from tests.services.enrollment.builders import (
    COURSES,
    ENROLLED,
    FACTS,
    INFUSED,
    PROTOCOL,
    THERAPY,
    WHO,
    death,
    infusion,
    infusion_correction,
    infusion_retraction,
    living,
    off_treatment,
    spec,
    therapy,
    therapy_correction,
    therapy_retraction,
    told,
)

TREATED = (*INFUSED, therapy())


def test_a_therapy_is_recorded_by_its_kind_and_as_far_as_its_date_is_known() -> None:
    spec.given(*told(*INFUSED)).when(therapy(), FACTS).then(
        AnticancerTherapyRecorded(
            participant_id=WHO,
            site_id="CU",
            therapy_id=THERAPY,
            kind=TherapyKind.RADIOTHERAPY,
            started_on="2026-05",
            protocol=PROTOCOL.ref,
        )
    )


@pytest.mark.parametrize(
    ("commands", "started_on", "refused"),
    [
        (INFUSED, "2026-03-16", None),  # the day of the infusion
        (INFUSED, "2026-03-15", TherapyBeforeInfusion),
        (INFUSED, "2026-03", None),  # the end of March is after it
        (INFUSED, "2026-02", TherapyBeforeInfusion),
        (INFUSED, "2027-06-01", None),  # today
        (INFUSED, "2027-06-02", InTheFuture),
        (INFUSED, "2027", None),
        ((*INFUSED, infusion("2026-05-11T09:00:00+07:00")), "2026-04", None),  # the first infusion counts
        (ENROLLED, "2026-05", NotAtThisPoint),
        ((*ENROLLED, off_treatment()), "2026-05", NotAtThisPoint),  # who was never infused
        (COURSES["died"], "2026-08-31", None),  # died in August
        (COURSES["died"], "2026-09-01", OutOfOrder),
        (COURSES["withdrawn"], "2026-06", None),
        (COURSES["completed"], "2027-05", None),
        (COURSES["screening"], "2026-05", NotAtThisPoint),
    ],
)
def test_a_new_therapy_begins_between_the_first_infusion_and_death(
    commands: tuple[ParticipantCommand, ...], started_on: str, refused: type[TrialError] | None
) -> None:
    when = spec.given(*told(*commands)).when(therapy(started_on), FACTS)
    if refused is None:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(refused)


def test_the_same_therapy_twice_decides_to_nothing_and_another_under_its_id_is_refused() -> None:
    spec.given(*told(*TREATED)).when(therapy(), FACTS).then_nothing()
    spec.given(*told(*TREATED)).when(therapy("2026-06"), FACTS).then_rejected(AnticancerTherapyAlreadyRecorded)
    gone = told(*TREATED, therapy_retraction())
    spec.given(*gone).when(therapy(), FACTS).then_rejected(AnticancerTherapyAlreadyRecorded)


def test_several_therapies_stand_side_by_side() -> None:
    other = uuid4()
    known = living(*TREATED, therapy("2026-06-01", therapy_id=other, kind="surgery")).anticancer_therapies
    assert known == {
        THERAPY: AnticancerTherapy(TherapyKind.RADIOTHERAPY, "2026-05"),
        other: AnticancerTherapy(TherapyKind.SURGERY, "2026-06-01"),
    }


def test_a_correction_says_all_of_it_and_why() -> None:
    corrected = AnticancerTherapyCorrected(
        participant_id=WHO,
        therapy_id=THERAPY,
        kind=TherapyKind.RADIOTHERAPY,
        started_on="2026-05-11",
        reason="The letter tells the day",
        protocol=PROTOCOL.ref,
    )
    spec.given(*told(*TREATED)).when(therapy_correction(), FACTS).then(corrected)
    spec.given(*told(*TREATED, therapy_correction())).when(therapy_correction(), FACTS).then_nothing()
    spec.given(*told(*TREATED)).when(therapy_correction("2026-03-15"), FACTS).then_rejected(TherapyBeforeInfusion)
    spec.given(*told(*INFUSED)).when(therapy_correction(), FACTS).then_rejected(NoSuchAnticancerTherapy)


def test_a_retracted_therapy_is_gone_once() -> None:
    retracted = AnticancerTherapyRetracted(
        participant_id=WHO, therapy_id=THERAPY, reason="Entered for the wrong participant", protocol=PROTOCOL.ref
    )
    spec.given(*told(*TREATED)).when(therapy_retraction(), FACTS).then(retracted)
    assert living(*TREATED, therapy_retraction()).anticancer_therapies == {}
    spec.given(*told(*TREATED, therapy_retraction())).when(therapy_retraction(), FACTS).then_nothing()
    spec.given(*told(*INFUSED)).when(therapy_retraction(), FACTS).then_rejected(NoSuchAnticancerTherapy)


@pytest.mark.parametrize(
    ("commands", "command", "refused"),
    [
        (TREATED, infusion_correction(start="2026-06-01T10:00:00+07:00"), True),  # after all of May
        (TREATED, infusion_correction(start="2026-05-31T10:00:00+07:00"), False),
        ((*TREATED, infusion_retraction()), infusion("2026-06-01T10:00:00+07:00"), True),
        (TREATED, infusion("2026-06-01T10:00:00+07:00"), False),  # a second one: the first still lies before
        (TREATED, death("2026-04"), True),
        (TREATED, death("2026-05"), False),
        (TREATED, off_treatment("2026-04"), False),  # why else would a therapy be begun
    ],
)
def test_what_else_is_recorded_or_corrected_keeps_that_order(
    commands: tuple[ParticipantCommand, ...], command: ParticipantCommand, refused: bool
) -> None:
    when = spec.given(*told(*commands)).when(command, FACTS)
    if refused:
        when.then_rejected(OutOfOrder)
    else:
        assert len(when.decide()) == 1
