"""The sets of criteria as data over HTTP."""

from typing import Any

from shared.kernel.actor import Role
from tests.services.efficacy.api.trial import Trial


async def read(trial: Trial) -> dict[str, Any]:
    answer = await trial.client.get("/v1/criteria", headers=trial.headers(Role.MONITOR))
    assert answer.status_code == 200
    return {each["name"]: each for each in answer.json()["items"]}


async def test_every_set_is_told(trial: Trial) -> None:
    told = await read(trial)
    assert len(told) == 11
    assert told["SEED_V1"]["response"] == {"percent": "50", "strict": True, "reference": "baseline", "least_mm": None}
    assert told["SEED_V1"]["confirmation"] == {"of": "as-the-protocol-sets", "minimum_days": 28}
    assert told["RAPNO_HGG"]["targets"]["at_most"] == 3
    assert told["WHO_1979"]["targets"] == {"at_most": None, "at_most_per_organ": None, "minimum_size": None}


async def test_what_else_a_set_asks_and_what_it_measures(trial: Trial) -> None:
    told = await read(trial)
    assert told["RANO_HGG_2010"]["asks"] == ["t2-flair", "clinical-state", "steroids"]
    assert told["INRC_2017"]["asks"] == ["uptake", "mibg-score", "marrow"]
    assert told["RAPNO_LGG"]["minor_response"]["percent"] == "25"
    assert told["WHO_1979"]["progression_of_each_lesion"] is True
    assert told["RANO_HGG_2010"]["covers_nodes"] is False
    assert told["RECIST_1_1"]["targets"]["minimum_size"]["node_short_axis_mm"] == "15"
    assert told["RECIST_1_1"]["progression"]["least_mm"] == "5"
    assert "iCPD" in told["IRECIST"]["responses"]
