"""Reading SDTM datasets: names, compression, dates as far as they are known, and files that are no datasets."""

import gzip
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loading.cdisc.files import RowUnusable, StudyUnusable, read_tables
from tests.services.loading.cdisc.rows import a_row

DM = "STUDYID,USUBJID\nS,1\n"


@pytest.mark.parametrize("name", ["ae.csv", "AE.CSV", "ae_first.csv", "ae.csv.gz", "ae_bidimensional.csv.gz"])
def test_a_dataset_is_found_by_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "dm.csv").write_text(DM)
    text = "USUBJID,AETERM\n1, COUGH \n"
    data = text.encode("utf-8-sig")
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (row,) = read_tables(tmp_path)["ae"]
    assert (row["AETERM"], row["AESEQ"], row.name) == ("COUGH", "", f"{name} line 2 (1)")


@pytest.mark.parametrize("name", ["ae.csv.bak", "aex.csv", "ae.txt", "sae.csv"])
def test_other_files_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "dm.csv").write_text(DM)
    (tmp_path / name).write_text("USUBJID\n1\n")
    assert read_tables(tmp_path)["ae"] == []


def test_a_line_that_is_too_short_has_missing_values_and_one_that_is_too_long_loses_none(tmp_path: Path) -> None:
    (tmp_path / "dm.csv").write_text("STUDYID,USUBJID,SEX\nS,1\nS,2,F,stray\n")
    short, long = read_tables(tmp_path)["dm"]
    assert (short["SEX"], long["SEX"]) == ("", "F")


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "has no dm.csv or dm.csv.gz with subjects in it"),
        ({"dm.csv": b"STUDYID,USUBJID\n"}, "has no dm.csv or dm.csv.gz with subjects in it"),
        ({"dm.csv": b"a,b\n1,2\n"}, "the first line names no USUBJID"),
        ({"dm.csv": b""}, "the first line names no USUBJID"),
        ({"dm.csv": b"USUBJID\n\xff\n"}, "can't decode"),
        ({"dm.csv.gz": b"no gzip"}, "gzip"),
        ({"dm.csv.gz": gzip.compress(DM.encode())[:-9]}, "dm.csv.gz"),
        ({"dm.csv.gz": gzip.compress(DM.encode())[:10] + b"\xff" * 20}, "dm.csv.gz"),
        ({"dm.csv": b"STUDYID;USUBJID\nS;1\n"}, "the first line names no USUBJID"),
        ({"dm.csv": DM.encode("utf-16")}, "can't decode"),
        ({"dm.csv": DM.encode() + b'S,"' + b"1" * 200_000 + b'"\n'}, "field limit"),
    ],
)
def test_a_folder_that_holds_no_study_is_refused_in_words(
    tmp_path: Path, files: dict[str, bytes], complaint: str
) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(StudyUnusable) as refused:
        read_tables(tmp_path)
    assert complaint in str(refused.value)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StudyUnusable, match="is not a folder"):
        read_tables(tmp_path / "nowhere")


@given(st.dates(min_value=date(1900, 1, 1)), st.sampled_from([4, 7, 10]), st.sampled_from(["", "T11:45", "T11:45:30"]))
def test_a_date_is_kept_as_far_as_it_is_known_and_its_time_left_out(day: date, length: int, time: str) -> None:
    known = day.isoformat()[:length]
    row = a_row("ae", AESTDTC=known + time)
    assert row.date("AESTDTC") == known
    if length < 10:
        with pytest.raises(RowUnusable, match="has no day"):
            row.full_date("AESTDTC")
    else:
        assert row.full_date("AESTDTC") == known


@given(st.text(max_size=12))
def test_whatever_is_no_date_is_a_reason_and_never_a_crash(text: str) -> None:
    with suppress(RowUnusable):
        assert a_row("ae", AESTDTC=text).date("AESTDTC") == text[:10].partition("T")[0]


@pytest.mark.parametrize(
    "text", ["2014-13", "2014-02-30", "0000", "14-01-02", "2014-1-2", "UNKNOWN", "2014-01-02 11:45"]
)
def test_what_only_looks_like_a_date_is_refused(text: str) -> None:
    with pytest.raises(RowUnusable, match="AESTDTC is not an ISO 8601 date"):
        a_row("ae", AESTDTC=text).date("AESTDTC")
