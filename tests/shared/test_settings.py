"""Settings come from the environment, are checked once, and keep their secrets."""

from pathlib import Path

import pytest

from shared.settings import BadSettings, Settings, read_settings


def test_nobody_but_this_machine_may_be_let_in_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_DISABLED", "1")
    assert read_settings().auth_disabled
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104 - the very thing that must be refused
    with pytest.raises(BadSettings, match="loopback"):
        read_settings()


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+asyncpg://u:secret@db/trial\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert read_settings().database_url == "postgresql+asyncpg://u:secret@db/trial"


def test_a_bad_setting_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "password4711")
    with pytest.raises(BadSettings, match="PORT") as raised:
        read_settings()
    assert "4711" not in str(raised.value)


def test_every_service_has_a_database_of_its_own() -> None:
    assert Settings().database_url_of("safety").endswith("safety.sqlite3")
