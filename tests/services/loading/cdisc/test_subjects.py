"""DM and EX to sites, screening, enrolment, first dose and death."""

import pytest

from services.loading.cdisc.files import RowUnusable
from services.loading.cdisc.subjects import Subject, opened
from tests.services.loading.cdisc.rows import a_row


def test_a_site_is_opened_with_the_country_as_alpha_2() -> None:
    body = opened(a_row("dm")).first.body
    assert body == {"site_id": "701", "name": "Site 701", "country": "US", "time_zone": "UTC"}


def test_a_subject_keeps_its_pseudonym_and_of_its_birth_the_month_alone() -> None:
    body = Subject(a_row("dm", BRTHDTC="1950-12-26")).screened().body
    assert (body["subject_label"], body["birth_month"], body["screened_on"]) == ("01-701-1015", "1950-12", "2013-12-26")
    assert "1950-12-26" not in str(body)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"BRTHDTC": ""}, "BRTHDTC is missing"),
        ({"BRTHDTC": "1950"}, "BRTHDTC has no month"),
        ({"SEX": "X"}, "SEX is none of"),
        ({"DMDTC": "", "RFSTDTC": ""}, "DMDTC is missing"),
        ({"DMDTC": "2013-12"}, "DMDTC has no day"),
    ],
)
def test_a_subject_that_cannot_be_screened_says_why(values: dict[str, str], why: str) -> None:
    with pytest.raises(RowUnusable, match=why):
        Subject(a_row("dm", **values)).screened()


@pytest.mark.parametrize(("values", "why"), [({"COUNTRY": "ATL"}, "COUNTRY is none of"), ({"SITEID": ""}, "SITEID")])
def test_a_site_that_cannot_be_opened_says_why(values: dict[str, str], why: str) -> None:
    with pytest.raises(RowUnusable, match=why):
        opened(a_row("dm", **values))


def verbs(**values: str) -> list[str]:
    return [step.path.rpartition("/")[2] for step in Subject(a_row("dm", **values)).until_enrolled()]


def test_a_subject_consents_is_assessed_and_enrolled_and_a_screening_failure_is_neither() -> None:
    assert verbs() == ["obtain-consent", "assess-eligibility", "enrol"]
    assert verbs(ARMCD="Scrnfail", RFSTDTC="") == ["fail-screening"]
    assert verbs(ARMCD="", ARMNRS="SCREEN FAILURE") == ["fail-screening"]


def test_the_first_dose_without_a_time_is_at_noon_so_that_its_date_holds_everywhere() -> None:
    dose = a_row("ex", EXSTDTC="2014-01-02", EXROUTE="TRANSDERMAL")
    step = Subject(a_row("dm")).dosed(dose)
    at = "2014-01-02T12:00:00+00:00"
    assert step.body == {"started_at": at, "ended_at": at, "route": "transdermal"}
    assert (step.kind, step.row) == ("ex", dose.name)
    assert Subject(a_row("dm")).dosed(a_row("ex", EXSTDTC="2014-01-02")).body["route"] == "other"


def test_a_death_is_recorded_as_far_as_its_date_is_known() -> None:
    (died,) = Subject(a_row("dm", DTHDTC="2013-01")).died()
    assert died.body == {"died_on": "2013-01"}
    assert Subject(a_row("dm")).died() == []
