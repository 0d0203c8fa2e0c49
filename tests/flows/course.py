"""One trial at one site, in which every endpoint of the five services is called at least once and accepts.

Three children: `main` goes the whole way, `other` fails the screening and is screened again, `third` dies. Ids are
made of names, so a course that is sent again is the same course.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from services.biomarkers.intake.messages import MessageFormat
from services.biomarkers.intake.messages import id_of as message
from services.safety.domain.dose_limiting.life import id_of
from services.safety.domain.lab_results.candidates import id_of as candidate
from services.safety.domain.lab_results.rows import SentRow
from services.safety.laboratory.quarantine import id_of as quarantined
from shared.contracts.safety_dose_limiting import ToxicityKind, ToxicitySource
from shared.kernel.actor import Role
from tests.flows.endpoints import (
    CELLS,
    CONSENT,
    ENDPOINTS,
    EVIDENCE,
    LAB_ROWS,
    RELEASE_TESTS,
    About,
    filled,
    findings,
    flow_report,
)
from tests.flows.trial import Trial
from tests.flows.waiting import until

NAMESPACE = UUID("6b0b6b0a-2f2e-4a7e-9d0c-5d7f6f0c2a11")
PERSON = "/enrollment/v1/participants/{participant_id}"
BURDEN = "/efficacy/v1/participants/{participant_id}"
READ = "/efficacy/v1/independent-reads/{participant_id}"
EVENT = "/safety/v1/adverse-events/{adverse_event_id}"
EPISODE = "/safety/v1/toxicity-episodes"
FLOW, PANEL = "/biomarkers/v1/flow-results", "/biomarkers/v1/cytokine-panels"
TRANSGENE = "/biomarkers/v1/transgene-results"


def an_id(site: str, child: str, name: str = "participant") -> str:
    return str(uuid5(NAMESPACE, f"{site}/{child}/{name}"))


def known(site: str, child: str = "main", **names: str) -> dict[str, str]:
    """What the braces of the table stand for: `adverse_event="fever"` names another event of the child."""
    usual = {
        "adverse_event": "crs",
        "episode": "crs episode",
        "lesion": "T01",
        "assessment": "month 1",
        "flow_result": "day 7",
        "cytokine_panel": "day 7",
        "transgene_result": "day 7",
        "specimen": "tube",
        "aliquot": "tube 1",
        "assay_lot": "A1",
        "gate_set": "panel 3",
        "lymphodepletion": "fludarabine",
        "therapy": "radiotherapy",
        "contact": "year 2",
        "row": "unmapped",
        "control": "mapped later",
        "product": "lot 7",
        "product_alert": "wrong scan",
        "term": "10001551",
        "new": "new",
    } | names
    ids = {f"{kind}_id": an_id(site, child, name) for kind, name in usual.items()}
    laboratory, participant = f"{site}-LAB", an_id(site, child)
    row = SentRow.model_validate(filled(LAB_ROWS[usual["row"]], {"participant_id": participant}))
    source = f"LUMILIS@{site}"
    return {
        "site_id": site,
        "source_id": source,
        "message_id": str(message(source, MessageFormat.HL7V2, ids["control_id"])),
        "laboratory_id": laboratory,
        "quarantine_id": str(quarantined(laboratory, row)),
        "candidate_id": str(candidate(UUID(participant), usual["term"], 1)),
        "participant_id": an_id(site, child),
        **ids,
        "alert_id": f"{ids['adverse_event_id']}-1",
        "dlt_id": str(id_of(ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=UUID(ids["adverse_event_id"])))),
        "rule": "treatment-related-death",
        "label": usual["lesion"],
        "meddra_code": "10052015",
        "number": "1",
        "rsi_version": "IB-9.0",
        "figure": "waterfall",
        "clock": "ethics-ordinary",
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the course: the table's body, but for what `body` says otherwise."""

    key: str
    role: Role = Role.INVESTIGATOR
    child: str = "main"
    body: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    answers: int | None = None  # where it is refused, and that is on record
    waits_for: str | None = None  # what a worker, not a person, puts on record before

    @property
    def method(self) -> str:
        return self.key.partition(" ")[0]

    def path(self, site: str) -> str:
        template = self.key.partition(" ")[2] + ENDPOINTS[self.key].query
        filling: str = filled(template, known(site, self.child, **self.names))
        return filling

    def content(self, site: str) -> Any:
        body, names = ENDPOINTS[self.key].body, known(site, self.child, **self.names)
        if isinstance(body, Mapping):
            return filled({**body, **self.body}, names)
        return None if body is None else filled(body, names)


def screened(child: str, **body: Any) -> Step:
    return Step("POST /enrollment/v1/participants", child=child, body={"participant_id": "{participant_id}"} | body)


def person(verb: str, child: str = "main", **body: Any) -> Step:
    return Step(f"POST {PERSON}/{verb}", child=child, body=body)


def eligible(child: str) -> Iterator[Step]:
    yield person("assess-eligibility", child)


def excepted(child: str) -> Iterator[Step]:
    yield person("assess-eligibility", child, evidence={**EVIDENCE, "AN-04": {"number": "6", "unit": "{xULN}"}})
    yield person("request-eligibility-exception", child)
    yield Step(f"POST {PERSON}/decide-eligibility-exception", Role.SPONSOR, child)


def infused(child: str, assessed: Callable[[str], Iterator[Step]] = eligible) -> Iterator[Step]:
    yield person("obtain-consent", child)
    yield person("obtain-consent", child, kind="assent", relationship=None)
    yield from assessed(child)
    yield person("enrol", child)
    yield person("record-lymphodepletion", child)
    yield person("record-infusion", child)


def transferred(child: str) -> Iterator[Step]:
    """To a second site, and back."""
    yield Step("POST /enrollment/v1/sites", Role.SPONSOR, body={"site_id": "{site_id}2"})
    for to, on in (("{site_id}2", "2025-09-10"), ("{site_id}", "2025-09-12")):
        yield Step(f"POST {PERSON}/transfer", Role.SPONSOR, child, {"to_site": to, "transferred_on": on})


def consent_documents() -> Iterator[Step]:
    documents = "POST /enrollment/v1/sites/{site_id}/consent-documents"
    yield Step(documents)
    yield Step(documents, body={"document_version": "1.9"})
    yield Step(f"{documents}/correct")
    yield Step(f"{documents}/withdraw")


def escalation(verb: str, role: Role = Role.INVESTIGATOR, child: str = "main") -> Step:
    return Step(f"POST /enrollment/v1/dose-escalation/{verb}", role, child)


def dose_escalation() -> Iterator[Step]:
    """What is decided before anybody is infused, so that a toxicity of the course changes what it rests on."""
    yield escalation("record-decision", Role.SAFETY_OFFICER)
    yield escalation("pause")
    yield escalation("resume", Role.SAFETY_OFFICER)
    for verb in ("reserve-slot", "release-slot", "reserve-slot"):
        yield escalation(verb)


def enrollment() -> Iterator[Step]:
    yield screened("main")
    yield person("correct-screening-data")
    yield from dose_escalation()
    yield from infused("main")
    yield person("correct-consent")
    yield person("correct-lymphodepletion")
    yield person("correct-infusion")
    yield screened("other")
    yield person("fail-screening", "other")
    yield person("rescreen", "other")
    yield person("obtain-consent", "other", **{**CONSENT, "obtained_on": "2025-09-05"})
    yield escalation("request-override", child="other")
    yield escalation("confirm-override", Role.SPONSOR, "other")
    yield from transferred("other")
    yield person("withdraw-consent", "other")
    yield screened("third")
    yield from infused("third", excepted)
    yield person("retract-lymphodepletion", "third")
    yield person("retract-infusion", "third")
    yield person("record-infusion", "third")
    yield person("record-anticancer-therapy", "third")
    yield person("correct-anticancer-therapy", "third")
    yield person("retract-anticancer-therapy", "third")
    yield person("record-follow-up-contact", "third", contacted_on="2025-10-10")
    yield person("retract-follow-up-contact", "third")
    yield person("record-anticancer-therapy", "third", therapy_id="{new_id}")
    yield person("withdraw-consent", "third", withdrawn_on="2025-10-20", scopes=["samples"])
    yield person("restore-consent", "third")


def product(verb: str, name: str = "lot 7", role: Role = Role.MANUFACTURING, **body: Any) -> Step:
    return Step(f"POST /enrollment/v1/products/{{product_id}}/{verb}", role, body=body, names={"product": name})


def products() -> Iterator[Step]:
    """One product that is infused, one that is not within its specification, one that is rejected."""
    scan = "POST /enrollment/v1/products/{product_id}/verify-identity"
    for name in ("lot 7", "lot 8", "lot 9"):
        yield Step("POST /enrollment/v1/products", Role.COORDINATOR, names={"new": name})
    for verb in ("receive-at-manufacturer", "start-manufacture", "end-manufacture", "record-release-tests"):
        yield product(verb)
    yield product("release", role=Role.QUALITY)
    yield product("ship")
    for verb in ("receive-at-site", "thaw"):
        yield product(verb, role=Role.COORDINATOR)
    yield product("correct")
    yield product("retract", role=Role.COORDINATOR)
    yield product("thaw", role=Role.COORDINATOR)
    yield Step(scan, Role.COORDINATOR, names={"new": "scan"})
    wrong = {"lot": "{site_id}-0099", "bag": None}
    yield Step(scan, Role.COORDINATOR, body=wrong, names={"new": "wrong scan"}, answers=409)
    yield Step("POST /enrollment/v1/product-alerts/{product_alert_id}/acknowledge", Role.COORDINATOR)
    yield product("start-manufacture", "lot 8", lot="{site_id}-0008")
    yield product("end-manufacture", "lot 8", bags=[{"bag": "{site_id}-0008-B1", **CELLS}])
    low = {"test": "viability", "tested_on": "2025-08-20", "value": "65", "unit": "%"}
    yield product("record-release-tests", "lot 8", results=[low, *RELEASE_TESTS[1:]])
    yield product("approve-exceptional-release", "lot 8", Role.QUALITY)
    yield product("reject", "lot 9", Role.QUALITY)
    yield person("correct-infusion", lot="{site_id}-0007", reason="The lot's own number")


def event(verb: str, name: str = "crs", child: str = "main", role: Role = Role.INVESTIGATOR) -> Step:
    return Step(f"POST {EVENT}/{verb}", role, child, names={"adverse_event": name})


def reported(name: str, child: str = "main", **body: Any) -> Step:
    return Step("POST /safety/v1/adverse-events", child=child, body=body, names={"new": name})


def safety() -> Iterator[Step]:
    yield reported("crs")
    for verb in ("regrade", "reassess-seriousness", "assess-causality", "correct", "resolve"):
        yield event(verb)
    yield Step("POST /safety/v1/alerts/{alert_id}/resend", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/alerts/{alert_id}/acknowledge", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/reference-safety-information", Role.SAFETY_OFFICER)
    yield event("sponsor-assessment", role=Role.SAFETY_OFFICER)
    yield Step(f"POST {EVENT}/reports", Role.SAFETY_OFFICER, names={"new": "report"})
    yield Step(f"POST {EVENT}/reports/{{number}}/acknowledgement", Role.SAFETY_OFFICER, names={"new": "report"})
    yield Step(f"POST {EVENT}/reports/{{number}}/paper-acknowledgement", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/reference-safety-information/{rsi_version}/withdraw", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/periodic-reports/{clock}/begin", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/periodic-reports/{clock}/record-sent", Role.SAFETY_OFFICER)
    yield reported("fever", term="Fever", grade=1, seriousness=[], causality=[])
    yield event("retract", "fever")
    aware = {"onset": "2026-01-28", "became_aware_at": "2026-01-29T09:00:00+07:00"}
    yield reported("sepsis", "third", term="Sepsis", grade=4, seriousness=["life-threatening"], **aware)
    yield event("record-death", "sepsis", "third")
    yield Step(f"POST {EPISODE}", names={"new": "crs episode"})
    for verb in ("record-observation", "correct-observation", "record-treatment", "retract-treatment", "end", "reopen"):
        yield Step(f"POST {EPISODE}/{{episode_id}}/{verb}")
    given = {"treatment": "corticosteroid", "given_at": "2025-09-17T06:00:00+07:00"}
    yield Step(f"POST {EPISODE}/{{episode_id}}/record-treatment", body=given)
    yield Step(f"POST {EPISODE}", names={"new": "mistaken episode"})
    for verb in ("record-observation", "retract-observation", "retract"):
        yield Step(f"POST {EPISODE}/{{episode_id}}/{verb}", names={"episode": "mistaken episode"})
    toxicities = "/safety/v1/participants/{participant_id}/dose-limiting-toxicities"
    yield Step(f"POST {toxicities}/declare", Role.SAFETY_OFFICER)
    yield Step(f"POST {toxicities}/{{dlt_id}}/decide", Role.SAFETY_OFFICER)
    yield Step("POST /safety/v1/stopping-rules/{rule}/review", Role.SAFETY_OFFICER, waits_for="halt")


def laboratory() -> Iterator[Step]:
    laboratory, rows = "/safety/v1/laboratories", "/safety/v1/lab-results"
    yield Step(f"POST {laboratory}", Role.LABORATORY)
    yield Step(f"POST {laboratory}/{{laboratory_id}}/record-reference-ranges", Role.LABORATORY)
    yield Step(f"POST {rows}", Role.LABORATORY)
    yield Step(f"POST {laboratory}/{{laboratory_id}}/map-tests", Role.LABORATORY)
    yield Step(f"POST {rows}/quarantine/release", Role.LABORATORY)
    yield Step(f"POST {rows}/quarantine/{{quarantine_id}}/release", Role.LABORATORY)
    yield Step(f"POST {rows}/quarantine/{{quarantine_id}}/discard", Role.LABORATORY, names={"row": "control"})
    candidates = "/safety/v1/participants/{participant_id}/candidates/{candidate_id}"
    yield Step(f"POST {candidates}/accept")
    yield Step(f"POST {candidates}/merge", names={"term": "10003481"})
    yield Step(f"POST {candidates}/dismiss", names={"term": "10001675"})


def lesion(name: str) -> Step:
    return Step(f"POST {BURDEN}/lesions", Role.RADIOLOGIST, names={"new": name, "lesion": name})


def assessed(name: str, day: str, longest: str, **body: Any) -> Step:
    return Step(
        f"POST {BURDEN}/assessments", Role.RADIOLOGIST, body={**findings(day, longest), **body}, names={"new": name}
    )


def efficacy() -> Iterator[Step]:
    yield lesion("T01")
    yield Step(f"POST {BURDEN}/lesions/{{lesion_id}}/correct", Role.RADIOLOGIST)
    yield lesion("T02")
    yield Step(f"POST {BURDEN}/lesions/{{lesion_id}}/retract", Role.RADIOLOGIST, names={"lesion": "T02"})
    yield assessed("baseline", "2025-09-10", "40", baseline=True)
    yield assessed("month 1", "2025-10-14", "20")
    for verb in ("correct", "override-response", "withdraw-override", "report-response"):
        yield Step(f"POST {BURDEN}/assessments/{{assessment_id}}/{verb}", Role.RADIOLOGIST)
    yield assessed("wrong", "2025-12-12", "50")
    yield Step(f"POST {BURDEN}/assessments/{{assessment_id}}/retract", Role.RADIOLOGIST, names={"assessment": "wrong"})
    yield assessed("month 3", "2025-12-14", "10")
    for kind in ("sheet", "dicom-sr"):
        yield Step(f"POST {BURDEN}/assessment-files/{kind}", Role.RADIOLOGIST)


def independently(role: Role, name: str, day: str, longest: str, **body: Any) -> Step:
    return Step(f"POST {READ}/assessments", role, body={**findings(day, longest), **body}, names={"new": name})


def independent_review() -> Iterator[Step]:
    """Two readers who give their lesions and assessments the ids that the investigator gave."""
    for role, longest in ((Role.INDEPENDENT_READER_1, "38"), (Role.INDEPENDENT_READER_2, "19")):
        for name in ("T01", "T02"):
            yield Step(f"POST {READ}/lesions", role, names={"new": name, "lesion": name})
        yield Step(f"POST {READ}/lesions/{{lesion_id}}/correct", role)
        yield Step(f"POST {READ}/lesions/{{lesion_id}}/retract", role, names={"lesion": "T02"})
        yield independently(role, "baseline", "2025-09-10", "40", baseline=True)
        yield independently(role, "month 1", "2025-10-14", longest)
        yield Step(
            f"POST {READ}/assessments/{{assessment_id}}/correct", role, body=findings("2025-10-14", longest + ".5")
        )
        yield independently(role, "wrong", "2025-12-12", "50", visit="D90")
        yield Step(f"POST {READ}/assessments/{{assessment_id}}/retract", role, names={"assessment": "wrong"})
    yield Step(f"POST {READ}/adjudicate", Role.ADJUDICATOR)


def drawn(path: str, name: str, at: str | None = None, **body: Any) -> Step:
    report = {**ENDPOINTS[f"POST {path}"].body} if at else {}  # type: ignore[dict-item]
    moved = {"specimen": {**report["specimen"], "collected_at": at}} if at else {}
    return Step(f"POST {path}", Role.LABORATORY, body={**moved, **body}, names={"new": name})


def specimens() -> Iterator[Step]:
    tube = "/biomarkers/v1/specimens"
    yield Step(f"POST {tube}", Role.COORDINATOR, names={"new": "tube"})
    for verb in ("ship", "receive"):
        yield Step(f"POST {tube}/{{specimen_id}}/{verb}", Role.LABORATORY)
    yield Step(f"POST {tube}/{{specimen_id}}/correct", Role.LABORATORY)
    lost = {"noted_at": "2025-09-22T14:30:00+07:00"}
    yield Step(f"POST {tube}/{{specimen_id}}/report-lost", Role.LABORATORY, body=lost)
    yield Step(f"POST {tube}/{{specimen_id}}/retract", Role.LABORATORY)
    yield Step(f"POST {tube}/{{specimen_id}}/aliquot", Role.LABORATORY)
    yield Step(f"POST {tube}", Role.COORDINATOR, names={"new": "second tube"})
    yield Step(f"POST {tube}/{{specimen_id}}/reject", Role.LABORATORY, names={"specimen": "second tube"})
    yield Step(f"POST {tube}/not-collected", Role.COORDINATOR, names={"new": "no tube"})
    named = {**flow_report("12.5")["specimen"], "specimen_id": "{specimen_id}"}
    yield Step(f"POST {FLOW}", Role.LABORATORY, body={"specimen": named}, names={"new": "of the tube"})


def biomarkers() -> Iterator[Step]:
    yield from specimens()
    yield drawn(FLOW, "day 7")
    yield Step(f"POST {FLOW}/{{flow_result_id}}/correct", Role.LABORATORY)
    yield drawn(FLOW, "clotted")
    yield Step(f"POST {FLOW}/{{flow_result_id}}/cancel", Role.LABORATORY, names={"flow_result": "clotted"})
    yield drawn(TRANSGENE, "day 7")
    yield Step(f"POST {TRANSGENE}/{{transgene_result_id}}/correct", Role.LABORATORY)
    yield drawn(TRANSGENE, "contaminated")
    contaminated = {"transgene_result": "contaminated"}
    yield Step(f"POST {TRANSGENE}/{{transgene_result_id}}/cancel", Role.LABORATORY, names=contaminated)
    yield drawn(PANEL, "before", "2025-09-14T08:30:00+07:00")
    yield drawn(PANEL, "day 7")
    yield Step(f"POST {PANEL}/{{cytokine_panel_id}}/correct", Role.LABORATORY)
    yield Step("POST /biomarkers/v1/assay-lots", Role.LABORATORY, names={"new": "A1"})
    yield Step("POST /biomarkers/v1/assay-lots/{assay_lot_id}/withdraw", Role.LABORATORY)
    yield drawn(PANEL, "mistaken")
    yield Step(f"POST {PANEL}/{{cytokine_panel_id}}/cancel", Role.LABORATORY, names={"cytokine_panel": "mistaken"})


def feeds() -> Iterator[Step]:
    hl7, waits = "POST /biomarkers/v1/hl7v2", "/biomarkers/v1/quarantined-messages/{message_id}"
    yield Step("POST /biomarkers/v1/result-sources", Role.LABORATORY)
    for control in ("mapped later", "control sample", "not asked for"):
        yield Step(hl7, Role.SYSTEM, names={"control": control})
    yield Step("POST /biomarkers/v1/result-sources/{source_id}/map-codes", Role.LABORATORY)
    yield Step(f"POST {waits}/release", Role.LABORATORY)
    yield Step(f"POST {waits}/discard", Role.LABORATORY, names={"control": "control sample"})
    yield Step("POST /biomarkers/v1/fhir", Role.SYSTEM)
    yield Step("POST /biomarkers/v1/gate-sets", Role.LABORATORY)
    for kind in ("table", "fcs", "luminex", "instrument", "flowjo"):
        yield Step(f"POST /biomarkers/v1/result-files/{kind}", Role.LABORATORY)


def endings() -> Iterator[Step]:
    yield person("discontinue-treatment")
    yield person("record-loss-to-follow-up")
    yield person("retract-discontinuation")
    yield person("complete-follow-up")
    yield person("withdraw-consent", withdrawn_on="2026-09-21", scopes=["samples"])
    yield person("record-death", "third")


def reading() -> Iterator[Step]:
    for key, endpoint in ENDPOINTS.items():
        if key.startswith("GET ") or endpoint.about is About.NOBODY:
            blinded = key in (f"GET {READ}", f"GET {READ}/history")
            review = Role.INDEPENDENT_READER_1 if blinded else Role.ADJUDICATOR
            yield Step(key, review if READ in key else Role.SAFETY_OFFICER)


def commands() -> list[Step]:
    opening = Step("POST /enrollment/v1/sites", Role.SPONSOR)
    return [
        opening,
        *consent_documents(),
        *enrollment(),
        *products(),
        *safety(),
        *laboratory(),
        *efficacy(),
        *independent_review(),
        *biomarkers(),
        *feeds(),
        *endings(),
    ]


def carry_out(trial: Trial, site: str = "CU") -> dict[str, str]:
    """Send every command of the course; the position of the last write of each service."""
    last: dict[str, str] = {}
    for step in commands():
        path = step.path(site)
        if step.key.endswith("-slot") and _is_full(trial):
            continue  # others of this trial have every place that its protocol plans
        if step.waits_for is not None:
            until(f"{step.key} can be sent", partial(_is_there, trial, path, site, step.waits_for))
        version = partial(version_of, trial, path, site, step.role) if ENDPOINTS[step.key].needs_version else None
        if step.answers is not None:
            refused = trial.call("POST", path, step.content(site), role=step.role, sites=(site,))
            assert refused.status_code == step.answers, f"{step.key}: {refused.status_code}"
            continue
        body = step.content(site)
        if isinstance(body, dict) and "design_said" in body:
            body["design_said"] = trial.read("/enrollment/v1/dose-escalation")["says"]["decision"]
        answer = trial.command(path, body, role=step.role, sites=(site,), version=version)
        assert answer.status_code == ENDPOINTS[step.key].answers, f"{step.key}: {answer.status_code}"
        if "Trial-Position" in answer.headers:  # a feed answers in words of its own
            last[path.split("/")[1]] = answer.headers["Trial-Position"]
    until("enrollment has heard that dosing resumes", lambda: trial.get("/enrollment/v1/dosing-halts").json() == [])
    return last


def _is_full(trial: Trial) -> bool:
    escalation = trial.read("/enrollment/v1/dose-escalation")
    full: bool = escalation["taken"] >= escalation["target_number"]
    return full


def _is_there(trial: Trial, path: str, site: str, member: str) -> bool:
    """Whether it is on record, and nobody has decided about it: another site's halt was reviewed before."""
    found = trial.get(path.rpartition("/")[0], sites=(site,)).json()[member]
    return found is not None and found["decision"] is None


def version_of(trial: Trial, path: str, site: str, role: Role) -> str:
    """The entity tag that a change at this path has to name. A blinded reader alone may read it of their own."""
    thing, reader, sites = path.rpartition("/")[0], Role.MONITOR, ("*",)  # wherever the participant is
    if "/independent-reads/" in path:
        thing, reader, sites = "/".join(path.split("/")[:5]), role, (site,)
        thing += "/review" if role is Role.ADJUDICATOR else ""
    answer = trial.get(thing, role=reader, sites=sites)
    assert answer.status_code == 200, f"{thing}: {answer.text}"
    return answer.headers["ETag"]
