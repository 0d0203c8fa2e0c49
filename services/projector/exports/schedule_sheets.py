"""Schedules, deviations, the screening log, the flow of participants and workloads as flat tables."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pydantic import BaseModel

from services.projector.domain.participant_flow import Flow, ParticipantFlow, Reason
from services.projector.domain.participant_schedule import ParticipantSchedule, WindowOfVisit
from services.projector.domain.protocol_deviations import ProtocolDeviation
from services.projector.domain.screening_log import Screening
from services.projector.domain.site_schedule import DueVisit, ScheduleDeviation
from services.projector.domain.site_workload import SiteWorkload
from services.projector.exports.csv_text import Sheet

M = TypeVar("M", bound=BaseModel)
Line = tuple[object, ...]

_WHO = ("participant_id", "subject_number", "site_id", "time_zone")
_WINDOW = tuple(WindowOfVisit.model_fields)
_DONE = ("assessment", "status", "reason", "performed_on", "performed_on_day")


def _of_models(name: str, model: type[M], items: Iterable[M]) -> Sheet:
    columns = tuple(model.model_fields)
    return Sheet(name, columns, ([getattr(item, column) for column in columns] for item in items))


def due_visits(items: Iterable[DueVisit]) -> Sheet:
    return _of_models("site-schedule", DueVisit, items)


def deviations(items: Iterable[ScheduleDeviation]) -> Sheet:
    return _of_models("schedule-deviations", ScheduleDeviation, items)


_OF_DEVIATION = tuple(name for name in ProtocolDeviation.model_fields if name != "decided_by")
_DECIDED = ("decided_by", "decided_as", "reason")


def protocol_deviations(items: Iterable[ProtocolDeviation]) -> Sheet:
    """A line per deviation; of several who decided all stand in it, in their order."""
    return Sheet("deviations", (*_OF_DEVIATION, *_DECIDED), map(_deviation, items))


def _deviation(line: ProtocolDeviation) -> Line:
    by = line.decided_by
    decided = ([each.actor for each in by], [each.role for each in by], [each.reason for each in by])
    return *(getattr(line, name) for name in _OF_DEVIATION), *decided


def screenings(items: Iterable[Screening]) -> Sheet:
    return _of_models("screening-log", Screening, items)


def workloads(items: Iterable[SiteWorkload]) -> Sheet:
    return _of_models("site-workload", SiteWorkload, items)


def participant_schedule(answer: ParticipantSchedule) -> Sheet:
    """A line per visit and kind of assessment, then one per year of long-term follow-up."""
    return Sheet("schedule", (*_WHO, "visit", "label", *_WINDOW, *_DONE), _visits(answer))


def _visits(answer: ParticipantSchedule) -> Iterator[Line]:
    who = tuple(getattr(answer, name) for name in _WHO)
    for visit in answer.visits:
        window = tuple(getattr(visit, name) for name in _WINDOW)
        for each in visit.assessments:
            yield *who, visit.visit, visit.label, *window, *(getattr(each, name) for name in _DONE)
    for year in answer.long_term_follow_up.years:
        window = tuple(getattr(year, name) for name in _WINDOW)
        yield *who, year.code, year.label, *window, None, year.status, year.reason, year.performed_on, None


_FLOW = ("dose_level", "step", "reason", "n")
_ENDS = ("in_follow_up", "off_treatment", "lost_to_follow_up", "withdrawn", "died", "completed")


def participant_flow(answer: ParticipantFlow) -> Sheet:
    """A line per count: of everybody first (`dose_level` empty), then by dose level."""
    return Sheet("consort", _FLOW, _counts(answer))


def _counts(answer: ParticipantFlow) -> Iterator[Line]:
    for step in ("screened", "screenings", "re_screened", "in_screening", "screen_failed"):
        yield None, step, None, getattr(answer, step)
    yield from _reasons(None, "screen_failed", answer.screen_failures)
    yield from _steps(None, answer.total)
    for flow in answer.by_dose_level:
        yield from _steps(flow.dose_level or "none", flow)


def _steps(level: str | None, flow: Flow) -> Iterator[Line]:
    yield level, "enrolled", None, flow.enrolled
    yield level, "infused", None, flow.infused
    yield from _reasons(level, "not_infused", flow.not_infused)
    for step in _ENDS:
        yield level, step, None, getattr(flow, step)
    for each in flow.analysed:
        yield level, "analysed", each.outcome, each.n


def _reasons(level: str | None, step: str, reasons: Iterable[Reason]) -> Iterator[Line]:
    for each in reasons:
        yield level, step, each.reason, each.n
