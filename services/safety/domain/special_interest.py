"""Which of the protocol's kinds of special interest an adverse event is of: derived when read, never recorded.

Term, grade and the days since the infusion decide, and each may become known, or be corrected, after the report.
"""

from datetime import date

from services.safety.domain.record import OnRecord, Retracted
from shared.contracts.grade_spells import grade_spells
from shared.protocol import Protocol


def special_interest(event: OnRecord | Retracted, protocol: Protocol, infused_on: date | None) -> tuple[str, ...]:
    """The ids of the kinds, in the protocol's order. A retracted event is of none."""
    if isinstance(event, Retracted):
        return ()
    term, serious = event.term, bool(event.seriousness)
    spells = [*grade_spells(event.grades, event.ended_on, infused_on)]
    return tuple(
        kind.id
        for kind in protocol.car_t_toxicity.special_interest
        if kind.holds(term.soc, term.meddra_code, term.specification, serious=serious, spells=spells)
    )
