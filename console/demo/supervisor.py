"""`make run`: all of Gatehouse on one machine, with its processes under one supervisor."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO

from console.demo.broker import answers, broker, free_port
from console.demo.children import ChildProcess, die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent
PREPARED = "prepared"
"""The file in the data folder that tells the web server that the database is prepared."""
TRAIL = "trail"
"""The folder in the data folder for the trail of the simulated AWS."""
STOP_SECONDS = 8.0
READY_SECONDS = 300.0
"""A busy machine takes minutes to start a process. A process that ends is noticed at once."""
WATCH_SECONDS = 2.0
"""The interval of checks on children. The end of a child is noticed at once."""


class SupervisorError(Exception):
    """Raised if Gatehouse can't start. The message says why and what to do."""


def print_line(text: str) -> None:
    """Print one line and flush the output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def bind_address() -> tuple[str, int]:
    """Return the host and port of GATEHOUSE_BIND. Raises SupervisorError if it is malformed."""
    text = os.environ.get("GATEHOUSE_BIND", "127.0.0.1:8000")
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise SupervisorError(f"GATEHOUSE_BIND is {text!r}: write HOST:PORT, such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def hold_lock(var: Path) -> IO[str]:
    """Lock the data folder, because two supervisors with one database would conflict. Returns the open lock
    file. Raises SupervisorError if it is locked.
    """
    lock = (var / "supervisor.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SupervisorError(
            f"Gatehouse already runs with the data in {var}: stop it first, or set GATEHOUSE_VAR."
        ) from None
    return lock


def base_environment(var: Path) -> dict[str, str]:
    """Return the environment of every child. AWS variables are only set for children that call AWS."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": str(var),
        "GATEHOUSE_SUPERVISED": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }


def stand_in_variables(port: int) -> dict[str, str]:
    """Return AWS variables that direct a worker to the simulated AWS."""
    from console.demo.standin.hub import HUB_ACCESS_KEY_ID

    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": HUB_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def is_healthy(url: str) -> bool:
    """True if the address answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - a loopback address of ours
            return int(answer.status) == 200
    except OSError:
        return False


def wake_on_signals() -> int:
    """Return a file descriptor that becomes readable after a signal: a child has ended, or everything must
    stop.
    """
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    # Python writes to the descriptor only for signals that it handles.
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return readable


def wait_for(wakes: int, *, seconds: float) -> None:
    """Wait for a signal, at most the given time."""
    if select.select([wakes], [], [], seconds)[0]:
        os.read(wakes, 4096)


class ProcessSupervisor:
    """Starts the processes in order, restarts those that end, and stops all of them."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.host, self.port = bind_address()
        self.stopping = False
        self.children: list[ChildProcess] = []

    def build(self) -> None:
        """Create the children: broker, simulated AWS, worker with beat, web server."""
        if answers(self.port, host=self.host):
            raise SupervisorError(f"{self.host}:{self.port} is taken: set GATEHOUSE_BIND to another address.")
        common = base_environment(self.var)
        process, redis_url = broker(self.var, environment=common)
        common["REDIS_URL"] = redis_url
        stand_in_port = free_port()
        self.aws = stand_in_variables(stand_in_port)
        self.common = common
        # The simulated AWS doesn't throttle, so the first syncs finish within seconds.
        common["GATEHOUSE_TRAIL_FOLDER"] = str(self.var / TRAIL)
        worker_environment = {"GATEHOUSE_AWS_RATE": "500"} | common | self.aws
        if process:
            self.children.append(process)
        else:
            print_line("No Redis or Valkey server: the queue is a folder, which is slower.")
        self.stand_in = self._stand_in(common, stand_in_port)
        self.children += [self.stand_in, self._worker(worker_environment), self.web(common)]
        self._remember(worker_environment)

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    def _stand_in(self, environment: dict[str, str], port: int) -> ChildProcess:
        state = self.var / "aws"
        state.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "console.demo.standin", "--port", str(port)]
        command += ["--state", str(state), "--trail", str(self.var / TRAIL)]
        return ChildProcess(
            "aws stand-in", command, environment, self._log("aws"), is_ready=lambda: answers(port)
        )

    def _worker(self, environment: dict[str, str]) -> ChildProcess:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "console.celery",
            "worker",
            "--beat",
            "--concurrency",
            "2",
        ]
        command += [
            "--loglevel",
            "warning",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--schedule",
            str(self.var / "beat"),
        ]
        return ChildProcess(
            "worker",
            command,
            environment,
            self._log("worker"),
            stop_signal=signal.SIGQUIT,
        )

    def web(self, environment: dict[str, str]) -> ChildProcess:
        """Return the web server's process."""
        command = [sys.executable, "-m", "granian", "--interface", "rsgi", "console.demo.web:serve"]
        command += [
            "--host",
            self.host,
            "--port",
            str(self.port),
            "--workers",
            "1",
        ]
        command += ["--no-ws", "--log-level", "warning"]
        return ChildProcess(
            "web",
            command,
            environment,
            self._log("web"),
            is_ready=lambda: is_healthy(f"http://{self.host}:{self.port}/healthz"),
        )

    def _remember(self, environment: dict[str, str]) -> None:
        """Save the addresses, so that `manage.py` in another terminal can use them."""
        names = ("REDIS_URL", *self.aws)
        file = self.var / "environment.json"
        file.write_text(json.dumps({name: environment[name] for name in names}), encoding="utf-8")
        file.chmod(0o600)

    def prepare(self) -> None:
        """Migrate the database, and create the people and accounts of the demonstration. Raises
        SupervisorError if it fails.
        """
        command = [sys.executable, str(ROOT / "manage.py"), "prepare_demo"]
        parent = os.getpid()
        done = subprocess.run(  # noqa: S603
            command,
            env=self.common | self.aws,
            check=False,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent=parent),
        )
        if done.returncode:
            raise SupervisorError("The database could not be prepared: the lines above say why.")

    def run(self) -> None:
        """Start everything and run until a signal arrives."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        wakes = wake_on_signals()
        self.build()
        try:
            self._start()
            while not self.stopping:
                for child in self.children:
                    news = child.restart_if_dead()
                    if news and not self.stopping:
                        print_line(news)
                wait_for(wakes, seconds=WATCH_SECONDS)
        finally:
            self.stop()

    def _start(self) -> None:
        began = time.monotonic()
        *services, worker, web = self.children
        prepared = self.var / PREPARED
        prepared.unlink(missing_ok=True)
        # The web server loads its code meanwhile: the preparation uses one core.
        for child in (*services, web):
            child.start()
        self.prepare()
        prepared.touch()
        for child in services:
            if not child.wait_ready(seconds=READY_SECONDS):
                raise SupervisorError(f"The {child.name} did not start: see {child.log}.")
        worker.start()
        if not web.wait_ready(seconds=READY_SECONDS):
            raise SupervisorError(f"The web server did not start: see {web.log}.")
        from console.demo.organisation.people import OPERATORS
        from console.demo.password import PASSWORD

        print_line(
            f"\nGatehouse is ready after {time.monotonic() - began:.0f} s:  http://{self.host}:{self.port}\n"
        )
        print_line("Sign in as          to be                  password")
        for someone in OPERATORS:
            print_line(f"  {someone.username:<18}{someone.role:<23}{PASSWORD}")
        print_line(
            "\nThe sample organization is fictional, and AWS is simulated on this machine. Press Ctrl-C to "
            "stop."
        )

    def _stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def stop(self) -> None:
        """Stop the processes in reverse order, so that none loses a process that it depends on."""
        end = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            child.ask_to_stop()
            child.finish(seconds=min(4.0, end - time.monotonic()))
        (self.var / "environment.json").unlink(missing_ok=True)


def main() -> int:
    """Run until stopped. Returns the exit code, 0 after a clean stop."""
    # The database contains sessions, and the mails contain links to passwords, so other users of this machine
    # must not read them.
    os.umask(0o077)
    var = Path(os.environ.get("GATEHOUSE_VAR", ROOT / "var")).resolve()
    for folder in ("log", "staticfiles"):
        (var / folder).mkdir(parents=True, exist_ok=True)
    try:
        lock = hold_lock(var)
        ProcessSupervisor(var).run()
        lock.close()
    except SupervisorError as error:
        print_line(f"Gatehouse did not start. {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
