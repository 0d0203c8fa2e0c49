"""The order in which the steps of a product come: by their instants, and by the days that they tell of."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from services.enrollment.domain.product.chain import FOLLOWS, GIVEN, Chain, Details, Step
from services.enrollment.domain.product.facts import ProductStepOutOfTime, ProductStepWouldNotFollow
from shared.contracts.enrollment_product_terms import ManufactureEnd, ManufactureStart, ReleaseTesting
from shared.contracts.enrollment_product_terms import ProductStatus as Status

_A_DAY = timedelta(days=1)


def check_follows(state: Chain, kind: Status) -> None:
    """Raises: ProductStepWouldNotFollow."""
    assert state.status is not None  # noqa: S101 - it stands
    able = FOLLOWS[state.status]
    if kind not in able:
        told = ", ".join(sorted(able))
        raise ProductStepWouldNotFollow(
            f"the product is {state.status}, after which it cannot be {kind}; may follow: {told}"
        )


def check_sequence(steps: tuple[Step, ...]) -> None:
    """Tests and infusions are told when they are, and are no part of the order; the same instant is in order.

    Raises:
        ProductStepOutOfTime.
    """
    ordered = [step for step in steps if step.kind is not Status.TESTED and not isinstance(step.details, GIVEN)]
    for earlier, later in pairwise(ordered):
        if later.at < earlier.at:
            raise ProductStepOutOfTime(
                f"step {later.number} ({later.kind}) would lie before step {earlier.number} ({earlier.kind}): "
                "check the instant and its offset, or correct the other step first"
            )


def check_days(details: Details, state: Chain) -> None:
    """The days that a step tells of lie where its instants leave room for them.

    Raises:
        ProductStepOutOfTime.
    """
    if isinstance(details, ManufactureEnd):
        start = state.last(ManufactureStart)
        assert start is not None  # noqa: S101 - a manufacture ends that began
        _check_day("transduced_on", details.transduced_on, start.started_at, details.ended_at)
        _check_day("expires_on", details.expires_on, details.ended_at, None)
    elif isinstance(details, ReleaseTesting):
        for each in details.results:
            _check_day(f"tested_on of {each.test}", each.tested_on, state.steps[0].at, details.reported_at)


def _check_day(name: str, day: date | None, since: datetime, until: datetime | None) -> None:
    """A day as somebody's calendar showed it: no zone on earth is further than a day from another."""
    if day is None:
        return
    if since.date() - day > _A_DAY:
        raise ProductStepOutOfTime(f"{name} would lie before the step that it follows: check the year and the day")
    if until is not None and day - until.date() > _A_DAY:
        raise ProductStepOutOfTime(f"{name} would lie after the step that tells of it: check the year and the day")
