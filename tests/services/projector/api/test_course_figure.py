"""The figure of one participant's course: its series, its words, a picture, and whose it is."""

import json
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema.validators import validator_for

from shared.contracts.safety_episodes import (
    CrsObservation,
    HypotensionSupport,
    OxygenDevice,
    ToxicityEpisodeRetracted,
    ToxicityObserved,
    Treatment,
)
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle
from tests.services.projector.house import House
from tests.services.projector.readmodels.test_toxicity_episodes import Course, observed
from tests.services.projector.small_trial import at


def told() -> tuple[Chronicle, Any]:
    """Infused 5 January at 9; CRS of grade 3 on the 8th on oxygen and a vasopressor, then 1; an episode taken back."""
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    crs = Course(child)
    seen = CrsObservation(
        temperature_c=Decimal("39.6"),
        hypotension=HypotensionSupport.ONE_VASOPRESSOR,
        oxygen_device=OxygenDevice.LOW_FLOW_CANNULA,
        flow_l_per_min=Decimal(2),
    )
    graded = {**observed(at(1, 8), 3, 3), "observation": seen}
    crs.tell(ToxicityObserved, number=1, seriousness=None, **graded)
    crs.numbers["observation"] = 1
    crs.seen(at(1, 9), 1, 1).seen(at(1, 10), None, None)
    crs.given(at(1, 8, 12), Treatment.TOCILIZUMAB, "8")
    Course(child, "mistaken", 6).seen(at(1, 6), 4, 4).tell(ToxicityEpisodeRetracted, reason="Another child's chart")
    child.flow(at(1, 12), "50")
    child.flow(at(1, 19), "<")
    child.cytokines(at(1, 4), IL6="<2")
    child.cytokines(at(1, 9), IL6="500", TNF=">400")
    return chronicle, child


async def figure(
    house: House,
    who: Any,
    accept: str = "application/json",
    role: Role = Role.SPONSOR,
    sites: list[str] | None = None,
    **query: str,
) -> Any:
    async with house.client(role, sites=sites, accept=accept) as client:
        return await client.get("/v1/figures/course", params={"participant_id": str(who), **query})


async def test_a_course_has_everything_on_one_axis_of_days(house: House) -> None:
    chronicle, child = told()
    await house.hears(chronicle.told)
    answer = await figure(house, child.id)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    data = {
        name: [(row["day"], row["what"], row["words"]) for row in rows]
        for name, rows in made["datasets"].items()
        if rows
    }
    assert data == {
        "temperature": [(3, "Temperature", "39.6 °C"), (4, "Temperature", "38.5 °C"), (5, "Temperature", "38.5 °C")],
        "support": [(3, "Oxygen", "low-flow-cannula 2 L/min"), (3, "Vasopressor", "one-vasopressor")],
        "grades": [(3, "CRS", "3"), (4, "CRS", "1")],
        "cells": [(7, "CAR-T cells", "50"), (14, "CAR-T cells", "<1")],
        "cytokines": [(-1, "IL6", "<2"), (4, "IL6", "500"), (4, "TNF", ">400")],
        "drugs": [(3.12, "Given", "tocilizumab")],
    }
    assert made["description"] == (
        "Course of CU-001 on one axis of days since the infusion. Highest temperature 39.6 °C on day 3. "
        "Oxygen at 1 and vasopressors at 1 observations. CRS: worst grade 3 on day 3. ICANS: not graded. "
        "Highest CAR-T count per microlitre 50 on day 7. IL6, pg/mL: highest 500 on day 4. TNF, pg/mL: highest >400 on "
        "day 4."
    )
    assert list(schema().iter_errors(made)) == []
    assert (await figure(house, child.id)).headers["ETag"] == answer.headers["ETag"]
    for secret in ("2017-03", "neuroblastoma", "dr-mali"):
        assert secret not in answer.text


async def test_the_days_that_matter_most_fill_the_axis_and_later_ones_are_counted(house: House) -> None:
    """Cytokines are taken up to day 30 + 3; a year on the axis would press these days into one stroke."""
    chronicle, child = told()
    child.flow(at(2, 7), "20")  # day 33
    child.flow(at(2, 8), "15")
    child.flow(at(12, 20), "4")
    await house.hears(chronicle.told)
    made = (await figure(house, child.id)).json()
    assert [row["day"] for row in made["datasets"]["cells"]] == [7, 14, 33]
    left_out = "Up to day 33: 2 later values, up to day 349, are not drawn; until_day draws more."
    assert made["title"]["subtitle"][-1] == left_out
    assert made["description"].endswith(left_out)
    whole = (await figure(house, child.id, until_day="400")).json()
    assert [row["day"] for row in whole["datasets"]["cells"]] == [7, 14, 33, 34, 349]
    assert "not drawn" not in whole["description"]
    early = (await figure(house, child.id, until_day="3")).json()
    assert [row["day"] for row in early["datasets"]["temperature"]] == [3]
    assert (await figure(house, child.id, until_day="0")).status_code == 422


async def test_an_episode_that_lasts_longer_is_drawn_to_its_end(house: House) -> None:
    chronicle, child = told()
    late = Course(child, "late", 7)
    late.seen(at(2, 20), 2, 2)
    await house.hears(chronicle.told)
    made = (await figure(house, child.id)).json()
    assert max(row["day"] for row in made["datasets"]["grades"]) == 46


async def test_each_device_has_a_row_of_its_own(house: House) -> None:
    chronicle, child = told()
    await house.hears(chronicle.told)
    made = (await figure(house, child.id)).json()
    (support,) = made["vconcat"][1]["layer"]
    rows = ["Oxygen: low flow cannula", "Vasopressor: one vasopressor"]
    assert support["encoding"]["y"]["scale"]["domain"] == rows
    assert [row["row"] for row in made["datasets"]["support"]] == rows


@cache
def schema() -> Any:
    """The validator of Vega-Lite's JSON schema, 5.20, as Altair ships it."""
    found = find_spec("altair")
    assert found is not None
    assert found.origin is not None
    file = Path(found.origin).parent / "vegalite" / "v5" / "schema" / "vega-lite-schema.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    return validator_for(written)(written)


async def test_a_course_is_drawn_with_a_title_and_a_description(house: House) -> None:
    chronicle, child = told()
    await house.hears(chronicle.told)
    answer = await figure(house, child.id, "image/svg+xml")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "<title>CMD03: course of CU-001</title>" in answer.text
    assert "<desc>Course of CU-001" in answer.text
    assert 'aria-label="' in answer.text


async def test_who_was_not_infused_has_an_empty_course_that_says_so(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled()
    other = chronicle.child("CU-002").screened().enrolled().infused(at(1, 5))
    await house.hears(chronicle.told)
    for who, words in ((child, "Not infused"), (other, "Nothing is on record")):
        made = (await figure(house, who.id)).json()
        assert made["datasets"]["empty"][0]["words"].startswith(words)
        assert list(schema().iter_errors(made)) == []


async def test_the_course_of_another_site_does_not_exist(house: House) -> None:
    chronicle, child = told()
    await house.hears(chronicle.told)
    answer = await figure(house, child.id, role=Role.INVESTIGATOR, sites=["SI"])
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
    async with house.client() as client:
        assert (await client.get("/v1/figures/course")).status_code == 422
