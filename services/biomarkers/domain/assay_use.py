"""Whether the assay that a panel names is the one that was run, and could be."""

from services.biomarkers.domain.laboratory_report import ContradictoryReport
from shared.contracts.biomarkers import CytokineReport
from shared.contracts.biomarkers_assayed import AssayUsed
from shared.contracts.biomarkers_assays import AssayLotRegistered
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Unacceptable
from shared.protocol import Protocol
from shared.protocol.schedule import local_date


class AssayLotNotValid(Unacceptable):
    """The lot was not valid when the sample was assayed, or had expired before the sample was drawn."""


class AssayDiffers(Unacceptable):
    """A panel and the lot that it names are not of one platform, kit and lot."""


def assay_used(report: CytokineReport, lot: AssayLotRegistered | None, protocol: Protocol) -> AssayUsed | None:
    """The lot that a panel took its limits from; None: it names none. Days are those of the trial's time zone.

    Without the time of the run nothing is known but that it came after the sample was drawn.

    Raises:
        AssayDiffers, AssayLotNotValid, ContradictoryReport.
    """
    if report.assayed_at is not None and report.assayed_at < report.specimen.collected_at - CLOCK_SKEW:
        raise ContradictoryReport("assayed_at lies before the sample was collected")
    if lot is None:
        return None
    sheet = lot.sheet
    for name in ("platform", "kit", "lot"):
        if getattr(report, name) != getattr(sheet, name):
            raise AssayDiffers(
                f"{name} is not that of the lot that assay_lot_id names: send platform, kit and lot as used"
            )
    if report.assayed_at is not None:
        ran_on = local_date(protocol, report.assayed_at)
        if ran_on < sheet.valid_from or (sheet.valid_until is not None and ran_on > sheet.valid_until):
            raise AssayLotNotValid("the lot was not valid on the day of assayed_at; check it, or name another lot")
    drawn_on = local_date(protocol, report.specimen.collected_at)
    if sheet.valid_until is not None and drawn_on > sheet.valid_until:
        raise AssayLotNotValid("the lot had expired when the sample was drawn; check collected_at, or name another lot")
    return AssayUsed(assay_lot_id=lot.assay_lot_id, platform=sheet.platform, kit=sheet.kit, lot=sheet.lot)
