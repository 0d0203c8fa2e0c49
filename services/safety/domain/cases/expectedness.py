"""Whether an adverse event was to be expected, as the reference safety information in force at its onset has it.

The rule proposes; the sponsor's own assessment stands above it, and both are shown.

Source: ICH E2A, II.C: expected by term, severity and specificity; a fatal outcome is unexpected unless it is listed.
"""

from collections.abc import Sequence

from services.safety.domain.cases.reference_safety_information import Version, in_force
from services.safety.domain.record import OnRecord
from shared.contracts.safety import Seriousness
from shared.contracts.safety_cases import Expectedness, ExpectednessProposal, ListedTerm
from shared.contracts.terms import earliest, latest

NO_VERSION = ExpectednessProposal(
    expectedness=Expectedness.UNEXPECTED,
    rsi_version=None,
    explanation="No reference safety information was in force at onset, so nothing was expected.",
)


def proposed(record: OnRecord, standing: Sequence[Version]) -> ExpectednessProposal:
    """What the rule says of an event.

    Where a partial onset leaves open which version was in force, the event is expected only if each of them expects
    it. An event of an "Other, specify" term is listed where what was seen is, in the same words.
    """
    versions = in_force(tuple(standing), earliest(record.onset), latest(record.onset))
    answers = [_by(version, record) for version in versions]
    unexpected = [each for each in answers if each.expectedness is Expectedness.UNEXPECTED]
    return (unexpected or answers or [NO_VERSION])[-1]


def _by(version: Version, record: OnRecord) -> ExpectednessProposal:
    listed = next((term for term in version.terms if _is_meant(term, record)), None)
    expectedness, why = _judged(listed, record)
    return ExpectednessProposal(
        expectedness=expectedness,
        rsi_version=version.rsi_version,
        explanation=f"{version.rsi_version}, in force from {version.effective_from}, {why}.",
    )


def _is_meant(listed: ListedTerm, record: OnRecord) -> bool:
    same_words = (listed.specification or "").casefold() == (record.term.specification or "").casefold()
    return listed.meddra_code == record.term.meddra_code and same_words


def _judged(listed: ListedTerm | None, record: OnRecord) -> tuple[Expectedness, str]:
    fatal = Seriousness.DEATH in record.seriousness
    if listed is None:
        return Expectedness.UNEXPECTED, "does not list the term"
    if fatal and not listed.fatal:
        return Expectedness.UNEXPECTED, "lists the term, and no fatal outcome"
    if fatal:
        return Expectedness.EXPECTED, "lists the term with a fatal outcome"
    if record.worst_grade > listed.max_grade:
        return (
            Expectedness.UNEXPECTED,
            f"lists the term up to grade {listed.max_grade}; the event reached {record.worst_grade}",
        )
    return Expectedness.EXPECTED, f"lists the term up to grade {listed.max_grade}"
