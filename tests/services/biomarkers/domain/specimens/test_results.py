"""What a result may name as its specimen, and what readers learn of it later."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.biomarkers.domain.specimens import results
from services.biomarkers.domain.specimens.custody import State, Unrecorded
from services.biomarkers.domain.specimens.specimen import DECIDER
from shared.contracts import biomarkers_specimens as told
from shared.contracts.specimen_flags import SpecimenFlag
from shared.kernel.errors import TrialError
from tests.services.biomarkers.reports import DRAWN, PARTICIPANT
from tests.services.biomarkers.specimen_steps import (
    ANALYSED,
    COLLECTED,
    LOST,
    MADE,
    NOT_COLLECTED,
    RECEIVED,
    REJECTED,
    SHIPPED,
    WITHDRAWN,
    a_collection,
    a_receipt,
    after,
    event,
    retracted,
)

AT = datetime.fromisoformat(DRAWN)


def folded(*events: Any) -> State:
    return DECIDER.fold(events)


def named(state: State, origin: State | None = None, **given: Any) -> list[Any]:
    asked = {"participant_id": PARTICIPANT, "result": ANALYSED.result, "type_": "blood", "collected_at": AT}
    return results.named(state, origin or state, **{**asked, **given})


def test_a_result_makes_its_specimen_analysed_once() -> None:
    assert named(folded(COLLECTED, RECEIVED)) == [ANALYSED]
    assert named(folded(COLLECTED, RECEIVED, ANALYSED)) == []


def test_a_correction_that_keeps_a_specimen_rejected_meanwhile_is_taken() -> None:
    assert named(folded(COLLECTED, RECEIVED, ANALYSED, REJECTED)) == []


@pytest.mark.parametrize(
    ("history", "error"),
    [
        ([], results.NoSpecimenOfParticipant),
        ([NOT_COLLECTED], results.NoSpecimenOfParticipant),
        ([COLLECTED, retracted(1)], results.NoSpecimenOfParticipant),
        ([COLLECTED], results.SpecimenNotAtLaboratory),
        ([COLLECTED, RECEIVED, SHIPPED], results.SpecimenNotAtLaboratory),
        ([COLLECTED, RECEIVED, LOST], results.SpecimenNotAtLaboratory),
        ([COLLECTED, RECEIVED, REJECTED], results.SpecimenIsRejected),
    ],
)
def test_what_cannot_be_measured_gives_no_result(history: list[Any], error: type[TrialError]) -> None:
    with pytest.raises(error):
        named(folded(*history))


def test_another_participants_specimen_is_as_unknown_as_none() -> None:
    with pytest.raises(results.NoSpecimenOfParticipant):
        named(folded(COLLECTED, RECEIVED), participant_id=UUID(int=7))


@pytest.mark.parametrize(
    ("report", "fits"),
    [
        ({}, True),
        ({"type_": "serum"}, True),  # of a tube of blood
        ({"type_": "cerebrospinal-fluid"}, False),
        ({"collected_at": datetime.fromisoformat("2026-03-09T01:30:00+00:00")}, True),  # the same instant
        ({"collected_at": datetime.fromisoformat(after(1))}, False),
    ],
)
def test_the_report_tells_what_is_on_record_of_the_specimen(report: dict[str, Any], fits: bool) -> None:
    for history in ([COLLECTED, RECEIVED], [COLLECTED, RECEIVED, ANALYSED]):
        if fits:
            named(folded(*history), **report)
        else:
            with pytest.raises(results.SpecimenDiffers):
                named(folded(*history), **report)


def test_a_tube_has_its_time_from_what_it_was_made_of() -> None:
    tube, origin = folded(MADE), folded(COLLECTED)
    assert [each.specimen_id for each in named(tube, origin, type_="serum")] == [MADE.specimen_id]
    for wrong in ({"type_": "blood"}, {"type_": "serum", "collected_at": datetime.fromisoformat(after(1))}):
        with pytest.raises(results.SpecimenDiffers):
            named(tube, origin, **wrong)
    with pytest.raises(results.SpecimenDiffers):
        named(tube, folded(COLLECTED, retracted(1)), type_="serum")
    with pytest.raises(results.SpecimenDiffers):
        named(tube, Unrecorded(), type_="serum")


def test_a_result_that_is_cancelled_is_no_analysis_any_more() -> None:
    assert results.no_longer_named(folded(COLLECTED, RECEIVED, ANALYSED), ANALYSED.result) == [WITHDRAWN]
    assert results.no_longer_named(folded(COLLECTED, RECEIVED), ANALYSED.result) == []
    assert results.no_longer_named(Unrecorded(), ANALYSED.result) == []


POOR = event(told.SpecimenReceived, receipt=a_receipt(condition="haemolysed"))
LATER = event(
    told.SpecimenStepCorrected, step=1, details=a_collection(collected_at=after(-1)), reason="Read from the tube"
)


@pytest.mark.parametrize(
    ("history", "flags"),
    [
        ([COLLECTED, RECEIVED, ANALYSED], ()),
        ([COLLECTED, RECEIVED, ANALYSED, REJECTED], (SpecimenFlag.SPECIMEN_REJECTED,)),
        ([COLLECTED, RECEIVED, ANALYSED, LOST], (SpecimenFlag.SPECIMEN_LOST,)),
        ([COLLECTED, POOR, ANALYSED], (SpecimenFlag.POOR_CONDITION,)),
        ([COLLECTED, RECEIVED, ANALYSED, LATER], (SpecimenFlag.SPECIMEN_DIFFERS,)),
    ],
)
def test_readers_see_what_became_of_the_specimen(history: list[Any], flags: tuple[SpecimenFlag, ...]) -> None:
    state = folded(*history)
    assert results.flags(state, state, type_="blood", collected_at=AT) == flags


def test_a_result_without_a_specimen_says_so() -> None:
    assert results.flags(None, None, type_="blood", collected_at=AT) == (SpecimenFlag.NO_SPECIMEN,)
