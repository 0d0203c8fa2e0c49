"""DM and EX: sites, and each subject's screening, consent, enrolment, first dose, and death."""

from typing import Any
from uuid import UUID

from services.loading.cdisc.codelists import COUNTRIES, SCREEN_FAILURES, coded, kebab
from services.loading.cdisc.files import RowUnusable, SourceRow
from services.loading.client import identity
from services.loading.steps import PARTICIPANT, Course, Step
from shared.contracts.enrollment_terms import Route, Sex
from shared.kernel.actor import Role

ZONE = "UTC"  # the data give dates without a zone; UTC leaves them as they are
NOT_IN_DATA = "not in SDTM"
CRITERIA_NOT_IN_DATA = "OTHER"  # DSDECOD of a screening that failed by criteria of another protocol


def noon(date: str) -> str:
    """A date without a time as an instant: noon, which is the same date in nearly every zone."""
    return f"{date}T12:00:00+00:00"


def participant_id(row: SourceRow) -> UUID:
    return identity("cdisc", row["STUDYID"], row.subject)


def site_of(row: SourceRow) -> str:
    return row.required("SITEID").upper()


def opened(row: SourceRow) -> Course:
    """The site of the first subject that names it."""
    site = site_of(row)
    body = {
        "site_id": site,
        "name": f"Site {site}",
        "country": coded(row, "COUNTRY", COUNTRIES),
        "time_zone": ZONE,
    }
    key = identity("cdisc", row["STUDYID"], "site", site)
    step = Step("sites", f"site {site}", "/enrollment/v1/sites", body, Role.SYSTEM, f"site {site}", key)
    return Course(site, step)


class Subject:
    """One row of DM as commands."""

    def __init__(self, row: SourceRow) -> None:
        self._row = row
        self.id = participant_id(row)
        self._path = "/enrollment/v1/participants"

    def screened(self) -> Step:
        row = self._row
        birth = row.date("BRTHDTC")[:7]
        if birth.count("-") < 1:
            raise RowUnusable("BRTHDTC has no month, and the trial needs one")
        if row["SEX"].upper() not in set(Sex):
            raise RowUnusable(f"SEX is none of: {', '.join(Sex)}")
        body = {
            "participant_id": str(self.id),
            "site_id": site_of(row),
            "subject_label": row.subject,
            "birth_month": birth,
            "sex": row["SEX"].upper(),
            "diagnosis": "other",
            "diagnosis_text": NOT_IN_DATA,
            "screened_on": self._screened_on(),
        }
        return Step("dm", row.name, self._path, body, Role.SYSTEM, PARTICIPANT, self.id)

    def _screened_on(self) -> str:
        variable = next((name for name in ("RFICDTC", "DMDTC", "RFSTDTC") if self._row[name]), "DMDTC")
        return self._row.full_date(variable)

    @property
    def failed_screening(self) -> bool:
        return bool({self._row["ARMCD"].upper(), self._row["ARMNRS"].upper()} & SCREEN_FAILURES)

    def until_enrolled(self) -> list[Step]:
        """Consent and enrolment, or the end of a screening that failed."""
        row = self._row
        screened_on = self._screened_on()
        if self.failed_screening:
            failed_on = row.full_date("RFPENDTC") if row["RFPENDTC"] else screened_on
            return [self._change("fail-screening", {"failed_on": failed_on, "disposition": CRITERIA_NOT_IN_DATA})]
        own = {"kind": "own", "document_version": NOT_IN_DATA, "language": "en", "obtained_on": screened_on}
        enrolled_on = row.full_date("RFSTDTC") if row["RFSTDTC"] else screened_on
        return [
            self._change("obtain-consent", own),
            self._change("assess-eligibility", {"assessed_on": enrolled_on}),
            self._change("enrol", {"enrolled_on": enrolled_on}),
        ]

    def dosed(self, dose: SourceRow) -> Step:
        """The first dose, in the place of the infusion."""
        at = noon(dose.full_date("EXSTDTC"))
        route = kebab(dose["EXROUTE"])
        body = {"started_at": at, "ended_at": at, "route": route if route in set(Route) else Route.OTHER.value}
        return self._change("record-infusion", body, kind="ex", name=dose.name)

    def died(self) -> list[Step]:
        if not self._row["DTHDTC"]:
            return []
        return [self._change("record-death", {"died_on": self._row.date("DTHDTC")})]

    def _change(self, verb: str, body: dict[str, Any], *, kind: str = "dm", name: str | None = None) -> Step:
        path, key = f"{self._path}/{self.id}/{verb}", identity("cdisc", self.id, verb)
        return Step(kind, name or self._row.name, path, body, Role.SYSTEM, PARTICIPANT, key, changes=True)
