"""Whether a case is a suspected unexpected serious adverse reaction (SUSAR), and since when the sponsor knows.

SUSAR = serious + suspected (related to the study product, by the investigator or by the sponsor) + unexpected. A
sponsor may so upgrade, never downgrade: one opinion of related suffices. What is missing counts as related, and as
unexpected. It is a function of the data, asked again whenever any of them changes.

Source: ICH E2A, II.A and III; what is missing counts so by a rule of this project [D].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from services.safety.domain.cases import expectedness
from services.safety.domain.cases.facts import Entry, Facts, Listed, event_after, listings_after, on_record
from services.safety.domain.record import Retracted
from services.safety.domain.urgency import Urgency, urgency_of
from shared.contracts.safety import AgentCausality, SeriousAdverseEventIdentified, Seriousness
from shared.contracts.safety_cases import (
    CaseUrgency,
    Expectedness,
    ExpectednessProposal,
    SponsorAssessed,
    SusarBasis,
)

By = Literal["investigator", "sponsor", "no-opinion"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """`urgency` None: no suspected unexpected serious adverse reaction."""

    urgency: CaseUrgency | None
    proposed: ExpectednessProposal
    basis: SusarBasis
    retracted: bool

    @property
    def rank(self) -> Urgency:
        """How urgent the reaction is: death is more urgent than a threat to life."""
        return urgency_of(self.basis.seriousness) if self.urgency else Urgency.NONE


@dataclass(frozen=True, slots=True)
class Since:
    """When sponsor and site became aware of a SUSAR as urgent as it is, and the version of the event that told so."""

    aware_at: datetime
    site_aware_at: datetime
    adverse_event_version: int


def case_urgency(seriousness: tuple[Seriousness, ...]) -> CaseUrgency:
    urgent = urgency_of(seriousness) >= Urgency.LIFE_THREATENING
    return CaseUrgency.FATAL_OR_LIFE_THREATENING if urgent else CaseUrgency.OTHER


def judge(facts: Facts, sponsor: SponsorAssessed | None) -> Judgement:
    """The case as it stands now."""
    return _judged(Known(facts.now, facts.entries, facts.listed, sponsor), facts.product)


def since(facts: Facts, assessments: tuple[SponsorAssessed, ...]) -> Since:
    """Since when the sponsor knows what makes the case as urgent a SUSAR as it is now. Only asked of one that is.

    The trial's database is the sponsor's, so the sponsor holds an entry once it is recorded, or earlier where an
    assessment says so; what an assessment rests on, since it says. Earlier than the site nobody can have known.
    """
    course = list(_course(facts, assessments))
    ranks = [_judged(known, facts.product).rank for known in course]
    began = max((place + 1 for place, rank in enumerate(ranks) if rank < ranks[-1]), default=0)
    aware = [known.aware_at for known in course[began:]]
    site_aware_at = _site_aware_at(facts, course[began].entries[-1])
    earliest = min([aware[0], *(at for at in aware if at >= site_aware_at)])
    return Since(earliest, site_aware_at, course[began].entries[-1].version)


@dataclass(frozen=True, slots=True)
class Known:
    """What was known at one point of a case's course, and since when the sponsor knew what was new."""

    aware_at: datetime
    entries: tuple[Entry, ...]
    listed: tuple[Listed, ...]
    sponsor: SponsorAssessed | None


def _course(facts: Facts, assessments: tuple[SponsorAssessed, ...]) -> Iterator[Known]:
    """Every point at which something became known, in the order in which it was recorded."""
    entries = facts.entries[:1]
    listed = tuple(each for each in facts.listed if each.recorded_at <= entries[0].recorded_at)
    sponsor: SponsorAssessed | None = None
    yield Known(entries[0].recorded_at, entries, listed, sponsor)
    for new in _news(facts, len(listed), assessments):
        match new:
            case Entry(recorded_at=aware_at):
                entries = (*entries, new)
            case Listed(recorded_at=aware_at):
                listed = (*listed, new)
            case SponsorAssessed(became_aware_at=aware_at):
                sponsor = new
            case _:
                assert_never(new)
        yield Known(aware_at, entries, listed, sponsor)


def _news(
    facts: Facts, listed: int, assessments: tuple[SponsorAssessed, ...]
) -> list[Entry | Listed | SponsorAssessed]:
    """What followed the report, in the order in which it was recorded."""
    news: list[Entry | Listed | SponsorAssessed] = [*facts.entries[1:], *facts.listed[listed:], *assessments]
    return sorted(news, key=lambda new: new.assessed_at if isinstance(new, SponsorAssessed) else new.recorded_at)


def _site_aware_at(facts: Facts, entry: Entry) -> datetime:
    """When the site became aware of what an entry tells: its alert follows it, in the same append."""
    raised = [
        each.event.became_aware_at
        for each in facts.entries
        if isinstance(each.event, SeriousAdverseEventIdentified) and each.recorded_at <= entry.recorded_at
    ]
    return raised[-1]


def _judged(known: Known, product: str) -> Judgement:
    event = event_after(known.entries)
    record = on_record(event)
    proposed = expectedness.proposed(record, listings_after(known.listed).standing)
    sponsor = known.sponsor
    judged = sponsor.expectedness if sponsor else None
    basis = SusarBasis(
        seriousness=record.seriousness,
        related_by=_related_by(record.causality, sponsor.causality if sponsor else (), product),
        expectedness=judged or proposed.expectedness,
        expectedness_by="sponsor" if judged else "rule",
        rsi_version=proposed.rsi_version,
        explanation="",
    )
    retracted = isinstance(event, Retracted)
    holds = not retracted and bool(basis.seriousness and basis.related_by)
    holds = holds and basis.expectedness is Expectedness.UNEXPECTED
    explained = basis.model_copy(update={"explanation": _explained(basis, retracted=retracted)})
    return Judgement(case_urgency(record.seriousness) if holds else None, proposed, explained, retracted)


def _related_by(
    investigator: tuple[AgentCausality, ...], sponsor: tuple[AgentCausality, ...], product: str
) -> tuple[By, ...]:
    opinions: dict[By, bool | None] = {
        "investigator": _opinion(investigator, product),
        "sponsor": _opinion(sponsor, product),
    }
    related = tuple(who for who, opinion in opinions.items() if opinion)
    if related or None not in opinions.values():
        return related
    return ("no-opinion",)


def _opinion(causality: tuple[AgentCausality, ...], product: str) -> bool | None:
    return next((each.attribution.is_related for each in causality if each.agent == product), None)


_RELATED: dict[tuple[By, ...], str] = {
    (): "neither the investigator nor the sponsor holds it related to the product",
    ("investigator",): "the investigator holds it related to the product",
    ("sponsor",): "the sponsor holds it related to the product",
    ("investigator", "sponsor"): "investigator and sponsor hold it related to the product",
    ("no-opinion",): "an opinion on the product is missing, which counts as related",
}


def _explained(basis: SusarBasis, *, retracted: bool) -> str:
    if retracted:
        return "The adverse event was retracted."
    serious = f"serious ({', '.join(basis.seriousness)})" if basis.seriousness else "not serious"
    listed = f"against {basis.rsi_version}" if basis.rsi_version else "with no reference safety information in force"
    by = "by the sponsor's assessment" if basis.expectedness_by == "sponsor" else "by the rule"
    return f"It is {serious}; {_RELATED[basis.related_by]}; it is {basis.expectedness} {by}, {listed}."
