"""What the biomarkers service publishes of the systems that send it results: who they are, and what their codes mean.

A message that could not be read waits in a quarantine list outside of the events, because nobody knows yet what it
says, or whom it names, and events cannot be erased.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.saying import Says
from shared.contracts.terms import Code, SiteId
from shared.kernel.events import Event

SourceId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}@[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"),
    Says("the sending application and facility, such as LUMILIS@CU: of each at most 32 letters, digits and . _ -"),
    Field(
        description="Sending application and facility: in HL7 v2 MSH-3.1 and MSH-4.1, other characters as hyphens",
        examples=["LUMILIS@CU"],
    ),
]
TimeZone = Annotated[str, Field(max_length=64, description="IANA time zone", examples=["Asia/Bangkok"])]
SentCodeText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[!-~]+( [!-~]+)*$"),
    Says("a code as the sender writes it, of at most 64 printable characters"),
]


class ResultSourceRegistered(Event, type="biomarkers.result-source-registered", version=1):
    """A sending system of a site may send results. Times without an offset are read in its zone."""

    source_id: SourceId
    site_id: SiteId
    time_zone: TimeZone
    platform: Code | None = Field(description="The assay platform of results that name none")


class MappedCode(BaseModel):
    """A sender's own code, and what it measures here. None: known, and not taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: SentCodeText
    measures: Code | None = Field(description="Key of the table of codes that are taken, such as IL6 or CARPCT")


class ResultCodesMapped(Event, type="biomarkers.result-codes-mapped", version=1):
    """Codes of a sending system got a meaning, for results that are read from now on."""

    source_id: SourceId
    codes: tuple[MappedCode, ...]


ResultSourceEvent = ResultSourceRegistered | ResultCodesMapped
