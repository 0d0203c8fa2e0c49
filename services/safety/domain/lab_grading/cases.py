"""The cases that a patient may be in: one where every fact is known, several where v5.0 asks for one that is not."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from services.safety.domain.lab_grading.bands import When
from services.safety.domain.lab_grading.facts import AgeGroup, Facts

Case = frozenset[When]
Branches = tuple[Case, ...]

NOTHING: Case = frozenset()
OF_AGE: dict[AgeGroup, Case] = {
    AgeGroup.INFANT: frozenset({When.INFANT, When.PAEDIATRIC}),
    AgeGroup.CHILD: frozenset({When.CHILD, When.PAEDIATRIC}),
    AgeGroup.ADULT: frozenset({When.ADULT}),
}
BY_AGE = frozenset({When.INFANT, When.CHILD, When.PAEDIATRIC, When.ADULT})
DECIDES_WHAT_IT_IS = {When.FEBRILE: "a fever above 38.3 Cel", When.HAEMOLYSIS: "evidence of haemolysis"}


class FactNeeded(Exception):
    """Without this fact the finding is not the term's at all; the message names it."""


@lru_cache(maxsize=4096)
def possible(asked: Case, facts: Facts, abnormal: bool, baseline_known: bool) -> tuple[Branches, tuple[str, ...]]:
    """Every case that may be, and the names of the facts that are not known.

    Raises:
        FactNeeded: fever or haemolysis, which are never assumed.
    """
    branches: list[Branches] = [(frozenset({When.BASELINE_ABNORMAL if abnormal else When.BASELINE_NORMAL}),)]
    unknown: list[str] = []
    for name, options, known in _questions(asked, facts, baseline_known):
        branches.append(options if known is None else (known,))
        if known is None:
            unknown.append(name)
    return tuple(NOTHING.union(*chosen) for chosen in product(*branches)), tuple(unknown)


def _questions(asked: Case, facts: Facts, baseline_known: bool) -> Iterator[tuple[str, Branches, Case | None]]:
    """Each fact that the bands ask for: its name, the cases it may lead to, and the one it does where it is known."""
    yes_or_no = (
        ("symptomatic", When.SYMPTOMATIC, When.ASYMPTOMATIC, facts.symptomatic),
        ("on_anticoagulation", When.ON_ANTICOAGULATION, None, facts.on_anticoagulation),
        ("over_24_h", When.OVER_24_H, When.UP_TO_24_H, facts.over_24_h),
        ("baseline", When.ABOVE_BASELINE, None, True if baseline_known else None),
        ("febrile", When.FEBRILE, None, facts.febrile),
        ("haemolysis", When.HAEMOLYSIS, None, facts.haemolysis),
    )
    for name, if_true, if_false, answer in yes_or_no:
        if if_true not in asked:
            continue
        if answer is None and if_true in DECIDES_WHAT_IT_IS:
            raise FactNeeded(
                f"it is not known whether the patient has {DECIDES_WHAT_IT_IS[if_true]}, and that is never assumed"
            )
        true, false = frozenset({if_true}), NOTHING if if_false is None else frozenset({if_false})
        yield name, (true, false), None if answer is None else (true if answer else false)
    if asked & BY_AGE:
        group = facts.age_group
        yield "age_years", tuple(OF_AGE.values()), None if group is None else OF_AGE[group]
