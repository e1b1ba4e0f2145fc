"""Child processes that end with their parent: the supervisor starts, watches, restarts and stops them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

RESTART_DELAYS = (0.5, 1, 2, 5, 10, 30)
HEALTHY_AFTER = 30.0


def die_with_parent(number: int, *, parent: int | None = None) -> None:
    """Make Linux send this process a signal when its parent ends for any reason (prctl PR_SET_PDEATHSIG)."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        # The parent ended before the call of prctl.
        os.kill(os.getpid(), signal.SIGKILL)


def follow_leader() -> None:
    """Make a forked process end together with the supervised process that leads its session.

    It ends at once if that process has ended already. The signal is SIGKILL, because a web worker ignores
    SIGTERM: only its own parent may end it. Each supervised process leads a session, so the session ID is the
    ID of the expected parent.
    """
    die_with_parent(signal.SIGKILL, parent=os.getsid(0))


@dataclass(slots=True)
class ChildProcess:
    """A supervised process: command line, environment, log file, and stop signal."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    is_ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = 0.0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        """Start the process in its own session, so that Ctrl-C reaches only the supervisor."""
        parent, orphan = os.getpid(), int(self.orphan_signal)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the command lines are our own
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(orphan, parent=parent),
            )
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        """True if the process is running."""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, *, seconds: float) -> bool:
        """Wait until the process is ready. Returns False if it ended or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.is_running:
            if self.is_ready():
                return True
            time.sleep(0.05)
        return False

    def restart_if_dead(self) -> str | None:
        """Restart an ended process, with a longer delay each time it ends soon. Returns a message for the
        terminal, or None.
        """
        if self.is_running:
            return None
        now = time.monotonic()
        if self.not_before == 0.0:
            if now - self.started_at > HEALTHY_AFTER:
                self.restarts = 0
            delay = RESTART_DELAYS[min(self.restarts, len(RESTART_DELAYS) - 1)]
            self.not_before = now + delay
            code = self.process.returncode if self.process else None
            return f"{self.name} ended ({_reason(code)}); it starts again in {delay:g} s"
        if now < self.not_before:
            return None
        self.not_before = 0.0
        self.restarts += 1
        self.start()
        return f"{self.name} started again"

    def ask_to_stop(self) -> None:
        """Send the stop signal if the process still runs."""
        if self.process and self.is_running:
            self.process.send_signal(self.stop_signal)

    def finish(self, *, seconds: float) -> None:
        """Wait for the end of the process. Kill it and its session if the time is over."""
        if not self.process:
            return
        try:
            self.process.wait(timeout=max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _reason(code: int | None) -> str:
    if code is None:
        return "it never ran"
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
