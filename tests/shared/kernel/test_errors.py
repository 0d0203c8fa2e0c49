"""What an error may give away."""

from shared.kernel.errors import NoSuchParticipant, NotFound


def test_an_unknown_participant_and_one_of_another_site_are_told_alike() -> None:
    told = NoSuchParticipant()
    assert isinstance(told, NotFound)
    assert "at your sites" in str(told)
    assert "try again" in str(told)
