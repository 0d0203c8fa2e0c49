"""RS: responses that the investigator stated, each beside what the trial's criteria make of the same visit.

OVRLRESP, TRGRESP and NTRGRESP are taken. NEWLPROG and BESTRESP are no response at an assessment: the one follows from
the lesions, the other from the course, and the trial derives both. RSCAT names the set of criteria.
"""

import re

from services.loading.cdisc.codelists import RESPONSE_CRITERIA, RESPONSE_TESTS
from services.loading.cdisc.files import RowUnusable, SourceRow
from services.loading.cdisc.tumours import INVESTIGATOR, TUMOUR
from services.loading.client import identity
from services.loading.steps import PARTICIPANT, Step
from shared.contracts.efficacy_terms import Response
from shared.kernel.actor import Role

DERIVED = frozenset({"NEWLPROG", "BESTRESP"})
WORDS = {each.upper(): each for each in Response}
_SIGNS = re.compile(r"[^A-Z0-9]+")


def is_derived(row: SourceRow) -> bool:
    return row["RSTESTCD"].upper() in DERIVED


def stated(row: SourceRow) -> Step:
    """One response as it was stated. It belongs to the assessment of its visit, which is sent before it."""
    of = RESPONSE_TESTS.get(row.required("RSTESTCD").upper())
    if of is None:
        raise RowUnusable(f"RSTESTCD is none of: {', '.join((*RESPONSE_TESTS, *sorted(DERIVED)))}")
    response = WORDS.get(row.required("RSSTRESC").upper())
    if response is None:
        raise RowUnusable(f"RSSTRESC is none of: {', '.join(Response)}")
    criteria = _SIGNS.sub("_", row.required("RSCAT").upper()).strip("_")
    body = {
        "of": of,
        "criteria": RESPONSE_CRITERIA.get(criteria, criteria),
        "response": response.value,
        "stated_on": row.date("RSDTC") if row["RSDTC"] else None,
    }
    assessment = INVESTIGATOR.identity(row, "assessment", row.required("VISITNUM"))
    key = identity("cdisc", row["STUDYID"], row.subject, "rs", row.required("RSSEQ"))
    path = f"{INVESTIGATOR.at(row)}/assessments/{assessment}/report-response"
    return Step("rs", row.name, path, body, Role.SYSTEM, TUMOUR, key, changes=True, needs=(PARTICIPANT,))
