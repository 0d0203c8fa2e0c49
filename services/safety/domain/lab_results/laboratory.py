"""A laboratory: what its test codes mean, and its own reference ranges."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from zoneinfo import ZoneInfo

from services.safety.domain.lab_grading import analytes
from services.safety.domain.lab_grading.analytes import Analyte
from services.safety.domain.lab_grading.facts import Limits
from services.safety.domain.lab_results.laboratory_commands import (
    LaboratoryCommand,
    MapTests,
    RecordReferenceRanges,
    RegisterLaboratory,
    StatedRange,
    TestMapping,
)
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_laboratory import (
    LaboratoryEvent,
    LaboratoryRegistered,
    LaboratoryTestsMapped,
    MappedTest,
    ReferenceRange,
    ReferenceRangesRecorded,
)
from shared.kernel.decider import Decider
from shared.kernel.errors import AlreadyExists, NotFound, Unacceptable
from shared.measurement import units


class NoSuchLaboratory(NotFound):
    """No laboratory has this code, or none at the caller's sites."""


class LaboratoryAlreadyRegistered(AlreadyExists):
    """Another laboratory is on record under this code."""


class UnitNotOfAnalyte(Unacceptable):
    """The unit is not known, or nothing of this analyte is reported in it."""


class MappedTwice(Unacceptable):
    """One request gives one code two meanings."""


class AgesContradict(Unacceptable):
    """A range begins at an age at which it has ended."""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Nothing has been said under this code."""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A laboratory as it stands. `tests` leads from its codes to analytes; None: known and not graded."""

    registered: LaboratoryRegistered
    tests: dict[str, str | None] = field(default_factory=dict)
    ranges: tuple[ReferenceRange, ...] = ()

    @property
    def id(self) -> str:
        return self.registered.laboratory_id

    @property
    def site_id(self) -> str:
        return self.registered.site_id

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.registered.time_zone)

    def range_of(
        self, analyte: str, unit: str | None, sex: Sex | None, age_months: int | None, on: date
    ) -> ReferenceRange | None:
        """The range that holds for a specimen of a day: the newest, then the one for the sex, then of fewest ages."""
        fit = [
            each
            for each in self.ranges
            if (each.analyte, each.unit) == (analyte, unit)
            and each.effective_from <= on
            and each.sex in {None, sex}
            and _holds_at(each, age_months)
        ]
        return max(fit, key=_precedence, default=None)


State = Unregistered | Laboratory


def _holds_at(each: ReferenceRange, age_months: int | None) -> bool:
    if age_months is None:
        return each.age_from_months == 0 and each.age_to_months is None
    return each.age_from_months <= age_months and (each.age_to_months is None or age_months < each.age_to_months)


def _precedence(each: ReferenceRange) -> tuple[date, bool, bool, int, int]:
    to = each.age_to_months
    ages = 0 if to is None else to - each.age_from_months
    return each.effective_from, each.sex is not None, to is not None, -ages, each.age_from_months


def evolve(state: State, event: LaboratoryEvent) -> State:
    if isinstance(event, LaboratoryRegistered):
        return Laboratory(event)
    match state:
        case Laboratory():
            return _next(state, event)
        case Unregistered():
            return state
        case _:
            assert_never(state)


def _next(state: Laboratory, event: LaboratoryTestsMapped | ReferenceRangesRecorded) -> Laboratory:
    match event:
        case LaboratoryTestsMapped():
            return replace(state, tests=state.tests | {each.code: each.analyte for each in event.tests})
        case ReferenceRangesRecorded():
            merged = {_whom(each): each for each in (*state.ranges, *event.ranges)}
            return replace(state, ranges=tuple(merged.values()))
        case _:
            assert_never(event)


def _whom(each: ReferenceRange) -> tuple[object, ...]:
    """For whom and from when a range holds: a later one for the same replaces it."""
    return each.analyte, each.unit, each.sex, each.age_from_months, each.age_to_months, each.effective_from


def decide(command: LaboratoryCommand, state: State, _facts: None) -> list[LaboratoryEvent]:
    if isinstance(command, RegisterLaboratory):
        return _registered(command, state)
    if not isinstance(state, Laboratory):
        raise NoSuchLaboratory("no laboratory has this code, or none at your sites")
    match command:
        case MapTests():
            return _mapped(command, state)
        case RecordReferenceRanges():
            return _ranged(command, state)
        case _:
            assert_never(command)


def _registered(command: RegisterLaboratory, state: State) -> list[LaboratoryEvent]:
    event = LaboratoryRegistered(**command.model_dump())
    if isinstance(state, Unregistered):
        return [event]
    if state.registered == event:
        return []
    raise LaboratoryAlreadyRegistered("another laboratory is registered under this code: take another code")


def _mapped(command: MapTests, state: Laboratory) -> list[LaboratoryEvent]:
    if len({each.code for each in command.tests}) < len(command.tests):
        raise MappedTwice("each code once: one of them is given two meanings")
    meant = [MappedTest(code=each.code, analyte=_analyte(each)) for each in command.tests]
    new = tuple(each for each in meant if each.code not in state.tests or state.tests[each.code] != each.analyte)
    return [LaboratoryTestsMapped(laboratory_id=state.id, tests=new)] if new else []


def _analyte(mapping: TestMapping) -> str | None:
    found = {
        *([analytes.named(mapping.analyte).key] if mapping.analyte is not None else []),
        *([analytes.of_loinc(mapping.loinc).key] if mapping.loinc is not None else []),
    }
    if len(found) > 1:
        raise MappedTwice("analyte and loinc of one code name two things: send one of them")
    return next(iter(found), None)


def _ranged(command: RecordReferenceRanges, state: Laboratory) -> list[LaboratoryEvent]:
    new = tuple(each for each in map(_range, command.ranges) if each not in state.ranges)
    return [ReferenceRangesRecorded(laboratory_id=state.id, ranges=new)] if new else []


def _range(stated: StatedRange) -> ReferenceRange:
    analyte = analytes.named(stated.analyte)
    Limits(stated.lln, stated.uln)
    if stated.age_to_months is not None and stated.age_to_months <= stated.age_from_months:
        raise AgesContradict("age_to_months is the first age a range does not hold for, so it lies above age_from")
    return ReferenceRange(**{**stated.model_dump(), "analyte": analyte.key, "unit": unit_code(analyte, stated.unit)})


def unit_code(analyte: Analyte, text: str | None) -> str | None:
    """The UCUM code of a unit of this analyte; None, and a pure number's own unit, where none is written.

    Raises:
        UnitNotOfAnalyte: it is not known, or measures something else.
    """
    if text is None or not text.strip():
        if analyte.unit_of_pure_number is None:
            raise UnitNotOfAnalyte(f"{analyte.key} needs a unit: {_units_of(analyte)}")
        return analyte.unit_of_pure_number
    unit = units.read(text)
    if unit is None or unit not in analyte.units:
        raise UnitNotOfAnalyte(f"not a unit of {analyte.key}: send one of {_units_of(analyte)}")
    return unit.code


def _units_of(analyte: Analyte) -> str:
    return ", ".join(each.code for each in analyte.units)


DECIDER: Decider[LaboratoryCommand, State, None, LaboratoryEvent] = Decider(
    category="laboratory", initial=Unregistered(), evolve=evolve, decide=decide
)
