"""The assay registry: which lots of which assays are in use, and what each can quantify. One stream for the trial.

A lot never changes. One that was entered wrongly is withdrawn, with the reason; panels that named it keep the limits
they took, until they are corrected.
"""

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from pydantic import ConfigDict

from services.biomarkers.domain.analytes import key_of
from services.biomarkers.domain.cytokines import AnalyteTwice
from services.biomarkers.domain.laboratory_report import ContradictoryReport, ZeroWithoutLimit
from services.biomarkers.domain.units import to_pg_per_ml
from shared.contracts.biomarkers_assays import (
    AssayEvent,
    AssayLimits,
    AssayLotRegistered,
    AssayLotSheet,
    AssayLotWithdrawn,
    AssayRange,
)
from shared.contracts.terms import Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound, Unacceptable
from shared.protocol import Protocol
from shared.protocol.biomarkers import Cytokines


class RegisterAssayLot(Command, AssayLotSheet):
    """Put a lot on record, with its limits of quantification per analyte in an undiluted sample."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "platform": "LUMINEX-200",
                    "kit": "HCYTA-60K",
                    "lot": "A1",
                    "ranges": [{"analyte": "IL6", "lloq": "2.5", "uloq": "10000", "unit": "pg/mL"}],
                    "valid_from": "2026-01-15",
                    "valid_until": "2026-12-31",
                }
            ]
        }
    )

    assay_lot_id: UUID | None = None


class WithdrawAssayLot(Command):
    """The lot was entered wrongly, or is not to be used: no new panel may name it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The limits are those of another kit"}]})

    reason: Reason


AssayCommand = RegisterAssayLot | WithdrawAssayLot


@dataclass(frozen=True, slots=True)
class Registry:
    """Every lot that was registered, and why some were withdrawn."""

    registered: tuple[AssayLotRegistered, ...] = ()
    withdrawn: tuple[AssayLotWithdrawn, ...] = ()

    def find(self, assay_lot_id: UUID) -> AssayLotRegistered | None:
        return next((each for each in self.registered if each.assay_lot_id == assay_lot_id), None)

    def named(self, assay_lot_id: UUID) -> AssayLotRegistered:
        """Raises: NoSuchAssayLot."""
        found = self.find(assay_lot_id)
        if found is None:
            raise NoSuchAssayLot("no lot of an assay is registered under this id")
        return found

    def reason_withdrawn(self, assay_lot_id: UUID) -> str | None:
        return next((each.reason for each in self.withdrawn if each.assay_lot_id == assay_lot_id), None)

    def is_standing(self, lot: AssayLotRegistered) -> bool:
        return self.reason_withdrawn(lot.assay_lot_id) is None


class NoSuchAssayLot(NotFound):
    """No lot of an assay is registered under this id."""


class AssayLotOnRecord(AlreadyExists):
    """Another lot is registered under this id; a lot never changes, so take a new id."""


class AssayLotRegisteredTwice(Conflict):
    """This lot of this kit is registered already; name that one, or withdraw it first if it is wrong."""


class LotExpiresBeforeItBegins(Unacceptable):
    """The last day of a lot lies before its first."""


class UnknownAssayLot(Unacceptable):
    """A panel names a lot that nobody registered, or that was withdrawn."""


def evolve(state: Registry, event: AssayEvent) -> Registry:
    match event:
        case AssayLotRegistered():
            return Registry((*state.registered, event), state.withdrawn)
        case AssayLotWithdrawn():
            return Registry(state.registered, (*state.withdrawn, event))
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class Meant:
    """Which lot a command is about, and the protocol in force."""

    assay_lot_id: UUID
    protocol: Protocol


def decide(command: AssayCommand, state: Registry, meant: Meant) -> list[AssayEvent]:
    match command:
        case RegisterAssayLot():
            return _register(command, state, meant)
        case WithdrawAssayLot():
            return _withdraw(command, state, meant.assay_lot_id)
        case _:
            assert_never(command)


def _register(command: RegisterAssayLot, state: Registry, meant: Meant) -> list[AssayEvent]:
    sheet = AssayLotSheet.model_construct(**{name: getattr(command, name) for name in AssayLotSheet.model_fields})
    on_record = state.find(meant.assay_lot_id)
    if on_record is not None:
        if on_record.sheet == sheet:
            return []
        raise AssayLotOnRecord("another lot is registered under this id; take a new one")
    if sheet.valid_until is not None and sheet.valid_until < sheet.valid_from:
        raise LotExpiresBeforeItBegins("valid_until lies before valid_from")
    limits = tuple(_limits(each, meant.protocol.cytokines) for each in sheet.ranges)
    keys = [each.analyte for each in limits]
    if len(set(keys)) < len(keys):
        raise AnalyteTwice("an analyte is named twice: send one range for it")
    same = (sheet.platform, sheet.kit, sheet.lot)
    if any(_of(each.sheet) == same and state.is_standing(each) for each in state.registered):
        raise AssayLotRegisteredTwice("this lot of this kit is registered: name it, or withdraw it first")
    return [
        AssayLotRegistered(assay_lot_id=meant.assay_lot_id, sheet=sheet, limits=limits, protocol=meant.protocol.ref)
    ]


def _of(sheet: AssayLotSheet) -> tuple[str, str, str]:
    return sheet.platform, sheet.kit, sheet.lot


def _limits(told: AssayRange, panel: Cytokines) -> AssayLimits:
    key = key_of(told.analyte, panel)
    if 0 in {told.lloq, told.uloq}:
        raise ZeroWithoutLimit(f"{key}: a limit of quantification is more than 0; leave it out where it is unknown")
    if told.lloq is not None and told.uloq is not None and told.lloq >= told.uloq:
        raise ContradictoryReport(f"{key}: lloq is not below uloq")
    lower, upper = (None if limit is None else to_pg_per_ml(limit, told.unit, key) for limit in (told.lloq, told.uloq))
    return AssayLimits(analyte=key, lloq_pg_ml=lower, uloq_pg_ml=upper)


def _withdraw(command: WithdrawAssayLot, state: Registry, assay_lot_id: UUID) -> list[AssayEvent]:
    state.named(assay_lot_id)
    if state.reason_withdrawn(assay_lot_id) is not None:
        return []
    return [AssayLotWithdrawn(assay_lot_id=assay_lot_id, reason=command.reason)]


def lot_for(state: Registry, assay_lot_id: UUID) -> AssayLotRegistered:
    """The lot that a panel names.

    Raises:
        UnknownAssayLot.
    """
    found = state.find(assay_lot_id)
    if found is None or not state.is_standing(found):
        raise UnknownAssayLot(
            "assay_lot_id names no lot in use: register it (POST /v1/assay-lots) and send its id, or leave it out and "
            "send lloq and uloq with each result"
        )
    return found


DECIDER: Decider[AssayCommand, Registry, Meant, AssayEvent] = Decider(
    category="assay-registry", initial=Registry(), evolve=evolve, decide=decide
)
