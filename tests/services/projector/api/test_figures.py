"""Figures over HTTP: three representations by Accept, what they rest on, whose participants they show."""

import json
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from services.projector.plotting import FIGURES
from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from shared.protocol import Protocol
from tests.services.projector.api.test_outcomes import READERS
from tests.services.projector.chronicle import PROTOCOL, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

JSON, VEGA_LITE, SVG, PNG = "application/json", "application/vnd.vegalite.v5+json", "image/svg+xml", "image/png"


def figure_trial() -> Chronicle:
    """It is 20 April 2026.

    CU-001  infused 5 January, PR of -62.5 % on day 90 after SD of -20.25 %; sepsis on day 3; goes on (day 105).
    CU-002  infused 12 January, PD of +40 % on day 30, then -70 %, which counts no more; died on day 39.
    SI-001  infused 30 March, SD on day 14 without a sum; goes on (day 21).
    SI-002  enrolled, not infused.
    """
    chronicle = Chronicle()
    first, second, third, fourth = (chronicle.child(number) for number in ("CU-001", "CU-002", "SI-001", "SI-002"))
    first.screened().enrolled().infused(at(1, 5))
    second.screened().enrolled().infused(at(1, 12)).died("2026-02-20")
    third.screened().enrolled().infused(at(3, 30))
    fourth.screened().enrolled()
    first.assessed("2026-02-04", "SD", change=("-20.25", "2025-12-28"))
    first.assessed("2026-04-05", "PR", change=("-62.5", "2025-12-28"))
    second.assessed("2026-02-11", "PD", change=("40", "2026-01-02"))
    second.assessed("2026-02-15", "SD", change=("-70", "2026-01-02"))
    third.assessed("2026-04-13", "SD")
    third.assessed("2026-04-15", "PD", change=("99", "2026-03-20")).retracted()
    first.adverse_event("Sepsis", 4, "2026-01-08", serious=["life-threatening"], aware=at(1, 8))
    first.adverse_event("Fever", 2, "2026-01-09")  # not serious
    first.adverse_event("Nausea", 3, "2026-01-10", serious=["hospitalisation"], aware=at(1, 10)).retracted()
    return chronicle


@pytest.fixture
async def figures(house: House) -> House:
    await house.hears(figure_trial().told)
    return house


async def asked(house: House, path: str, accept: str = JSON, **headers: str) -> httpx.Response:
    async with house.client(accept=accept) as client:
        return await client.get(f"/v1/figures/{path}", headers=headers)


async def rows(house: House, name: str, dataset: str, *columns: str, query: str = "") -> list[tuple[Any, ...]]:
    answer = await asked(house, name + query)
    assert answer.status_code == 200, answer.text
    return [tuple(row[column] for column in columns) for row in answer.json()["datasets"][dataset]]


async def test_a_waterfall_shows_the_best_change_up_to_progression(figures: House) -> None:
    assert await rows(figures, "waterfall", "bars", "participant", "change", "day", "best") == [
        ("CU-002", 40.0, 30, "PD"),
        ("CU-001", -62.5, 90, "PR"),
    ]


async def test_a_spider_shows_every_change_since_the_baseline(figures: House) -> None:
    assert await rows(figures, "spider", "points", "participant", "day", "change", "response") == [
        ("CU-001", -8, 0.0, "baseline"),
        ("CU-001", 30, -20.25, "SD"),
        ("CU-001", 90, -62.5, "PR"),
        ("CU-002", -10, 0.0, "baseline"),
        ("CU-002", 30, 40.0, "PD"),
        ("CU-002", 34, -70.0, "SD"),
    ]


async def test_a_swimmer_shows_everybody_infused_with_what_happened(figures: House) -> None:
    assert await rows(figures, "swimmer", "bars", "participant", "begins", "ends") == [
        ("CU-001", 0, 105),
        ("CU-002", 0, 39),
        ("SI-001", 0, 21),
    ]
    assert await rows(figures, "swimmer", "marks", "participant", "day", "mark", "what") == [
        ("CU-001", 0, "Infusion", "infusion 1"),
        ("CU-001", 3, "Serious adverse event", "Sepsis"),
        ("CU-001", 30, "SD", "response SD"),
        ("CU-001", 90, "PR", "response PR"),
        ("CU-001", 105, "Still on study", "still on study"),
        ("CU-002", 0, "Infusion", "infusion 1"),
        ("CU-002", 30, "PD", "response PD"),
        ("CU-002", 34, "SD", "response SD"),
        ("CU-002", 39, "Death", "death"),
        ("SI-001", 0, "Infusion", "infusion 1"),
        ("SI-001", 14, "SD", "response SD"),
        ("SI-001", 21, "Still on study", "still on study"),
    ]


async def test_cytokines_show_each_analyte_in_a_panel(trial: House) -> None:
    assert await rows(trial, "cytokines", "points", "participant", "panel", "day", "words", "beyond") == [
        ("CU-001", "Interleukin 6", -1, "5.0", ""),
        ("CU-001", "Interleukin 6", 3, "500", ""),
        ("CU-001", "Interleukin 6", 7, "50", ""),
        ("CU-002", "Interleukin 6", -1, "<2", "<"),
        ("CU-002", "Interleukin 6", 7, "40", ""),
        ("SI-001", "Interleukin 6", -1, "8", ""),
        ("SI-001", "Interleukin 6", 7, "<2", "<"),
        ("CU-001", "Tumour necrosis factor alpha", -1, "1.5", ""),
        ("CU-001", "Tumour necrosis factor alpha", 7, "<1", "<"),
    ]


async def test_kinetics_show_the_cells_of_each_participant(trial: House) -> None:
    assert await rows(trial, "kinetics", "points", "participant", "day", "words", "below", "best") == [
        ("CU-001", 7, "50.5", False, "CR"),
        ("CU-001", 14, "120", False, "CR"),
        ("CU-001", 21, "80", False, "CR"),
        ("CU-001", 30, "30.2", False, "CR"),
        ("CU-001", 60, "<1", True, "CR"),
        ("CU-001", 90, "<1", True, "CR"),
        ("CU-002", 7, "<2", True, "PD"),
        ("CU-002", 14, "10", False, "PD"),
        ("SI-001", 14, "20", False, "NE"),
    ]


@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_covers_the_sites_of_the_caller_alone(figures: House, name: str) -> None:
    async with figures.client(Role.INVESTIGATOR, sites=["SI"]) as client:
        answer = await client.get(f"/v1/figures/{name}")
    assert answer.json()["usermeta"]["sites"] == ["SI"]
    assert "CU-00" not in answer.text
    of_one = await asked(figures, f"{name}?site=CU")
    assert "SI-001" not in of_one.text
    assert "CU-001" in of_one.text


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", FIGURES)
async def test_who_reads_images_or_samples_does_not_see_figures(figures: House, name: str, role: Role) -> None:
    async with figures.client(role, sites=["CU"]) as client:
        answer = await client.get(f"/v1/figures/{name}")
    assert answer.status_code == (200 if role in READERS else 403)


async def test_another_evaluators_readings_make_another_figure(figures: House) -> None:
    assert await rows(figures, "waterfall", "bars", "participant", query="?evaluator=independent-review") == []
    answer = await asked(figures, "waterfall?evaluator=independent-review")
    assert "read by the independent review" in answer.json()["title"]["subtitle"][0]


@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_names_nobody_but_by_subject_number(figures: House, name: str) -> None:
    told = (await asked(figures, name)).text
    for secret in ("2017-03", "birth", "neuroblastoma", "female", str(named("CU-001")), "dr-mali"):
        assert secret not in told


@pytest.mark.parametrize("accept", [JSON, VEGA_LITE, "*/*", "application/*;q=0.5, text/html"])
async def test_json_is_the_specification_with_its_data(figures: House, accept: str) -> None:
    answer = await asked(figures, "waterfall", accept)
    assert answer.headers["content-type"] == (VEGA_LITE if accept == VEGA_LITE else JSON)
    made = answer.json()
    assert made["$schema"].startswith("https://vega.github.io/schema/vega-lite/v5.")
    assert made["description"].startswith("Waterfall plot of 2 participants of 3 infused")
    rests_on = made["usermeta"]
    assert (rests_on["protocol"], rests_on["today"], rests_on["sites"]) == (PROTOCOL.ref, "2026-04-20", None)
    assert rests_on["as_of"] == json.loads(answer.headers["trial-as-of"])
    assert rests_on["as_of"]["events"] > 0


@pytest.mark.parametrize("accept", [SVG, "text/html, image/avif, image/svg+xml, */*;q=0.8"])
async def test_svg_is_well_formed_and_described(figures: House, accept: str) -> None:
    answer = await asked(figures, "swimmer", accept)
    assert answer.headers["content-type"].startswith(SVG)
    assert answer.headers["content-disposition"] == 'inline; filename="swimmer.svg"'
    svg = ET.fromstring(answer.text)  # noqa: S314 - our own
    assert svg[0].text == "CMD03: time on study since infusion"
    assert (svg[1].text or "").startswith("Swimmer plot of 3 participants infused")
    assert svg.get("role") == "img"


async def test_png_is_a_picture_wide_enough_to_read(figures: House) -> None:
    answer = await asked(figures, "spider", PNG)
    assert answer.headers["content-type"] == PNG
    assert answer.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", answer.content[16:24])[0] > 1200


@pytest.mark.parametrize("accept", ["text/csv", "image/jpeg", "application/pdf", "image/png;q=0"])
@pytest.mark.parametrize("name", FIGURES)
async def test_anything_else_is_refused_with_what_there_is(figures: House, name: str, accept: str) -> None:
    answer = await asked(figures, name, accept)
    assert (answer.status_code, answer.json()["type"]) == (406, "not-acceptable")
    for media_type in (JSON, VEGA_LITE, SVG, PNG):
        assert media_type in answer.json()["detail"]


async def test_an_unknown_figure_is_not_found_and_the_known_ones_are_told(figures: House) -> None:
    answer = await asked(figures, "pie")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-figure")
    assert (
        answer.json()["detail"] == "there is no such figure; there are waterfall, spider, swimmer, kinetics, cytokines"
    )


async def test_a_figure_that_is_at_hand_is_not_sent_again_until_it_changes(figures: House) -> None:
    first = await asked(figures, "waterfall")
    tag = first.headers["etag"]
    again = await asked(figures, "waterfall", **{"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["vary"] == "Accept"
    assert (await asked(figures, "waterfall", **{"If-None-Match": "*"})).status_code == 304
    other = await asked(figures, "waterfall", VEGA_LITE, **{"If-None-Match": tag})
    assert other.status_code == 200
    chronicle = Chronicle()
    chronicle.child("CU-009").screened()
    await figures.hears(chronicle.told)
    assert (await asked(figures, "waterfall", **{"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize(
    ("name", "dataset"), [("waterfall", "bars"), ("spider", "names"), ("swimmer", "bars"), ("kinetics", "names")]
)
async def test_an_empty_trial_has_an_empty_figure_that_says_so(house: House, name: str, dataset: str) -> None:
    answer = await asked(house, name)
    assert answer.status_code == 200
    assert answer.json()["datasets"][dataset] == []
    assert answer.json()["datasets"]["empty"] == [{"words": "Nobody has been infused yet."}]
    drawn = await asked(house, name, SVG)
    assert "Nobody has been infused yet." in drawn.text


async def test_a_trial_that_measures_no_response_has_no_figures_of_it(figures: House, tmp_path: Path) -> None:
    measures = tuple(each for each in PROTOCOL.outcome_measures if each.id == "adverse-events")
    other: Protocol = PROTOCOL.model_copy(update={"outcome_measures": measures})
    house = House(figures.db, tmp_path / "other", other)
    answer = await asked(house, "swimmer")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-outcome")


async def test_the_document_tells_of_every_representation(house: House) -> None:
    async with house.client() as client:
        document = (await client.get("/openapi.json")).json()
    responses = document["paths"]["/v1/figures/{figure}"]["get"]["responses"]
    assert set(responses["200"]["content"]) == {JSON, VEGA_LITE, SVG, PNG}
    assert {"304", "401", "403", "404", "406", "422", "503"} <= set(responses)


async def test_a_write_can_be_waited_for(figures: House) -> None:
    answer = await asked(figures, "waterfall", JSON)
    position = f"tumour-burden:{named('CU-001')}@1"
    waited = await asked(figures, f"waterfall?wait_for={position}")
    assert waited.json()["datasets"] == answer.json()["datasets"]
