"""The tumour burden of one participant as one reader sees it: lesions, assessments and their responses, one stream.

Why one stream and not one per assessment: the response at one time point rests on the baseline, on the smallest
sum so far and on the list of lesions, and a late or corrected measurement changes the responses after it. In
one stream each decision sees all of that, and the new findings and every response they change are one append: of
two assessments recorded at once one is decided again on top of the other. The stream is a reader's, because
readers never see each other's measurements: the investigator's is `tumour-burden:<participant>`.

The price would be that every measurement had to name the version it was decided on. It does not: lesions and
assessments carry ids of their own, so what is new needs no `If-Match`, and only what changes a record does.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from services.efficacy.domain import assessments, lesions, overrides, stated_responses
from services.efficacy.domain.assessments import CorrectAssessment, RecordAssessment, RetractAssessment
from services.efficacy.domain.burden import EfficacyEvent, Facts, TumourBurden, evolve
from services.efficacy.domain.lesions import CorrectLesion, IdentifyLesion, RetractLesion
from services.efficacy.domain.overrides import OverrideResponse, WithdrawOverride
from services.efficacy.domain.responses import reassign, with_responses
from services.efficacy.domain.stated_responses import ReportResponse
from shared.contracts.efficacy_terms import Evaluator
from shared.kernel.decider import Command, Decider

OfFindings = IdentifyLesion | CorrectLesion | RetractLesion | RecordAssessment | CorrectAssessment | RetractAssessment


class ReassignResponses(Command):
    """Assign responses by the criteria that decide now: not sent by anybody, but carried out by the watch over them."""


EfficacyCommand = OfFindings | ReassignResponses | OverrideResponse | WithdrawOverride | ReportResponse


def decide(command: EfficacyCommand, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    match command:
        case OverrideResponse():
            return overrides.override(command, burden, facts)
        case WithdrawOverride():
            return overrides.withdraw(command, burden, facts)
        case ReassignResponses():
            return reassign(burden, facts)
        case ReportResponse():
            return stated_responses.report(command, burden, facts)
        case _:
            return with_responses(burden, _on_findings(command, burden, facts), facts)


def _on_findings(command: OfFindings, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    match command:
        case IdentifyLesion():
            return lesions.identify(command, burden, facts)
        case CorrectLesion():
            return lesions.correct(command, burden, facts)
        case RetractLesion():
            return lesions.retract(command, burden, facts)
        case RecordAssessment():
            return assessments.record(command, burden, facts)
        case CorrectAssessment():
            return assessments.correct(command, burden, facts)
        case RetractAssessment():
            return assessments.retract(command, burden, facts)
        case _:
            assert_never(command)


DECIDER: Decider[EfficacyCommand, TumourBurden, Facts, EfficacyEvent] = Decider(
    category="tumour-burden", initial=TumourBurden(), evolve=evolve, decide=decide
)

# One stream each: what a blinded reader measured is told to nobody who reads.
OF_READER: Mapping[Evaluator, Decider[EfficacyCommand, TumourBurden, Facts, EfficacyEvent]] = {
    Evaluator.INVESTIGATOR: DECIDER,
    Evaluator.INDEPENDENT_READER_1: replace(DECIDER, category="tumour-burden-reader-1"),
    Evaluator.INDEPENDENT_READER_2: replace(DECIDER, category="tumour-burden-reader-2"),
}
