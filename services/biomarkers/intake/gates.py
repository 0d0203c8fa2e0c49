"""Events per gate, from gates that were applied to an FCS file or from a FlowJo workspace, as a report's hierarchy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from xml.etree.ElementTree import Element

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.biomarkers.intake.apart import FileUnreadable
from services.biomarkers.intake.observations import MOST_OBSERVATIONS
from services.biomarkers.intake.plain_xml import local, tree
from services.biomarkers.intake.runs import SampleText
from shared.contracts.biomarkers import FlowSpecimenType, Gate, GatedPopulation, ParentPopulation
from shared.contracts.terms import Code

MOST_GATES = 100  # of one report
Populations = Annotated[
    dict[SampleText, GatedPopulation],
    Field(
        max_length=MOST_GATES,
        description="What gates hold, by name or by path (`cells/CD3+`)",
        examples=[{"P4": "car"}],
    ),
]
_POPULATIONS = frozenset({"Population", "NotNode", "AndNode", "OrNode"})  # of a FlowJo workspace
_NOT_OF_A_CODE = re.compile(r"[^A-Za-z0-9 ._/+:-]")


class FlowSampleNamed(BaseModel):
    """Whose sample was acquired: a specimen on record, or a subject with the instant of collection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: SampleText | None = Field(None, description="In a workspace: the sample's name there", examples=["D7.fcs"])
    specimen: SampleText | None = Field(None, description="The specimen's id, or the number on its tube")
    subject_number: SampleText | None = None
    collected_at: AwareDatetime | None = None
    specimen_type: FlowSpecimenType | None = None


class AboutFlow(BaseModel):
    """What is told of gated samples beside their file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Annotated[tuple[FlowSampleNamed, ...], Field(max_length=MOST_OBSERVATIONS)] = ()
    populations: Populations = Field(default_factory=dict)
    parent_population: ParentPopulation = ParentPopulation.CD3
    instrument: Code | None = None
    method: Code | None = None


@dataclass(frozen=True, slots=True)
class Gated:
    """One gate: its own name, those it lies in from the outside in, and the events in it."""

    name: str
    path: tuple[str, ...]
    events: int


@dataclass(frozen=True, slots=True)
class GatedSample:
    """One sample. `name`: as a workspace has it."""

    name: str | None
    events: int
    gates: tuple[Gated, ...]


def workspace(content: bytes) -> tuple[GatedSample, ...]:
    """The populations of a FlowJo workspace (.wsp), by sample, with the counts that FlowJo saved.

    Raises:
        FileUnreadable: it is no workspace, or one whose statistics were not calculated.
    """
    root = tree(content)
    if local(root.tag) != "Workspace":
        raise FileUnreadable("the file is no FlowJo workspace")
    found: list[GatedSample] = []
    for sample in (each for each in root.iter() if local(each.tag) == "SampleNode"):
        gates: list[Gated] = []
        waiting: list[tuple[Element, tuple[str, ...]]] = [(each, ()) for each in reversed(sample)]
        while waiting:
            element, path = waiting.pop()
            below = path
            if local(element.tag) in _POPULATIONS:
                name = element.get("name", "")
                gates.append(Gated(name, path, _count(element.get("count"))))
                below = (*path, name)
            elif local(element.tag) != "Subpopulations":
                continue
            waiting += [(each, below) for each in reversed(element)]
        if gates:
            found.append(GatedSample(sample.get("name"), _count(sample.get("count")), tuple(gates)))
    if not found:
        raise FileUnreadable("the workspace holds no sample with populations")
    return tuple(found)


def _count(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 9:
        raise FileUnreadable("the workspace holds populations without counts: let FlowJo calculate and save it")
    return int(text)


def hierarchy(sample: GatedSample, populations: Mapping[str, GatedPopulation]) -> tuple[Gate, ...]:
    """The gates as a report has them: each under a name of its own, with what it holds.

    Raises:
        FileUnreadable: there are more than a report takes.
    """
    if len(sample.gates) > MOST_GATES:
        raise FileUnreadable(f"a sample has at most {MOST_GATES} gates; send the ones that the result rests on")
    names: dict[tuple[str, ...], str] = {}
    found: list[Gate] = []
    for number, each in enumerate(sample.gates, start=1):
        own = (*each.path, each.name)
        names[own] = _code(own, number, set(names.values()))
        parent = names.get(each.path) if each.path else None
        population = populations.get("/".join(own)) or populations.get(each.name) or _known(each.name)
        found.append(Gate(name=names[own], parent=parent, events=each.events, population=population))
    return tuple(found)


def _code(own: Sequence[str], number: int, taken: set[str]) -> str:
    for text in (own[-1], "/".join(own)):
        plain = _NOT_OF_A_CODE.sub("-", text).lstrip(" ._/+:-")[:64].strip()
        if plain and plain not in taken:
            return plain
    return f"gate {number}"


def _known(name: str) -> GatedPopulation | None:
    """A gate that bears the name of what it holds needs no mapping."""
    plain = name.strip().lower().replace(" ", "-").replace("_", "-")
    return GatedPopulation(plain) if plain in {each.value for each in GatedPopulation} else None
