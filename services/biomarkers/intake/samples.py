"""Observations of one sample put together: the panel or result that they make, merged with what stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from services.biomarkers.intake import cytokine_lines, flow_lines, transgene_lines
from services.biomarkers.intake.lines import Kind
from services.biomarkers.intake.readings import Reading

_NAMESPACE = UUID("3f1d9f4a-6f0e-5b52-9c57-2a4b8a1c7d31")  # of this rule; never changes
KINDS: dict[str, Kind] = {
    "cytokine": cytokine_lines.KIND,
    "flow": flow_lines.KIND,
    "transgene": transgene_lines.KIND,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Whose sample, of what, taken when, measured by which assay: one sample has one result of each kind."""

    participant_id: UUID
    kind: str
    collected_at: datetime
    specimen: str
    assay: str | None

    @classmethod
    def of(cls, reading: Reading) -> "Sample":
        """Raises `Unreadable` where the reading does not tell the assay that its kind of result needs."""
        at, kind = reading.collected_at.astimezone(UTC), reading.taken.kind
        return cls(reading.participant_id, kind, at, reading.specimen, KINDS[kind].assay(reading))

    @property
    def result_id(self) -> UUID:
        """The same sample has the same result, whoever sends it and however often."""
        words = (self.participant_id, self.kind, self.collected_at.isoformat(), self.specimen, self.assay or "")
        return uuid5(_NAMESPACE, "\n".join(map(str, words)))

    @property
    def stream(self) -> str:
        return KINDS[self.kind].decider.stream(self.result_id)

    def command_id(self, version: int, command: Any) -> UUID:
        """The same command on the same version is one command; what begins a result has the result's own id."""
        return uuid5(self.result_id, f"{version}\n{command.fingerprint()}") if version else self.result_id


def report(sample: Sample, readings: Sequence[Reading], before: Any, lines: dict[str, Any]) -> dict[str, Any]:
    """The whole report of a sample: what stands, where `lines` say nothing else."""
    stands: dict[str, Any] = {} if before is None else before.model_dump()
    named = next((each.specimen_id for each in readings if each.specimen_id), None)
    specimen = stands.get("specimen") or {"type": sample.specimen, "collected_at": readings[0].collected_at}
    specimen = {**specimen, **({"specimen_id": named} if named else {})}
    return {**stands, "specimen": specimen, **KINDS[sample.kind].report(readings, stands, lines)}
