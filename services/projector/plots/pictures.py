"""Specifications as pictures: drawn by a process each, one at a time, and kept for who asks again."""

import asyncio
import json
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from html import escape
from pathlib import Path

from services.projector.plots.specification import Specification
from shared.kernel.errors import Unavailable

DRAWING = str(Path(__file__).with_name("drawing.py"))
LONGEST_SECONDS = 60.0
MOST_KEPT = 12  # pictures, of 0.7 MB at most with 90 participants


class PictureNotDrawn(Unavailable):
    """The picture could not be drawn now. The specification, as JSON, is there all the same."""


async def _by_a_process(specification: str, kind: str) -> bytes:
    """Raises: PictureNotDrawn."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", DRAWING, kind, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        out, complaint = await asyncio.wait_for(process.communicate(specification.encode()), LONGEST_SECONDS)
    except TimeoutError as error:
        raise PictureNotDrawn("drawing takes too long; ask again, or ask for JSON") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"no {kind} was drawn: {complaint.decode(errors='replace')[-500:]}")
    return out


class Pictures:
    """Where pictures are drawn. `draw` is given a specification as JSON, and svg or png."""

    def __init__(self, draw: Callable[[str, str], Awaitable[bytes]] = _by_a_process) -> None:
        self._draw = draw
        self._one_at_a_time = asyncio.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def svg(self, specification: Specification) -> bytes:
        """With a title, a description and a role, so that a screen reader says what a person sees."""
        drawn = await self._drawn(specification, "svg")
        return _accessible(drawn.decode(), specification).encode()

    async def png(self, specification: Specification) -> bytes:
        return await self._drawn(specification, "png")

    async def _drawn(self, specification: Specification, kind: str) -> bytes:
        """Raises: PictureNotDrawn."""
        asked = json.dumps({**specification, "usermeta": {}})
        key = kind + sha256(asked.encode()).hexdigest()
        async with self._one_at_a_time:
            if key not in self._kept:
                self._kept[key] = await self._draw(asked, kind)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _accessible(svg: str, specification: Specification) -> str:
    """The same picture, named and described (WAI-ARIA graphics; SVG 2, section 5.8)."""
    title, description = specification["title"]["text"], specification["description"]
    named = f'<svg role="img" aria-label="{escape(f"{title}. {description}")}" '
    begins, _, rest = svg.partition(">")
    told = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return f"{begins.replace('<svg ', named, 1)}>{told}{rest}"
