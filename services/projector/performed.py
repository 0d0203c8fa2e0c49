"""What was assessed, and when: the dates by which visits are done, and contacts after the visits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.projector.domain.participant_schedule import Reached, reached
from services.projector.reading import Reading
from services.projector.readmodels import consents, cytokine_panels, flow_results, participants, responses, timeline
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.enrollment_follow_up import FollowUpContactRecorded, FollowUpContactRetracted
from shared.contracts.terms import earliest
from shared.protocol import Assessment

OF_VISITS = (
    participants.PROJECTION,
    responses.PROJECTION,
    flow_results.PROJECTION,
    cytokine_panels.PROJECTION,
    consents.PROJECTION,
)

OF_SCHEDULES = (*OF_VISITS, timeline.PROJECTION)

Contacts = Mapping[UUID, Sequence[Reached]]


async def contacts(reading: Reading) -> Contacts:
    """The contacts of long-term follow-up that stand, of each participant."""
    told = await timeline.told(reading.connection, (FollowUpContactRecorded, FollowUpContactRetracted))
    return {who: reached(events) for who, events in told.items()}


async def performed_of(reading: Reading) -> dict[tuple[UUID, Assessment], list[datetime | date]]:
    """The assessments that stand of everybody infused. Adverse events are collected all the time: none of theirs."""
    performed: dict[tuple[UUID, Assessment], list[datetime | date]] = defaultdict(list)
    for read in await responses.that_count(reading.connection, reading.scope, Evaluator.INVESTIGATOR):
        performed[read["participant_id"], Assessment.RESPONSE].append(earliest(read["assessed_on"]))
    for drawn in await flow_results.that_count(reading.connection, reading.scope, FlowSpecimenType.BLOOD):
        performed[drawn["participant_id"], Assessment.CAR_T_FLOW].append(drawn["collected_at"])
    for drawn in await cytokine_panels.that_count(reading.connection, reading.scope):
        performed[drawn["participant_id"], Assessment.CYTOKINES].append(drawn["collected_at"])
    return performed
