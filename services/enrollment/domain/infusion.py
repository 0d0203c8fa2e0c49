"""Infusions: given, corrected, retracted. The first is day 0 of the protocol's schedule.

Cells are viable CAR-positive T cells. Where the protocol doses in cells, lot, weight and cells are all required, and
the total must be what cells per kg and weight give, within the protocol's tolerance: a slip of the unit is caught
before it becomes a dose on record.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from services.enrollment.domain.consent import consent_of
from services.enrollment.domain.facts import Facts, NotAtThisPoint, OutOfOrder, refuse_future_instant
from services.enrollment.domain.life import Infusion, Participant, part_of
from services.enrollment.domain.treatment_order import out_of_order
from shared.contracts.enrollment import CellsInfused, InfusionCorrected, InfusionRetracted, ParticipantEvent
from shared.contracts.enrollment_terms import ConsentGap, ConsentScope, ParticipantStatus, Route
from shared.contracts.terms import Code, Instant, Measurement, Reason, latest
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol import Protocol
from shared.protocol.schedule import anchor_of

Positive = Annotated[Measurement, Field(gt=0)]


class InfusionDetails(Command):
    """One infusion, as it was given. Cells are viable CAR-positive T cells."""

    started_at: Instant
    ended_at: Instant
    route: Route
    lot: Code | None = None
    weight_kg: Positive | None = Field(None, description="the body weight that the dose was made for")
    cells_per_kg: Positive | None = Field(None, examples=["1000000"])
    total_car_positive_cells: Positive | None = Field(None, examples=["18500000"])

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ended_at < self.started_at:
            raise ValueError("ended_at lies before started_at")
        return self


class RecordInfusion(InfusionDetails):
    """Record an infusion that was given to an enrolled participant. It gets the next number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "started_at": "2026-03-16T10:00:00+07:00",
                    "ended_at": "2026-03-16T10:20:00+07:00",
                    "route": "intravenous",
                    "lot": "CMD03-0007",
                    "weight_kg": "18.5",
                    "cells_per_kg": "500000",
                    "total_car_positive_cells": "9250000",
                }
            ]
        }
    )


class CorrectInfusion(InfusionDetails):
    """Correct the record of one infusion: send all of it, as it should have been."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "infusion_number": 1,
                    "started_at": "2026-03-16T10:05:00+07:00",
                    "ended_at": "2026-03-16T10:20:00+07:00",
                    "route": "intravenous",
                    "lot": "CMD03-0007",
                    "weight_kg": "18.5",
                    "cells_per_kg": "500000",
                    "total_car_positive_cells": "9250000",
                    "reason": "Start time read off the pump log",
                }
            ]
        }
    )

    infusion_number: int = Field(strict=True, ge=1)
    reason: Reason


class RetractInfusion(Command):
    """Take back the last infusion on record, which never took place."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"infusion_number": 1, "reason": "Entered for the wrong participant"}]}
    )

    infusion_number: int = Field(strict=True, ge=1)
    reason: Reason


class DoseIncomplete(Unacceptable):
    """The protocol doses in cells: lot, weight, cells per kg and total CAR-positive cells are all needed."""


class DoseDisagrees(Unacceptable):
    """The total is not what cells per kg and weight give: one of the three is wrong."""


class InfusionBeforeEnrolment(Conflict):
    """The infusion would lie before the enrolment: correct the one that is wrong."""


class InfusionOutOfOrder(Conflict):
    """Infusions are recorded in the order in which they were given, and do not overlap."""


class InfusionBeforeLymphodepletion(Conflict):
    """The infusion and a lymphodepletion on record are out of order: correct the one that is wrong."""


class NoSuchInfusion(NotFound):
    """No infusion is on record under this number."""


class NotTheLastInfusion(Conflict):
    """Only the last infusion can be retracted, so that the numbers of the others stay what they were."""


def refuse_a_dose_that_disagrees(infusion: Infusion, protocol: Protocol) -> None:
    """Check that the dose is complete and agrees with itself.

    total = cells per kg x weight (kg), within `total_cells_tolerance_percent` of that product, the limit itself
    included. Where the protocol has no dosing in cells, a dose that is not given is not asked for.
    """
    parts = (infusion.weight_kg, infusion.cells_per_kg, infusion.total_car_positive_cells)
    weight, per_kg, total = parts
    if weight is None or per_kg is None or total is None or infusion.lot is None:
        if protocol.dosing is not None:
            raise DoseIncomplete("send lot, weight_kg, cells_per_kg and total_car_positive_cells: none may be missing")
        return
    tolerance = protocol.dosing.total_cells_tolerance_percent.value if protocol.dosing is not None else Decimal(0)
    product = per_kg * weight
    if abs(total - product) * 100 > tolerance * product:
        raise DoseDisagrees(
            f"total_car_positive_cells must be cells_per_kg x weight_kg within {tolerance} %; check all three"
        )


def record(command: RecordInfusion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    infusion, number = part_of(Infusion, command), len(participant.infusions) + 1
    _check(infusion, number, participant, facts)
    return [
        CellsInfused(
            participant_id=participant.participant_id,
            site_id=participant.site_id,
            infusion_number=number,
            day_zero=_anchor((*participant.infusions, infusion), facts.protocol),
            consent_gaps=_consent_gaps(infusion, participant, facts),
            status=ParticipantStatus.INFUSED,
            protocol=facts.protocol.ref,
            **command.model_dump(),
        )
    ]


def correct(command: CorrectInfusion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    number = command.infusion_number
    if number > len(participant.infusions):
        raise NoSuchInfusion(f"there is no infusion {number} on record")
    infusion = part_of(Infusion, command)
    if participant.infusions[number - 1] == infusion:
        return []
    _check(infusion, number, participant, facts)
    infusions = (*participant.infusions[: number - 1], infusion, *participant.infusions[number:])
    return [
        InfusionCorrected(
            participant_id=participant.participant_id,
            day_zero=_anchor(infusions, facts.protocol),
            consent_gaps=_consent_gaps(infusion, participant, facts),
            protocol=facts.protocol.ref,
            **command.model_dump(),
        )
    ]


def _consent_gaps(infusion: Infusion, participant: Participant, facts: Facts) -> tuple[ConsentGap, ...]:
    """What was given is on record all the same, and says what its consent lacked."""
    given_on = participant.day_of(infusion.started_at)
    return consent_of(participant, facts).gaps(given_on, ConsentScope.TREATMENT)


def retract(command: RetractInfusion, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    number, on_record = command.infusion_number, len(participant.infusions)
    if number > on_record and number in participant.retracted_infusions:
        return []
    if number > on_record:
        raise NoSuchInfusion(f"there is no infusion {number} on record")
    if number < on_record:
        raise NotTheLastInfusion(f"retract infusion {on_record} first, or correct infusion {number}")
    left = participant.infusions[:-1]
    return [
        InfusionRetracted(
            participant_id=participant.participant_id,
            infusion_number=number,
            day_zero=day_zero(left, facts.protocol),
            reason=command.reason,
            status=replace(participant, infusions=left).status,
            protocol=facts.protocol.ref,
        )
    ]


def day_zero(infusions: Sequence[Infusion], protocol: Protocol) -> datetime | None:
    """The instant from which the schedule counts; None before the first infusion.

    The protocol says whether an infusion's start or end counts, and whether a further infusion begins anew.
    """
    return _anchor(infusions, protocol) if infusions else None


def _anchor(infusions: Sequence[Infusion], protocol: Protocol) -> datetime:
    again = protocol.schedule.second_infusion_reanchors.value
    counting = infusions[-1 if again else 0]
    return anchor_of(protocol, counting.started_at, counting.ended_at) or counting.started_at


def _check(infusion: Infusion, number: int, participant: Participant, facts: Facts) -> None:
    refuse_future_instant(infusion.ended_at, facts)
    refuse_a_dose_that_disagrees(infusion, facts.protocol)
    enrolment, given_on = participant.enrolment, participant.day_of(infusion.started_at)
    if enrolment is None:
        raise NotAtThisPoint("an infusion is recorded for a participant who is enrolled")
    if given_on < enrolment.enrolled_on:
        raise InfusionBeforeEnrolment("the infusion would lie before the enrolment")
    if any(given_on > latest(ending.on) for ending in participant.endings):
        raise OutOfOrder("the infusion would lie after the end of treatment on record")
    earlier, later = participant.infusions[: number - 1], participant.infusions[number:]
    if any(infusion.started_at < other.ended_at for other in earlier):
        raise InfusionOutOfOrder("the infusion would begin before the one before it had ended")
    if any(infusion.ended_at > other.started_at for other in later):
        raise InfusionOutOfOrder("the infusion would end after the next one had begun")
    given, begun = (*earlier, infusion, *later), participant.anticancer_therapies.values()
    if any(latest(each.started_on) < participant.day_of(given[0].started_at) for each in begun):
        raise OutOfOrder("a new anticancer therapy on record would lie before the first infusion")
    for course in participant.lymphodepletions.values():
        contradiction = out_of_order(course, given, participant)
        if contradiction is not None:
            raise InfusionBeforeLymphodepletion(contradiction)
