"""LB: laboratory results, in batches, as a laboratory of each site sends them.

A site's laboratory is registered with the test codes of the study. What each means is asked of the trial: where its
calculator knows a code as an analyte, that is its meaning; every other code is mapped to nothing that is graded, so
that its values are kept, and none is guessed. Values go as they were reported (LBORRES), with the limits beside them.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from services.loading.cdisc.files import SourceRow, StudyUnusable
from services.loading.cdisc.subjects import ZONE, participant_id
from services.loading.client import TrialClient, identity
from services.loading.steps import PARTICIPANT, Awaited, Step
from shared.contracts.safety_laboratory import SpecimenType
from shared.kernel.actor import Role

LABORATORIES = "/safety/v1/laboratories"
MOST_ROWS = 1000
ITEMS_AT_ONCE = 1000


def codes_of(rows: Iterable[SourceRow]) -> list[str]:
    """The test codes of a study."""
    return sorted({row["LBTESTCD"] for row in rows if row["LBTESTCD"]})


async def meanings(client: TrialClient, codes: list[str]) -> dict[str, str | None]:
    """What the trial's calculator knows each code as; None: it grades nothing from it."""
    found: dict[str, str | None] = {}
    for start in range(0, len(codes), ITEMS_AT_ONCE):
        part = codes[start : start + ITEMS_AT_ONCE]
        items = [{"id": str(place), "analyte": code, "value": "1"} for place, code in enumerate(part)]
        answer = await client.post("/safety/v1/gradings/lab", {"items": items}, role=Role.SYSTEM, site="*")
        if not answer.accepted:
            raise StudyUnusable(f"LBTESTCD: {answer.reason}")
        graded = {item["id"] for item in answer.body["items"] if item["refused"] is None}
        found |= {code: code if str(place) in graded else None for place, code in enumerate(part)}
    return found


def laboratory_id(site: str) -> str:
    return f"{site}-LB"


def opened(site: str, study: str, known: dict[str, str | None]) -> Iterator[Step]:
    """A site's laboratory, and what its codes mean."""
    if not known:
        return
    laboratory, thing = laboratory_id(site), f"the laboratory of site {site}"
    body = {"laboratory_id": laboratory, "site_id": site, "time_zone": ZONE}
    key = identity("cdisc", study, "laboratory", site)
    yield Step("laboratories", thing, LABORATORIES, body, Role.SYSTEM, thing, key)
    tests = [{"code": code, "analyte": known[code]} for code in sorted(known)]
    key = identity("cdisc", study, "laboratory", site, "tests", *sorted(known))
    path = f"{LABORATORIES}/{laboratory}/map-tests"
    yield Step("laboratories", thing, path, {"tests": tests}, Role.SYSTEM, thing, key, changes=True)


def batches(site: str, rows: list[SourceRow]) -> Iterator[Step]:
    """A subject's results, up to 1,000 at once."""
    for start in range(0, len(rows), MOST_ROWS):
        part = rows[start : start + MOST_ROWS]
        subject = participant_id(part[0])
        yield Step(
            "lb",
            f"{part[0].name} and {len(part) - 1} more",
            "/safety/v1/lab-results",
            {"laboratory_id": laboratory_id(site), "rows": [_row(row, subject) for row in part]},
            Role.SYSTEM,
            "laboratory results",
            identity("cdisc", subject, "lb", *(row["LBSEQ"] for row in part)),
            needs=(PARTICIPANT,),
            rows=len(part),
            awaits=_known_to_safety(subject),
            batch=tuple(row.name for row in part),
        )


def _known_to_safety(subject: UUID) -> Awaited:
    """A row of somebody unknown would be put into quarantine, and nobody is unknown for long."""
    return Awaited("the participant", f"/safety/v1/participants/{subject}/lab-results?limit=1", lambda _: "")


def _row(row: SourceRow, subject: UUID) -> dict[str, Any]:
    specimen = row["LBSPEC"].casefold()
    sent = {
        "row_id": f"{row.subject}/{row['LBSEQ']}" if row["LBSEQ"] else None,
        "participant_id": str(subject),
        "local_code": row["LBTESTCD"] or None,
        "value": row["LBORRES"] or None,
        "unit": row["LBORRESU"] or None,
        "lln": row["LBORNRLO"] or None,
        "uln": row["LBORNRHI"] or None,
        "collected_at": _collected_at(row["LBDTC"]),
        "specimen_type": specimen if specimen in set(SpecimenType) else None,
    }
    return {name: value for name, value in sent.items() if value is not None}


def _collected_at(text: str) -> str | None:
    """A date without a time is noon; anything else goes as it is, to be read or kept in quarantine."""
    return f"{text}T12:00" if len(text) == len("2014-01-02") else text or None
