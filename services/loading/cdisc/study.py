"""A study as courses of commands: each subject's in order; what cannot be said of a row is told and counted."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from services.loading.cdisc import adverse_events, laboratory, responses, tumours
from services.loading.cdisc.adverse_events import Dictionary
from services.loading.cdisc.files import RowUnusable, SourceRow, StudyUnusable, Tables
from services.loading.cdisc.subjects import Subject, opened, site_of
from services.loading.steps import Course, Step
from services.loading.tally import Tally

T = TypeVar("T")

LATER_DOSES = "the schedule counts from the first dose, and later ones are not asked for"
OTHER_READERS = "read by others than the investigator and the two blinded readers, or stated by them"
DERIVED_RESPONSES = "NEWLPROG and BESTRESP, which the trial derives from lesions and course"
OTHER_TESTS = f"tests other than {', '.join(tumours.TESTS)}, such as sums, which the trial derives"
CRITERION_COUNTS = "say AESER N beside a criterion of seriousness: the criterion counts"
OTHER_TERM = "went under 'Other, specify': CTCAE's term of that name does not offer the mapped grade"


@dataclass(frozen=True, slots=True)
class Study:
    """What is to be sent."""

    sites: list[Course]
    people: list[Course]

    @property
    def commands(self) -> int:
        return sum(1 for course in (*self.sites, *self.people) for _ in course)


def study_id(tables: Tables) -> str:
    """The one STUDYID of a study.

    Raises:
        StudyUnusable: there is none, or more than one.
    """
    ids = {row["STUDYID"] for row in tables["dm"]}
    if len(ids) != 1 or "" in ids:
        raise StudyUnusable(f"dm is of one study, and STUDYID says: {', '.join(sorted(ids)) or 'none'}")
    return ids.pop()


def study_of(tables: Tables, dictionary: Dictionary, codes: dict[str, str | None], agent: str, tally: Tally) -> Study:
    """All commands. The rows that none could be made of are in the tally, each with the reason."""
    return _Making(tables, dictionary, codes, agent, tally).study()


class _Making:
    """Goes through the tables subject by subject."""

    def __init__(
        self, tables: Tables, dictionary: Dictionary, codes: dict[str, str | None], agent: str, tally: Tally
    ) -> None:
        self._dictionary, self._codes, self._agent, self._tally = dictionary, codes, agent, tally
        self._subjects = tables["dm"]
        others = sum(tumours.reader_of(row) is None for domain in ("tu", "tr") for row in tables[domain])
        others += sum(not tumours.is_investigators(row) for row in tables["rs"])
        self._rows = {domain: _by_subject(tables[domain]) for domain in ("ex", "ae", "tu", "tr", "rs", "lb")}
        tally.leave_out("tu, tr, rs", others, OTHER_READERS)
        self._remark(sum(map(adverse_events.contradicts_itself, tables["ae"])), CRITERION_COUNTS)
        self._other_terms = 0

    def _remark(self, rows: int, what: str) -> None:
        if rows:
            self._tally.remarks.append(f"ae: {rows} rows {what}")

    def study(self) -> Study:
        sites: dict[str, Course] = {}
        people = []
        for row in sorted(self._subjects, key=lambda each: (each["DMDTC"], each.subject)):
            site = self._made("dm", row, opened, row)
            first = self._made("dm", row, Subject(row).screened)
            if site is not None and first is not None:
                if site.site not in sites:
                    kept = laboratory.opened(site.site, row["STUDYID"], self._codes)
                    sites[site.site] = replace(site, rest=tuple(kept))
                people.append(Course(site.site, first, tuple(self._rest(row))))
        self._refuse_the_rest()
        self._remark(self._other_terms, OTHER_TERM)
        return Study(list(sites.values()), people)

    def _rest(self, row: SourceRow) -> Iterator[Step]:
        subject = Subject(row)
        yield from self._made("dm", row, subject.until_enrolled) or ()
        yield from self._first_dose(subject, self._taken("ex", row.subject))
        for event in self._taken("ae", row.subject):
            yield from _some(self._made("ae", event, self._reported, event))
        yield from laboratory.batches(site_of(row), self._taken("lb", row.subject))
        yield from self._tumour(row.subject)
        yield from self._made("dm", row, subject.died) or ()

    def _reported(self, row: SourceRow) -> Step:
        step = adverse_events.reported(row, self._dictionary, self._agent)
        self._other_terms += self._dictionary.lacks_grade(row)
        return step

    def _first_dose(self, subject: Subject, doses: list[SourceRow]) -> Iterator[Step]:
        if doses:
            first = min(doses, key=lambda dose: dose["EXSTDTC"] or "~")
            yield from _some(self._made("ex", first, subject.dosed, first))
        self._tally.leave_out("ex", len(doses[1:]), LATER_DOSES)

    def _tumour(self, subject: str) -> Iterator[Step]:
        identifications, readings = self._taken("tu", subject), self._taken("tr", subject)
        for reader in tumours.READERS:
            own = [row for row in identifications if tumours.reader_of(row) is reader]
            for row in own:
                if not tumours.is_new(row):
                    yield from _some(self._made("tu", row, tumours.identified, row, reader))
            lesions = tumours.Lesions(own)
            for rows in tumours.visits(row for row in readings if tumours.reader_of(row) is reader):
                yield from _some(self._visit(rows, lesions, reader))
        yield from self._stated(subject)

    def _stated(self, subject: str) -> Iterator[Step]:
        rows = [row for row in self._taken("rs", subject) if tumours.is_investigators(row)]
        self._tally.leave_out("rs", sum(map(responses.is_derived, rows)), DERIVED_RESPONSES)
        for row in rows:
            if not responses.is_derived(row):
                yield from _some(self._made("rs", row, responses.stated, row))

    def _visit(self, rows: list[SourceRow], lesions: tumours.Lesions, reader: tumours.Reader) -> Step | None:
        try:
            step = tumours.assessed(rows, lesions, reader)
        except RowUnusable as why:
            self._tally.refuse_row("tr", tumours.name_of(rows, reader), f"the whole visit: {why}", len(rows))
            return None
        self._tally.leave_out("tr", len(rows) - step.rows, OTHER_TESTS)
        return step

    def _made(self, kind: str, row: SourceRow, make: Callable[..., T], *of: Any) -> T | None:
        try:
            return make(*of)
        except RowUnusable as why:
            self._tally.refuse_row(kind, row.name, str(why))
            return None

    def _taken(self, domain: str, subject: str) -> list[SourceRow]:
        return self._rows[domain].pop(subject, [])

    def _refuse_the_rest(self) -> None:
        """Rows of subjects that dm does not have, or whose row there could not be used."""
        for domain, subjects in self._rows.items():
            for rows in subjects.values():
                for row in rows:
                    self._tally.refuse_row(domain, row.name, "not sent: dm has no usable row of this USUBJID")


def _some(step: Step | None) -> Iterable[Step]:
    return () if step is None else (step,)


def _by_subject(rows: Iterable[SourceRow]) -> dict[str, list[SourceRow]]:
    grouped: Mapping[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        grouped[row.subject].append(row)
    return dict(grouped)
