"""The chain of an alert, as settings."""

from typing import Any

import pytest

from shared.protocol import ProtocolUnusable, load_protocol, parse_protocol
from tests.shared.protocol.documents import changed, protocol_with


def level(after: int = 0, *, webhook: bool = True, mail_to: list[str] | None = None) -> dict[str, Any]:
    return {"after_minutes": after, "webhook": webhook, "mail_to": ["safety-officer"] if mail_to is None else mail_to}


def test_the_packaged_chain_is_a_proposal_that_widens() -> None:
    levels = load_protocol().alerting.levels
    assert levels.mark == "D"
    assert [each.after_minutes for each in levels.value] == [0, 30, 120]
    assert [len(each.mail_to) for each in levels.value] == [1, 2, 3]


@pytest.mark.parametrize(
    "levels", [[level()], [level(webhook=False)], [level(mail_to=[])], [level(), level(1), level(600)]]
)
def test_a_chain_has_one_level_or_more(levels: list[Any]) -> None:
    assert len(protocol_with(alerting__levels__value=levels).alerting.levels.value) == len(levels)


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ([], "at least 1 item"),
        ([level(1)], "at once"),
        ([level(), level(30), level(30)], "in order of time"),
        ([level(), level(120), level(30)], "in order of time"),
        ([level(webhook=False, mail_to=[])], "tells somebody"),
        ([level(mail_to=["sponsor", "sponsor"])], "each label once"),
        ([level(mail_to=["dr.mali@example.org"])], "pattern"),
        ([level(-1)], "greater than or equal to 0"),
    ],
)
def test_a_chain_that_cannot_be_is_refused(levels: list[Any], why: str) -> None:
    with pytest.raises(ProtocolUnusable, match=why):
        parse_protocol(changed(alerting__levels__value=levels))
