"""All the tumour data of the pilot study, from the loader's commands to what the trial decides on them.

The counts are those of README. A program that knows these sets alone and shares only the visits with this one found
the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from services.efficacy.domain.assessments import RecordAssessment
from services.efficacy.domain.burden import EfficacyEvent, Facts
from services.efficacy.domain.criteria import TrialCriteria
from services.efficacy.domain.lesions import IdentifyLesion
from services.efficacy.domain.tumour_burden import DECIDER, EfficacyCommand
from services.loading.cdisc.files import SourceRow, read_domain
from services.loading.cdisc.tumours import Lesions, assessed, identified, is_new, visits
from shared.contracts.efficacy_terms import Response
from shared.protocol import load_protocol
from shared.response.readings import Reading, in_order, up_to_progression

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PROTOCOL = load_protocol(ROOT / "shared/protocol/cdisc_pilot.yaml")
CRITERIA = TrialCriteria(PROTOCOL).of(None)
SETS = ("SEED_V1", "SEED_SPD", "WHO_1979")
WORDS = (Response.CR, Response.PR, Response.SD, Response.PD)

Course = Mapping[str, list[Reading]]  # by set of criteria the responses after the baseline


@pytest.fixture(scope="module")
def courses() -> list[Course]:
    lesions, readings = _by_subject("tu"), _by_subject("tr")
    return [_course(list(_commands(rows, readings[subject]))) for subject, rows in lesions.items()]


def _by_subject(domain: str) -> Mapping[str, list[SourceRow]]:
    found: Mapping[str, list[SourceRow]] = defaultdict(list)
    for row in read_domain(HERE / "bidimensional", domain):
        found[row.subject].append(row)
    return found


def _commands(lesions: list[SourceRow], readings: list[SourceRow]) -> Iterator[EfficacyCommand]:
    for row in lesions:
        if not is_new(row):
            yield IdentifyLesion.model_validate(identified(row).body)
    for rows in visits(readings):
        yield RecordAssessment.model_validate(assessed(rows, Lesions(lesions)).body)


def _course(commands: list[EfficacyCommand]) -> Course:
    facts = Facts(UUID(int=1), PROTOCOL, CRITERIA.deciding, date(2026, 12, 31), CRITERIA.supportive)
    history: list[EfficacyEvent] = []
    for command in commands:
        history += DECIDER.decide(command, DECIDER.fold(history), facts)
    return {
        name: [
            Reading(each.findings.assessed_on, response)
            for each in DECIDER.fold(history).standing.values()
            if not each.baseline and (response := each.computed(name)) is not None
        ]
        for name in SETS
    }


def _best(course: list[Reading]) -> str:
    return min(up_to_progression(in_order(course)), key=lambda each: each.merit).response


def test_the_counts_of_readme_are_those_of_the_data(courses: list[Course]) -> None:
    followed = [course for course in courses if course["SEED_V1"]]
    assert (len(courses), len(followed)) == (60, 47)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in SETS:
        responses = Counter(each.response for course in followed for each in course[name])
        best = Counter(_best(course[name]) for course in followed)
        assert (responses.total(), best.total()) == (146, 47)
        told = " | ".join(str(counts[word]) for counts in (responses, best) for word in WORDS)
        assert f"| `{name}` | {told} |" in readme


def test_the_categories_of_eighteen_participants_depend_on_the_set(courses: list[Course]) -> None:
    told = [zip(*([each.response for each in course[name]] for name in SETS), strict=True) for course in courses]
    assert sum(any(len(set(responses)) > 1 for responses in course) for course in told) == 18
