"""What the protocol says of case reports: as data that may be unknown, and is refused where it cannot be."""

from typing import Any

import pytest

from shared.protocol import ProtocolUnusable, parse_protocol
from tests.shared.protocol.documents import changed, protocol_with

THAI = {"recipient": "thai-fda", "identifier": "THFDA"}


def test_what_is_not_known_may_be_left_open() -> None:
    reports = protocol_with(case_reports__meddra_version__value=None).case_reports
    assert reports is not None
    assert reports.meddra_version.value is None


def test_a_trial_may_write_no_messages() -> None:
    assert protocol_with(case_reports=None).case_reports is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"case_reports__country__value": "Thailand"}, "case_reports.country.value"),
        ({"case_reports__organisation_code__value": "CU-03"}, "case_reports.organisation_code.value"),
        ({"case_reports__sender_identifier__value": "a b"}, "case_reports.sender_identifier.value"),
        ({"case_reports__meddra_version__value": "28"}, "case_reports.meddra_version.value"),
        ({"case_reports__sender_type__value": "university"}, "case_reports.sender_type.value"),
        ({"case_reports__receivers__value": [THAI, {**THAI, "identifier": "OTHER"}]}, "a recipient has one identifier"),
    ],
)
def test_what_no_message_could_carry_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ProtocolUnusable, match=message):
        parse_protocol(changed(**change))
