"""Every endpoint of the five OpenAPI documents: whom it is about, and a body that it accepts.

`{name}` in paths and bodies stands for what a course has put on record (`tests/flows/course.py`). An endpoint
that is missing here fails a test, so a new one cannot escape the authorisation matrix or the course.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from tests.services.efficacy.reports import a_report, an_image

_NAME = re.compile(r"\{(\w+)\}")


class About(Enum):
    """Whose data an endpoint touches, so what a caller of another site must get."""

    PARTICIPANT = auto()  # one participant: 404
    SITE = auto()  # one site itself: 404
    MANY = auto()  # a list or a table: the caller's sites alone
    FIGURE = auto()  # the same, drawn
    TRIAL = auto()  # a decision about the trial as a whole: no site's alone
    NOBODY = auto()  # a dictionary, the protocol: the same for everybody


@dataclass(frozen=True, slots=True)
class Endpoint:
    about: About = About.PARTICIPANT
    body: Mapping[str, Any] | str | bytes | None = None  # a text is sent as XML, bytes as DICOM
    answers: int = 200
    needs_version: bool = False  # If-Match
    query: str = ""  # what it cannot do without


def filled(template: Any, known: Mapping[str, str]) -> Any:
    """A path or a body with the known names in braces replaced; other braces, as of UCUM units, stay."""
    if isinstance(template, str):
        return _NAME.sub(lambda name: known.get(name[1], name[0]), template)
    if isinstance(template, Mapping):
        return {name: filled(value, known) for name, value in template.items()}
    return [filled(each, known) for each in template] if isinstance(template, list) else template


def creating(**body: Any) -> Endpoint:
    return Endpoint(About.PARTICIPANT, body, 201)


def changing(**body: Any) -> Endpoint:
    return Endpoint(About.PARTICIPANT, body, needs_version=True)


def asking(**body: Any) -> Endpoint:
    """A calculator: a POST that records nothing."""
    return Endpoint(About.NOBODY, body)


MANY, NOBODY = Endpoint(About.MANY), Endpoint(About.NOBODY)

SCREENED_ON, INFUSED_AT = "2025-09-01", "2025-09-15T10:00:00+07:00"

SCREENING_DATA = {"birth_month": "2017-03", "sex": "F", "diagnosis": "neuroblastoma", "screened_on": SCREENED_ON}
CONSENT = {
    "kind": "guardian",
    "relationship": "mother",
    "document_version": "2.0",
    "language": "th",
    "obtained_on": SCREENED_ON,
}
CONSENT_DOCUMENT = {
    "kind": "guardian",
    "document_version": "2.0",
    "languages": ["th"],
    "approved_on": "2025-08-01",
    "effective_from": "2025-08-15",
    "reconsent_required": True,
}
EVIDENCE = {
    "CMD03-I3": {"choice": "POSITIVE"},
    "CMD03-I4": {"flag": True},
    "CMD03-I5": {"flag": True},
    "AN-01": {"number": "180", "unit": "{score}"},
    "AN-02": {"number": "80", "unit": "{score}"},
    "AN-03": {"number": "16", "unit": "wk"},
    "AN-04": {"number": "1.2", "unit": "{xULN}"},
    "AN-05": {"number": "0.9", "unit": "{xULN}"},
    "AN-06": {"number": "0.5", "unit": "{xULN}"},
    "AN-07": {"number": "0.7", "unit": "{xULN}"},
    "AN-08": {"number": "98", "unit": "%"},
    "AN-09": {"number": "21", "unit": "d"},
    "AN-10": {"never": True},
    "AN-11": {"never": True},
    "AN-12": {"number": "0", "unit": "mg/m2/d"},
    "AN-14": {"choice": "NOT_OF_CHILDBEARING_POTENTIAL", "observed_on": "2025-09-04"},
    "AN-15": {"flag": False},
    "AN-16": {"flag": False},
    "AN-17": {"never": True},
    "AN-18": {"flag": False},
}
LYMPHODEPLETION = {
    "lymphodepletion_id": "{lymphodepletion_id}",
    "drugs": [
        {
            "drug": "fludarabine",
            "dose": "30",
            "unit": "mg/m2",
            "route": "intravenous",
            "days": ["2025-09-10", "2025-09-11", "2025-09-12"],
        }
    ],
}
INFUSION = {
    "started_at": INFUSED_AT,
    "ended_at": "2025-09-15T10:20:00+07:00",
    "route": "intravenous",
    "lot": "CMD03-0007",
    "weight_kg": "18.5",
    "cells_per_kg": "500000",
    "total_car_positive_cells": "9250000",
}
ANTICANCER_THERAPY = {"therapy_id": "{therapy_id}", "kind": "radiotherapy", "started_on": "2025-12"}

LOT, BAG = "{site_id}-0007", "{site_id}-0007-B1"
PRODUCT = "/v1/products/{product_id}"
RELEASE_TESTS = [
    {"test": "viability", "tested_on": "2025-08-20", "value": "92", "unit": "%"},
    {"test": "car-positive", "tested_on": "2025-08-20", "value": "38", "unit": "%"},
    {"test": "vector-copy-number", "tested_on": "2025-08-20", "value": "2.1", "unit": "{copies}/{cell}"},
    {"test": "sterility", "tested_on": "2025-08-20", "finding": "negative"},
    {"test": "mycoplasma", "tested_on": "2025-08-20", "finding": "negative"},
    {"test": "endotoxin", "tested_on": "2025-08-20", "value": "0.5", "qualifier": "<", "unit": "[EU]/kg/h"},
    {"test": "identity", "tested_on": "2025-08-20", "finding": "positive"},
    {"test": "replication-competent-virus", "tested_on": "2025-08-20", "finding": "negative"},
]
MANUFACTURER_RECEIPT = {
    "received_at": "2025-08-08T14:00:00+07:00",
    "manufacturer": "CU-GMP",
    "condition": "acceptable",
    "transport": "refrigerated",
    "lowest_c": "3.1",
    "highest_c": "6.4",
}
MANUFACTURED = {
    "ended_at": "2025-08-20T12:00:00+07:00",
    "transduced_on": "2025-08-10",
    "transduction_percent": "41",
    "expansion_days": 10,
    "expansion_fold": "32.5",
    "expires_on": "2026-08-19",
}
CELLS = {"volume_ml": "20", "viable_cells": "25000000", "viability_percent": "92", "car_positive_percent": "38"}
SCAN = {"scanned_at": "2025-09-15T09:50:00+07:00", "point": "bedside", "lot": LOT, "bag": BAG}

PRODUCTS: dict[str, Endpoint] = {
    "POST /v1/products": creating(
        product_id="{new_id}",
        participant_id="{participant_id}",
        collected_at="2025-08-08T09:00:00+07:00",
        collection_site="CU-APH",
        apheresis_id="{site_id}-25-000123",
        volume_ml="120",
    ),
    f"GET {PRODUCT}": Endpoint(),
    f"GET {PRODUCT}/history": Endpoint(),
    f"POST {PRODUCT}/receive-at-manufacturer": changing(**MANUFACTURER_RECEIPT),
    f"POST {PRODUCT}/start-manufacture": changing(
        started_at="2025-08-08T16:00:00+07:00", lot=LOT, vector_lot="LV-2025-11"
    ),
    f"POST {PRODUCT}/end-manufacture": changing(**MANUFACTURED, bags=[{"bag": BAG, **CELLS}]),
    f"POST {PRODUCT}/record-release-tests": changing(reported_at="2025-08-27T15:00:00+07:00", results=RELEASE_TESTS),
    f"POST {PRODUCT}/release": changing(decided_at="2025-08-28T10:00:00+07:00"),
    f"POST {PRODUCT}/approve-exceptional-release": changing(
        decided_at="2025-08-28T10:00:00+07:00", reason="Viability of 65 %, no cells are left"
    ),
    f"POST {PRODUCT}/reject": changing(decided_at="2025-08-29T10:00:00+07:00", because="out-of-specification"),
    f"POST {PRODUCT}/ship": changing(
        shipped_at="2025-09-02T08:00:00+07:00", shipper="COURIER-2", destination="CU", transport="liquid-nitrogen"
    ),
    f"POST {PRODUCT}/receive-at-site": changing(
        received_at="2025-09-02T15:00:00+07:00", lot=LOT, condition="acceptable", lowest_c="-188", highest_c="-161"
    ),
    f"POST {PRODUCT}/thaw": changing(thawed_at="2025-09-15T09:40:00+07:00", lot=LOT, bag=BAG, viability_percent="85"),
    f"POST {PRODUCT}/verify-identity": Endpoint(
        body={**SCAN, "scan_id": "{new_id}", "subject_number": "{site_id}-001"}
    ),
    f"POST {PRODUCT}/correct": changing(
        step=2, manufacturer_receipt={**MANUFACTURER_RECEIPT, "highest_c": "9.1"}, reason="Read off the logger"
    ),
    f"POST {PRODUCT}/retract": changing(step=9, reason="Another bag was thawed"),
    "POST /v1/product-alerts/{product_alert_id}/acknowledge": Endpoint(body={"note": "Bag returned to the store"}),
}

ENROLLMENT: dict[str, Endpoint] = {
    **PRODUCTS,
    "POST /v1/sites": Endpoint(
        About.SITE,
        {"site_id": "{site_id}", "name": "A hospital", "country": "TH", "time_zone": "Asia/Bangkok"},
        201,
    ),
    "GET /v1/dosing-halts": NOBODY,
    "GET /v1/dose-escalation": NOBODY,
    "GET /v1/dose-escalation/history": NOBODY,
    "POST /v1/dose-escalation/reserve-slot": Endpoint(body={"participant_id": "{participant_id}"}),
    "POST /v1/dose-escalation/release-slot": changing(
        participant_id="{participant_id}", reason="Too ill to be treated at the moment"
    ),
    "POST /v1/dose-escalation/record-decision": Endpoint(
        About.TRIAL,
        {
            "design_said": "stay",
            "decision": "stay",
            "next_level": "DL1",
            "slots": 3,
            "reason": "The committee opens three more slots at the first level",
        },
        needs_version=True,
    ),
    "POST /v1/dose-escalation/pause": Endpoint(About.TRIAL, {"reason": "A report from another trial is being read"}),
    "POST /v1/dose-escalation/resume": Endpoint(
        About.TRIAL, {"reason": "The report concerns another product"}, needs_version=True
    ),
    "POST /v1/dose-escalation/request-override": Endpoint(
        body={"participant_id": "{participant_id}", "reason": "No other treatment is left"}
    ),
    "POST /v1/dose-escalation/confirm-override": changing(
        participant_id="{participant_id}", reason="The sponsor agrees with the investigator"
    ),
    "GET /v1/participants/{participant_id}/infusion-permit": Endpoint(query="?on=2025-10-20&dose_level=DL1"),
    "POST /v1/evaluations/dose-escalation": asking(
        design="BOIN",
        parameters={"levels": 3, "target": "0.30", "allow_deescalation": True},
        current_level=1,
        levels=[{"level": 1, "evaluable": 3, "dlt": 0, "pending": 0}],
    ),
    "POST /v1/evaluations/eligibility": asking(
        as_of=SCREENED_ON,
        birth_month="2017-03",
        sex="F",
        findings=[
            {"finding_id": "f1", "analyte": "PLAT", "number": "90000", "unit": "/uL", "observed_on": SCREENED_ON}
        ],
    ),
    "GET /v1/sites/{site_id}": Endpoint(About.SITE),
    "GET /v1/sites/{site_id}/consent-documents": Endpoint(About.SITE),
    "GET /v1/sites/{site_id}/consent-documents/history": Endpoint(About.SITE),
    "POST /v1/sites/{site_id}/consent-documents": Endpoint(About.SITE, CONSENT_DOCUMENT, 201),
    "POST /v1/sites/{site_id}/consent-documents/correct": Endpoint(
        About.SITE, {**CONSENT_DOCUMENT, "grace_days": 30, "reason": "The committee allows 30 days"}, needs_version=True
    ),
    "POST /v1/sites/{site_id}/consent-documents/withdraw": Endpoint(
        About.SITE,
        {"kind": "guardian", "document_version": "1.9", "reason": "Entered for another site"},
        needs_version=True,
    ),
    "GET /v1/sites/{site_id}/history": Endpoint(About.SITE),
    "POST /v1/participants": creating(participant_id="{new_id}", site_id="{site_id}", **SCREENING_DATA),
    "GET /v1/participants/{participant_id}": Endpoint(),
    "GET /v1/participants/{participant_id}/history": Endpoint(),
    "POST /v1/participants/{participant_id}/correct-screening-data": changing(
        **{**SCREENING_DATA, "birth_month": "2017-04"}, reason="The referral letter says April"
    ),
    "POST /v1/participants/{participant_id}/rescreen": changing(screened_on="2025-09-05"),
    "POST /v1/participants/{participant_id}/obtain-consent": changing(**CONSENT),
    "POST /v1/participants/{participant_id}/correct-consent": changing(
        **{**CONSENT, "relationship": "grandparent"}, consent_number=1, reason="Relationship mistaken at entry"
    ),
    "POST /v1/participants/{participant_id}/withdraw-consent": changing(
        withdrawn_on="2025-09-20", withdrawn_by="guardian"
    ),
    "POST /v1/participants/{participant_id}/restore-consent": changing(
        scopes=["samples"], restored_on="2025-11-03", reason="The family allows samples again"
    ),
    "POST /v1/participants/{participant_id}/assess-eligibility": changing(assessed_on="2025-09-04", evidence=EVIDENCE),
    "POST /v1/participants/{participant_id}/transfer": changing(
        to_site="KKU", transferred_on="2025-09-05", reason="The family moved to Khon Kaen"
    ),
    "POST /v1/participants/{participant_id}/request-eligibility-exception": changing(
        criteria=["AN-04"], reason="Metastases of the liver explain it"
    ),
    "POST /v1/participants/{participant_id}/decide-eligibility-exception": changing(
        granted=True, reason="Agreed with the medical monitor"
    ),
    "POST /v1/participants/{participant_id}/enrol": changing(enrolled_on="2025-09-08", dose_level="DL1"),
    "POST /v1/participants/{participant_id}/record-lymphodepletion": changing(**LYMPHODEPLETION),
    "POST /v1/participants/{participant_id}/correct-lymphodepletion": changing(
        **LYMPHODEPLETION, first_dose_at="2025-09-10T09:00:00+07:00", reason="The chart tells the hour"
    ),
    "POST /v1/participants/{participant_id}/retract-lymphodepletion": changing(
        lymphodepletion_id="{lymphodepletion_id}", reason="Entered for the wrong participant"
    ),
    "POST /v1/participants/{participant_id}/record-infusion": changing(**INFUSION),
    "POST /v1/participants/{participant_id}/correct-infusion": changing(
        **{**INFUSION, "lot": "CMD03-0008"}, infusion_number=1, reason="Read off the bag"
    ),
    "POST /v1/participants/{participant_id}/retract-infusion": changing(
        infusion_number=1, reason="Entered for the wrong participant"
    ),
    "POST /v1/participants/{participant_id}/record-anticancer-therapy": changing(**ANTICANCER_THERAPY),
    "POST /v1/participants/{participant_id}/correct-anticancer-therapy": changing(
        **{**ANTICANCER_THERAPY, "started_on": "2025-12-10"}, reason="The letter tells the day"
    ),
    "POST /v1/participants/{participant_id}/retract-anticancer-therapy": changing(
        therapy_id="{therapy_id}", reason="Entered for the wrong participant"
    ),
    "POST /v1/participants/{participant_id}/record-follow-up-contact": changing(
        contact_id="{contact_id}",
        contacted_on="2026-09-01",
        way="examination",
        late_events={"new_malignancy": "no", "infection": "unknown"},
    ),
    "POST /v1/participants/{participant_id}/retract-follow-up-contact": changing(
        contact_id="{contact_id}", reason="Entered for the wrong participant"
    ),
    "POST /v1/participants/{participant_id}/fail-screening": changing(
        failed_on="2025-09-03", disposition="PHYSICIAN DECISION"
    ),
    "POST /v1/participants/{participant_id}/discontinue-treatment": changing(
        discontinued_on="2025-11-20", disposition="PROGRESSIVE DISEASE"
    ),
    "POST /v1/participants/{participant_id}/record-loss-to-follow-up": changing(last_contact_on="2025-12"),
    "POST /v1/participants/{participant_id}/complete-follow-up": changing(completed_on="2026-09-20"),
    "POST /v1/participants/{participant_id}/record-death": changing(died_on="2026-02"),
    "POST /v1/participants/{participant_id}/retract-discontinuation": changing(
        status="lost-to-follow-up", reason="The family was reached by telephone"
    ),
}

TOXICITIES = "/v1/participants/{participant_id}/dose-limiting-toxicities"

FEVERISH = {
    "kind": "crs",
    "temperature_c": "38.9",
    "fever_has_other_cause": False,
    "hypotension": "none",
    "oxygen_device": "room-air",
    "death": False,
}
HYPOTENSIVE = {**FEVERISH, "hypotension": "fluids"}

# Of the report whose id is the new one.
ACKNOWLEDGEMENT = """<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">
 <creationTime value="20250917113000+0700"/>
 <MCCI_IN000002UV01>
  <id root="2.16.840.1.113883.3.989.2.1.3.19" extension="2025-17"/>
  <acknowledgement typeCode="CA">
   <targetMessage>
    <id root="2.16.840.1.113883.3.989.2.1.3.1" extension="TH-CHULA-{adverse_event_id}"/>
   </targetMessage>
  </acknowledgement>
 </MCCI_IN000002UV01>
 <acknowledgement typeCode="AA">
  <targetBatch><id root="2.16.840.1.113883.3.989.2.1.3.22" extension="{new_id}"/></targetBatch>
 </acknowledgement>
</MCCI_IN200101UV01>
"""


def lab_row(row_id: str, **changed: str) -> dict[str, str]:
    stated = {
        "row_id": row_id,
        "participant_id": "{participant_id}",
        "analyte": "ALT",
        "value": "210",
        "unit": "U/L",
        "uln": "40",
        "collected_at": "2025-09-20T07:30:00+07:00",
    }
    return {**stated, **changed}


# The first three open a candidate each; the others are not understood.
LAB_ROWS = {
    row["row_id"]: row
    for row in (
        lab_row("R1"),
        lab_row("R2", analyte="AST"),
        lab_row("R3", analyte="ALP", uln="120"),
        lab_row("unmapped", local_code="GPT"),
        lab_row("control", value="CONTROL"),
        lab_row("waiting", value="not legible"),
    )
}
QUARANTINE = "/v1/lab-results/quarantine"
CANDIDATES = "/v1/participants/{participant_id}/candidates"

SAFETY: dict[str, Endpoint] = {
    "POST /v1/laboratories": Endpoint(
        About.SITE, {"laboratory_id": "{laboratory_id}", "site_id": "{site_id}", "time_zone": "Asia/Bangkok"}, 201
    ),
    "GET /v1/laboratories/{laboratory_id}": Endpoint(),
    "GET /v1/laboratories/{laboratory_id}/history": Endpoint(),
    "POST /v1/laboratories/{laboratory_id}/map-tests": changing(tests=[{"code": "GPT", "analyte": "ALT"}]),
    "POST /v1/laboratories/{laboratory_id}/record-reference-ranges": changing(
        ranges=[{"analyte": "ALT", "unit": "U/L", "uln": "30", "effective_from": "2025-01-01"}]
    ),
    "POST /v1/lab-results": Endpoint(body={"laboratory_id": "{laboratory_id}", "rows": list(LAB_ROWS.values())}),
    f"GET {QUARANTINE}": MANY,
    f"POST {QUARANTINE}/release": Endpoint(body={"laboratory_id": "{laboratory_id}"}),
    f"POST {QUARANTINE}/{{quarantine_id}}/release": Endpoint(body={}),
    f"POST {QUARANTINE}/{{quarantine_id}}/discard": Endpoint(body={"reason": "A control of the analyser"}),
    "GET /v1/participants/{participant_id}/lab-results": Endpoint(),
    "GET /v1/participants/{participant_id}/lab-results/history": Endpoint(),
    f"GET {CANDIDATES}": Endpoint(),
    f"GET {CANDIDATES}/{{candidate_id}}": Endpoint(),
    f"POST {CANDIDATES}/{{candidate_id}}/accept": changing(causality=[]),
    f"POST {CANDIDATES}/{{candidate_id}}/merge": changing(adverse_event_id="{adverse_event_id}"),
    f"POST {CANDIDATES}/{{candidate_id}}/dismiss": changing(reason="Known before screening, not worse since"),
    "POST /v1/adverse-events": creating(
        adverse_event_id="{new_id}",
        participant_id="{participant_id}",
        term="Cytokine release syndrome",
        grade=3,
        onset="2025-09-16",
        became_aware_at="2025-09-16T20:00:00+07:00",
        seriousness=["hospitalisation"],
        causality=[{"agent": "car-t-product", "attribution": "probable"}],
        outcome="not-recovered",
    ),
    "GET /v1/adverse-events/{adverse_event_id}": Endpoint(),
    "GET /v1/adverse-events/{adverse_event_id}/history": Endpoint(),
    "POST /v1/adverse-events/{adverse_event_id}/regrade": changing(grade=2, since="2025-09-19"),
    "POST /v1/adverse-events/{adverse_event_id}/reassess-seriousness": changing(
        seriousness=["hospitalisation", "life-threatening"], became_aware_at="2025-09-17T08:30:00+07:00"
    ),
    "POST /v1/adverse-events/{adverse_event_id}/resolve": changing(ended_on="2025-09-24", outcome="recovered"),
    "POST /v1/adverse-events/{adverse_event_id}/record-death": changing(
        died_on="2026-02-02", became_aware_at="2026-02-02T22:10:00+07:00"
    ),
    "POST /v1/adverse-events/{adverse_event_id}/assess-causality": changing(
        causality=[{"agent": "lymphodepletion", "attribution": "possible"}]
    ),
    "POST /v1/adverse-events/{adverse_event_id}/correct": changing(
        onset="2025-09-15", reason="The chart says the day of the infusion"
    ),
    "POST /v1/adverse-events/{adverse_event_id}/retract": changing(reason="Entered for another participant"),
    "POST /v1/adverse-events/{adverse_event_id}/sponsor-assessment": Endpoint(
        body={
            "causality": [{"agent": "car-t-product", "attribution": "probable"}],
            "expectedness": "unexpected",
            "reason": "Expected at this grade, not within a day of the infusion",
            "became_aware_at": "2025-09-17T09:00:00+07:00",
        }
    ),
    "POST /v1/adverse-events/{adverse_event_id}/reports": creating(
        report_id="{new_id}",
        kind="initial",
        recipient="ethics-committee",
        sent_at="2025-09-17T10:00:00+07:00",
        narrative="Fever and hypotension the evening after the infusion.\nTocilizumab; better within two days.",
    ),
    "GET /v1/adverse-events/{adverse_event_id}/reports": Endpoint(),
    "GET /v1/adverse-events/{adverse_event_id}/reports/{number}": Endpoint(),
    "GET /v1/adverse-events/{adverse_event_id}/reports/{number}/changes": Endpoint(),
    "GET /v1/adverse-events/{adverse_event_id}/reports/{number}/e2b": Endpoint(),
    "POST /v1/adverse-events/{adverse_event_id}/reports/{number}/acknowledgement": Endpoint(body=ACKNOWLEDGEMENT),
    "POST /v1/adverse-events/{adverse_event_id}/reports/{number}/paper-acknowledgement": Endpoint(
        body={
            "recipient": "ethics-committee",
            "received_at": "2025-09-19T14:00:00+07:00",
            "verdict": "accepted",
            "reference_number": "IRB-0456/25",
        }
    ),
    "GET /v1/adverse-events/{adverse_event_id}/case": Endpoint(),
    "GET /v1/adverse-events/{adverse_event_id}/case/history": Endpoint(),
    "POST /v1/reference-safety-information": Endpoint(
        About.TRIAL,
        {
            "rsi_version": "{rsi_version}",
            "effective_from": "2025-01-01",
            "terms": [{"meddra_code": "{meddra_code}", "max_grade": 2}],
        },
        201,
    ),
    "GET /v1/reference-safety-information": NOBODY,
    "GET /v1/reference-safety-information/history": NOBODY,
    "GET /v1/reference-safety-information/{rsi_version}": NOBODY,
    "POST /v1/reference-safety-information/{rsi_version}/withdraw": Endpoint(
        About.TRIAL, {"reason": "Terms of a draft were entered"}
    ),
    "GET /v1/periodic-reports": NOBODY,
    "GET /v1/periodic-reports/history": NOBODY,
    "POST /v1/periodic-reports/{clock}/begin": Endpoint(About.TRIAL, {"counts_from": "2025-01-14"}),
    "POST /v1/periodic-reports/{clock}/record-sent": Endpoint(
        About.TRIAL, {"sent_at": "2025-07-10T15:00:00+07:00", "reference_number": "IRB-0456/25"}
    ),
    "POST /v1/alerts/{alert_id}/acknowledge": Endpoint(body={"note": "Called the site; sponsor informed"}),
    "POST /v1/alerts/{alert_id}/resend": Endpoint(body={"resend_id": "{new_id}"}),
    "GET /v1/alerts/{alert_id}/deliveries": Endpoint(),
    "GET /v1/alerts/{alert_id}": Endpoint(),
    "GET /v1/alerts/{alert_id}/history": Endpoint(),
    f"GET {TOXICITIES}": Endpoint(),
    f"GET {TOXICITIES}/history": Endpoint(),
    f"GET {TOXICITIES}/{{dlt_id}}": Endpoint(),
    f"POST {TOXICITIES}/declare": Endpoint(
        body={
            "source": {"kind": "adverse-event", "id": "{adverse_event_id}"},
            "reason": "The committee counts it, whatever the rules say",
        }
    ),
    f"POST {TOXICITIES}/{{dlt_id}}/decide": changing(decision="refuted", reason="Sepsis explains it"),
    "GET /v1/stopping-rules": NOBODY,
    "GET /v1/stopping-rules/history": NOBODY,
    "GET /v1/stopping-rules/{rule}": NOBODY,
    "POST /v1/stopping-rules/{rule}/review": Endpoint(
        About.TRIAL, {"decision": "resume", "reason": "The committee has looked at the case"}, needs_version=True
    ),
    "POST /v1/toxicity-episodes": creating(
        episode_id="{new_id}",
        participant_id="{participant_id}",
        kind="crs",
        onset="2025-09-16T18:00:00+07:00",
        became_aware_at="2025-09-16T18:30:00+07:00",
        observed_at="2025-09-16T18:00:00+07:00",
        observation=FEVERISH,
    ),
    "POST /v1/toxicity-episodes/{episode_id}/record-observation": changing(
        observed_at="2025-09-16T22:00:00+07:00", observation=HYPOTENSIVE
    ),
    "POST /v1/toxicity-episodes/{episode_id}/correct-observation": changing(
        number=2, observed_at="2025-09-16T23:00:00+07:00", observation=HYPOTENSIVE, reason="The chart says 23 h"
    ),
    "POST /v1/toxicity-episodes/{episode_id}/retract-observation": changing(number=2, reason="Of another child"),
    "POST /v1/toxicity-episodes/{episode_id}/record-treatment": changing(
        treatment="tocilizumab", given_at="2025-09-16T23:30:00+07:00", dose="8", unit="mg/kg"
    ),
    "POST /v1/toxicity-episodes/{episode_id}/retract-treatment": changing(number=1, reason="Ordered, not given"),
    "POST /v1/toxicity-episodes/{episode_id}/end": changing(ended_at="2025-09-18T08:00:00+07:00", outcome="recovered"),
    "POST /v1/toxicity-episodes/{episode_id}/reopen": changing(reason="The fever came back the same evening"),
    "POST /v1/toxicity-episodes/{episode_id}/retract": changing(reason="Entered for another participant"),
    "GET /v1/toxicity-episodes/{episode_id}": Endpoint(),
    "GET /v1/toxicity-episodes/{episode_id}/history": Endpoint(),
    "GET /v1/ctcae/terms": NOBODY,
    "GET /v1/ctcae/terms/{meddra_code}": NOBODY,
    "GET /v1/ctcae/socs": NOBODY,
    "POST /v1/gradings/crs": asking(
        items=[{"id": "1", "fever": True, "hypotension": "none", "hypoxia": "high-flow", "fio2": "35", "death": False}]
    ),
    "POST /v1/gradings/icans": asking(items=[{"id": "1", "age_years": 8, "capd": 10, "consciousness": "voice"}]),
    "POST /v1/gradings/lab": asking(items=[{"id": "1", "analyte": "ALT", "value": "120", "unit": "U/L", "uln": "40"}]),
}

TARGET = {"label": "{label}", "role": "target", "organ": "adrenal-gland", "laterality": "left"}


def findings(day: str, longest: str) -> dict[str, Any]:
    size = {"longest_mm": longest, "perpendicular_mm": longest}
    return {
        "assessed_on": day,
        "modality": "mri",
        "targets": [{"lesion_id": "{lesion_id}", "state": "measured", **size}],
        "non_target": "none",
    }


READ = "/v1/independent-reads/{participant_id}"
FILES = "/v1/participants/{participant_id}/assessment-files"

EFFICACY: dict[str, Endpoint] = {
    "POST /v1/participants/{participant_id}/lesions": creating(lesion_id="{new_id}", **TARGET),
    "POST /v1/participants/{participant_id}/lesions/{lesion_id}/correct": changing(
        **{**TARGET, "laterality": "right"}, reason="The report says right"
    ),
    "POST /v1/participants/{participant_id}/lesions/{lesion_id}/retract": changing(reason="A vessel, not a lesion"),
    "GET /v1/participants/{participant_id}/lesions/{lesion_id}": Endpoint(),
    "POST /v1/participants/{participant_id}/assessments": creating(
        assessment_id="{new_id}", **findings("2025-10-14", "20")
    ),
    "POST /v1/participants/{participant_id}/assessments/{assessment_id}/correct": changing(
        **findings("2025-10-14", "18"), reason="Transcription error"
    ),
    "POST /v1/participants/{participant_id}/assessments/{assessment_id}/retract": changing(reason="Another child's"),
    "POST /v1/participants/{participant_id}/assessments/{assessment_id}/override-response": changing(
        response="SD", reason="Scar tissue, judged stable"
    ),
    "POST /v1/participants/{participant_id}/assessments/{assessment_id}/withdraw-override": changing(
        reason="The criteria were right"
    ),
    "POST /v1/participants/{participant_id}/assessments/{assessment_id}/report-response": changing(
        criteria="SEED_V1", response="SD", stated_on="2025-10"
    ),
    "GET /v1/participants/{participant_id}/assessments/{assessment_id}": Endpoint(),
    "GET /v1/participants/{participant_id}/tumour-burden": Endpoint(),
    "GET /v1/participants/{participant_id}/tumour-burden/history": Endpoint(),
    f"POST {READ}/lesions": creating(lesion_id="{new_id}", **TARGET),
    f"POST {READ}/lesions/{{lesion_id}}/correct": changing(**{**TARGET, "laterality": "right"}, reason="It is right"),
    f"POST {READ}/lesions/{{lesion_id}}/retract": changing(reason="A vessel, not a lesion"),
    f"POST {READ}/assessments": creating(assessment_id="{new_id}", visit="D30", **findings("2025-10-14", "20")),
    f"POST {READ}/assessments/{{assessment_id}}/correct": changing(
        visit="D30", **findings("2025-10-14", "18"), reason="Transcription error"
    ),
    f"POST {READ}/assessments/{{assessment_id}}/retract": changing(reason="Another child's"),
    f"GET {READ}": Endpoint(),
    f"GET {READ}/history": Endpoint(),
    f"GET {READ}/review": Endpoint(),
    f"POST {READ}/adjudicate": changing(
        time_point="D30", sides_with="independent-reader-2", reason="The second plane shows it"
    ),
    f"GET {FILES}/template": Endpoint(),
    f"POST {FILES}/sheet": Endpoint(
        body="lesion,state,longest_mm,perpendicular_mm\n{label},measured,21,20\n",
        query="?assessed_on=2025-10-20&modality=ct&non_target=none",
    ),
    f"POST {FILES}/dicom-sr": Endpoint(
        body=a_report(("T01", 22.0, 20.0), image=an_image(day="20251021")), query="?non_target=none"
    ),
    "GET /v1/criteria": NOBODY,
    "POST /v1/evaluations": asking(
        criteria=["SEED_V1", "RECIST_1_1"],
        assessments=[
            {
                "on": "2026-01-05",
                "baseline": True,
                "targets": [{"lesion_id": "T1", "state": "measured", "longest_mm": "60", "perpendicular_mm": "40"}],
                "non_target": "none",
            }
        ],
    ),
    "POST /v1/evaluations/best-response": asking(
        responses=[{"on": "2026-02-03", "response": "PR"}, {"on": "2026-03-05", "response": "CR"}],
        reference_date="2026-01-01",
    ),
}


def flow_report(percent: str) -> dict[str, Any]:
    return {
        "specimen": {"type": "blood", "collected_at": "2025-09-22T08:30:00+07:00"},
        "parent_population": "cd3",
        "percent": percent,
        "parent_events": 500000,
        "alc": {"value": "1.2", "unit": "10*9/L", "drawn_at": "2025-09-22T08:30:00+07:00"},
        "cd3_percent_of_lymphocytes": "80",
        "platform": "dual",
    }


def transgene_report(copies_per_ug: str) -> dict[str, Any]:
    return {
        "specimen": {"type": "blood", "collected_at": "2025-09-22T08:30:00+07:00"},
        "method": "qpcr",
        "copies_per_ug": copies_per_ug,
        "lloq_copies_per_ug": "50",
        "lod_copies_per_ug": "10",
        "dna_input_ng": "200",
    }


def cytokine_report(il6: str) -> dict[str, Any]:
    return {
        "specimen": {"type": "serum", "collected_at": "2025-09-22T08:30:00+07:00"},
        "platform": "LUMINEX-200",
        "kit": "HCYTA-60K",
        "lot": "A1",
        "results": [
            {"analyte": "IL6", "value": il6, "unit": "pg/mL", "lloq": "2.5", "uloq": "10000"},
            {"analyte": "IL2", "qualifier": "<", "lloq": "2.1", "unit": "pg/mL"},
            {"analyte": "IL10", "not_measured": "insufficient-volume"},
        ],
    }


COLLECTION = {
    "type": "blood",
    "purposes": ["car-t-flow", "cytokines"],
    "collected_at": "2025-09-22T08:30:00+07:00",
    "volume_ml": "4",
}
SHIPMENT = {"shipped_at": "2025-09-22T11:00:00+07:00", "destination": "CU-CENTRAL", "transport": "ambient"}

# An analyte under the laboratory's own code, which waits until it is mapped.
HL7_MESSAGE = (
    "MSH|^~\\&|LUMILIS|{site_id}|CMD03|TRIAL|20250922120000||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
    "PID|1||{site_id}-001^^^CMD03^PI||DOE^JANE\r"
    "OBR|1||F-1|CYTO^Cytokines^L|||202509230830\r"
    "OBX|1|NM|XIL6^Interleukin 6^L||38.4|pg/mL|||||F\r"
)
FHIR_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "26848-2"}]},
    "subject": {"identifier": {"value": "{site_id}-001"}, "display": "Jane Doe"},
    "effectiveDateTime": "2025-09-23T08:30:00+07:00",
    "valueQuantity": {"value": 5.1, "system": "http://unitsofmeasure.org", "code": "pg/mL"},
}
WAITING = "/v1/quarantined-messages"
INTAKE_FILES = Path(__file__).parents[1] / "services" / "biomarkers" / "files" / "flow"
RESULT_TABLE = (
    "subject_number,collected_at,code,value,unit,platform\r\n"
    "{site_id}-001,2025-09-24T08:30:00+07:00,IL6,12.5,pg/mL,LUMINEX-200\r\n"
)

BIOMARKERS: dict[str, Endpoint] = {
    "POST /v1/result-sources": Endpoint(
        About.SITE,
        {
            "source_id": "{source_id}",
            "site_id": "{site_id}",
            "time_zone": "Asia/Bangkok",
            "platform": "LUMINEX-200",
        },
        201,
    ),
    "GET /v1/result-sources/{source_id}": Endpoint(),
    "POST /v1/result-sources/{source_id}/map-codes": changing(codes=[{"code": "XIL6", "measures": "IL6"}]),
    "POST /v1/hl7v2": Endpoint(About.TRIAL, HL7_MESSAGE),
    "POST /v1/fhir": Endpoint(body=FHIR_OBSERVATION, answers=201, query="?source={source_id}"),
    "GET /v1/result-files/template": NOBODY,
    "POST /v1/result-files/table": Endpoint(body=RESULT_TABLE, query="?source={source_id}"),
    "POST /v1/result-files/fcs": Endpoint(About.TRIAL, (INTAKE_FILES / "G11.fcs").read_bytes()),
    "POST /v1/result-files/luminex": Endpoint(
        About.TRIAL, (INTAKE_FILES / "luminex_xPONENT_example02.csv").read_bytes().decode("cp1252")
    ),
    "POST /v1/result-files/instrument": Endpoint(
        About.TRIAL,
        (INTAKE_FILES.parent / "instruments" / "msd_workbench.csv").read_text(),
        query="?vendor=MSD_WORKBENCH",
    ),
    "POST /v1/result-files/flowjo": Endpoint(About.TRIAL, (INTAKE_FILES / "workspace.wsp").read_text()),
    "POST /v1/gate-sets": Endpoint(
        About.SITE,
        {
            "gate_set_id": "{gate_set_id}",
            "site_id": "{site_id}",
            "name": "CAR-T panel 3",
            "gating_ml": (INTAKE_FILES / "gates.gating-ml.xml").read_text(),
            "populations": {"GFP-pos": "car"},
        },
        201,
    ),
    "GET /v1/gate-sets": MANY,
    "GET /v1/gate-sets/{gate_set_id}": Endpoint(),
    f"GET {WAITING}": MANY,
    f"POST {WAITING}/{{message_id}}/release": Endpoint(body={}),
    f"POST {WAITING}/{{message_id}}/discard": Endpoint(body={"reason": "A control of the analyser"}),
    "POST /v1/specimens": creating(specimen_id="{new_id}", participant_id="{participant_id}", **COLLECTION),
    "POST /v1/specimens/not-collected": creating(
        specimen_id="{new_id}",
        participant_id="{participant_id}",
        visit="D14",
        purpose="cytokines",
        noted_at="2025-09-29T10:00:00+07:00",
        because="unable-to-draw",
    ),
    "POST /v1/specimens/{specimen_id}/ship": changing(**SHIPMENT),
    "POST /v1/specimens/{specimen_id}/receive": changing(
        received_at="2025-09-22T14:20:00+07:00", laboratory="CU-CENTRAL", condition="acceptable"
    ),
    "POST /v1/specimens/{specimen_id}/aliquot": changing(
        aliquoted_at="2025-09-22T15:00:00+07:00",
        aliquots=[{"aliquot_id": "{aliquot_id}", "type": "serum", "volume_ml": "0.5"}],
    ),
    "POST /v1/specimens/{specimen_id}/reject": changing(rejected_at="2025-09-22T15:10:00+07:00", because="clotting"),
    "POST /v1/specimens/{specimen_id}/report-lost": changing(
        noted_at="2025-09-24T09:00:00+07:00", because="in-transit"
    ),
    "POST /v1/specimens/{specimen_id}/correct": changing(
        step=2,
        shipment={**SHIPMENT, "transport": "refrigerated"},
        reason="The slip of the courier tells otherwise",
    ),
    "POST /v1/specimens/{specimen_id}/retract": changing(step=5, reason="Entered for another specimen"),
    "GET /v1/specimens/{specimen_id}": Endpoint(),
    "GET /v1/specimens/{specimen_id}/history": Endpoint(),
    "GET /v1/participants/{participant_id}/specimens": Endpoint(),
    "POST /v1/flow-results": creating(
        flow_result_id="{new_id}", participant_id="{participant_id}", **flow_report("12.5")
    ),
    "POST /v1/flow-results/{flow_result_id}/correct": changing(
        **flow_report("11.0"), reason="The gate on CD3 was set too wide"
    ),
    "POST /v1/flow-results/{flow_result_id}/cancel": changing(ground="cancelled", reason="The tube had clotted"),
    "GET /v1/flow-results/{flow_result_id}": Endpoint(),
    "GET /v1/flow-results/{flow_result_id}/history": Endpoint(),
    "POST /v1/transgene-results": creating(
        transgene_result_id="{new_id}", participant_id="{participant_id}", **transgene_report("15200")
    ),
    "POST /v1/transgene-results/{transgene_result_id}/correct": changing(
        **transgene_report("1520"), reason="The standards were diluted twice"
    ),
    "POST /v1/transgene-results/{transgene_result_id}/cancel": changing(
        ground="cancelled", reason="The control without template was amplified"
    ),
    "GET /v1/transgene-results/{transgene_result_id}": Endpoint(),
    "GET /v1/transgene-results/{transgene_result_id}/history": Endpoint(),
    "POST /v1/cytokine-panels": creating(
        cytokine_panel_id="{new_id}", participant_id="{participant_id}", **cytokine_report("380")
    ),
    "POST /v1/cytokine-panels/{cytokine_panel_id}/correct": changing(
        **cytokine_report("38.4"), reason="A decimal point was lost"
    ),
    "POST /v1/cytokine-panels/{cytokine_panel_id}/cancel": changing(
        ground="entered-in-error", reason="Tube of another participant"
    ),
    "GET /v1/cytokine-panels/{cytokine_panel_id}": Endpoint(),
    "GET /v1/cytokine-panels/{cytokine_panel_id}/history": Endpoint(),
    "POST /v1/assay-lots": Endpoint(
        About.TRIAL,
        {
            "assay_lot_id": "{new_id}",
            "platform": "LUMINEX-200",
            "kit": "HCYTA-60K",
            "lot": "A1-{new_id}",
            "ranges": [{"analyte": "IL6", "lloq": "2.5", "uloq": "10000", "unit": "pg/mL"}],
            "valid_from": "2025-01-15",
        },
        201,
    ),
    "GET /v1/assay-lots": NOBODY,
    "GET /v1/assay-lots/history": NOBODY,
    "GET /v1/assay-lots/{assay_lot_id}": NOBODY,
    "POST /v1/assay-lots/{assay_lot_id}/withdraw": Endpoint(About.TRIAL, {"reason": "The limits of another kit"}),
    "POST /v1/evaluations/kinetics": asking(
        points=[{"time_d": "7", "value": "12.5", "qualifier": None, "lloq": "0.1"}], options={"auc_method": "linear"}
    ),
}

TRIAL: dict[str, Endpoint] = {
    "GET /v1/protocol": NOBODY,
    "GET /v1/participants": MANY,
    "GET /v1/participants/{participant_id}": Endpoint(),
    "GET /v1/participants/{participant_id}/timeline": Endpoint(),
    "GET /v1/participants/{participant_id}/visits": Endpoint(),
    "GET /v1/participants/{participant_id}/crs-icans-course": Endpoint(),
    "GET /v1/participants/{participant_id}/cytokine-course": Endpoint(),
    "GET /v1/visits": MANY,
    "GET /v1/adverse-events": MANY,
    "GET /v1/outcomes/adverse-events": MANY,
    "GET /v1/outcomes/response-rate": MANY,
    "GET /v1/outcomes/response-by-criteria": MANY,
    "GET /v1/outcomes/best-response": MANY,
    "GET /v1/outcomes/survival": MANY,
    "GET /v1/outcomes/persistence": MANY,
    "GET /v1/outcomes/cytokines": MANY,
    "GET /v1/figures/course": Endpoint(query="?participant_id={participant_id}"),
    "GET /v1/figures/{figure}": Endpoint(About.FIGURE),
    "GET /v1/sae-worklist": MANY,
    "GET /v1/dose-limiting-toxicity": MANY,
    "GET /v1/cohort-board": MANY,
    "GET /v1/safety-reconciliation": MANY,
    "GET /v1/special-interest": MANY,
    "GET /v1/specimens": MANY,
    "GET /v1/participants/{participant_id}/schedule": Endpoint(),
    "GET /v1/sites/{site_id}/schedule": Endpoint(About.SITE),
    "GET /v1/sites/{site_id}/calendar.ics": Endpoint(About.SITE),
    "GET /v1/schedule-deviations": MANY,
    "GET /v1/consent-gaps": MANY,
    "GET /v1/deviations": MANY,
    "GET /v1/screening-log": MANY,
    "GET /v1/consort": MANY,
    "GET /v1/site-workload": MANY,
    "GET /v1/products": MANY,
    "GET /v1/product-alerts": MANY,
}

SERVICES = {
    "/enrollment": ENROLLMENT,
    "/safety": SAFETY,
    "/efficacy": EFFICACY,
    "/biomarkers": BIOMARKERS,
    "/trial": TRIAL,
}


def _below_the_base_url() -> dict[str, Endpoint]:
    found = {}
    for service, endpoints in SERVICES.items():
        for key, endpoint in endpoints.items():
            method, path = key.split(" ")
            found[f"{method} {service}{path}"] = endpoint
    return found


ENDPOINTS = _below_the_base_url()
