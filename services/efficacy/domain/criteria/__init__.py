"""Sets of response criteria: engines over the same raw measurements. The protocol names the one that decides."""

from collections.abc import Callable, Mapping

from services.efficacy.domain.criteria import seed_v1
from services.efficacy.domain.criteria.readings import CriteriaEngine
from shared.protocol import Protocol, ResponseCriteria

ENGINES: Mapping[str, Callable[[ResponseCriteria], CriteriaEngine]] = {seed_v1.NAME: seed_v1.engine}


class UnknownCriteria(LookupError):
    """The protocol names criteria that this service does not have; it cannot start with such a protocol."""


def deciding(protocol: Protocol) -> CriteriaEngine:
    """The criteria that decide in this trial."""
    name = protocol.response.criteria.value
    if name not in ENGINES:
        raise UnknownCriteria(f"{protocol.ref} asks for {name}; known: {', '.join(sorted(ENGINES))}")
    return ENGINES[name](protocol.response)
