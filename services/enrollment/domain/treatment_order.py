"""Lymphodepletion and infusion take turns: each course lies between the infusion before it and the one it prepares."""

from collections.abc import Sequence

from services.enrollment.domain.life import Infusion, Lymphodepletion, Participant


def out_of_order(course: Lymphodepletion, infusions: Sequence[Infusion], participant: Participant) -> str | None:
    """What contradicts between a course and these infusions, in their order; None: nothing.

    The infusion's own day may still be a day of the course, unless the hour of the first dose says otherwise.
    """
    number = course.prepares_infusion
    before, prepared = infusions[number - 2 : number - 1] if number > 1 else (), infusions[number - 1 : number]
    for infusion in prepared:
        if course.days[-1] > participant.day_of(infusion.started_at):
            return f"the lymphodepletion would not be over by infusion {number}, which it prepares"
        if course.first_dose_at is not None and course.first_dose_at >= infusion.started_at:
            return f"the lymphodepletion would not begin before infusion {number}, which it prepares"
    for infusion in before:
        if course.days[0] < participant.day_of(infusion.started_at):
            return f"the lymphodepletion would begin before infusion {number - 1}, and prepare infusion {number}"
    return None
