"""Figures that people look at: the Vega-Lite specification, or a picture of it."""

import json
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.projector.api.answering import answer, failing
from services.projector.api.asking import AskedDep, WaitFor, about
from services.projector.api.permissions import MayReadCourses
from services.projector.api.quantities import CountedDep
from services.projector.course_plotting import CourseFigures
from services.projector.plots.pictures import PictureNotDrawn, Pictures
from services.projector.plots.specification import Specification
from services.projector.plotting import FIGURES, Figures, NoSuchFigure, Shown
from services.projector.reading import Found, NoSuchOutcome, Question
from services.projector.readmodels.participants import NoSuchParticipant
from shared.contracts.efficacy_terms import Evaluator
from shared.http.etags import AtHand, IfNoneMatch
from shared.http.negotiation import JSON, NotAcceptable, chosen
from shared.http.service_app import router as _router

VEGA_LITE, SVG, PNG = "application/vnd.vegalite.v5+json", "image/svg+xml", "image/png"
OFFERED = (JSON, VEGA_LITE, SVG, PNG)

router = _router("/v1/figures", "Figures")

_TAG = {"ETag": {"schema": {"type": "string"}, "description": "Changes with the figure; give it as `If-None-Match`"}}
_AS_OF = {"Trial-As-Of": {"schema": {"type": "string"}, "description": "Up to which event it was built, as JSON"}}
_FIGURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            JSON: {"schema": {"type": "object"}},
            VEGA_LITE: {"schema": {"type": "object"}},
            SVG: {"schema": {"type": "string"}},
            PNG: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {**_TAG, **_AS_OF},
    },
    304: {"description": "It is as it was when it had this ETag", "headers": _TAG},
}


async def _media_type(request: Request) -> str:
    media_type = chosen(",".join(request.headers.getlist("accept")) or None, OFFERED)
    if media_type is None:
        raise NotAcceptable(f"send `Accept` with one of {', '.join(OFFERED)}")
    return media_type


async def _figures(request: Request) -> Figures:
    figures: Figures = request.app.state.figures
    return figures


async def _pictures(request: Request) -> Pictures:
    pictures: Pictures = request.app.state.pictures
    return pictures


async def _course_figures(request: Request) -> CourseFigures:
    figures: CourseFigures = request.app.state.course_figures
    return figures


UntilDay = Annotated[
    int | None,
    Query(
        ge=1,
        le=6000,
        description="Draw a course, or cytokines, up to this day; left out: as far as cytokines are taken",
    ),
]


async def _what(
    quantity: CountedDep,
    evaluator: Annotated[Evaluator, Query(description="Whose readings")] = Evaluator.INVESTIGATOR,
    until_day: UntilDay = None,
) -> Shown:
    return Shown(evaluator, quantity, until_day)


# Before the others: `course` is none of the names of figures of a cohort.
@router.get(
    "/course",
    response_class=Response,
    responses={**failing(NoSuchParticipant, NotAcceptable, PictureNotDrawn), **_FIGURE},
)
async def course_figure(
    participant_id: Annotated[UUID, Query(description="Whose course")],
    actor: MayReadCourses,
    media_type: Annotated[str, Depends(_media_type)],
    figures: Annotated[CourseFigures, Depends(_course_figures)],
    pictures: Annotated[Pictures, Depends(_pictures)],
    at_hand: IfNoneMatch,
    until_day: UntilDay = None,
    wait_for: WaitFor = None,
) -> Response:
    """One participant on one axis of time: temperature, oxygen, vasopressor, grades, CAR-T cells and cytokines.

    ASTCT grades of CRS and ICANS; open marks for values beyond a limit; drugs that hold fever down as triangles. What
    was not observed has no mark; what lies after the last day drawn is counted in words. As JSON (Vega-Lite with its
    data), SVG or PNG, as `Accept` asks.
    """
    question = about(participant_id, actor, wait_for)
    found = await figures.course(question, until_day)
    return await _shown("course", question, found, media_type, pictures, at_hand)


@router.get(
    "/{figure}",
    response_class=Response,
    responses={**failing(NoSuchFigure, NoSuchOutcome, NotAcceptable, PictureNotDrawn), **_FIGURE},
)
async def figure(
    figure: Annotated[str, Path(description=f"One of {', '.join(FIGURES)}", examples=list(FIGURES))],
    actor: MayReadCourses,
    asked: AskedDep,
    shown: Annotated[Shown, Depends(_what)],
    media_type: Annotated[str, Depends(_media_type)],
    figures: Annotated[Figures, Depends(_figures)],
    pictures: Annotated[Pictures, Depends(_pictures)],
    at_hand: IfNoneMatch,
) -> Response:
    """A figure as JSON (Vega-Lite with its data), SVG or PNG, as `Accept` asks; participants by subject number alone.

    `waterfall`: the best change of the tumour's sum, by best overall response. `spider`: its change over time.
    `swimmer`: time on study with responses, infusions, serious adverse events and how it ended. `kinetics`: CAR-T cells
    or transgene copies (`series`) in one compartment (`specimen`) over time on a log scale, with open marks for what
    lies below the limit; the two are never in one figure. `cytokines`: levels in a panel per analyte, as far as visits
    take them; what lies later is counted in words, and `until_day` draws it. What a figure rests on (`as_of`, `sites`,
    `protocol`, `today`) is in `usermeta` of the specification and in the header `Trial-As-Of`.
    """
    question = asked.by(actor)
    found = await figures.figure(figure, question, shown)
    return await _shown(figure, question, found, media_type, pictures, at_hand)


async def _shown(
    name: str,
    question: Question,
    found: Found[Specification],
    media_type: str,
    pictures: Pictures,
    at_hand: AtHand,
) -> Response:
    specification = _with_what_it_rests_on(question, found)
    tag = _tag(specification, media_type)
    headers = {"ETag": tag, "Vary": "Accept", "Trial-As-Of": found.as_of.model_dump_json()}
    if tag in at_hand:
        return Response(status_code=304, headers=headers)
    content = await _drawn(specification, media_type, pictures)
    extension = {SVG: "svg", PNG: "png"}.get(media_type, "vl.json")
    headers["Content-Disposition"] = f'inline; filename="{name}.{extension}"'
    return Response(content, media_type=media_type, headers=headers)


def _with_what_it_rests_on(question: Question, found: Found[Specification]) -> Specification:
    rests_on = answer(question, found).model_dump(mode="json", exclude={"result"})
    return {**found.result, "usermeta": rests_on}


async def _drawn(specification: Specification, media_type: str, pictures: Pictures) -> bytes:
    if media_type == SVG:
        return await pictures.svg(specification)
    if media_type == PNG:
        return await pictures.png(specification)
    return json.dumps(specification, ensure_ascii=False).encode()


def _tag(specification: Specification, media_type: str) -> str:
    content = media_type + json.dumps(specification)
    return f'"{sha256(content.encode()).hexdigest()[:32]}"'
