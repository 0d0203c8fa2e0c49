"""What was assessed, and when: the dates by which visits are done."""

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

from services.projector.reading import Reading
from services.projector.readmodels import cytokine_panels, flow_results, participants, responses
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.terms import earliest
from shared.protocol import Assessment

OF_VISITS = (
    participants.PROJECTION,
    responses.PROJECTION,
    flow_results.PROJECTION,
    cytokine_panels.PROJECTION,
)


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
