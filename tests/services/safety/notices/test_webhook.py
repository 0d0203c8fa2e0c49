"""Where alerts go, as the settings say it."""

import pytest

from services.safety.notices.channels import channels_of
from shared.contracts.safety import AlertChannel
from shared.settings import BadSettings, Settings
from tests.services.safety.notices.delivering import LEVELS
from tests.services.safety.notices.receiver import SECRET

URL = "https://safety.example/alerts"


def settings(url: str | None = URL, secret: str | None = SECRET) -> Settings:
    return Settings.model_validate({"alert_webhook_url": url, "alert_webhook_secret": secret})


def test_without_an_address_there_is_no_receiver() -> None:
    assert channels_of(settings(url=None), LEVELS) == {}
    assert list(channels_of(settings(), LEVELS)) == [AlertChannel.WEBHOOK]


@pytest.mark.parametrize(
    ("url", "secret", "variable"),
    [
        (URL, None, "ALERT_WEBHOOK_SECRET"),
        (URL, "whsec_", "ALERT_WEBHOOK_SECRET"),
        (URL, "whsec_!", "ALERT_WEBHOOK_SECRET"),
        ("ftp://safety.example", SECRET, "ALERT_WEBHOOK_URL"),
        ("safety.example/alerts", SECRET, "ALERT_WEBHOOK_URL"),
        ("https://", SECRET, "ALERT_WEBHOOK_URL"),
        ("https://safety.example:alerts", SECRET, "ALERT_WEBHOOK_URL"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(url: str, secret: str | None, variable: str) -> None:
    with pytest.raises(BadSettings, match=variable) as refused:
        channels_of(settings(url, secret), LEVELS)
    assert "MfKQ" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "warned"),
    [(URL, False), ("http://127.0.0.1:9000/alerts", False), ("http://alerts.internal/x", True)],
)
def test_an_address_without_tls_beyond_this_machine_is_warned_of(
    url: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    channels_of(settings(url), LEVELS)
    assert ("unencrypted" in caplog.text) is warned
