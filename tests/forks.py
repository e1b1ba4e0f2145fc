"""Test processes that are forks of one which has collected the tests: `pytest -p tests.forks --forks 3`.

To import a thousand files and collect what is in them takes half a minute, which each process of xdist spends
anew. Each fork is handed what is left, scope by scope, and sends what pytest reports back.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import environment


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many processes run the tests."""
    parser.addoption("--forks", type=int, default=0, help="run the tests in so many forks of this process")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Hand out all tests, and report what comes back."""
    count = session.config.getoption("--forks")
    if not count or session.testsfailed or session.config.option.collectonly:
        return None
    parts = parts_of([item.nodeid for item in session.items])
    # Where all temporary folders of the run are to lie, before the forks ask for it.
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()
    forks = [Fork(session, number, count) for number in range(count)]
    try:
        while busy := [fork.connection for fork in forks if fork.is_running]:
            ready = wait(busy)
            for fork in (fork for fork in forks if fork.connection in ready):
                fork.answer(parts)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    finally:
        for fork in forks:
            fork.end()
    return True


def parts_of(nodeids: list[str]) -> list[list[int]]:
    """The numbers of the tests that run in one process in one go; what takes longest comes first, and then
    what has the most tests.
    """
    scopes: defaultdict[str, list[int]] = defaultdict(list)
    for number, nodeid in enumerate(nodeids):
        scopes[environment.scope_of(nodeid)].append(number)
    first = {start: place for place, start in enumerate(environment.FIRST)}
    last = len(first)
    by_length = sorted(scopes, key=lambda scope: -len(scopes[scope]))
    by_length.sort(key=lambda scope: first.get(scope.partition("::")[0], last))
    return [scopes[scope] for scope in by_length]


class Fork:
    """A test process, as the one sees it that has started it."""

    def __init__(self, session: pytest.Session, number: int, count: int) -> None:
        self._session = session
        self._running = "its beginning"
        self.is_running = True
        # What xdist shows of its processes, beside each report.
        self._node = SimpleNamespace(
            gateway=SimpleNamespace(id=f"gw{number}"), _workerinfocache=f"[gw{number}]"
        )
        self.connection, connection = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if not self._process:
            code = 1
            try:
                self.connection.close()
                Tests(session, connection).run(number, count)
                code = 0
            finally:
                if code:
                    traceback.print_exc(file=sys.__stderr__)
                # What is registered to be done at the end belongs to the process that was forked.
                os._exit(code)
        connection.close()

    def answer(self, parts: list[list[int]]) -> None:
        """Give the next tests to a process that asks, and report what it has run."""
        try:
            message: Any = self.connection.recv()
        except EOFError:
            self.is_running = False
            if self._running:
                self._report_end()
            return
        if message is None:
            self.connection.send(parts.pop(0) if parts else None)
        elif isinstance(message, str):
            self._running = message
        else:
            hook = self._session.config.hook
            report = hook.pytest_report_from_serializable(config=self._session.config, data=message)
            self._report(report)

    def _report(self, report: pytest.TestReport) -> None:
        report.node = self._node  # type: ignore[attr-defined]
        self._session.config.hook.pytest_runtest_logreport(report=report)

    def _report_end(self) -> None:
        """A process that ends before it is told to has failed, by whichever test it was at."""
        text = f"The test process {self._node.gateway.id} ended in {self._running}"
        place = (self._running.partition("::")[0], None, self._running)
        self._report(pytest.TestReport(self._running, place, {}, "failed", text, "call"))

    def end(self) -> None:
        """Wait for its end, which comes when nobody listens to it any more."""
        self.connection.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


class Tests:
    """What a test process does."""

    def __init__(self, session: pytest.Session, connection: Connection) -> None:
        self._session, self._connection = session, connection
        self._config = session.config

    def run(self, number: int, count: int) -> None:
        """Run what is handed out, until nothing is left."""
        folder = self._move_apart(number, count)
        self._config.pluginmanager.unregister(name="terminalreporter")
        # Its files are those of the process that was forked: outputs of both would be mixed.
        capture: Any = self._config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture(in_=False)
        self._config.pluginmanager.register(self, "report to the process that was forked")
        handed_out = self._handed_out()
        following = Following(handed_out)
        while item := following.item():
            following = Following(handed_out)
            self._connection.send(item.nodeid)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self._connection.send("")
        shutil.rmtree(folder, ignore_errors=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each goes to the process that prints."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._connection.send(data)

    def _handed_out(self) -> Iterator[pytest.Item]:
        while True:
            self._connection.send(None)
            numbers = self._connection.recv()
            if numbers is None:
                return
            for number in numbers:
                yield self._session.items[number]

    def _move_apart(self, number: int, count: int) -> Path:
        """Give this process a data folder, a folder for temporary files and a database of its own; what
        pytest-django and cleaning up ask xdist for is answered.
        """
        name = f"gw{number}"
        self._config.workerinput = {"workerid": name, "workercount": count}  # type: ignore[attr-defined]
        factory: Any = self._config._tmp_path_factory  # type: ignore[attr-defined]
        factory._basetemp = factory._basetemp / name
        factory._basetemp.mkdir(mode=0o700)
        old, new = environment.FOLDER, environment.FOLDER.with_name(f"{environment.FOLDER.name}-{name}")
        shutil.copytree(old, new)
        for variable, text in list(os.environ.items()):
            os.environ[variable] = moved(text, old, new)
        os.environ["PYTEST_XDIST_WORKER"] = name
        from django.conf import settings

        for setting in filter(str.isupper, vars(import_module(settings.SETTINGS_MODULE))):
            value = getattr(settings, setting)
            if isinstance(value, str | Path | list | tuple) and str(old) in str(value):
                setattr(settings, setting, moved(value, old, new))
        return new


class Following:
    """The test that comes next, asked for when it has to be known which fixtures stay: nothing is handed to
    who still has a long test before it.
    """

    def __init__(self, items: Iterator[pytest.Item]) -> None:
        self._items = items
        self._known: list[pytest.Item | None] = []

    def item(self) -> pytest.Item | None:
        """The test, or None after the last."""
        if not self._known:
            self._known.append(next(self._items, None))
        return self._known[0]

    def __bool__(self) -> bool:
        return self.item() is not None

    def listchain(self) -> list[Any]:
        """What pytest asks a test for: itself, and all that it lies in."""
        item = self.item()
        return item.listchain() if item else []


def moved(value: Any, old: Path, new: Path) -> Any:
    """The same with one folder in the place of the other."""
    if isinstance(value, Path):
        return new / value.relative_to(old) if value.is_relative_to(old) else value
    if isinstance(value, str):
        return value.replace(str(old), str(new))
    if isinstance(value, list | tuple):
        return type(value)(moved(each, old, new) for each in value)
    return value
