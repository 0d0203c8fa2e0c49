"""While dosing is halted nobody is enrolled: what safety decides, enrollment hears."""

from collections.abc import Sequence

import pytest

from services.enrollment import references
from shared.auth.local_issuer import LocalIssuer
from shared.contracts.safety_dose_limiting import StoppingReviewed, StoppingRuleTriggered
from shared.db import Database
from shared.kernel.actor import Role
from shared.kernel.events import Event
from shared.messaging import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from tests.services.enrollment.api.requests import UNTIL_ENROLLED
from tests.services.enrollment.api.test_participants import course
from tests.services.enrollment.builders import PROTOCOL, WHO
from tests.services.enrollment.conftest import CU, app_over, callers_of, do
from tests.shared.projection.support import an_envelope

RULE = "treatment-related-death"
FIRED = StoppingRuleTriggered(
    rule=RULE, number=1, participants=(WHO,), evaluable=1, posterior=None, protocol=PROTOCOL.ref
)
RESUMED = StoppingReviewed(rule=RULE, number=1, decision="resume", reason="The dose level was lowered")
STOPPED = StoppingReviewed(rule=RULE, number=1, decision="stop", reason="The trial ends")


async def hears(db: Database, *events: Event) -> None:
    applier = Applier(db, [references.PROJECTION])
    await ledger.register(db, applier.names)
    await applier.refresh()
    told = [an_envelope(event, "stopping-rules:CMD03", number, "CMD03") for number, event in enumerate(events, 1)]
    deliveries = [Delivery("trial.safety", 0, offset, envelope) for offset, envelope in enumerate(told)]
    await applier.apply(decoded(deliveries, applier.wanted))


@pytest.mark.parametrize(
    ("events", "halting"),
    [
        ([], []),
        ([FIRED], [RULE]),
        ([FIRED, STOPPED], [RULE]),
        ([FIRED, RESUMED], []),
        ([FIRED, RESUMED, FIRED], [RULE]),
    ],
)
async def test_nobody_is_enrolled_while_dosing_is_halted(
    either: Database, issuer: LocalIssuer, events: Sequence[Event], halting: list[str]
) -> None:
    caller = callers_of(app_over(either, issuer), issuer)
    coordinator = caller()
    assert (await caller(Role.SPONSOR).post("/v1/sites", json=CU)).status_code == 201
    await course(coordinator, UNTIL_ENROLLED[:-1])
    await hears(either, *events)
    assert [each["rule"] for each in (await coordinator.get("/v1/dosing-halts")).json()] == halting
    verb, body = UNTIL_ENROLLED[-1]
    answer = await do(coordinator, WHO, verb, body)
    if halting:
        assert (answer.status_code, answer.json()["type"]) == (409, "dosing-halted")
        assert RULE in answer.json()["detail"]
    else:
        assert answer.status_code == 200, answer.text
