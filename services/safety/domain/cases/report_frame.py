"""Who sends a report, to whom, about which study and product: as the protocol says when the report is recorded."""

from services.safety.domain.cases.facts import Facts
from shared.contracts.safety_reports import ReportFrame
from shared.protocol import Recipient

# The fields that the protocol states under the same names.
_STATED = (
    "country",
    "organisation_code",
    "sender_identifier",
    "sender_type",
    "sender_organisation",
    "reporter_qualification",
    "registration_country",
    "sponsor_study_number",
    "study_type",
    "product_name",
    "meddra_version",
)


def frame(facts: Facts, recipient: Recipient) -> ReportFrame:
    """All but study and time zone is None in a trial whose protocol says nothing of case reports."""
    protocol, reports = facts.protocol, facts.protocol.case_reports
    stated = {name: getattr(reports, name).value if reports else None for name in _STATED}
    receivers = reports.receivers.value if reports else ()
    return ReportFrame(
        time_zone=str(facts.zone),
        receiver_identifier=next((each.identifier for each in receivers if each.recipient is recipient), None),
        registration_number=protocol.registry_id.value,
        study_name=protocol.title.value,
        product=facts.product,
        **stated,
    )
