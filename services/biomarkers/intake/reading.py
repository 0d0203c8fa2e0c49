"""The process that reads one file of an instrument: `reading.py MIB KIND PATH...`; it writes JSON, and ends.

Run as a script of its own, so that the libraries it loads and what they do with a foreign file stay here.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REFUSED, NOT_INSTALLED, TOO_MUCH = 3, 4, 5
MIB = 1024 * 1024
# The parser of each vendor, so that not those of all fifty are loaded (that takes as long again as all else).
PARSERS = {
    "AGILENT_GEN5": "agilent_gen5.agilent_gen5_parser:AgilentGen5Parser",
    "BIORAD_BIOPLEX": "biorad_bioplex_manager.biorad_bioplex_manager_parser:BioradBioplexParser",
    "BMG_LABTECH_SMART_CONTROL": "bmg_labtech_smart_control"
    ".bmg_labtech_smart_control_parser:BmgLabtechSmartControlParser",
    "BMG_MARS": "bmg_mars.bmg_mars_parser:BmgMarsParser",
    "LUMINEX_INTELLIFLEX": "luminex_intelliflex.luminex_intelliflex_parser:LuminexIntelliflexParser",
    "LUMINEX_XPONENT": "luminex_xponent.luminex_xponent_parser:LuminexXponentParser",
    "METHODICAL_MIND": "methodical_mind.methodical_mind_parser:MethodicalMindParser",
    "MOLDEV_SOFTMAX_PRO": "moldev_softmax_pro.softmax_pro_parser:SoftmaxproParser",
    "MSD_WORKBENCH": "msd_workbench.msd_workbench_parser:MSDWorkbenchParser",
    "PERKIN_ELMER_ENVISION": "perkin_elmer_envision.perkin_elmer_envision_parser:PerkinElmerEnvisionParser",
    "REVVITY_KALEIDO": "revvity_kaleido.kaleido_parser:KaleidoParser",
    "TECAN_MAGELLAN": "tecan_magellan.tecan_magellan_parser:TecanMagellanParser",
    "THERMO_SKANIT": "thermo_skanit.thermo_skanit_parser:ThermoSkanItParser",
}
ROOT = str(Path(__file__).resolve().parents[3])


class Refused(Exception):
    """The file cannot be read; the words say why, without quoting it."""


def acquisition(path: str) -> Any:
    """What an FCS file says of itself."""
    from dataclasses import asdict  # noqa: PLC0415

    from services.biomarkers.intake import fcs_file  # noqa: PLC0415

    return asdict(fcs_file.read(Path(path)))


def gated(path: str, gates: str) -> Any:
    """Events of an FCS file in each gate of a Gating-ML 2.0 file, by FlowKit."""
    import warnings  # noqa: PLC0415

    warnings.simplefilter("ignore")
    import flowkit  # noqa: PLC0415

    try:
        strategy = flowkit.parse_gating_xml(gates)
        gate_ids = strategy.get_gate_ids()
    except MemoryError:
        raise
    except Exception as error:
        raise Refused(
            "the gates are not valid Gating-ML 2.0: ids are XML names, without blanks or +, and each parent is there"
        ) from error
    if not gate_ids:
        raise Refused("the Gating-ML file holds no gate")
    sample = flowkit.Sample(path)
    try:
        report = strategy.gate_sample(sample).report
    except MemoryError:
        raise
    except Exception as error:
        raise Refused(
            "the gates do not fit the file: they name channels, a compensation or a parent that it does not have"
        ) from error
    found = [
        {"name": str(row.gate_name), "path": [str(each) for each in row.gate_path][1:], "events": int(row["count"])}
        for _, row in report.iterrows()
    ]
    return {"events": int(sample.event_count), "gates": found}


def allotrope(path: str, vendor: str) -> Any:
    """An instrument's file as Allotrope Simple Model, by allotropy, held against the model's own schema."""
    from importlib import import_module  # noqa: PLC0415

    from allotropy.allotrope.allotrope import serialize_and_validate_allotrope  # noqa: PLC0415
    from allotropy.exceptions import AllotropeConversionError  # noqa: PLC0415
    from allotropy.named_file_contents import NamedFileContents  # noqa: PLC0415

    module, _, name = PARSERS[vendor].partition(":")
    parser = getattr(import_module(f"allotropy.parsers.{module}"), name)()
    try:
        with Path(path).open("rb") as file:
            return serialize_and_validate_allotrope(parser.to_allotrope(NamedFileContents(file, path, None)))
    except AllotropeConversionError as error:
        raise Refused("the file is no export of this instrument's software that can be read") from error


READERS: dict[str, Callable[..., Any]] = {"acquisition": acquisition, "gated": gated, "allotrope": allotrope}


def main(memory_mib: str, kind: str, *words: str) -> int:
    most = int(memory_mib) * MIB
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # noqa: TID251 - or numpy takes address space for each core
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = READERS[kind](*words)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"flowkit", "allotropy"}:
            raise
        return NOT_INSTALLED
    except (MemoryError, ImportError):  # a library that cannot be mapped into what memory there is
        return TOO_MUCH
    except Refused as error:
        return _refused(str(error))
    except BaseException as error:  # noqa: BLE001 - a library's own, of a foreign file; a panic of Rust is no Exception
        said = str(error) if type(error).__name__ == "NotFcs" else "the file cannot be read: it is foreign or damaged"
        return _refused(said)
    sys.stdout.write(json.dumps(told))
    return 0


def _refused(says: str) -> int:
    sys.stdout.write(json.dumps({"says": says}))
    return REFUSED


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    sys.exit(main(*sys.argv[1:]))
