"""The sample trial as commands: what a coordinator, an investigator, readers of images and a laboratory would send."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.loading.client import identity
from services.loading.sample import (
    Adjudication,
    AnticancerTherapy,
    Assay,
    Consent,
    CytokinePanel,
    DosingPause,
    Enrolment,
    ExpectedTerms,
    FlowResult,
    IndependentReading,
    IndependentReview,
    Level,
    Lymphodepletion,
    Participant,
    Sample,
    Site,
    TransgeneResult,
    TumourAssessment,
    as_reported,
)
from services.loading.sample_adverse_events import (
    Acknowledge,
    AcknowledgeReport,
    AdverseEvent,
    AssessAsSponsor,
    DecideDoseLimiting,
    FollowUp,
    Report,
)
from services.loading.sample_episodes import ToxicityEpisode
from services.loading.sample_specimens import NotCollected, Specimen
from services.loading.steps import AWAITED, PARTICIPANT, Awaited, Course, Step
from shared.contracts.biomarkers_specimens import Purpose
from shared.contracts.safety import Attribution
from shared.contracts.terms import Instant
from shared.kernel.actor import Role

TUMOUR = "the tumour burden"
REVIEW = "the independent review"
DOSING = "dosing"
SPECIMENS = "/biomarkers/v1/specimens"
ESCALATION = "/enrollment/v1/dose-escalation"


def sites_of(sample: Sample) -> list[Course]:
    """The sites, and what the trial as a whole begins with."""
    opened = [Course(site_id, _opened(site_id, site)) for site_id, site in sample.trial.sites.items()]
    listed = [Course(opened[0].site, _expected(version)) for version in sample.trial.reference_safety_information]
    return [*opened, *listed, _pause(opened[0].site, sample.trial.dosing_pause)]


def courses_of(sample: Sample) -> list[Course]:
    """One course per participant, in the order in which they were screened."""
    return [_Commands(each, sample.trial.assays[each.site]).course() for each in sample.participants]


def _opened(site_id: str, site: Site) -> Step:
    body = {"site_id": site_id, **_body(site)}
    key = identity("sample site", site_id)
    return Step("sites", site_id, "/enrollment/v1/sites", body, Role.SPONSOR, f"site {site_id}", key)


def _expected(version: ExpectedTerms) -> Step:
    key = identity("sample reference safety information", version.rsi_version)
    path, row = "/safety/v1/reference-safety-information", f"reference safety information {version.rsi_version}"
    return Step("reference safety information", row, path, _body(version), Role.SAFETY_OFFICER, row, key)


def _pause(site: str, pause: DosingPause) -> Course:
    def step(verb: str, reason: str, role: Role, *, changes: bool) -> Step:
        row, key = f"dosing {verb}", identity("sample dosing", verb)
        return Step("pauses of dosing", row, f"{ESCALATION}/{verb}", {"reason": reason}, role, DOSING, key, changes)

    paused = step("pause", pause.paused_because, Role.INVESTIGATOR, changes=False)
    return Course(site, paused, (step("resume", pause.resumed_because, Role.SAFETY_OFFICER, changes=True),))


def _body(row: BaseModel, *leave_out: str) -> dict[str, Any]:
    """A row as the API takes it: what it does not say is not sent."""
    return row.model_dump(mode="json", exclude_none=True, exclude=set(leave_out))


class _Commands:
    """The commands of one participant."""

    def __init__(self, participant: Participant, assay: Assay) -> None:
        self._participant = participant
        self._assay = assay
        self._id = self._identity("participant")
        self._enrollment = f"/enrollment/v1/participants/{self._id}"
        self._efficacy = f"/efficacy/v1/participants/{self._id}"
        self._reads = f"/efficacy/v1/independent-reads/{self._id}"

    def course(self) -> Course:
        return Course(self._participant.site, self._screened(), tuple(self._rest()))

    def _identity(self, *parts: object) -> UUID:
        return identity("sample trial", self._participant.name, *parts)

    def _row(self, *parts: object) -> str:
        return " ".join(map(str, (self._participant.name, *parts)))

    def _rest(self) -> Iterator[Step]:
        who = self._participant
        enrolled_on = who.enrolment.enrolled_on if who.enrolment is not None else None
        late = [each for each in who.consents if enrolled_on is not None and each.obtained_on > enrolled_on]
        yield from (self._consent(each) for each in who.consents if each not in late)
        yield self._of_participant("assess-eligibility", who.eligibility, "eligibility")
        if who.enrolment is not None:
            yield from self._enrolled(who.enrolment)
        if who.lymphodepletion is not None:
            yield self._lymphodepletion(who.lymphodepletion)
        if who.infusion is not None:
            yield self._of_participant("record-infusion", who.infusion, "infusions")
        yield from (self._consent(each) for each in late)
        for number, event in enumerate(who.adverse_events, start=1):
            yield from self._adverse_event(number, event)
        for number, episode in enumerate(who.toxicity_episodes, start=1):
            yield from self._episode(number, episode)
        yield from self._tumour()
        for specimen in who.specimens:
            yield from self._specimen(specimen)
        yield from (self._not_collected(each) for each in who.not_collected)
        yield from self._samples()
        yield from (self._therapy(number, each) for number, each in enumerate(who.anticancer_therapies, start=1))
        for ending in who.endings:
            verb, body = _verb(ending)
            yield self._of_participant(verb, body, "endings")

    def _screened(self) -> Step:
        body = {"participant_id": str(self._id), "site_id": self._participant.site}
        body |= _body(self._participant.screening)
        path = "/enrollment/v1/participants"
        return Step("screenings", self._row(), path, body, Role.COORDINATOR, PARTICIPANT, self._id)

    def _consent(self, consent: Consent) -> Step:
        return self._of_participant("obtain-consent", consent, "consents", consent.kind, consent.obtained_on)

    def _of_participant(self, verb: str, body: BaseModel, kind: str, *which: object) -> Step:
        key = self._identity(verb, *which)
        row = self._row(verb, *which)
        path = f"{self._enrollment}/{verb}"
        return Step(kind, row, path, _body(body), Role.COORDINATOR, PARTICIPANT, key, changes=True)

    def _enrolled(self, enrolment: Enrolment) -> Iterator[Step]:
        if enrolment.slot:
            body, row = {"participant_id": str(self._id)}, self._row("slot")
            path, key = f"{ESCALATION}/reserve-slot", self._identity("slot")
            yield Step("slots", row, path, body, Role.COORDINATOR, row, key, needs=(PARTICIPANT,))
        key, body = self._identity("enrol"), _body(enrolment, "slot")
        path, row = f"{self._enrollment}/enrol", self._row("enrol")
        yield Step("enrolments", row, path, body, Role.COORDINATOR, PARTICIPANT, key, changes=True)

    def _lymphodepletion(self, course: Lymphodepletion) -> Step:
        key, row = self._identity("lymphodepletion"), self._row("lymphodepletion")
        body = {"lymphodepletion_id": str(key), **_body(course)}
        path = f"{self._enrollment}/record-lymphodepletion"
        return Step("lymphodepletions", row, path, body, Role.COORDINATOR, PARTICIPANT, key, changes=True)

    def _therapy(self, number: int, therapy: AnticancerTherapy) -> Step:
        key, row = self._identity("anticancer therapy", number), self._row("anticancer therapy", number)
        body, path = {"therapy_id": str(key), **_body(therapy)}, f"{self._enrollment}/record-anticancer-therapy"
        return Step("anticancer therapies", row, path, body, Role.COORDINATOR, PARTICIPANT, key, changes=True)

    def _adverse_event(self, number: int, event: AdverseEvent) -> Iterator[Step]:
        key, row = self._identity("adverse event", number), self._row("adverse event", number)
        body = {"adverse_event_id": str(key), "participant_id": str(self._id), **_body(event, "then", "causality")}
        body["causality"] = _opinions(event.causality)
        path, kind, needs = "/safety/v1/adverse-events", "adverse events", (PARTICIPANT,)
        yield Step(kind, row, path, body, Role.INVESTIGATOR, row, key, needs=needs)
        for place, after in enumerate(event.then, start=1):
            yield self._follow_up(key, row, place, after)

    def _episode(self, number: int, episode: ToxicityEpisode) -> Iterator[Step]:
        key, row = self._identity("toxicity episode", number), self._row("toxicity episode", number)
        body = {"episode_id": str(key), "participant_id": str(self._id), **_body(episode, "then", "causality")}
        body["causality"] = _opinions(episode.causality)
        path, kind = "/safety/v1/toxicity-episodes", "toxicity episodes"
        yield Step(kind, row, path, body, Role.INVESTIGATOR, row, key, needs=(PARTICIPANT,))
        for place, after in enumerate(episode.then, start=1):
            verb, said = _verb(after)
            which, again = f"{row} {verb} {place}", self._identity("toxicity episode", number, place)
            told = f"{path}/{key}/{verb}"
            yield Step(f"changes of {kind}", which, told, _body(said), Role.INVESTIGATOR, row, again, changes=True)

    def _follow_up(self, event: UUID, row: str, place: int, after: FollowUp) -> Step:
        verb, body = _verb(after)
        key, path = self._identity("adverse event", event, place), f"/safety/v1/adverse-events/{event}"
        officer, there_first = Role.SAFETY_OFFICER, (row, PARTICIPANT)
        match body:
            case Acknowledge(alert=number):
                told, which = f"/safety/v1/alerts/{event}-{number}/acknowledge", f"{row} alert {number}"
                said = _body(body, "alert")
                return Step("alerts acknowledged", which, told, said, officer, which, key, needs=there_first)
            case AssessAsSponsor():
                told, which = f"{path}/sponsor-assessment", f"{row} sponsor"
                said = _body(body, "causality") | {"causality": _opinions(body.causality)}
                return Step("sponsor assessments", which, told, said, officer, which, key, needs=there_first)
            case Report():
                told, which = f"{path}/reports", f"{row} report {place}"
                said = {"report_id": str(key), **_body(body)}
                return Step("reports", which, told, said, officer, which, key, needs=there_first)
            case AcknowledgeReport(number=number):
                told, which = f"{path}/reports/{number}/paper-acknowledgement", f"{row} answer to report {number}"
                said = _body(body, "number")
                return Step("reports answered", which, told, said, officer, which, key, needs=there_first)
            case DecideDoseLimiting():
                return self._decision(event, f"{row} {verb} {place}", key, body, there_first)
            case _:
                kind, which = "changes of adverse events", f"{row} {verb} {place}"
                return Step(kind, which, f"{path}/{verb}", _body(body), Role.INVESTIGATOR, row, key, changes=True)

    def _decision(self, event: UUID, row: str, key: UUID, said: DecideDoseLimiting, needs: tuple[str, ...]) -> Step:
        toxicities = f"/safety/v1/participants/{self._id}/dose-limiting-toxicities"
        path, body = f"{toxicities}/{AWAITED}/decide", _body(said, "rules", "grade")
        awaits = Awaited(f"a proposal by {', '.join(said.rules)}", toxicities, partial(_proposed, event, said))
        kind, officer = "dose-limiting toxicities decided", Role.SAFETY_OFFICER
        return Step(kind, row, path, body, officer, row, key, changes=True, needs=needs, awaits=awaits)

    def _lesion(self, label: str) -> UUID:
        return self._identity("lesion", label)

    def _tumour(self) -> Iterator[Step]:
        for lesion in self._participant.lesions:
            key = self._lesion(lesion.label)
            body = {"lesion_id": str(key), **_body(lesion)}
            row, path = self._row("lesion", lesion.label), f"{self._efficacy}/lesions"
            yield Step("lesions", row, path, body, Role.RADIOLOGIST, TUMOUR, key, needs=(PARTICIPANT,))
        for assessment in self._participant.assessments:
            yield from self._assessment(assessment)
        if self._participant.independent_review is not None:
            yield from self._review(self._participant.independent_review)

    def _assessment(self, assessment: TumourAssessment) -> Iterator[Step]:
        key, row = self._identity("assessment", assessment.visit), self._row("assessment", assessment.visit)
        targets = [target.of(self._lesion(label)) for label, target in assessment.targets.items()]
        body = {"assessment_id": str(key), **_body(assessment, "targets", "override")}
        body["targets"] = [_body(target) for target in targets]
        path, kind = f"{self._efficacy}/assessments", "tumour assessments"
        yield Step(kind, row, path, body, Role.RADIOLOGIST, TUMOUR, key, needs=(PARTICIPANT,))
        if assessment.override is not None:
            path, body = f"{path}/{key}/override-response", _body(assessment.override)
            again = self._identity("override", assessment.visit)
            yield Step("overrides", f"{row} override", path, body, Role.RADIOLOGIST, TUMOUR, again, changes=True)

    def _review(self, review: IndependentReview) -> Iterator[Step]:
        yield from self._reading(Role.INDEPENDENT_READER_1, review.reader_1)
        yield from self._reading(Role.INDEPENDENT_READER_2, review.reader_2)
        yield from (self._adjudication(each) for each in review.adjudications)

    def _reading(self, reader: Role, reading: IndependentReading) -> Iterator[Step]:
        """A reader's own lesions and assessments, by ids of their own."""
        for lesion in reading.lesions:
            key, row = self._identity(reader, "lesion", lesion.label), self._row(reader, "lesion", lesion.label)
            body, path = {"lesion_id": str(key), **_body(lesion)}, f"{self._reads}/lesions"
            yield Step("lesions", row, path, body, reader, reader.value, key, needs=(PARTICIPANT,))
        for each in reading.assessments:
            key, row = self._identity(reader, "assessment", each.visit), self._row(reader, "assessment", each.visit)
            targets = [
                _body(target.of(self._identity(reader, "lesion", label))) for label, target in each.targets.items()
            ]
            body = {"assessment_id": str(key), **_body(each, "targets"), "targets": targets}
            path, kind = f"{self._reads}/assessments", "independent assessments"
            yield Step(kind, row, path, body, reader, reader.value, key, needs=(PARTICIPANT,))

    def _adjudication(self, said: Adjudication) -> Step:
        key, row = self._identity("adjudication", said.time_point), self._row("adjudication", said.time_point)
        differs = Awaited(f"a difference at {said.time_point}", f"{self._reads}/review", partial(_differs, said))
        path, kind = f"{self._reads}/adjudicate", "adjudications"
        return Step(kind, row, path, _body(said), Role.ADJUDICATOR, REVIEW, key, changes=True, awaits=differs)

    def _specimen(self, specimen: Specimen) -> Iterator[Step]:
        key, row, path = self._identity("specimen", specimen.label), self._row("specimen", specimen.label), SPECIMENS
        body = {"specimen_id": str(key), "participant_id": str(self._id), **_body(specimen, "then")}
        yield Step("specimens", row, path, body, Role.COORDINATOR, row, key, needs=(PARTICIPANT,))
        for step in specimen.then:
            verb, said = _verb(step)
            again, told = self._identity("specimen", specimen.label, verb), f"{path}/{key}/{verb}"
            by = Role.COORDINATOR if step.ship is not None else Role.LABORATORY
            yield Step("steps of custody", f"{row} {verb}", told, _body(said), by, row, again, changes=True)

    def _not_collected(self, absence: NotCollected) -> Step:
        which = (absence.visit, absence.purpose)
        key, row = self._identity("not collected", *which), self._row("not collected", *which)
        body = {"specimen_id": str(key), "participant_id": str(self._id), **_body(absence)}
        path, needs = f"{SPECIMENS}/not-collected", (PARTICIPANT,)
        return Step("specimens not collected", row, path, body, Role.COORDINATOR, row, key, needs=needs)

    def _drawn(self, purpose: Purpose, collected_at: Instant) -> dict[str, str]:
        """The specimen of a result: by its id, where its custody is told."""
        drawn = {"collected_at": collected_at.isoformat()}
        for specimen in self._participant.specimens:
            if specimen.gave(purpose, collected_at):
                drawn["specimen_id"] = str(self._identity("specimen", specimen.label))
        return drawn

    def _samples(self) -> Iterator[Step]:
        """What the laboratory found."""
        who = self._participant
        for number, result in enumerate(who.flow_results, start=1):
            yield from self._flow_result(number, result)
        for number, copies in enumerate(who.transgene_results, start=1):
            yield self._transgene_result(number, copies)
        for number, panel in enumerate(who.cytokine_panels, start=1):
            yield from self._cytokine_panel(number, panel)

    def _flow_result(self, number: int, result: FlowResult) -> Iterator[Step]:
        body = _flow_report(result) | {"specimen": self._drawn(Purpose.CAR_T_FLOW, result.collected_at)}
        yield self._laboratory("flow results", "flow-result", number, body)
        if result.correct is not None:
            right = body | _body(result.correct)
            yield self._correction("flow results", "flow-result", number, right)

    def _transgene_result(self, number: int, result: TransgeneResult) -> Step:
        drawn = self._drawn(Purpose.TRANSGENE, result.collected_at)
        said = {"qualifier": "<"} if result.copies.startswith("<") else {"copies_per_ug": result.copies}
        report = {"specimen": drawn, "method": result.method.value, "lloq_copies_per_ug": str(result.lloq), **said}
        return self._laboratory("transgene results", "transgene-result", number, report)

    def _cytokine_panel(self, number: int, panel: CytokinePanel) -> Iterator[Step]:
        yield self._laboratory("cytokine panels", "cytokine-panel", number, self._report(panel, panel.levels))
        if panel.correct is not None:
            right = self._report(panel, panel.levels | panel.correct.levels) | {"reason": panel.correct.reason}
            yield self._correction("cytokine panels", "cytokine-panel", number, right)

    def _report(self, panel: CytokinePanel, levels: dict[str, Level]) -> dict[str, Any]:
        body = _body(self._assay, "limits", "unit") | {"specimen": self._drawn(Purpose.CYTOKINES, panel.collected_at)}
        if panel.after_tocilizumab is not None:
            body["after_tocilizumab"] = panel.after_tocilizumab
        return body | {"results": [_body(line) for line in as_reported(levels, self._assay)]}

    def _laboratory(self, kind: str, noun: str, number: int, report: dict[str, Any]) -> Step:
        key, row = self._identity(noun, number), self._row(noun, number)
        body = {f"{noun.replace('-', '_')}_id": str(key), "participant_id": str(self._id), **report}
        path = f"/biomarkers/v1/{noun}s"
        return Step(kind, row, path, body, Role.LABORATORY, row, key, needs=(PARTICIPANT,))

    def _correction(self, kind: str, noun: str, number: int, report: dict[str, Any]) -> Step:
        key, row = self._identity(noun, number), self._row(noun, number)
        path, again = f"/biomarkers/v1/{noun}s/{key}/correct", self._identity(noun, number, "correct")
        return Step(f"corrections of {kind}", f"{row} correct", path, report, Role.LABORATORY, row, again, changes=True)


def _flow_report(result: FlowResult) -> dict[str, Any]:
    at = result.collected_at.isoformat()
    body = _body(result, "collected_at", "alc", "cd3_percent", "correct")
    body["alc"] = {"value": str(result.alc), "unit": "10*9/L", "drawn_at": at}
    if result.cd3_percent is not None:
        body["cd3_percent_of_lymphocytes"] = str(result.cd3_percent)
    return body


def _opinions(causality: dict[str, Attribution]) -> list[dict[str, str]]:
    return [{"agent": agent, "attribution": said} for agent, said in causality.items()]


def _proposed(event: UUID, said: DecideDoseLimiting, answer: dict[str, Any]) -> str | None:
    """The id of the toxicity of this event, as soon as it is proposed on the basis that the decision names."""
    for toxicity in answer["toxicities"]:
        basis = toxicity["basis"]
        if toxicity["source"]["id"] == str(event) and (basis["rules"], basis["grade"]) == ([*said.rules], said.grade):
            found: str = toxicity["dlt_id"]
            return found
    return None


def _differs(said: Adjudication, answer: dict[str, Any]) -> str | None:
    """The time point, where the readers differ at it, or did before it was adjudicated."""
    found = (each for each in answer["time_points"] if each["time_point"] == said.time_point and each["differences"])
    return next((str(each["time_point"]) for each in found), None)


def _verb(row: BaseModel) -> tuple[str, BaseModel]:
    """The one thing that a row says, as the last part of a path, and its body."""
    (name,) = row.model_fields_set
    return name.replace("_", "-"), getattr(row, name)
