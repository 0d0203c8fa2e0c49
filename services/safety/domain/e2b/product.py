"""The study product in an E2B(R3) message (G.k): each infusion, and what was done with the treatment."""

from uuid import UUID, uuid5
from xml.etree.ElementTree import Element

from services.safety.domain.e2b import codes, timestamps
from services.safety.domain.e2b.reaction import reaction_reference
from services.safety.domain.e2b.tree import act, coded, element, related, text_of, value_of
from services.safety.domain.e2b.values import Values
from shared.contracts.safety_cases import ReportedInfusion, ReportSubmitted

_PRODUCTS = "4"
_LONGEST_LOT = 35


def product_id(report: ReportSubmitted) -> UUID:
    """Names the product within the case's messages, the same in each."""
    return uuid5(report.adverse_event_id, report.content.frame.product)


def product_reference(report: ReportSubmitted) -> Element:
    return act("productUseReference", "SBADM EVN", element("id", {"root": str(product_id(report))}))


def product(report: ReportSubmitted, found: Values) -> Element:
    kind = act("kindOfProduct", "MMAT KIND", text_of("name", found["G.k.2.2"]))
    given = act(
        "substanceAdministration",
        "SBADM EVN",
        element("id", {"root": str(product_id(report))}),
        related("consumable", "CSM", act("instanceOfKind", "INST", kind)),
        _interval(report, found),
        *(
            related("outboundRelationship2", "COMP", _dose(infusion, report.content.frame.time_zone))
            for infusion in report.content.infusions
        ),
        related("inboundRelationship", "CAUS", act("act", "ACT EVN", coded("code", found["G.k.8"], 15))),
    )
    return act(
        "organizer", "CATEGORY EVN", coded("code", _PRODUCTS, codes.GROUPING), related("component", "COMP", given)
    )


def _interval(report: ReportSubmitted, found: Values) -> Element | None:
    """From the first infusion to the onset (G.k.9.i.3.1)."""
    days = value_of("pauseQuantity", found["G.k.9.i.3.1a"], "value", {"unit": "d"})
    if days is None:
        return None
    return related("outboundRelationship1", "SAS", days, reaction_reference("actReference", report.adverse_event_id))


def _dose(infusion: ReportedInfusion, zone: str) -> Element:
    """One infusion is one dosage form, `{DF}`: the units that E2B takes hold none for cells, so the text tells them."""
    period = element(
        "effectiveTime",
        {"xsi:type": "IVL_TS"},
        element("low", {"value": timestamps.instant(infusion.started_at, zone)}),
        element("high", {"value": timestamps.instant(infusion.ended_at, zone)}),
    )
    code = codes.ROUTES.get(infusion.route)
    system = codes.EDQM_ROUTE if code else None
    return act(
        "substanceAdministration",
        "SBADM EVN",
        element("text", None, _dosage_text(infusion)),
        period,
        element("routeCode", {"code": code, "codeSystem": system}, element("originalText", None, infusion.route)),
        element("doseQuantity", {"value": "1", "unit": "{DF}"}),
        _lot(infusion.lot),
    )


def _dosage_text(infusion: ReportedInfusion) -> str:
    told = [
        (infusion.total_car_positive_cells, "CAR-positive cells"),
        (infusion.cells_per_kg, "viable CAR-positive cells per kg"),
    ]
    amounts = [f"{amount:f} {what}" for amount, what in told if amount is not None]
    return "; ".join([f"Infusion {infusion.number}", *amounts, *([f"lot {infusion.lot}"] if infusion.lot else [])])


def _lot(lot: str | None) -> Element | None:
    """G.k.4.r.7 takes 35 characters; a longer lot is told in the dosage text alone."""
    if lot is None or len(lot) > _LONGEST_LOT:
        return None
    instance = act("productInstanceInstance", "MMAT INSTANCE", element("lotNumberText", None, lot))
    return related("consumable", "CSM", act("instanceOfKind", "INST", instance))
