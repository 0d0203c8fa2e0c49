"""A line of a report is what one observation says; each kind of result puts its lines together in its own way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.biomarkers.intake.observations import Status
from services.biomarkers.intake.readings import Reading, ReadingProblem, Unreadable
from shared.kernel.decider import Decider
from shared.kernel.errors import TrialError
from shared.protocol.biomarkers import Cytokines

WITHDRAWN = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of result: how observations become its report, and the commands that bring the report about.

    `measured`: without one of these lines a report holds no result; empty: any line is one.
    `assay`: what of the assay makes it another result of the same sample.
    `lines`: a report by the keys of the observations that say it.
    `line`: what a reading says, where `stands` is what the report says of it so far.
    `report`: the fields of a report that follow from its readings and lines, where `before` are those that stand.
    """

    decider: Decider[Any, Any, Any, Any]
    record: type[BaseModel]
    correct: type[BaseModel]
    cancel: type[BaseModel]
    id_name: str
    measured: frozenset[str]
    assay: Callable[[Reading], str | None]
    lines: Callable[[Any, Cytokines], dict[str, Any]]
    line: Callable[[Reading, Any], Any]
    report: Callable[[Sequence[Reading], Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]


def made(model: type[Model], given: Mapping[str, Any]) -> Model:
    """A model of what was read.

    Raises:
        Unreadable: it does not fit.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable(ReadingProblem.BAD_VALUE, f"{place}: {first['msg'].removeprefix('Value error, ')}") from error


def as_the_domain(work: Callable[[], T]) -> T:
    """What a rule of the domain makes of a value; where the rule refuses it, it is unreadable."""
    try:
        return work()
    except TrialError as error:
        raise Unreadable(ReadingProblem.BAD_VALUE, str(error)) from error


def first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text), None)
