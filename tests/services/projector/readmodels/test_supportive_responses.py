"""What other sets of criteria say beside the one that decides: as they were last computed, and no longer."""

from sqlalchemy import select

from services.projector.readmodels.responses import supportive
from shared.contracts.efficacy import SupportiveResponsesAssigned
from shared.contracts.efficacy_terms import Evaluator, Response, ResponseBasis, SupportiveResponse
from tests.services.projector.chronicle import PROTOCOL, Chronicle, named
from tests.services.projector.house import House


def told(child_id: str, **responses: Response) -> SupportiveResponsesAssigned:
    return SupportiveResponsesAssigned(
        participant_id=named(child_id),
        assessment_id=named("month 1"),
        evaluator=Evaluator.INVESTIGATOR,
        assessed_on="2026-02-04",
        visit=None,
        responses=tuple(
            SupportiveResponse(
                criteria=name,
                response=response,
                rule="stable",
                explanation="",
                basis=ResponseBasis(measure="sum-of-both-diameters", unit="mm"),
            )
            for name, response in responses.items()
        ),
        protocol=PROTOCOL.ref,
    )


async def test_a_set_that_is_no_longer_computed_says_nothing_any_more(any_house: House) -> None:
    chronicle = Chronicle()
    stream = f"tumour-burden:{named('CU-001')}"
    chronicle.tell(stream, told("CU-001", RECIST_1_1=Response.PR, INRC_2017=Response.MR))
    await any_house.hears(chronicle.told)
    assert await kept(any_house) == {"RECIST_1_1": "PR", "INRC_2017": "MR"}
    chronicle.tell(stream, told("CU-001", RECIST_1_1=Response.SD, RAPNO_MEDULLOBLASTOMA=Response.SD))
    await any_house.hears(chronicle.told)
    assert await kept(any_house) == {"RECIST_1_1": "SD", "RAPNO_MEDULLOBLASTOMA": "SD"}


async def kept(house: House) -> dict[str, str]:
    async with house.db.connect() as connection:
        rows = (await connection.execute(select(supportive))).all()
    return {row.criteria: row.response for row in rows}
