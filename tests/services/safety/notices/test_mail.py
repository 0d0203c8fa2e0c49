"""Alerts by e-mail, handed to a real mail server over real TLS."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.safety.notices.channels import channels_of
from services.safety.notices.delivery import pause_after
from services.safety.notices.mail import Mailer, MailLine
from shared.contracts.safety import AlertChannel
from shared.kernel.actor import Role
from shared.settings import BadSettings, Settings
from tests.services.safety.builders import CHILD, EVENT
from tests.services.safety.house import House
from tests.services.safety.notices.delivering import ALERT, LEVELS, a_round, raise_alert, remembered, told, tried
from tests.services.safety.notices.mail_server import (
    PASSWORD,
    USER,
    Certificates,
    MailServer,
    make_certificates,
    serving,
)

TO = "safety-officer=officer@example.org, medical-monitor=monitor@example.org\nsponsor=sponsor@example.org"
FIRST = f"<{ALERT}.1.1.safety-officer@trial.example.org>"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[MailServer]:
    with serving(certificates) as made:
        yield made


def settings(certificates: Certificates, server: MailServer, **changed: Any) -> Settings:
    stated = {
        "alert_smtp_host": "127.0.0.1",
        "alert_smtp_port": server.port,
        "alert_smtp_ca_file": certificates.authority,
        "alert_mail_from": "alerts@trial.example.org",
        "alert_mail_to": TO,
        "public_url": "https://trial.example.org",
    }
    return Settings.model_validate({**stated, **changed})


def line_to(certificates: Certificates, server: MailServer, **changed: Any) -> MailLine:
    return MailLine(Mailer.of("127.0.0.1", settings(certificates, server, **changed), LEVELS))


@pytest.fixture
def line(certificates: Certificates, server: MailServer) -> MailLine:
    return line_to(certificates, server)


async def test_an_alert_is_mailed_over_tls_and_recorded(any_house: House, line: MailLine, server: MailServer) -> None:
    await raise_alert(any_house)
    await a_round(any_house, mail=line)
    (mail,) = server.got
    assert (mail["From"], mail["To"]) == ("alerts@trial.example.org", "officer@example.org")
    assert (mail["Message-ID"], mail["References"]) == (FIRST, f"<{ALERT}@trial.example.org>")
    assert (mail["Subject"], mail["Auto-Submitted"]) == (f"Safety alert {ALERT}, level 1", "auto-generated")
    read = mail.get_content()
    for known in (ALERT, str(EVENT), str(CHILD), "Grade          3", "https://trial.example.org/safety/v1/alerts/"):
        assert known in read
    for secret in ("hospital", "Cytokine", "dr-mali", "2026-03-15"):
        assert secret not in mail.as_string()
    assert server.in_plain_text == []
    assert await told(any_house) == [(1, 1, "safety-officer")]
    async with any_house.client(Role.MONITOR) as client:
        assert (await client.get(f"/v1/alerts/{ALERT}")).json()["delivered_at"] is not None
    await a_round(any_house, mail=line)
    assert len(server.got) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it knows no TLS but its own STARTTLS
@pytest.mark.parametrize("mode", ["STARTTLS", "TLS"])
async def test_it_logs_in_over_either_kind_of_tls(house: House, certificates: Certificates, mode: str) -> None:
    await raise_alert(house)
    with serving(certificates, mode=mode, logs_in=True) as server:
        who = {"alert_smtp_username": USER, "alert_smtp_password": PASSWORD, "alert_smtp_security": mode}
        await a_round(house, mail=line_to(certificates, server, **who))
        assert server.logins == [(USER, PASSWORD)]
        assert await told(house) == [(1, 1, "safety-officer")]


async def test_a_wrong_password_is_a_refusal_that_says_so(house: House, certificates: Certificates) -> None:
    await raise_alert(house)
    with serving(certificates, logs_in=True) as server:
        who = {"alert_smtp_username": USER, "alert_smtp_password": "wrong-4711"}
        await a_round(house, mail=line_to(certificates, server, **who))
        assert server.got == []
    (row,) = await tried(house)
    assert (row.result, row.failure) == ("refused", "535 at authentication")


async def test_a_server_without_tls_gets_nothing(house: House, certificates: Certificates) -> None:
    await raise_alert(house)
    with serving(certificates, mode="NONE") as server:
        who = {"alert_smtp_username": USER, "alert_smtp_password": PASSWORD}
        await a_round(house, mail=line_to(certificates, server, **who))
        assert (server.got, server.logins, server.in_plain_text) == ([], [], [])
    (row,) = await tried(house)
    assert (row.result, row.failure) == ("refused", "STARTTLS is not offered")


@pytest.mark.parametrize("mode", ["STARTTLS", "TLS"])
@pytest.mark.parametrize("certificate", ["stranger", "elsewhere"])
async def test_a_certificate_of_a_stranger_or_of_another_host_is_refused(
    house: House, certificates: Certificates, mode: str, certificate: str
) -> None:
    await raise_alert(house)
    with serving(certificates, certificate=certificate, mode=mode) as server:
        await a_round(house, mail=line_to(certificates, server, alert_smtp_security=mode))
        assert server.got == []
    (row,) = await tried(house)
    assert row.result == "refused"
    assert row.failure.startswith("the server's certificate is not trusted")


async def test_an_answer_that_says_no_is_retried_with_longer_and_longer_pauses(
    any_house: House, line: MailLine, server: MailServer
) -> None:
    await raise_alert(any_house)
    answers = [("recipient", "451 officer@example.org: greylisted"), ("recipient", "550 no such user officer")]
    answers += [("message", "552 too big"), ("sender", "421 come back later")]
    for count, (step, said) in enumerate(answers, start=1):
        server.will_answer(step, said)
        await a_round(any_house, mail=line)
        await a_round(any_house, mail=line)  # too early
        last = (await tried(any_house))[-1]
        assert (last.attempt, last.result, last.failure) == (count, "refused", f"{said[:3]} at {step}")
        (row,) = await remembered(any_house)
        assert row.next_attempt_at == any_house.now + pause_after(count)
        any_house.wait(seconds=pause_after(count).total_seconds())
    await a_round(any_house, mail=line)
    assert server.ids == [FIRST]
    assert await told(any_house) == [(1, 1, "safety-officer")]


async def test_a_connection_lost_after_the_message_sends_the_same_mail_again(
    house: House, line: MailLine, server: MailServer
) -> None:
    await raise_alert(house)
    server.drops_after_data = 1
    await a_round(house, mail=line)
    (row,) = await tried(house)
    assert (row.result, row.failure) == ("no-answer", "no answer at message: SMTPServerDisconnected")
    assert await told(house) == []
    house.wait(seconds=5)
    await a_round(house, mail=line)
    assert server.ids == [FIRST, FIRST]
    assert server.got[0].as_bytes() == server.got[1].as_bytes()
    assert await told(house) == [(1, 1, "safety-officer")]


async def test_a_server_that_is_away_is_tried_again(house: House, certificates: Certificates) -> None:
    with serving(certificates) as gone:
        pass
    await raise_alert(house)
    await a_round(house, mail=line_to(certificates, gone))
    (row,) = await tried(house)
    assert (row.result, row.failure) == ("no-answer", "no answer at connection: SMTPConnectError")


async def test_one_mailbox_that_refuses_holds_up_no_other(house: House, line: MailLine, server: MailServer) -> None:
    await raise_alert(house)
    await a_round(house, mail=line)
    house.wait(minutes=30)
    server.will_answer("recipient", "550 no such user")
    await a_round(house, mail=line)
    assert await told(house) == [(1, 1, "safety-officer"), (2, 1, "safety-officer")]
    assert server.recipients == ["officer@example.org", "officer@example.org"]
    house.wait(seconds=5)
    await a_round(house, mail=line)
    assert (await told(house))[-1] == (2, 1, "medical-monitor")


async def test_no_address_is_kept_or_logged(
    house: House, line: MailLine, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    await raise_alert(house)
    server.will_answer("recipient", "550 officer@example.org unknown")
    await a_round(house, mail=line)
    house.wait(seconds=5)
    await a_round(house, mail=line)
    kept = [*await tried(house), *await remembered(house), *await told(house), caplog.text]
    assert "@" not in str([tuple(each) for each in kept])


async def test_a_label_without_an_address_waits_for_one(house: House, certificates: Certificates) -> None:
    await raise_alert(house)
    with serving(certificates) as server:
        mailer = line_to(certificates, server).mailer
        nobody = MailLine(Mailer(mailer.server, mailer.sender, {}, mailer.safety_url))
        await a_round(house, mail=nobody)
    (row,) = await tried(house)
    assert row.failure == "ALERT_MAIL_TO has no address for this label"


WHOLE = {
    "alert_smtp_host": "mail.example.org",
    "alert_mail_from": "alerts@trial.example.org",
    "alert_mail_to": TO,
}


def channels(given: Mapping[str, Any]) -> Any:
    return channels_of(Settings.model_validate(given), LEVELS)


def test_the_settings_name_a_server_a_sender_and_a_mailbox_for_each_label() -> None:
    assert channels({}) == {}
    mailer = channels(WHOLE)[AlertChannel.MAIL]
    assert (mailer.server.host, mailer.server.port, mailer.server.login) == ("mail.example.org", 587, None)
    assert mailer.addresses["sponsor"] == "sponsor@example.org"
    assert channels({**WHOLE, "alert_smtp_security": "TLS"})[AlertChannel.MAIL].server.port == 465


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"alert_smtp_host": None}, "ALERT_SMTP_HOST"),
        ({"alert_mail_from": None}, "ALERT_MAIL_FROM"),
        ({"alert_mail_from": "alerts"}, "ALERT_MAIL_FROM"),
        ({"alert_mail_from": "a@b\r\nBcc: all@example.org"}, "ALERT_MAIL_FROM"),
        ({"alert_mail_to": None}, "ALERT_MAIL_TO has no address for medical-monitor, safety-officer, sponsor"),
        ({"alert_mail_to": TO.replace("sponsor=", "sponsr=")}, "ALERT_MAIL_TO is label=address"),
        ({"alert_mail_to": f"{TO},sponsor=other@example.org"}, "once for each"),
        ({"alert_mail_to": "safety-officer=officer@example.org"}, "no address for medical-monitor, sponsor"),
        ({"alert_mail_to": TO.replace("sponsor@", "s p@")}, "ALERT_MAIL_TO is label=address"),
        ({"alert_smtp_username": "trial"}, "ALERT_SMTP_PASSWORD"),
        ({"alert_smtp_password": "4711"}, "ALERT_SMTP_USERNAME"),
        ({"alert_smtp_ca_file": Path(__file__)}, "ALERT_SMTP_CA_FILE"),
    ],
)
def test_half_of_a_mail_server_is_refused(changed: dict[str, Any], variable: str) -> None:
    with pytest.raises(BadSettings, match=variable) as refused:
        channels({**WHOLE, **changed})
    assert "example.org" not in str(refused.value).replace("alerts@trial.example.org", "")
    assert "4711" not in str(refused.value)
