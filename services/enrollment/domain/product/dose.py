"""The dose that a product's own record gives: viable CAR+ T cells of the bags, per kilogram, beside the level planned.

    cells of a bag = viable cells x CAR+ fraction x part of its volume that was given
    cells per kg   = their sum / weight, which counts up to the protocol's cap

Viable cells are those counted after the thaw; else the frozen ones times viability after / before the thaw; else the
frozen ones, and the basis says so. What cannot be computed is None with the reason, never 0.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from services.enrollment.domain.product.chain import Chain
from shared.contracts.enrollment_product_terms import Bag, BagDose, BagGiven, CellsBasis, DoseCheck, NoDose, Thaw
from shared.protocol import Protocol

HUNDRED = Decimal(100)


def dose_check(
    given: Sequence[BagGiven], chain: Chain, weight_kg: Decimal | None, level: str | None, protocol: Protocol
) -> DoseCheck:
    """The computed dose, and whether it is within the protocol's tolerance of the planned one (limits inside)."""
    bags, missing = _bags(given, chain)
    cells = None if missing else sum((each.viable_car_positive_cells for each in bags), Decimal(0))
    weight = _counting(weight_kg, protocol)
    planned = _planned(level, protocol)
    per_kg = None if cells is None or weight is None else cells / weight
    percent = None if per_kg is None or planned is None else per_kg * HUNDRED / planned
    tolerance = None if protocol.product is None else protocol.product.dose_tolerance_percent.value
    reasons = {
        NoDose.WEIGHT_MISSING: weight is None,
        NoDose.NO_DOSE_LEVEL: planned is None,
    }
    return DoseCheck(
        bags=bags,
        viable_car_positive_cells=cells,
        weight_kg=weight,
        cells_per_kg=None if per_kg is None else _rounded(per_kg, "1"),
        dose_level=level,
        planned_cells_per_kg=planned,
        percent_of_planned=None if percent is None else _rounded(percent, "0.1"),
        tolerance_percent=tolerance,
        within=None if percent is None or tolerance is None else abs(percent - HUNDRED) <= tolerance,
        missing=missing or next((reason for reason, is_so in reasons.items() if is_so), None),
    )


def _bags(given: Sequence[BagGiven], chain: Chain) -> tuple[tuple[BagDose, ...], NoDose | None]:
    if not given:
        return (), NoDose.NO_BAG_NAMED
    doses: list[BagDose] = []
    for each in given:
        bag = chain.bags.get(each.bag)
        if bag is None:
            return (), NoDose.BAG_UNKNOWN
        if each.volume_ml is not None and bag.volume_ml is None:
            return (), NoDose.VOLUME_UNKNOWN
        doses.append(_of_bag(bag, chain.thaws.get(each.bag), each.volume_ml))
    return tuple(doses), None


def _of_bag(bag: Bag, thaw: Thaw | None, volume_ml: Decimal | None) -> BagDose:
    viable, basis = _viable(bag, thaw)
    part = Decimal(1) if volume_ml is None or bag.volume_ml is None else volume_ml / bag.volume_ml
    cells = viable * bag.car_positive_percent / HUNDRED * part
    return BagDose(bag=bag.bag, viable_car_positive_cells=_rounded(cells, "1"), basis=basis)


def _viable(bag: Bag, thaw: Thaw | None) -> tuple[Decimal, CellsBasis]:
    if thaw is not None and thaw.viable_cells is not None:
        return thaw.viable_cells, CellsBasis.COUNTED_AFTER_THAW
    if thaw is not None and thaw.viability_percent is not None and bag.viability_percent:
        return bag.viable_cells * thaw.viability_percent / bag.viability_percent, CellsBasis.VIABILITY_AFTER_THAW
    return bag.viable_cells, CellsBasis.AS_FROZEN


def _counting(weight_kg: Decimal | None, protocol: Protocol) -> Decimal | None:
    cap = None if protocol.product is None else protocol.product.dose_weight_cap_kg.value
    return weight_kg if weight_kg is None or cap is None else min(weight_kg, cap)


def _planned(level: str | None, protocol: Protocol) -> Decimal | None:
    levels = () if protocol.dosing is None else protocol.dosing.levels.value
    return next((each.dose_cells_per_kg for each in levels if each.name == level), None)


def _rounded(value: Decimal, to: str) -> Decimal:
    return value.quantize(Decimal(to), ROUND_HALF_UP)
