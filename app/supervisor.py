"""The whole service on one machine: database, API and workers under one parent process."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from app.db import embedded, migrate
from app.db.session import make_engine, make_sessions, transaction
from app.logging import get_logger
from app.private_files import write_private
from app.services import projects
from app.settings import Settings

log = get_logger(__name__)

START_TIMEOUT_SECONDS = 90
STOP_TIMEOUT_SECONDS = 10
WORKERS: tuple[tuple[str, ...], ...] = (("cpu", "llm"), ("gpu",))


class CannotStart(RuntimeError):
    """The service cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service as ``up`` prints it."""

    url: str
    key: str
    pid: int
    # when that process started: a pid alone may belong to a stranger after a restart of the machine
    started: float


def _alive(service: Service) -> psutil.Process | None:
    try:
        process = psutil.Process(service.pid)
        return process if abs(process.create_time() - service.started) < 1 else None
    except psutil.NoSuchProcess:
        return None


def running(settings: Settings) -> Service | None:
    """The service of this data folder, if it runs and answers."""
    try:
        service = Service(**json.loads(_service_file(settings).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if _alive(service) is None:
        return None
    # a machine that trains may take its time
    return service if _is_ready(service.url, seconds=30) else None


def start_detached(settings: Settings) -> Service:
    """Start the service in the background and wait until it answers; joins one that runs already."""
    found = running(settings)
    if found is not None:
        return found
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = settings.data_dir / "service.log"
    with log_path.open("ab") as log_file:
        child = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
        )
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < end:
        found = running(settings)
        if found is not None:
            return found
        if child.poll() is not None:
            raise CannotStart(f"the service did not start; the end of {log_path}:\n{_tail(log_path)}")
        time.sleep(0.2)
    child.terminate()
    raise CannotStart(f"the service did not answer in {START_TIMEOUT_SECONDS} s; see {log_path}")


def processor_seconds(settings: Settings) -> float:
    """Processor time of the service of this data folder and of all that it started, ended ones too; 0 without one."""
    try:
        process = _alive(Service(**json.loads(_service_file(settings).read_text())))
    except (FileNotFoundError, ValueError, TypeError):
        return 0.0
    spent = 0.0
    for one in [] if process is None else [process, *process.children(recursive=True)]:
        try:
            spent += sum(one.cpu_times()[:4])  # user, system, and both of its children that have ended
        except psutil.NoSuchProcess:
            continue
    return spent


def stop(settings: Settings) -> bool:
    """Stop the service of this data folder; False when none runs."""
    try:
        process = _alive(Service(**json.loads(_service_file(settings).read_text())))
    except (FileNotFoundError, ValueError, TypeError):
        return False
    if process is None:
        return False
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS + 20)
    except psutil.TimeoutExpired:
        process.kill()
    return True


def run(settings: Settings, *, ready: Callable[[Service], None]) -> None:
    """Run everything until interrupted. Children that die are started again, with growing pauses. ``ready`` is
    called once, when the service answers."""
    if running(settings) is not None:
        raise CannotStart("the service of this folder runs already; stop it with: casemend down")
    _require_free_port(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    server_url = settings.database_url or embedded.start(settings.data_dir)
    migrate.upgrade(embedded.sqlalchemy_url(server_url))
    key = _ensure_key(settings, embedded.sqlalchemy_url(server_url))
    environment = {**os.environ, "DATABASE_URL": server_url, "PYTHONUNBUFFERED": "1"}
    commands = [[sys.executable, "-m", "app.cli", "api"]]
    commands += [[sys.executable, "-m", "workers", "--queues", ",".join(queues)] for queues in WORKERS]
    if settings.serve_url is None:
        commands += [[sys.executable, "-m", "workers.serving"]]
    service = Service(
        url=shown_url(settings),
        key=key,
        pid=os.getpid(),
        started=psutil.Process().create_time(),
    )
    write_private(_service_file(settings), json.dumps(asdict(service)))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _keep_running(commands, environment, service, ready)
    except KeyboardInterrupt:
        log.info("service.stopped")
    finally:
        _service_file(settings).unlink(missing_ok=True)


def _keep_running(
    commands: Sequence[Sequence[str]],
    environment: dict[str, str],
    service: Service,
    ready: Callable[[Service], None],
) -> None:
    told = False
    children: dict[int, subprocess.Popen[bytes]] = {}
    deaths = [0] * len(commands)
    next_start = [0.0] * len(commands)
    try:
        while True:
            for i, command in enumerate(commands):
                child = children.get(i)
                if child is not None and child.poll() is not None:
                    del children[i]
                    deaths[i] += 1
                    pause = min(30.0, 0.5 * 2 ** min(deaths[i], 6))
                    next_start[i] = time.monotonic() + pause
                    log.warning("child.died", command=command[2:], status=child.returncode, again_in=pause)
                if i not in children and time.monotonic() >= next_start[i]:
                    children[i] = subprocess.Popen(command, env=environment, preexec_fn=_die_with_parent)  # noqa: PLW1509 - no threads here
            if not told and _is_ready(service.url):
                told = True
                ready(service)
            time.sleep(0.3)
    finally:
        for child in children.values():
            child.terminate()
        end = time.monotonic() + STOP_TIMEOUT_SECONDS
        for child in children.values():
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _die_with_parent() -> None:
    """A killed parent takes its children along, so that no second set of workers is ever left behind."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _ensure_key(settings: Settings, url: str) -> str:
    """The default project's admin key: from the settings, the data folder, or made now."""
    engine = make_engine(url, pool_size=1)
    key_file = settings.data_dir / "key"
    try:
        with transaction(make_sessions(engine)) as session:
            if settings.bootstrap_key is not None:
                secret = settings.bootstrap_key.get_secret_value()
            elif key_file.exists():
                secret = key_file.read_text().strip()
            else:
                secret = f"cm_{secrets.token_urlsafe(32)}"
            projects.ensure_default_project(session, secret=secret)
    finally:
        engine.dispose()
    write_private(key_file, secret)
    return secret


def _require_free_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotStart(
                f"port {settings.port} of {settings.host} is taken ({error.strerror}); set CASEMEND_PORT"
            ) from error


def _is_ready(url: str, *, seconds: float = 3) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=seconds, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def shown_url(settings: Settings) -> str:
    """The address of the service for who is on this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"


def _service_file(settings: Settings) -> Path:
    return settings.data_dir / "service.json"


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
