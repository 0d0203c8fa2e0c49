"""Sets of response criteria: engines over the same raw measurements. The protocol names the one that decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.efficacy.domain.criteria import seed_spd, seed_v1
from services.efficacy.domain.criteria.inrc_2017 import INRC_2017
from services.efficacy.domain.criteria.irecist import IRECIST
from services.efficacy.domain.criteria.rano_hgg_2010 import RANO_HGG_2010
from services.efficacy.domain.criteria.rapno import RAPNO
from services.efficacy.domain.criteria.readings import CriteriaEngine
from services.efficacy.domain.criteria.recist_1_1 import RECIST_1_1
from services.efficacy.domain.criteria.who_1979 import WHO_1979
from shared.protocol import Protocol


class UnknownCriteria(LookupError):
    """The protocol names criteria that this service does not have; it cannot start with such a protocol."""


def engines(protocol: Protocol) -> Mapping[str, CriteriaEngine]:
    """Every set by its name: the trial's own with the protocol's parameters, the published ones as published."""
    own = (seed_v1.engine(protocol.response), seed_spd.engine(protocol.response))
    every: Iterable[CriteriaEngine] = (*own, WHO_1979, RANO_HGG_2010, *RAPNO, RECIST_1_1, IRECIST, INRC_2017)
    return {engine.name: engine for engine in every}


@dataclass(frozen=True, slots=True)
class Criteria:
    """The sets that judge one participant: one decides, the others are computed beside it."""

    deciding: CriteriaEngine
    supportive: tuple[CriteriaEngine, ...]


class TrialCriteria:
    """Which sets of criteria judge whom, as the protocol has it.

    Raises:
        UnknownCriteria: the protocol names a set that does not exist.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.engines = engines(protocol)
        response = protocol.response
        self._default, self._by_diagnosis = response.criteria.value, response.criteria_by_diagnosis.value
        self._supportive = response.supportive.value
        self._supportive_by_diagnosis = {
            diagnosis: of.criteria for of in response.supportive_by_diagnosis.value for diagnosis in of.diagnoses
        }
        names = {self._default, *self._by_diagnosis.values(), *self._supportive}
        unknown = names.union(*self._supportive_by_diagnosis.values()) - self.engines.keys()
        if unknown:
            known = ", ".join(sorted(self.engines))
            raise UnknownCriteria(f"{protocol.ref} asks for {', '.join(sorted(unknown))}; known: {known}")

    def of(self, diagnosis: str | None) -> Criteria:
        """The sets for a diagnosis; None: it is not known here, so the trial's default."""
        deciding = self._by_diagnosis.get(diagnosis or "", self._default)
        beside = (self._default, *self._supportive, *self._supportive_by_diagnosis.get(diagnosis or "", ()))
        names = dict.fromkeys(name for name in beside if name != deciding)
        return Criteria(self.engines[deciding], tuple(self.engines[name] for name in names))
