"""The files of the sample trial: read strictly, whole, and of people who do not exist."""

import shutil
from pathlib import Path

import pytest

from services.loading.sample import FOLDER, SampleUnusable, read_sample
from services.loading.sample_adverse_events import FollowUp
from services.loading.sample_courses import courses_of, sites_of
from shared.contracts.efficacy_terms import LesionState, NonTargetStatus
from shared.protocol import load_protocol

SAMPLE = read_sample()
INFUSED = [each for each in SAMPLE.participants if each.infusion is not None]


def test_nine_are_infused_as_many_as_the_protocol_plans() -> None:
    assert len(INFUSED) == load_protocol().planned_participants.value == 9


def test_every_file_says_that_it_is_invented() -> None:
    files = sorted(FOLDER.glob("*.yaml"))
    assert len(files) == 11
    assert all("nvented: no real " in each.read_text(encoding="utf-8") or each.name == "trial.yaml" for each in files)
    assert "is invented" in (FOLDER / "trial.yaml").read_text(encoding="utf-8")


def test_ages_run_from_two_to_twenty_and_the_adult_consents_in_person() -> None:
    by_birth = sorted(INFUSED, key=lambda each: each.screening.birth_month)
    oldest, youngest = by_birth[0], by_birth[-1]
    assert (oldest.screening.birth_month, [each.kind for each in oldest.consents]) == ("2005-01", ["own"])
    assert youngest.screening.birth_month == "2022-06"


def test_doses_go_up_the_ladder_in_the_order_of_time_and_their_totals_agree() -> None:
    infusions = sorted((each.infusion for each in INFUSED if each.infusion), key=lambda each: each.started_at)
    levels = [int(each.cells_per_kg) for each in infusions]
    assert levels == [500_000] * 3 + [1_000_000] * 6
    for infusion in infusions:
        planned = infusion.cells_per_kg * infusion.weight_kg
        assert abs(infusion.total_car_positive_cells - planned) * 100 <= 5 * planned


def test_all_are_prepared_within_a_week_before_the_infusion() -> None:
    """By the drugs that the protocol lists, on days -5 to -3; of some the hour of the first dose is not known."""
    listed = load_protocol().lymphodepletion
    assert listed is not None
    for who in INFUSED:
        assert who.infusion is not None
        assert who.lymphodepletion is not None
        day_zero = who.infusion.started_at.date()
        days = {(day - day_zero).days for drug in who.lymphodepletion.drugs for day in drug.days}
        assert days == {-5, -4, -3}
        assert {drug.drug for drug in who.lymphodepletion.drugs} == set(listed.drugs.value)
    assert {who.lymphodepletion.first_dose_at is None for who in INFUSED if who.lymphodepletion} == {True, False}


def test_everything_that_can_happen_happens() -> None:
    follow_ups = {
        verb for who in INFUSED for event in who.adverse_events for each in event.then for verb in each.model_fields_set
    }
    assert follow_ups == set(FollowUp.model_fields)
    assessments = [each for who in INFUSED for each in who.assessments]
    assert {target.state for each in assessments for target in each.targets.values()} == set(LesionState)
    assert {each.non_target for each in assessments} == set(NonTargetStatus)
    endings = {verb for who in SAMPLE.participants for each in who.endings for verb in each.model_fields_set}
    assert endings == {
        "fail_screening",
        "discontinue_treatment",
        "record_loss_to_follow_up",
        "withdraw_consent",
        "complete_follow_up",
        "record_death",
    }


def test_every_specimen_gives_its_results_unless_it_was_rejected() -> None:
    steps = [step for course in courses_of(SAMPLE) for step in course]
    named = [step.body["specimen"]["specimen_id"] for step in steps if "specimen_id" in step.body.get("specimen", {})]
    rejected = {step.path.split("/")[-2] for step in steps if step.path.endswith("/reject")}
    assert len(rejected) == 1
    collected = {str(step.id) for step in steps if step.kind == "specimens"}
    assert len(collected) == 8
    assert set(named) == collected - rejected
    assert sum(step.kind == "specimens not collected" for step in steps) == 2


def test_no_two_commands_have_one_id_and_every_role_that_enters_data_speaks() -> None:
    steps = [step for course in (*sites_of(SAMPLE), *courses_of(SAMPLE)) for step in course]
    assert len({step.id for step in steps}) == len(steps) == 422
    assert {step.role.value for step in steps} == {
        "sponsor",
        "coordinator",
        "investigator",
        "radiologist",
        "independent-reader-1",
        "independent-reader-2",
        "adjudicator",
        "laboratory",
        "safety-officer",
    }


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ("site: CU", "site: CU\nname_of_child: x", "name_of_child: Extra inputs are not permitted"),
        ("sex: F", "sex: female", "screening.sex: Input should be"),
        ('weight_kg: "19.5"', "weight_kg: 19.5", 'quote a decimal number, so that it stays exact: "19.5"'),
        ("sex: F", "sex: F\n  sex: M", "sex is given twice"),
        ("42 x 31", "42 by 31", "assessments.0.targets.T01.state: Input should be"),
        ("- resolve: {", "- resolve: {note: x, ", "note: Extra inputs are not permitted"),
        ('IL2: "<2.1"', 'IL2: "below"', None),
        ('IL2: "<2.1"', 'IL2: "~2.1"', "levels.IL2: String should match pattern"),
    ],
)
def test_a_slip_in_a_file_is_named_with_its_line(tmp_path: Path, was: str, now: str, complaint: str | None) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "sample")
    file = folder / "p01-neuroblastoma-6y.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(was, now, 1), encoding="utf-8")
    if complaint is None:
        read_sample(folder)
        return
    with pytest.raises(SampleUnusable) as slip:
        read_sample(folder)
    assert complaint in str(slip.value)
    assert str(slip.value).startswith("p01-neuroblastoma-6y.yaml:")
