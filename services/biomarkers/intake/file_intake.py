"""Files of instruments: what they hold, and what became of it."""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.intake import allotrope_model, fcs_file, gates, luminex_file
from services.biomarkers.intake.apart import FileUnreadable, Readers
from services.biomarkers.intake.fcs_file import NotFcs
from services.biomarkers.intake.feeds import Feeds
from services.biomarkers.intake.flow_recording import FlowRecording
from services.biomarkers.intake.gates import AboutFlow, Gated, GatedSample
from services.biomarkers.intake.messages import MessageFormat
from services.biomarkers.intake.plain_xml import tree
from services.biomarkers.intake.runs import Line, Run
from services.biomarkers.intake.taking import Fate
from shared.contracts.biomarkers import Gate
from shared.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest files that are taken, in MiB."""

    table_mib: int
    fcs_mib: int


@dataclass(frozen=True, slots=True)
class GatedFate:
    """A sample, the hierarchy of its gates, and what became of it."""

    sample: GatedSample
    gates: tuple[Gate, ...]
    fate: Fate


class FileIntake:
    """What the routes of files call."""

    def __init__(self, feeds: Feeds, recording: FlowRecording, readers: Readers, limits: Limits) -> None:
        self._feeds = feeds
        self._recording = recording
        self.readers = readers
        self.limits = limits

    async def acquisition(self, path: Path) -> dict[str, Any]:
        """What an FCS file says of itself.

        Raises:
            NotFcs, FileTakesTooMuch.
        """
        if not fcs_file.looks_like_one(path):
            raise NotFcs("the file does not begin as FCS 2.0, 3.0 or 3.1 does")
        try:
            found: dict[str, Any] = await self.readers.read("acquisition", str(path))
        except FileUnreadable as error:
            raise NotFcs(str(error)) from error
        return found

    async def gated(self, path: Path, gating_ml: bytes) -> GatedSample:
        """Events of an FCS file in the gates of a Gating-ML 2.0 file.

        Raises:
            FileUnreadable, FileTakesTooMuch, InstrumentsNotInstalled.
        """
        tree(gating_ml)  # before a library reads it: no document type
        gates_path = path.with_name("gates.xml")
        gates_path.write_bytes(gating_ml)
        found = await self.readers.read("gated", str(path), str(gates_path))
        return GatedSample(
            None, found["events"], tuple(Gated(e["name"], tuple(e["path"]), e["events"]) for e in found["gates"])
        )

    async def run(self, path: Path, vendor: str) -> Run:
        """The wells of an instrument's file. Our own reader reads xPONENT's text: allotropy passes its results over.

        Raises:
            FileUnreadable, FileTakesTooMuch, InstrumentsNotInstalled, NotXponent.
        """
        named = allotrope_model.named_as(path, vendor)
        if vendor == "LUMINEX_XPONENT" and named.suffix == ".csv":
            return (await to_thread(lambda: luminex_file.read(named.read_bytes()))).run
        found = allotrope_model.run_of(await self.readers.read("allotrope", str(named), vendor))
        if not found.wells:
            raise FileUnreadable("the file holds no analyte of any sample")
        return found

    async def source(self, source_id: str | None, *, by: Actor) -> ResultSource | None:
        return None if source_id is None else (await self._feeds.source(source_id, by=by))[0]

    async def take(
        self, lines: Sequence[Line], source_id: str | None, *, by: Actor, dry_run: bool
    ) -> tuple[list[Fate], UUID | None]:
        """Record a run; the fates are in the order of its lines."""
        await self.source(source_id, by=by)
        sent = [each.sent for each in lines if each.fate is None]
        fates, kept = await self._feeds.take(sent, source_id, MessageFormat.FILE, by=by, dry_run=dry_run)
        read = iter(fates)
        return [each.fate or next(read) for each in lines], kept

    async def take_gated(
        self, samples: Sequence[GatedSample], about: AboutFlow, source_id: str | None, *, by: Actor, dry_run: bool
    ) -> list[GatedFate]:
        """Record gated samples as flow results."""
        source = await self.source(source_id, by=by)
        found = [(each, gates.hierarchy(each, about.populations)) for each in samples]
        fates = await self._recording.record(found, about, source, by=by, dry_run=dry_run)
        return [GatedFate(sample, held, fate) for (sample, held), fate in zip(found, fates, strict=True)]
