"""Death from an adverse event: the one place where grade, seriousness and outcome must agree.

CTCAE v5.0: grade 5 is death due to the event. ICH E2A: it then results in death. CDISC: its outcome is fatal.
A child who dies of another cause while the event goes on leaves the event not recovered, not fatal.
"""

from services.safety.domain.record import OnRecord
from shared.contracts.safety import Outcome, Seriousness
from shared.kernel.errors import Unacceptable


class DeathFactsDisagree(Unacceptable):
    """Grade 5, the criterion results-in-death and the outcome fatal hold together or not at all."""


def check(record: OnRecord) -> None:
    """Refuse a death that only some of the three facts speak of.

    Raises:
        DeathFactsDisagree: naming what is said and what is missing.
    """
    says = {
        "grade 5": record.grade == 5,
        "the criterion results-in-death": Seriousness.DEATH in record.seriousness,
        "the outcome fatal": record.outcome is Outcome.FATAL,
    }
    if any(entry.grade == 5 for entry in record.grades[:-1]):
        raise DeathFactsDisagree("no grade follows grade 5; if it was wrong, correct the history of grades")
    if len(set(says.values())) == 1:
        return
    said = " and ".join(name for name, value in says.items() if value)
    missing = " and ".join(name for name, value in says.items() if not value)
    raise DeathFactsDisagree(
        f"this says {said} without {missing}; they hold together, or not at all. For a death from an event on record "
        "send record-death, which sets all three; for a wrong entry correct all three"
    )
