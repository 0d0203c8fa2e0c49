"""Temperatures on the way, held against the protocol's limits for that transport. The limit itself is inside."""

from dataclasses import replace
from decimal import Decimal

from services.enrollment.domain.product.chain import Chain, Details, Step
from services.enrollment.domain.product.facts import Facts
from shared.contracts.enrollment_product_terms import (
    ManufacturerReceipt,
    SiteReceipt,
    TemperatureVerdict,
    Transport,
    WhyVerdict,
)
from shared.protocol import Product


def temperature_of(number: int, details: Details, chain: Chain, facts: Facts) -> TemperatureVerdict | None:
    """That of a receipt, the step of this number. The site's is judged by the shipment before it."""
    if isinstance(details, ManufacturerReceipt):
        return judged(details.transport, details.lowest_c, details.highest_c, facts.product)
    if isinstance(details, SiteReceipt):
        shipped = chain.shipment_before(number)
        transport = None if shipped is None else shipped.transport
        return judged(transport, details.lowest_c, details.highest_c, facts.product)
    return None


def judged_otherwise(chain: Chain, facts: Facts) -> list[Step]:
    """The receipts that were held against the limits of another transport than the chain tells now, judged anew."""
    told = ((step, temperature_of(step.number, step.details, chain, facts)) for step in chain.steps)
    return [replace(step, temperature=now) for step, now in told if _transport(now) != _transport(step.temperature)]


def _transport(temperature: TemperatureVerdict | None) -> Transport | None:
    return None if temperature is None else temperature.transport


def judged(
    transport: Transport | None, lowest_c: Decimal | None, highest_c: Decimal | None, product: Product
) -> TemperatureVerdict:
    """What the logger saw. A side that nobody read leaves it open, unless the other side is out already."""
    limits = next((each for each in product.transport.value if each.transport == transport), None)
    if limits is None:
        return _verdict(None, WhyVerdict.LIMIT_UNSET, transport)
    sides = [
        None if limits.lowest_c is None else _inside(lowest_c, limits.lowest_c, None),
        None if limits.highest_c is None else _inside(highest_c, None, limits.highest_c),
    ]
    asked = [side for side, limit in zip(sides, (limits.lowest_c, limits.highest_c), strict=True) if limit is not None]
    within = False if False in asked else None if None in asked else True
    why = WhyVerdict.NOT_LOGGED if within is None else WhyVerdict.COMPARED
    return _verdict(within, why, transport, limits.lowest_c, limits.highest_c)


def _inside(seen: Decimal | None, lowest: Decimal | None, highest: Decimal | None) -> bool | None:
    if seen is None:
        return None
    return (lowest is None or seen >= lowest) and (highest is None or seen <= highest)


def _verdict(
    within: bool | None,
    why: WhyVerdict,
    transport: Transport | None,
    lowest: Decimal | None = None,
    highest: Decimal | None = None,
) -> TemperatureVerdict:
    return TemperatureVerdict(
        within=within, why=why, transport=transport, allowed_lowest_c=lowest, allowed_highest_c=highest
    )
