"""How toxicities of CAR-T cells are graded and coded, where the published rules leave a choice."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.protocol.marked import Part, Setting

TermCode = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]


class AgeCounted(StrEnum):
    """The age that picks the instrument of an ICANS episode."""

    AT_ONSET = "at-onset"  # a child who turns so old during an episode keeps its instrument
    AT_OBSERVATION = "at-observation"


class CarTToxicity(Part):
    """Choices in grading CRS, ICANS and IEC-HS, and the CTCAE terms under which they are recorded."""

    crs_term: Setting[TermCode]
    icans_term: Setting[TermCode]  # CTCAE v5.0 has none of its own
    iec_hs_term: Setting[TermCode]  # likewise
    crs_life_threatening_fio2_percent: Setting[Annotated[Decimal, Field(gt=20, le=100)]]
    ice_from_age_years: Setting[Annotated[Decimal, Field(gt=0, le=30)]]  # from here on ICE takes the place of CAPD
    age_counted: Setting[AgeCounted]
