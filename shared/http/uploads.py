"""Files that are sent to an endpoint: streamed to a temporary file of their own, which is removed whatever happens.

A file comes alone as the body, or as the part `file` of a form (multipart/form-data) with small parts beside it.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.http.middleware import BODY
from shared.kernel.errors import Unacceptable

MIB = 1024 * 1024
MOST_BESIDE = MIB  # bytes of each part beside the file


class FileTooLarge(Unacceptable):
    """The file has more bytes than this deployment takes."""

    code = "body-too-large"


class FormUnreadable(Unacceptable):
    """The form does not hold what is asked for: a part `file`, and beside it parts of the names that are told."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: where it lies while the request lasts, and the parts beside it."""

    path: Path
    beside: Mapping[str, bytes] = field(default_factory=dict)

    async def content(self) -> bytes:
        return await asyncio.to_thread(self.path.read_bytes)


@asynccontextmanager
async def received(
    request: Request, most_mib: int, beside: Collection[str] = (), suffix: str = ".dat"
) -> AsyncIterator[Upload]:
    """The file of a request.

    Raises:
        FileTooLarge, FormUnreadable.
    """
    body = request.scope.get(BODY)
    is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"
    if body is not None:
        body.most_bytes = (most_mib + (1 + len(beside) if is_form else 0)) * MIB
    with TemporaryDirectory(prefix="upload-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"file{suffix}"
        try:
            parts = await _form(request, path, most_mib, beside) if is_form else {}
            if not is_form:
                await _stream(request, path, most_mib)
        except ClientDisconnect as left:
            raise HTTPException(400, "the body broke off") from left
        yield Upload(path, parts)


async def _stream(request: Request, path: Path, most_mib: int) -> None:
    left = most_mib * MIB
    with path.open("wb") as file:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                raise _too_large(most_mib)
            if len(chunk) > MIB:
                await asyncio.to_thread(file.write, chunk)
            else:
                file.write(chunk)


async def _form(request: Request, path: Path, most_mib: int, beside: Collection[str]) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    async with request.form(max_files=1 + len(beside), max_fields=1 + len(beside), max_part_size=MOST_BESIDE) as form:
        unknown = {name for name, _ in form.multi_items()} - {"file", *beside}
        file = form.get("file")
        if unknown or not isinstance(file, UploadFile):
            names = ", ".join(["`file`, a file", *(f"`{each}`" for each in beside)])
            raise FormUnreadable(f"the form's parts are {names}, no others")
        if (file.size or 0) > most_mib * MIB:
            raise _too_large(most_mib)
        await asyncio.to_thread(_copy, file.file, path)
        for name in beside:
            part: Any = form.get(name)
            if part is not None:
                content = await part.read(MOST_BESIDE + 1) if isinstance(part, UploadFile) else part.encode()
                if len(content) > MOST_BESIDE:
                    raise _too_large(MOST_BESIDE // MIB)
                parts[name] = content
    return parts


def _copy(source: BinaryIO, path: Path) -> None:
    source.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file, MIB)


def _too_large(most_mib: int) -> FileTooLarge:
    return FileTooLarge(f"a file has at most {most_mib} MiB here; send a smaller one")
