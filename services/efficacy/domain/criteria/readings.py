"""What criteria read and what they answer: raw measurements in, a response with its reasons out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Protocol
from uuid import UUID

from services.efficacy.domain.criteria.limits import Confirmation, Limit, Measure, MinimumSize, TargetNumber
from shared.contracts.efficacy_terms import (
    LesionState,
    LocalTherapy,
    MeasuredLesion,
    Modality,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
    Response,
    ResponseBasis,
)

Axes = tuple[Decimal, Decimal]  # the longest diameter and its perpendicular, in mm

# Decisions are exact: in this context what would have to be rounded is an error. Sums of products of diameters to the
# micrometre have 15 digits, a limit a few more.
EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_READABLE = Context(prec=100, rounding=ROUND_HALF_EVEN)
_SIX_PLACES, _TWO_PLACES, _NO_CHANGE = Decimal("0.000001"), Decimal("0.01"), Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Target:
    """One target lesion at one time point. Diameters in mm; missing unless it was measured."""

    lesion_id: UUID
    node: bool
    state: LesionState
    longest_mm: Decimal | None = None
    perpendicular_mm: Decimal | None = None
    further_parts: tuple[Axes, ...] = ()
    local_therapy: LocalTherapy | None = None
    modality: Modality | None = None

    @classmethod
    def of(cls, lesion_id: UUID, found: MeasuredLesion, *, node: bool, modality: Modality | None = None) -> "Target":
        """A lesion as it was recorded; `modality` is how it was seen where it does not say so itself."""
        return cls(
            lesion_id,
            node,
            found.state,
            found.longest_mm,
            found.perpendicular_mm,
            tuple((part.longest_mm, part.perpendicular_mm) for part in found.further_parts),
            found.local_therapy,
            found.modality or modality,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader saw at one time point.

    `new_lesion`: an unequivocal one is seen; `equivocal`: a doubtful one. `new_labels` names the unequivocal ones and
    `new_sum_mm` adds the longest diameters of those that were measured; both may be unknown, and then are empty.
    """

    on: str
    targets: tuple[Target, ...]
    non_target: NonTargetStatus
    new_lesion: bool
    equivocal: bool = False
    new_labels: frozenset[str] = frozenset()
    new_sum_mm: Decimal | None = None
    neuro_oncology: NeuroOncologyFindings = field(default_factory=NeuroOncologyFindings)
    neuroblastoma: NeuroblastomaFindings = field(default_factory=NeuroblastomaFindings)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A response, the rule that fired, the numbers, and the same in words. None: such disease is not covered."""

    response: Response | None
    rule: str
    explanation: str
    basis: ResponseBasis
    would_change: tuple[str, ...] = ()


class Diameters(Protocol):
    """The measure, the limits and what else is data of a set, as its source has them. `percent_change` explains it."""

    @property
    def measure(self) -> Measure: ...
    @property
    def response(self) -> Limit: ...
    @property
    def minor_response(self) -> Limit | None: ...
    @property
    def progression(self) -> Limit: ...
    @property
    def each_lesion(self) -> bool: ...
    @property
    def covers_nodes(self) -> bool: ...
    @property
    def node_normal_below_mm(self) -> Decimal: ...
    @property
    def too_small_mm(self) -> Decimal: ...
    @property
    def minimum(self) -> MinimumSize | None: ...
    @property
    def targets(self) -> TargetNumber: ...
    @property
    def confirmation(self) -> Confirmation: ...
    @property
    def source(self) -> str: ...


class CriteriaEngine(Protocol):
    """One set of criteria. Pure: the answer depends on the readings alone, never on the order of their lesions."""

    @property
    def name(self) -> str: ...

    @property
    def diameters(self) -> Diameters:
        """How it judges what is measured in millimetres."""
        ...

    @property
    def asks(self) -> tuple[str, ...]:
        """What it needs beside diameters, by the names in `ResponseBasis.unknown`."""
        ...

    @property
    def vocabulary(self) -> frozenset[Response]:
        """The responses that this set knows, and no reader may go beyond."""
        ...

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        """The response at `current`. `earlier` are the readings between baseline and it, in order of time."""
        ...


def sum_of_measured(sizes: Iterable[Decimal | None]) -> Decimal | None:
    """What those that were measured add up to; None: none was."""
    measured = [size for size in sizes if size is not None]
    return sum(measured, Decimal()) if measured else None


def readable(value: Decimal) -> str:
    """A size to six places, rounded half to even, without idle zeros and without a power of ten."""
    return format(value.quantize(_SIX_PLACES, context=_READABLE).normalize(_READABLE), "f")


def exact(value: Decimal) -> Decimal:
    """The same as a number: exact, for no size has more places."""
    return Decimal(readable(value))


def percent(value: Decimal, reference: Decimal) -> Decimal | None:
    """Change over the reference in percent, rounded half to even to two places; None over a reference of 0.

    No quotient of two sums is so near to a tie that a hundred digits would round it onto one.
    """
    if not reference:
        return None
    change = _READABLE.divide((value - reference) * 100, reference)
    return _READABLE.add(change.quantize(_TWO_PLACES, context=_READABLE), _NO_CHANGE)  # -0.00 reads 0.00
