"""The chain of identity: what was scanned is this participant's, and may be given.

A finding never says whose another lot is: those at one bedside need not know who is treated elsewhere.
"""

from collections.abc import Collection as Several
from dataclasses import replace
from datetime import datetime

from services.enrollment.domain.product.chain import Chain
from services.enrollment.domain.product.facts import Facts, Owner, ProductRefused, Scan
from shared.contracts.enrollment_product_terms import ProductFinding, Rejection, Release

_SAYS = {
    ProductFinding.LOT_OF_ANOTHER_PARTICIPANT: "the lot is not this participant's",
    ProductFinding.LOT_UNKNOWN: "no product has this lot",
    ProductFinding.LOT_DIFFERS: "it is another lot of this participant",
    ProductFinding.BAG_UNKNOWN: "the lot has no such bag",
    ProductFinding.BAG_USED: "the bag is used already",
    ProductFinding.PARTICIPANT_DIFFERS: "the wristband is not that of the product's participant",
    ProductFinding.NOT_RELEASED: "the lot is not released",
    ProductFinding.REJECTED: "the lot was rejected",
    ProductFinding.RELEASE_TEST_FAILED: "a release test of the lot failed after its release",
    ProductFinding.EXPIRED: "the lot has expired",
    ProductFinding.SECOND_INFUSION_NOT_ALLOWED: "the protocol allows no second infusion",
    ProductFinding.SECOND_INFUSION_TOO_EARLY: "the protocol asks for more days since the infusion before",
}


def same_label(one: str, other: str | None) -> bool:
    """Scanners and people spell capitals differently."""
    return other is not None and one.upper() == other.upper()


def findings_of(scan: Scan, chain: Chain, facts: Facts, *, used: Several[str] = ()) -> tuple[ProductFinding, ...]:
    """What is not as it should be. `used` are bags that cannot be taken any more."""
    found = [] if same_label(scan.lot, chain.lot) else [_whose(facts.owner, chain)]
    if scan.subject_number is not None and not same_label(scan.subject_number, facts.subject_number):
        found.append(ProductFinding.PARTICIPANT_DIFFERS)
    if scan.bag is not None and same_label(scan.lot, chain.lot):
        if scan.bag not in chain.bags:
            found.append(ProductFinding.BAG_UNKNOWN)
        elif scan.bag in used:
            found.append(ProductFinding.BAG_USED)
    return (*found, *may_not_be_given(chain, scan.at, facts))


def as_it_was(chain: Chain, at: datetime) -> Chain:
    """Without a rejection that came later, as when a lot is recalled: what was given before that was good then."""
    later = [each for each in chain.steps if isinstance(each.details, Rejection) and each.details.decided_at > at]
    return replace(chain, steps=tuple(each for each in chain.steps if each not in later))


def may_not_be_given(chain: Chain, at: datetime, facts: Facts) -> tuple[ProductFinding, ...]:
    """Why the lot may be given to nobody at this instant; the day of expiry is still inside."""
    found = []
    if chain.is_rejected:
        found.append(ProductFinding.REJECTED)
    elif not any(release.decided_at <= at for release in chain.every(Release)):
        found.append(ProductFinding.NOT_RELEASED)
    elif chain.failed(at):
        found.append(ProductFinding.RELEASE_TEST_FAILED)
    expires = None if chain.end is None else chain.end.expires_on
    if expires is not None and at.astimezone(facts.zone).date() > expires:
        found.append(ProductFinding.EXPIRED)
    return tuple(found)


def refuse(findings: tuple[ProductFinding, ...], scan: Scan) -> None:
    """Raises: ProductRefused, with everything that is wrong."""
    if not findings:
        return
    told = "; ".join(_SAYS[finding] for finding in findings)
    raise ProductRefused(f"{told}. Do not use it; the alert is on record", scan, findings)


def _whose(owner: Owner | None, chain: Chain) -> ProductFinding:
    if owner is None:
        return ProductFinding.LOT_UNKNOWN
    if owner.participant_id != chain.participant_id:
        return ProductFinding.LOT_OF_ANOTHER_PARTICIPANT
    return ProductFinding.LOT_DIFFERS
