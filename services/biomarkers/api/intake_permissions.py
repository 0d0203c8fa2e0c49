"""Who may send results by feeds and files, say what codes mean, and settle what waits in quarantine."""

from typing import Annotated

from fastapi import Depends, Request

from services.biomarkers.intake.feeds import Feeds
from services.biomarkers.intake.file_intake import FileIntake
from shared.auth.permissions import allow
from shared.kernel.actor import Actor, Role

MaySend = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.COORDINATOR, Role.SYSTEM))]
MayKeepSources = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.COORDINATOR, Role.SYSTEM))]


async def _feeds(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


FeedsDep = Annotated[Feeds, Depends(_feeds)]


async def _files(request: Request) -> FileIntake:
    files: FileIntake = request.app.state.files
    return files


FilesDep = Annotated[FileIntake, Depends(_files)]
