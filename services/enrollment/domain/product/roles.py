"""Who may record which step of a product, and which offices release one despite its specification."""

from collections.abc import Mapping

from shared.contracts.enrollment_product_terms import ProductStatus as Status
from shared.kernel.actor import Role

CLINIC = frozenset({Role.COORDINATOR, Role.INVESTIGATOR, Role.SYSTEM})
MAKERS = frozenset({Role.MANUFACTURING, Role.SYSTEM})
TESTERS = MAKERS | {Role.QUALITY}
RELEASERS = frozenset({Role.QUALITY})
SHIPPERS = CLINIC | MAKERS
# The offices that release a lot despite its specification, each by another person.
OFFICES: Mapping[str, frozenset[Role]] = {
    "quality": RELEASERS,
    "sponsor": frozenset({Role.SPONSOR, Role.SAFETY_OFFICER}),  # or its medical monitor
}
APPROVERS = frozenset(role for roles in OFFICES.values() for role in roles)

WHO_RECORDS: Mapping[Status, frozenset[Role]] = {
    Status.COLLECTED: CLINIC,
    Status.AT_MANUFACTURER: MAKERS,
    Status.IN_MANUFACTURE: MAKERS,
    Status.MANUFACTURED: MAKERS,
    Status.MANUFACTURE_FAILED: MAKERS,
    Status.TESTED: TESTERS,
    Status.RELEASED: RELEASERS,
    Status.REJECTED: RELEASERS,
    Status.SHIPPED: SHIPPERS,
    Status.AT_SITE: CLINIC,
    Status.THAWED: SHIPPERS,
}
