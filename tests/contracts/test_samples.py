"""Every event ever written stays readable: each has a sample per version, and samples never change."""

import json
from pathlib import Path

import pytest

from shared.contracts import schemas
from shared.contracts.catalogue import published
from shared.kernel.events import decode

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_as_the_newest_version(sample: Path) -> None:
    name, version = sample.stem.rsplit(".v", 1)
    event = decode(name, int(version), sample.read_bytes())
    assert type(event) is published()[name]
    assert decode(name, event.schema_version, event.to_json()) == event


@pytest.mark.parametrize("name", list(published()))
def test_every_version_of_an_event_has_a_sample(name: str) -> None:
    written = {sample.stem for sample in SAMPLES}
    assert {f"{name}.v{version}" for version in range(1, published()[name].schema_version + 1)} <= written


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_names_nobody(sample: Path) -> None:
    keys = set(_keys(json.loads(sample.read_text(encoding="utf-8"))))
    assert not keys & {
        "first_name",
        "last_name",
        "surname",
        "birth_date",
        "date_of_birth",
        "national_id",
        "hospital_number",
    }


def _keys(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for each in value.values() for key in _keys(each))]
    if isinstance(value, list):
        return [key for each in value for key in _keys(each)]
    return []


def test_the_schemas_are_those_of_the_code() -> None:
    assert schemas.problems() == []
