"""Who holds the event related to the product, and what the sponsor made of it in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.safety import AgentCausality, Attribution
from shared.contracts.safety_cases import ReportContent

METHOD = "NCI attribution, five points"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One assessment of product and event (G.k.9.i.2.r): by whom, and what they say."""

    source: str
    result: str


def on_product(content: ReportContent) -> list[Opinion]:
    """The investigator's and the sponsor's, each where it was given; never one in the place of the other."""
    given = {"Investigator": content.adverse_event.causality, "Sponsor": content.sponsor.causality}
    product = content.frame.product
    return [
        Opinion(source, _result(each.attribution))
        for source, opinions in given.items()
        for each in opinions
        if each.agent == product
    ]


def _result(attribution: Attribution) -> str:
    """With the two-way answer that regulators ask for."""
    return f"{attribution} ({'' if attribution.is_related else 'no '}reasonable possibility)"


def senders_comment(content: ReportContent) -> str:
    """H.4: expectedness, both opinions on every agent, and the sponsor's reason."""
    return " ".join(_sentences(content))


def _sentences(content: ReportContent) -> Iterator[str]:
    sponsor = content.sponsor
    by = "the sponsor" if sponsor.expectedness_by == "sponsor" else "the rule"
    yield f"The event is {sponsor.expectedness} by {by}. {sponsor.proposed.explanation}"
    yield _all(content.adverse_event.causality, "The investigator")
    yield _all(sponsor.causality, "The sponsor")
    if sponsor.reason is not None:
        yield f"The sponsor's reason: {sponsor.reason}"


def _all(opinions: tuple[AgentCausality, ...], who: str) -> str:
    if not opinions:
        return f"{who} has given no opinion on causality."
    given = "; ".join(f"{each.agent}: {_result(each.attribution)}" for each in opinions)
    return f"{who} on causality: {given}."
