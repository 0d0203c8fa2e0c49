"""RS to stated responses."""

import pytest

from services.loading.cdisc.files import RowUnusable
from services.loading.cdisc.responses import is_derived, stated
from services.loading.cdisc.tumours import is_investigators
from services.loading.steps import Step
from tests.services.loading.cdisc.rows import a_row

GIVEN = {"RSSEQ": "4", "RSTESTCD": "OVRLRESP", "RSCAT": "RECIST 1.1", "RSSTRESC": "SD", "VISITNUM": "7"}


def of(**values: str) -> Step:
    return stated(a_row("rs", **{**GIVEN, **values}))


def test_a_stated_response_belongs_to_the_assessment_of_its_visit() -> None:
    step = of(RSDTC="2014-02")
    assert step.body == {"of": "overall", "criteria": "RECIST_1_1", "response": "SD", "stated_on": "2014-02"}
    assert step.path.endswith("/report-response")
    assert step.changes
    assert of(VISITNUM="9").path != step.path
    assert of(RSSEQ="5").id != step.id


@pytest.mark.parametrize(
    ("rscat", "criteria"),
    [("RECIST 1.1", "RECIST_1_1"), ("WHO", "WHO_1979"), ("iRECIST", "IRECIST"), ("RAPNO-LGG", "RAPNO_LGG")],
)
def test_the_set_of_criteria_is_known_by_its_usual_names(rscat: str, criteria: str) -> None:
    assert of(RSCAT=rscat).body["criteria"] == criteria


@pytest.mark.parametrize(("code", "part"), [("OVRLRESP", "overall"), ("TRGRESP", "target"), ("NTRGRESP", "non-target")])
def test_what_is_stated_of_a_part_says_so(code: str, part: str) -> None:
    assert of(RSTESTCD=code, RSSTRESC="icpd").body == {
        "of": part,
        "criteria": "RECIST_1_1",
        "response": "iCPD",
        "stated_on": None,
    }


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"RSTESTCD": "SYMPTDTR"}, "RSTESTCD is none of: OVRLRESP"),
        ({"RSSTRESC": "BETTER"}, "RSSTRESC is none of: CR"),
        ({"RSSTRESC": ""}, "RSSTRESC is missing"),
        ({"RSCAT": ""}, "RSCAT is missing"),
        ({"RSSEQ": ""}, "RSSEQ is missing"),
        ({"VISITNUM": ""}, "VISITNUM is missing"),
        ({"RSDTC": "soon"}, "RSDTC is not an ISO 8601 date"),
    ],
)
def test_a_row_that_states_nothing_says_why(values: dict[str, str], why: str) -> None:
    with pytest.raises(RowUnusable, match=why):
        of(**values)


def test_what_the_trial_derives_and_what_others_read_is_told_apart() -> None:
    assert [is_derived(a_row("rs", RSTESTCD=code)) for code in ("NEWLPROG", "BESTRESP", "OVRLRESP")] == [
        True,
        True,
        False,
    ]
    assert [is_investigators(a_row("rs", RSEVAL=who)) for who in ("INVESTIGATOR", "", "INDEPENDENT ASSESSOR")] == [
        True,
        True,
        False,
    ]
