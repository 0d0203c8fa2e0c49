"""`python -m services load cdisc` as a person runs it: an excerpt, and the same with bad rows."""

import csv
import gzip
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.kernel.actor import Role
from tests.services.loading.support import Running, commands, finished, started, tokens_of

EXCERPT = Path(__file__).parent / "excerpt"
PILOT = "shared/protocol/cdisc_pilot.yaml"

Row = dict[str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "trial"


@pytest.fixture
def pilot(folder: Path) -> Iterator[Running]:
    with started("serve", data=folder, PROTOCOL_FILE=PILOT) as running:
        running.until_it_says("the trial is at")
        yield running


def with_changes(to: Path, **changes: Callable[[list[Row]], None]) -> Path:
    """The excerpt, with its rows changed, and one dataset compressed as hospitals send them."""
    shutil.copytree(EXCERPT, to)
    for name, change in changes.items():
        file = next(to.glob(f"{name}*.csv"))
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        columns = list(rows[0])
        change(rows)
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, columns)
            writer.writeheader()
            writer.writerows(rows)
    plain = next(to.glob("tr*.csv"))
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return to


def _read_blindly(rows: list[Row]) -> None:
    """What the investigator read of one subject, as two blinded readers might have: of the second, half as long."""
    own = [row for row in rows if row["USUBJID"] == "01-701-1015"]
    for reader in ("RADIOLOGIST 1", "RADIOLOGIST 2"):
        for row in own:
            domain = row["DOMAIN"]
            said = {**row, f"{domain}EVAL": "INDEPENDENT ASSESSOR", f"{domain}EVALID": reader}
            if reader == "RADIOLOGIST 2" and row.get("VISIT") != "BASELINE" and row.get("TRSTRESN"):
                said["TRSTRESN"] = str(Decimal(row["TRSTRESN"]) / 2)
            rows.append(said)


def summary(out: str) -> dict[str, tuple[int, ...]]:
    """Per dataset: rows, recorded, there already, refused, not taken."""
    numbers = {}
    for line in out.splitlines():
        words = line.split()
        if len(words) == 6 and words[0] in {"sites", "laboratories", "dm", "ex", "ae", "tu", "tr", "rs", "lb"}:
            numbers[words[0]] = tuple(0 if word == "-" else int(word) for word in words[1:])
    return numbers


def laboratory_events(folder: Path) -> int:
    """How many events laboratories and their results have on record."""
    connection = sqlite3.connect(f"file:{folder / 'safety'}.sqlite3?mode=ro", uri=True)
    (found,) = connection.execute("select count(*) from events where stream like 'lab%'").fetchone()
    connection.close()
    return int(found)


def test_the_excerpt_is_taken_whole_and_a_second_load_changes_nothing(
    tmp_path: Path, folder: Path, pilot: Running
) -> None:
    study = with_changes(tmp_path / "study", tu=_read_blindly, tr=_read_blindly)
    first = finished("load", "cdisc", str(study), data=folder, port=pilot.port)
    assert first.returncode == 0, first.stderr
    assert summary(first.stdout) == {
        "sites": (1, 1, 0, 0, 0),
        "laboratories": (1, 1, 0, 0, 0),
        "dm": (6, 6, 0, 0, 0),
        "ex": (14, 5, 0, 0, 9),
        "ae": (37, 37, 0, 0, 0),
        "tu": (52 + 2 * 10, 52 + 2 * 10, 0, 0, 0),
        "tr": (332 + 2 * 60, 332 + 2 * 60, 0, 0, 0),
        "rs": (7, 5, 0, 0, 2),
        "lb": (5, 5, 0, 0, 0),
    }
    assert "lb: 5 rows graded" in first.stdout
    assert "ae: 3 rows say AESER N beside a criterion of seriousness" in first.stdout
    recorded, measured = commands(folder), laboratory_events(folder)
    assert all(recorded[service] > 0 for service in ("enrollment", "safety", "efficacy"))

    second = finished("load", "cdisc", str(study), data=folder, port=pilot.port)
    assert second.returncode == 0, second.stderr
    assert summary(second.stdout)["ae"] == (37, 0, 37, 0, 0)
    assert all(numbers[1] == 0 for numbers in summary(second.stdout).values())
    assert summary(second.stdout)["lb"] == (5, 0, 5, 0, 0)
    assert commands(folder) == recorded
    assert laboratory_events(folder) == measured > 0
    _check_what_is_on_record(pilot, folder)
    _check_the_blinded_readings(pilot, folder)


def _check_what_is_on_record(pilot: Running, folder: Path) -> None:
    token = tokens_of(folder)(Role.SPONSOR, "*")

    def asked(path: str) -> list[dict[str, object]]:
        answer = httpx.get(f"{pilot.url}{path}", headers={"Authorization": f"Bearer {token}"})
        found: list[dict[str, object]] = answer.json()["items"]
        return found

    table = httpx.get(
        f"{pilot.url}/trial/v1/outcomes/response-by-criteria", headers={"Authorization": f"Bearer {token}"}
    ).json()["result"]
    said = {
        (each["assessed_on"], told["criteria"]): (told["response"], told["agrees"])
        for who in table["participants"]
        for each in who["assessments"]
        for told in each["reported"]
    }
    assert said.keys() == {("2014-02-12", "RECIST_1_1"), ("2014-02-12", "SEED_V1"), ("2014-03-26", "WHO_1979")}
    assert said["2014-03-26", "WHO_1979"] == ("PD", False)
    assert len(table["reported_otherwise"]) == 1
    people = {each["subject_label"]: each for each in asked("/trial/v1/participants")}
    assert people["01-701-1211"]["status"] == "died"
    assert people["01-701-1211"]["died_on"] == "2013-01-14"
    assert people["01-701-1057"]["status"] == "screen-failed"
    assert people["01-701-1015"]["day_zero"] == "2014-01-02T12:00:00Z"
    fatal = [each for each in asked("/trial/v1/adverse-events?grade=5&limit=200") if each["grade"] == 5]
    assert [(each["specification"], each["outcome"]) for each in fatal] == [("SUDDEN DEATH", "fatal")]


def _check_the_blinded_readings(pilot: Running, folder: Path) -> None:
    """Each reader sees their own, the adjudicator where they differ, and the investigator's record is as it was."""
    token = tokens_of(folder)

    def asked(path: str, role: Role) -> dict[str, Any]:
        answer = httpx.get(f"{pilot.url}{path}", headers={"Authorization": f"Bearer {token(role, '*')}"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    people = asked("/trial/v1/participants", Role.SPONSOR)["items"]
    child = next(each["participant_id"] for each in people if each["subject_label"] == "01-701-1015")
    place = f"/efficacy/v1/independent-reads/{child}"
    readers = (Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2)
    one, two = (asked(place, reader)["assessments"] for reader in readers)
    investigators = asked(f"/efficacy/v1/participants/{child}/tumour-burden", Role.SPONSOR)["assessments"]
    assert len(one) == len(two) == len(investigators) == 4
    assert not {each["assessment_id"] for each in (*one, *two)} & {each["assessment_id"] for each in investigators}
    assert [each["response"] and each["response"]["response"] for each in one] == [
        each["response"] and each["response"]["response"] for each in investigators
    ]
    assert len(asked(f"{place}/review", Role.ADJUDICATOR)["time_points"]) == 3


def _bad_subjects(rows: list[Row]) -> None:
    rows += [
        {**rows[0], "USUBJID": "bad-1", "BRTHDTC": ""},
        {**rows[0], "USUBJID": "bad-2", "COUNTRY": "ATL"},
        {**rows[0], "USUBJID": "bad-3", "BRTHDTC": "2040-01-01"},
    ]


def _bad_events(rows: list[Row]) -> None:
    first = {**rows[0], "USUBJID": "01-701-1015"}
    rows += [
        {**first, "AESEQ": "901", "AESEV": "TERRIBLE"},
        {**first, "AESEQ": "902", "AESTDTC": "2014-13"},
        {**first, "AESEQ": "903", "AEENDTC": "2013-01-01"},  # ends before it begins
        {**first, "AESEQ": "1", "AESEV": "SEVERE"},  # the number of another row
        {**first, "AESEQ": "904", "USUBJID": "01-999-0000"},
        {**first, "AESEQ": "905", "USUBJID": "bad-1"},
        {**first, "AESEQ": "906", "AESDTH": "Y"},  # a death whose outcome is not fatal
    ]


def _bad_lesions(rows: list[Row]) -> None:
    rows.append({**rows[0], "USUBJID": "01-701-1015", "TULNKID": "T06", "TUSTRESC": "TARGET"})  # the sixth target


def _bad_diameters(rows: list[Row]) -> None:
    for row in rows:
        if row["USUBJID"] == "01-701-1130" and row["VISIT"] == "WEEK 6" and row["TRLNKID"] == "T01":
            row["TRSTRESU"] = "cm"
        if row["USUBJID"] == "01-701-1130" and row["VISIT"] == "WEEK 12" and row["TRTESTCD"] == "LPERP":
            row["TRSTRESN"] = "900"  # beyond its longest diameter


def _bad_results(rows: list[Row]) -> None:
    first = {**rows[0], "USUBJID": "01-701-1015"}
    rows += [
        {**first, "LBSEQ": "901", "LBORRES": "HEMOLYZED"},
        {**first, "LBSEQ": "902", "LBTESTCD": ""},
        {**first, "LBSEQ": "903", "LBDTC": "2014-01"},
        {**first, "LBSEQ": "1", "LBORRES": "9.9"},  # the number of another row
        {**first, "LBSEQ": "904", "LBTESTCD": "MISCHIEF"},  # what no term is graded from is kept all the same
        {**first, "LBSEQ": "905", "USUBJID": "01-999-0000"},
    ]


REFUSED = (
    "dm.csv line 8 (bad-1): BRTHDTC is missing",
    "dm.csv line 9 (bad-2): COUNTRY is none of",
    "dm.csv line 10 (bad-3): 422 before-birth",
    "dm.csv line 10 (bad-3): not sent: the participant was refused",
    "ae.csv line 39 (01-701-1015): AESEV is none of: MILD, MODERATE, SEVERE",
    "ae.csv line 40 (01-701-1015): AESTDTC is not an ISO 8601 date",
    "ae.csv line 41 (01-701-1015): 422 dates-contradict",
    "ae.csv line 42 (01-701-1015): 409 other-content-on-record",
    "ae.csv line 43 (01-999-0000): not sent: dm has no usable row of this USUBJID",
    "ae.csv line 44 (bad-1): not sent: dm has no usable row of this USUBJID",
    "ae.csv line 45 (01-701-1015): 422 death-facts-disagree",
    "lb.csv line 7 (01-701-1015): quarantined: bad-value",
    "lb.csv line 8 (01-701-1015): quarantined: unknown-test",
    "lb.csv line 9 (01-701-1015): quarantined: bad-collection-time",
    "lb.csv line 10 (01-701-1015): conflict:",
    "lb.csv line 12 (01-999-0000): not sent: dm has no usable row of this USUBJID",
    "tu_bidimensional.csv line 54 (01-701-1015): 409 too-many-targets",
    "tr_bidimensional.csv.gz 01-701-1015 WEEK 6: 422 unknown-target-lesion",
    "tr_bidimensional.csv.gz 01-701-1130 WEEK 6: the whole visit: LDIAM of T01 is not in mm",
    "tr_bidimensional.csv.gz 01-701-1130 WEEK 12: 422 invalid-request: /targets",
)


def test_each_bad_row_is_told_with_its_reason_and_the_others_are_taken(
    tmp_path: Path, folder: Path, pilot: Running
) -> None:
    study = with_changes(
        tmp_path / "study", dm=_bad_subjects, ae=_bad_events, tu=_bad_lesions, tr=_bad_diameters, lb=_bad_results
    )
    loaded = finished("load", "cdisc", str(study), data=folder, port=pilot.port)
    assert loaded.returncode == 0, loaded.stderr
    for line in REFUSED:
        assert line in loaded.stderr
    told = summary(loaded.stdout)
    assert told["dm"] == (9, 6, 0, 3, 0)
    assert told["ae"] == (44, 37, 0, 7, 0)
    assert told["lb"] == (11, 6, 0, 5, 0)
    assert told["tu"] == (53, 52, 0, 1, 0)
    # Two visits of 01-701-1130, and the four of 01-701-1015: without its sixth target no sum of that subject is whole.
    assert told["tr"] == (332, 332 - 30 - 60, 0, 30 + 60, 0)
    recorded = commands(folder)
    again = finished("load", "cdisc", str(study), data=folder, port=pilot.port)
    assert again.returncode == 0
    for line in REFUSED:
        assert line in again.stderr
    assert commands(folder) == recorded


def test_a_trial_of_another_protocol_gets_nothing(tmp_path: Path) -> None:
    with started("serve", data=tmp_path) as cmd03:
        cmd03.until_it_says("the trial is at")
        refused = finished("load", "cdisc", str(EXCERPT), data=tmp_path, port=cmd03.port)
        assert refused.returncode == 1
        assert (
            "other-protocol: the trial serves CMD03, and this study is of CDISCPILOT01: nothing was sent"
            in refused.stderr
        )
        assert sum(commands(tmp_path).values()) == 0
        foreign = finished("load", "cdisc", str(EXCERPT), data=tmp_path / "elsewhere", port=cmd03.port)
        assert foreign.returncode == 1
        assert "not-admitted: 401" in foreign.stderr
        empty = finished("load", "cdisc", str(tmp_path), data=tmp_path, port=cmd03.port)
        assert empty.returncode == 1
        assert "study-unusable" in empty.stderr
        assert "Traceback" not in refused.stderr + foreign.stderr + empty.stderr
