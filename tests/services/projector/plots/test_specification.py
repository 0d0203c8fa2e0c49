"""What a specification file has to hold: valid Vega-Lite, one palette, and no parameter that nobody knows."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from services.projector.plots import course, drawing, specification
from services.projector.plots.cytokines import cytokines
from services.projector.plots.kinetics import kinetics
from services.projector.plots.specification import PALETTE, Specification, filled
from services.projector.plots.spider import spider
from services.projector.plots.swimmer import swimmer
from services.projector.plots.waterfall import waterfall
from services.projector.plotting import FIGURES
from shared.contracts.efficacy_terms import Response
from tests.services.projector.plots.drawn_counts import counts_of, levels_of
from tests.services.projector.plots.drawn_trial import CONTEXT, courses_of, times_of

OF_ONE = course.NAME  # of one participant: it shows no responses
FOLDER = Path(specification.__file__).parent
SIZES = (0, 1, 9, 24, 90)


MADE = {
    "waterfall": lambda count: waterfall(CONTEXT, courses_of(count)),
    "spider": lambda count: spider(CONTEXT, courses_of(count)),
    "swimmer": lambda count: swimmer(CONTEXT, times_of(count)),
    "kinetics": lambda count: kinetics(CONTEXT, counts_of(count)),
    "cytokines": lambda count: cytokines(CONTEXT, levels_of(count)),
}


@cache
def schema() -> Any:
    """The validator of Vega-Lite's JSON schema, 5.20, as Altair ships it."""
    found = find_spec("altair")
    assert found is not None
    assert found.origin is not None
    file = Path(found.origin).parent / "vegalite" / "v5" / "schema" / "vega-lite-schema.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    return validator_for(written)(written)


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("name", MADE)
def test_a_figure_is_valid_vega_lite_at_every_size(name: str, count: int) -> None:
    assert [error.message[:300] for error in schema().iter_errors(MADE[name](count))] == []


def test_the_schema_refuses_what_is_not_vega_lite() -> None:
    wrong = {**MADE["waterfall"](9), "layer": [{"mark": "bars"}]}
    assert list(schema().iter_errors(wrong))


def test_there_is_a_file_for_every_figure_and_a_figure_for_every_file() -> None:
    assert {file.name for file in FOLDER.glob("*.vl.json")} == {f"{name}.vl.json" for name in (*FIGURES, OF_ONE)}
    assert set(MADE) == set(FIGURES)


def test_files_and_drawing_are_of_one_version() -> None:
    schemas = {json.loads(file.read_text(encoding="utf-8"))["$schema"] for file in FOLDER.glob("*.vl.json")}
    assert schemas == {"https://vega.github.io/schema/vega-lite/v5.20.1.json"}
    assert all(f"v{drawing.VEGA_LITE}." in each for each in schemas)


def scales(node: Any, channel: str) -> list[dict[str, str]]:
    """Every scale of a channel as a mapping, wherever it stands."""
    if isinstance(node, list):
        return [scale for each in node for scale in scales(each, channel)]
    if not isinstance(node, dict):
        return []
    found = [scale for each in node.values() for scale in scales(each, channel)]
    own = node.get(channel)
    if isinstance(own, dict) and "domain" in own.get("scale", {}):
        found.append(dict(zip(own["scale"]["domain"], own["scale"]["range"], strict=True)))
    return found


@pytest.mark.parametrize("channel", ["color", "shape"])
def test_a_response_has_one_colour_and_one_shape_in_every_figure(channel: str) -> None:
    of_responses = [
        {kind: scale[kind] for kind in PALETTE}
        for file in FOLDER.glob("*.vl.json")
        if file.name != f"{OF_ONE}.vl.json"
        for scale in scales(json.loads(file.read_text(encoding="utf-8")), channel)
    ]
    assert len(of_responses) == len(FIGURES)
    assert all(each == of_responses[0] for each in of_responses)


def test_every_response_has_a_place_in_the_palette() -> None:
    assert {response.value for response in Response} <= set(PALETTE)


@pytest.mark.parametrize("pair", [("CR", "PR"), ("CR", "SD"), ("PR", "SD"), ("SD", "PD"), ("PR", "PD"), ("PD", "NE")])
def test_responses_differ_in_shape_and_not_in_colour_alone(pair: tuple[str, str]) -> None:
    (colours, *_), (shapes, *_) = (scales(MADE["waterfall"](9), channel) for channel in ("color", "shape"))
    assert shapes[pair[0]] != shapes[pair[1]]
    assert abs(lightness(colours[pair[0]]) - lightness(colours[pair[1]])) > 1 or colours[pair[0]] != colours[pair[1]]


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_with_white(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_marks_stand_out_from_the_background() -> None:
    """WCAG 2.2, 1.4.11: graphical objects at least 3 : 1."""
    for name in (*FIGURES, OF_ONE):
        for scale in scales(json.loads((FOLDER / f"{name}.vl.json").read_text(encoding="utf-8")), "color"):
            assert {kind: round(contrast_with_white(colour), 1) for kind, colour in scale.items()
                    if contrast_with_white(colour) < 3} == {}  # fmt: skip


@pytest.mark.parametrize(("params", "datasets"), [({"nonsense": 1}, {}), ({}, {"nonsense": []})])
def test_what_the_file_does_not_declare_is_refused(params: dict[str, Any], datasets: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        filled("waterfall", title="", subtitle=[], description="", params=params, datasets=datasets)


def texts(made: Specification) -> str:
    return json.dumps(made, ensure_ascii=False)


@pytest.mark.parametrize("name", MADE)
def test_filling_one_figure_leaves_the_file_as_it_is(name: str) -> None:
    before = texts(MADE[name](9))
    MADE[name](90)
    assert texts(MADE[name](9)) == before
