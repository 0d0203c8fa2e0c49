"""Whom criteria are asked of: sex and month of birth, as far as they are known."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import assert_never

from services.enrollment.domain.criteria import comparing
from services.enrollment.domain.criteria.answering import chosen, says, threshold
from services.enrollment.domain.criteria.reasons import Answered, Reason, open_for
from shared.consent.age import age_on
from shared.contracts.enrollment_terms import Sex
from shared.contracts.terms import BirthMonth
from shared.protocol import AppliesTo, Criterion, Protocol


@dataclass(frozen=True, slots=True)
class Person:
    """`birth_month` None: not known."""

    sex: Sex
    birth_month: BirthMonth | None


def applies(criterion: Criterion, person: Person, on: date, protocol: Protocol) -> bool:
    """Whether a criterion is asked of somebody; where sex or age leaves it open, it is."""
    match criterion.applies_to:
        case AppliesTo.EVERYONE:
            return True
        case AppliesTo.FEMALE:
            return person.sex is not Sex.MALE
        case AppliesTo.MINOR:
            majority = protocol.consent.majority_age_years.value
            return person.birth_month is None or age_on(person.birth_month, on).at_least < majority
        case _:
            assert_never(criterion.applies_to)


def by_age(criterion: Criterion, born: BirthMonth, on: date) -> Answered:
    """A limit of age must hold for both ages that somebody may have within the month of birth."""
    age, limit = age_on(born, on), threshold(criterion)
    youngest, oldest = (
        comparing.holds(comparing.span(Fraction(years), None), criterion.operator, limit)
        for years in (age.at_least, age.at_most)
    )
    if youngest is not oldest or oldest is None:
        return open_for(Reason.BIRTHDAY_UNKNOWN)
    return says(criterion, holds=oldest, value=Fraction(age.at_least))


def by_sex(criterion: Criterion, sex: Sex) -> Answered:
    return open_for(Reason.MISSING) if sex is Sex.UNKNOWN else says(criterion, holds=chosen(sex.value, criterion))
