"""The app as it is wired: what it refuses to start with, and what its document tells callers."""

from dataclasses import replace

import pytest

from services.safety.app import SERVICE, create_app
from shared.settings import BadSettings, Settings
from tests.services.safety.builders import PROTOCOL
from tests.services.safety.house import House
from tests.services.safety.notices.receiver import SECRET


async def test_a_protocol_of_another_edition_is_refused(house: House) -> None:
    edition = PROTOCOL.ctcae.edition.model_copy(update={"value": "6.0"})
    later = PROTOCOL.model_copy(update={"ctcae": PROTOCOL.ctcae.model_copy(update={"edition": edition})})
    with pytest.raises(BadSettings, match=r"asks for CTCAE 6\.0; this service holds 5\.0"):
        create_app(replace(house.parts, protocol=later))


async def test_the_document_shows_the_webhook_and_every_operation_in_words(house: House) -> None:
    document = house.app.openapi()
    assert list(document["webhooks"]) == ["alert-raised", "clock-stepped"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len({operation["operationId"] for operation in operations})
    for operation in operations:
        assert operation["description"]
        assert {"401", "403", "422", "500", "503"} <= set(operation["responses"])


async def test_the_worker_delivers_to_whom_the_settings_name(house: House) -> None:
    assert "alert-delivery" in [task.name for task in SERVICE.tasks(house.parts)]
    for half, missing in (
        ({"alert_webhook_url": "https://safety.example"}, "ALERT_WEBHOOK_SECRET"),
        ({"alert_smtp_host": "mail.example.org"}, "ALERT_MAIL_FROM"),
    ):
        with pytest.raises(BadSettings, match=missing):
            SERVICE.tasks(replace(house.parts, settings=Settings.model_validate(half)))
    both = Settings.model_validate({"alert_webhook_url": "https://safety.example", "alert_webhook_secret": SECRET})
    assert SERVICE.tasks(replace(house.parts, settings=both))
