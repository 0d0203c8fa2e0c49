"""Pictures: drawn by a process of their own, kept, named and described."""

import asyncio
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from xml.etree import ElementTree as ET

import pytest

from services.projector.domain.car_t_series import Quantity, Series
from services.projector.plots import drawing, pictures
from services.projector.plots.cytokines import cytokines
from services.projector.plots.kinetics import kinetics
from services.projector.plots.pictures import PictureNotDrawn, Pictures
from services.projector.plots.specification import Specification
from services.projector.plots.spider import spider
from services.projector.plots.swimmer import swimmer
from services.projector.plots.waterfall import waterfall
from tests.services.projector.plots.drawn_counts import counts_of, levels_of
from tests.services.projector.plots.drawn_trial import CONTEXT, course, courses_of, times_of

SVG = "{http://www.w3.org/2000/svg}"
NINE = {
    "waterfall": waterfall(CONTEXT, courses_of(9)),
    "spider": spider(CONTEXT, courses_of(9)),
    "swimmer": swimmer(CONTEXT, times_of(9)),
    "kinetics": kinetics(CONTEXT, counts_of(9)),
}
COPIES = Quantity(series=Series.TRANSGENE, specimen="cerebrospinal-fluid", unit="{copies}/ug")
EVERY = {
    **NINE,
    "cytokines": cytokines(CONTEXT, levels_of(9)),
    "kinetics of copies": kinetics(CONTEXT, counts_of(9), COPIES),
}
DRAWN = Pictures()  # each picture once for all of these tests
NOBODY = {
    "waterfall": waterfall(CONTEXT, []),
    "spider": spider(CONTEXT, []),
    "swimmer": swimmer(CONTEXT, []),
    "kinetics": kinetics(CONTEXT, []),
    "cytokines": cytokines(CONTEXT, []),
}
NAMED_IN = {"waterfall": "bars", "spider": "names", "swimmer": "bars", "kinetics": "names"}


def size_of_png(picture: bytes) -> tuple[int, int]:
    """Width and height (PNG, section 11.2.1, IHDR)."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


async def svg_of(specification: Specification) -> ET.Element:
    return ET.fromstring(await DRAWN.svg(specification))  # noqa: S314 - we drew it ourselves


def texts(svg: ET.Element) -> list[str]:
    """What is written, line by line."""
    found = [each.text or "" for each in svg.iter(f"{SVG}text")]
    return found + [each.text or "" for each in svg.iter(f"{SVG}tspan")]


@pytest.mark.parametrize("name", EVERY)
async def test_a_picture_says_to_who_cannot_see_it_what_it_shows(name: str) -> None:
    svg, made = await svg_of(EVERY[name]), EVERY[name]
    title, description = (svg.find(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert (svg[0], svg[1]) == (title, description)
    assert title is not None
    assert description is not None
    assert (title.text, description.text) == (made["title"]["text"], made["description"])
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == f"{made['title']['text']}. {made['description']}"


@pytest.mark.parametrize("name", NINE)
async def test_a_picture_shows_every_participant_and_its_words(name: str) -> None:
    shown = texts(await svg_of(NINE[name]))
    rows = NINE[name]["datasets"][NAMED_IN[name]]
    assert rows
    assert {row["participant"] for row in rows} <= set(shown)
    assert {NINE[name]["title"]["text"], *NINE[name]["title"]["subtitle"]} <= set(shown)


@pytest.mark.parametrize("name", NOBODY)
async def test_an_empty_picture_says_so(name: str) -> None:
    words = {"cytokines": "No cytokine has a value yet."}.get(name, "Nobody has been infused yet.")
    assert words in texts(await svg_of(NOBODY[name]))


async def test_a_name_in_a_description_cannot_break_the_picture() -> None:
    svg = await svg_of({**NINE["swimmer"], "description": '<script> & "quoted" > ]]>'})
    assert svg.findtext(f"{SVG}desc") == '<script> & "quoted" > ]]>'


async def test_a_png_is_twice_the_size_of_the_svg() -> None:
    svg, png = await svg_of(NINE["waterfall"]), await DRAWN.png(NINE["waterfall"])
    width, height = size_of_png(png)
    assert (width, height) == tuple(int(float(svg.get(side, 0)) * 2) for side in ("width", "height"))
    assert width > 1000


def drawn(*arguments: str, specification: Specification) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", drawing.__file__, *arguments],
        input=json.dumps(specification).encode(),
        capture_output=True,
        check=False,
    )


def test_a_specification_that_does_not_compile_fails() -> None:
    wrong = {**NINE["waterfall"], "layer": [{"mark": "bars"}]}
    assert drawn("svg", specification=wrong).returncode == 1


class Rows(BaseHTTPRequestHandler):
    """A server that has rows, and remembers who came for them."""

    fetched: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.fetched.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of a test."""


def test_a_specification_cannot_make_the_process_fetch_anything() -> None:
    with HTTPServer(("127.0.0.1", 0), Rows) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        asked = json.loads(json.dumps(NINE["waterfall"]))
        asked["layer"][0]["data"] = {"url": f"http://127.0.0.1:{server.server_port}/rows.json"}
        drawn("svg", specification=asked)
        server.shutdown()
        thread.join()
    assert Rows.fetched == []


def test_the_api_itself_never_loads_the_library() -> None:
    code = "import services.projector.api.figures, sys; print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


class Counting:
    """Stands for the process: counts, and draws nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, specification: str, kind: str) -> bytes:
        self.asked.append((specification, kind))
        await asyncio.sleep(0)
        return f"<svg>{len(self.asked)}</svg>".encode()


async def test_a_picture_is_drawn_once_for_all_who_ask_and_whenever_they_ask() -> None:
    counting = Counting()
    kept = Pictures(counting)
    asked = [{**NINE["spider"], "usermeta": {"as_of": place}} for place in range(4)]
    found: Sequence[bytes] = await asyncio.gather(*(kept.png(each) for each in asked))
    assert set(found) == {b"<svg>1</svg>"}
    await kept.svg(asked[0])
    assert [kind for _, kind in counting.asked] == ["png", "svg"]


async def test_the_oldest_pictures_are_forgotten() -> None:
    counting = Counting()
    kept = Pictures(counting)
    many = [waterfall(CONTEXT, [course("CU-001", "PR", (30, f"-{place}"))]) for place in range(pictures.MOST_KEPT + 1)]
    for each in many:
        await kept.png(each)
    await kept.png(many[-1])
    assert len(counting.asked) == len(many)
    await kept.png(many[0])
    assert len(counting.asked) == len(many) + 1


async def test_drawing_that_takes_too_long_is_ended_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "LONGEST_SECONDS", 0.01)
    with pytest.raises(PictureNotDrawn):
        await Pictures().png(NINE["spider"])


async def test_a_process_that_fails_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="no svg was drawn"):
        await Pictures().svg({**NINE["waterfall"], "layer": [{"mark": "bars"}]})
