"""An alert after it was raised: delivered once, acknowledged once, and named by its event and number."""

from datetime import timedelta
from typing import Any

import pytest

from services.safety.domain.adverse_event import DECIDER as ADVERSE_EVENT
from services.safety.domain.alert import (
    DECIDER,
    AcknowledgeAlert,
    AlertAlreadyAcknowledged,
    NoSuchAlert,
    RecordDelivery,
    event_of,
    raised_in,
)
from services.safety.domain.alert_message import message_of
from shared.contracts.safety import AdverseEventRetracted, AlertAcknowledged, AlertDelivered
from tests.services.safety.builders import CHILD, EVENT, NOW, raised, reported
from tests.specs import Spec

given = Spec(DECIDER).given
ALERT = raised()
THESE: dict[str, Any] = {"alert_id": f"{EVENT}-1", "adverse_event_id": EVENT, "participant_id": CHILD}
DELIVERED = AlertDelivered(**THESE, channel="webhook", delivered_at=NOW)
ACKNOWLEDGED = AlertAcknowledged(**THESE, note="Called the site")
TAKE = AcknowledgeAlert(note="Called the site")


def test_a_delivery_is_recorded_once() -> None:
    given().when(RecordDelivery(delivered_at=NOW), ALERT).then(DELIVERED)
    given(DELIVERED).when(RecordDelivery(delivered_at=NOW + timedelta(hours=1)), ALERT).then_nothing()


def test_an_alert_is_acknowledged_whether_or_not_it_was_delivered() -> None:
    given().when(TAKE, ALERT).then(ACKNOWLEDGED)
    given(DELIVERED).when(TAKE, ALERT).then(ACKNOWLEDGED)
    given(ACKNOWLEDGED).when(RecordDelivery(delivered_at=NOW), ALERT).then(DELIVERED)


def test_an_alert_is_acknowledged_once() -> None:
    given(ACKNOWLEDGED).when(TAKE, ALERT).then_nothing()
    given(ACKNOWLEDGED).when(AcknowledgeAlert(), ALERT).then_rejected(AlertAlreadyAcknowledged, "history")


def test_an_alerts_id_leads_to_its_event_and_the_event_to_its_alerts() -> None:
    assert event_of(ALERT.alert_id) == EVENT
    history: list[Any] = [reported(seriousness=("hospitalisation",)), ALERT]
    assert raised_in(ADVERSE_EVENT.fold(history), f"{EVENT}-1") == ALERT
    retracted = AdverseEventRetracted(adverse_event_id=EVENT, participant_id=CHILD, reason="Duplicate")
    assert raised_in(ADVERSE_EVENT.fold([*history, retracted]), f"{EVENT}-1") == ALERT


@pytest.mark.parametrize("history", [[], [reported()], [reported(), ALERT]])
def test_an_alert_that_was_not_raised_is_not_found(history: list[Any]) -> None:
    with pytest.raises(NoSuchAlert):
        raised_in(ADVERSE_EVENT.fold(history), f"{EVENT}-2")


def test_a_message_carries_ids_site_grade_and_due_instants_alone() -> None:
    message = message_of(ALERT, NOW)
    told = message.model_dump(mode="json")["data"]
    assert set(told) == {"alert_id", "number", "adverse_event_id", "participant_id", "site_id", "grade", "due"}
    assert [set(due) for due in told["due"]] == [{"to", "due_at"}, {"to", "due_at"}]
    for word in ("hospital", "Cytokine", "serious"):
        assert word not in message.body()
    assert message_of(ALERT, NOW).body() == message.body()
