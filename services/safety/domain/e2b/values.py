"""What a report says, element by element: the value, the null flavour that stands for it, or None where it is missing.

Nothing but the report is asked, so that the same report always reads the same.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from services.safety.domain.e2b import codes, timestamps
from services.safety.domain.e2b.codes import NullFlavour
from services.safety.domain.e2b.elements import ELEMENTS, IF_FATAL, Element
from services.safety.domain.e2b.opinions import senders_comment
from shared.contracts.safety import AdverseEventTerm, Outcome, Seriousness
from shared.contracts.safety_cases import AgeAtOnset, ReportContent, ReportedEvent, ReportSubmitted
from shared.contracts.safety_reports import ReportFrame

Value = str | None  # a null flavour is one too
Values = Mapping[str, Value]

_REPORT_FROM_STUDY, _OTHER_THAN_REGULATOR, _PRIMARY = "2", "2", "1"
_SUSPECT, _NOT_ADMINISTERED = "1", "4"


def values(report: ReportSubmitted) -> dict[str, Value]:
    """Every element that occurs once in a message, by its number."""
    content = report.content
    return {
        **_wrapper(report),
        **_case(report),
        **_reporter(content.frame),
        **_sender(content.frame),
        **_study(content.frame),
        **_patient(content),
        **_death(content.adverse_event),
        **_event(content),
        **_product(content),
        "H.1": content.narrative,
        "H.4": senders_comment(content),
    }


def missing(found: Values) -> Sequence[Element]:
    """The elements that must be there and are not, in the standard's order."""
    return [each for each in ELEMENTS if _is_needed(each, found) and found.get(each.number) is None]


def _is_needed(element: Element, found: Values) -> bool:
    if element.need == IF_FATAL:
        return found["E.i.3.2a"] == "true"
    if element.number == "C.1.11.2":
        return found["C.1.11.1"] is not None
    return element.is_required


def _wrapper(report: ReportSubmitted) -> dict[str, Value]:
    frame = report.content.frame
    return {
        "N.1.2": str(report.report_id),
        "N.1.3": frame.sender_identifier,
        "N.1.4": frame.receiver_identifier,
        "N.2.r.1": _case_number(report),
        "N.2.r.2": frame.sender_identifier,
        "N.2.r.3": frame.receiver_identifier,
    }


def _case_number(report: ReportSubmitted) -> str | None:
    """C.1.1, the same in every report of the case, whoever gets it and however often."""
    frame = report.content.frame
    if frame.country is None or frame.organisation_code is None:
        return None
    return f"{frame.country}-{frame.organisation_code}-{report.adverse_event_id}"


def _case(report: ReportSubmitted) -> dict[str, Value]:
    content, zone = report.content, report.content.frame.time_zone
    documents = content.narrative_reference
    number = _case_number(report)
    return {
        "C.1.1": number,
        "C.1.2": timestamps.instant(report.submitted_at, zone),
        "C.1.3": _REPORT_FROM_STUDY,
        "C.1.4": timestamps.instant(content.first_received_at, zone),
        "C.1.5": timestamps.instant(content.latest_information_at, zone),
        "C.1.6.1": "false" if documents is None else "true",
        "C.1.6.1.r.1": documents,
        "C.1.7": "false" if content.sponsor.susar is None else "true",
        "C.1.8.1": number,
        "C.1.8.2": _OTHER_THAN_REGULATOR,
        "C.1.9.1": NullFlavour.NO_INFORMATION,
        "C.1.11.1": codes.CHANGES.get(report.kind),
        "C.1.11.2": report.reason if report.kind in codes.CHANGES else None,
    }


def _reporter(frame: ReportFrame) -> dict[str, Value]:
    return {
        "C.2.r.1.2": NullFlavour.MASKED,
        "C.2.r.1.4": NullFlavour.MASKED,
        "C.2.r.3": frame.country,
        "C.2.r.4": _coded(codes.QUALIFICATIONS, frame.reporter_qualification),
        "C.2.r.5": _PRIMARY,
    }


def _sender(frame: ReportFrame) -> dict[str, Value]:
    return {"C.3.1": _coded(codes.SENDER_TYPES, frame.sender_type), "C.3.2": frame.sender_organisation}


def _study(frame: ReportFrame) -> dict[str, Value]:
    return {
        "C.5.1.r.1": frame.registration_number,
        "C.5.1.r.2": frame.registration_country,
        "C.5.2": frame.study_name,
        "C.5.3": frame.sponsor_study_number,
        "C.5.4": _coded(codes.STUDY_TYPES, frame.study_type),
    }


def _coded(meanings: Mapping[str, str], word: str | None) -> str | None:
    return None if word is None else meanings[word]


def _patient(content: ReportContent) -> dict[str, Value]:
    who = content.participant
    weight = None if who.weight_kg is None else f"{round(who.weight_kg, 2).normalize():f}"
    return {
        "D.1": NullFlavour.MASKED,
        "D.1.1.4": who.subject_number,
        **_age(who.age_at_onset),
        "D.3": weight,
        "D.5": NullFlavour.UNKNOWN if who.sex is None else codes.SEXES[who.sex],
    }


def _age(age: AgeAtOnset | None) -> dict[str, Value]:
    """The least it can be: in months where these are known to one month, else in years.

    A day of birth is never taken, so months are all that can be told. Without an age the age group is said to be
    unknown: exactly one of the elements on age is sent.
    """
    if age is None:
        return {"D.2.2a": None, "D.2.2b": None, "D.2.3": NullFlavour.UNKNOWN}
    if age.months_at_most - age.months_at_least <= 1:
        return {"D.2.2a": str(age.months_at_least), "D.2.2b": "mo", "D.2.3": None}
    return {"D.2.2a": str(age.months_at_least // 12), "D.2.2b": "a", "D.2.3": None}


def _death(event: ReportedEvent) -> dict[str, Value]:
    """Of a death from this event alone; none is said to be unknown where there was none."""
    if not _is_fatal(event):
        return dict.fromkeys(("D.9.1", "D.9.2.r", "D.9.3"))
    died_on = None if event.ended_on is None else timestamps.partial_day(event.ended_on)
    return {
        "D.9.1": died_on or NullFlavour.ASKED_BUT_UNKNOWN,
        "D.9.2.r": _as_reported(event.term),
        "D.9.3": NullFlavour.UNKNOWN,
    }


def _is_fatal(event: ReportedEvent) -> bool:
    return Seriousness.DEATH in event.seriousness or event.outcome is Outcome.FATAL


def _event(content: ReportContent) -> dict[str, Value]:
    event, frame = content.adverse_event, content.frame
    reported = _as_reported(event.term)
    language = _language(reported)
    return {
        "E.i.1.1a": reported,
        "E.i.1.1b": language,
        "E.i.1.2": None if language == "eng" else event.term.name,
        "E.i.2.1a": frame.meddra_version,
        "E.i.2.1b": _lowest_level_term(content),
        **{
            number: "true" if criterion in event.seriousness else NullFlavour.NO_INFORMATION
            for number, (criterion, _) in codes.SERIOUSNESS.items()
        },
        "E.i.4": timestamps.partial_day(event.onset),
        "E.i.5": None if event.ended_on is None else timestamps.partial_day(event.ended_on),
        "E.i.7": codes.OUTCOMES[event.outcome],
        "E.i.9": frame.country,
    }


def _as_reported(term: AdverseEventTerm) -> str:
    return term.specification or term.name


def _language(text: str) -> str:
    """ISO 639-2: Thai where a letter of it is written, else English, in which CTCAE names its terms."""
    return "tha" if any("\u0e00" <= letter <= "\u0e7f" for letter in text) else "eng"


def _lowest_level_term(content: ReportContent) -> str | None:
    """CTCAE's codes are lowest level terms, but for 'Other, specify', which has the code of its whole class."""
    term = content.adverse_event.term
    return content.reaction_llt or (term.meddra_code if term.specification is None else None)


def _product(content: ReportContent) -> dict[str, Value]:
    return {
        "G.k.1": _SUSPECT if content.infusions else _NOT_ADMINISTERED,
        "G.k.2.2": content.frame.product_name,
        "G.k.8": codes.ACTIONS[content.adverse_event.action_taken],
        "G.k.9.i.3.1a": _days_to_onset(content),
    }


def _days_to_onset(content: ReportContent) -> str | None:
    """Whole days from the day of the first infusion to the onset; None where either day is not known, or it was before.

    The product cannot have begun to act on an event that was there.
    """
    onset = content.adverse_event.onset
    if not content.infusions or len(onset) < len("2026-03-15"):
        return None
    first = min(each.started_at for each in content.infusions)
    infused_on = timestamps.local_day(first, content.frame.time_zone)
    days = (date.fromisoformat(onset) - infused_on).days
    return str(days) if days >= 0 else None
