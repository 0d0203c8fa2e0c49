"""Files that are sent to an endpoint: streamed to a temporary file of their own, which is removed whatever happens.

What a process left that was killed goes with the next file, or when a service starts: its folder is locked no more.

A file comes alone as the body, or as the part `file` of a form (multipart/form-data) with small parts beside it.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any, BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.http.middleware import BODY
from shared.kernel.errors import Unacceptable

MIB = 1024 * 1024
MOST_BESIDE = MIB  # bytes of each part beside the file
_LOCKED = "upload-"


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
    await asyncio.to_thread(remove_abandoned)
    with _folder() as folder:
        path = folder / f"file{suffix}"
        try:
            parts = await _form(request, path, most_mib, beside) if is_form else {}
            if not is_form:
                await _stream(request, path, most_mib)
        except ClientDisconnect as left:
            raise HTTPException(400, "the body broke off") from left
        yield Upload(path, parts)


def remove_abandoned() -> None:
    """Remove the files of requests whose process died: nobody holds the lock on their folder."""
    for folder in Path(gettempdir()).glob(f"{_LOCKED}*"):
        with suppress(OSError), _locked(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this request alone. It has the name that is looked for only once it is locked."""
    begun = Path(mkdtemp(prefix="receiving-"))
    folder = begun.with_name(begun.name.replace("receiving-", _LOCKED, 1))
    with _locked(begun):
        begun.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The kernel gives the lock back when the process dies, however it does.

    Raises:
        OSError: another holds it, or the folder is not ours.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


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
