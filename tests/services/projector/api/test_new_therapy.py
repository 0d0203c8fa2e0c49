"""New anticancer therapy in every outcome that rests on responses: as it is on record now, corrected or taken back."""

from typing import Any

from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

BASELINE = "2025-12-28"


async def answered(house: House, path: str) -> Any:
    async with house.client() as client:
        answer = await client.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def outcomes(house: House) -> dict[str, Any]:
    """Of the one participant: what every outcome says of the responses."""
    survival = (await answered(house, "outcomes/survival?endpoint=pfs"))["result"]
    (time,) = survival["participants"]
    (best,) = (await answered(house, "outcomes/best-response"))["result"]["participants"]
    rates = (await answered(house, "outcomes/response-rate"))["result"]
    (by_criteria,) = (await answered(house, "outcomes/response-by-criteria"))["result"]["participants"]
    waterfall = (await answered(house, "figures/waterfall"))["datasets"]["bars"]
    swimmer = (await answered(house, "figures/swimmer"))["datasets"]["marks"]
    (alive,) = (await answered(house, "outcomes/survival?endpoint=os"))["result"]["participants"]
    return {
        "pfs": (time["until_day"], time["ending"], survival["new_anticancer_therapy"]),
        "os": (alive["until_day"], alive["ending"]),
        "best": (best["rules"][0]["best"], best["new_therapy_on"]),
        "rates": [point["after_new_therapy"] for point in rates["time_points"]],
        "counts": [each["after_new_therapy"] for each in rates["participants"][0]["assessments"]],
        "criteria": by_criteria["best"]["SEED_V1"],
        "waterfall": [(each["change"], each["best"]) for each in waterfall],
        "swimmer": [each["day"] for each in swimmer if each["mark"] == "New anticancer therapy"],
    }


async def test_every_figure_follows_the_record_of_a_therapy(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    child.assessed(BASELINE, None)
    child.assessed("2026-02-04", "SD", change=("-20", BASELINE))  # day 30
    child.assessed("2026-03-05", "PR", change=("-60", BASELINE))  # day 59
    without = {
        "pfs": (59, "last-assessment", "censors"),
        "os": (59, "last-known-alive"),
        "best": ("PR", None),
        "rates": [0, 0, 0, 0],
        "counts": [False, False],
        "criteria": "PR",
        "waterfall": [(-60.0, "PR")],
        "swimmer": [],
    }
    await any_house.hears(chronicle.told)
    assert await outcomes(any_house) == without
    child.began_therapy("2026-02-20")  # day 46
    await any_house.hears(chronicle.told)
    assert await outcomes(any_house) == {
        "pfs": (30, "before-new-anticancer-therapy", "censors"),
        "os": (59, "last-known-alive"),
        "best": ("SD", "2026-02-20"),
        "rates": [0, 1, 1, 1],
        "counts": [False, True],
        "criteria": "SD",
        "waterfall": [(-20.0, "SD")],
        "swimmer": [46],
    }
    child.therapy_corrected("2026-04")  # day 86
    await any_house.hears(chronicle.told)
    assert await outcomes(any_house) == {
        **without,
        "pfs": (59, "before-new-anticancer-therapy", "censors"),
        "os": (86, "last-known-alive"),  # whoever begins a therapy is alive
        "best": ("PR", "2026-04"),
        "rates": [0, 1, 1, 1],  # nobody was assessed in the window of day 90 before it
        "swimmer": [86],
    }
    child.therapy_retracted()
    await any_house.hears(chronicle.told)
    assert await outcomes(any_house) == without


async def test_a_therapy_before_the_infusion_that_counts_is_no_new_one(house: House) -> None:
    """A second infusion moved day zero."""
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).began_therapy("2026-01-20")
    child.infused(at(2, 9), day_zero=at(2, 9))
    child.assessed("2026-02-01", None)
    child.assessed("2026-03-11", "PR")
    await house.hears(chronicle.told)
    best = (await answered(house, "outcomes/best-response"))["result"]["participants"]
    assert [(each["new_therapy_on"], each["rules"][0]["best"]) for each in best] == [(None, "PR")]


async def test_who_reads_blinded_learns_of_no_therapy(house: House) -> None:
    """Nor does any other reader of images: the therapy stands where courses do."""
    chronicle = Chronicle()
    chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).began_therapy("2026-01-20")
    await house.hears(chronicle.told)
    for role in (Role.RADIOLOGIST, Role.INDEPENDENT_READER_1, Role.ADJUDICATOR):
        for path in ("", "/timeline"):
            async with house.client(role) as client:
                answer = await client.get(f"/v1/participants/{named('CU-001')}{path}")
            assert answer.status_code == 403, answer.text
