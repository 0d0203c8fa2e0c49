"""Acknowledgements as a regulator writes them, in the form of the U.S. FDA's published ones."""

from shared.contracts.safety_cases import ReportSubmitted

_ID = "2.16.840.1.113883.3.989.2.1.3"
ANSWERED_AT = "20260319101246+0700"


def an_acknowledgement(
    report: ReportSubmitted,
    *,
    transmission: str = "AA",
    message: str | None = "CA",
    batch: str | None = None,
    case: str | None = None,
    at: str = ANSWERED_AT,
    reference: str = "TH-19426650",
) -> bytes:
    """Of the report's own batch and case, unless said otherwise. `message` None: the batch is answered as a whole."""
    frame = report.content.frame
    number = case or f"{frame.country}-{frame.organisation_code}-{report.adverse_event_id}"
    answer = "" if message is None else _message(message, number, at, reference)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0">
 <id extension="34137236" root="{_ID}.20"/>
 <creationTime value="{at}"/>
 <responseModeCode code="D"/>
 <interactionId extension="MCCI_IN200101UV01" root="2.16.840.1.113883.1.6"/>
{answer} <receiver typeCode="RCV">
  <device classCode="DEV" determinerCode="INSTANCE"><id extension="CHULA" root="{_ID}.18"/></device>
 </receiver>
 <sender typeCode="SND">
  <device classCode="DEV" determinerCode="INSTANCE"><id extension="THFDA" root="{_ID}.17"/></device>
 </sender>
 <acknowledgement typeCode="{transmission}">
  <targetBatch><id extension="{batch or report.report_id}" root="{_ID}.22"/></targetBatch>
  <acknowledgementDetail><text>whatever it says</text></acknowledgementDetail>
 </acknowledgement>
</MCCI_IN200101UV01>
""".encode()


def _message(code: str, case: str, at: str, reference: str) -> str:
    return f""" <MCCI_IN000002UV01>
  <id extension="{reference}" root="{_ID}.19"/>
  <creationTime value="{at}"/>
  <interactionId extension="MCCI_IN000002UV01" root="2.16.840.1.113883.1.6"/>
  <processingCode code="P"/>
  <processingModeCode code="T"/>
  <acceptAckCode code="NE"/>
  <acknowledgement typeCode="{code}">
   <targetMessage><id extension="{case}" root="{_ID}.1"/></targetMessage>
   <acknowledgementDetail><text>Report loaded &amp; stored</text></acknowledgementDetail>
  </acknowledgement>
 </MCCI_IN000002UV01>
"""
