"""Starts the simulated AWS: patch moto, seed the organization, replay the writes, listen."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path

from moto.core.base_backend import BackendDict

from console.demo.organisation import build, seeder
from console.demo.organisation.specs import OrganizationSpec
from console.demo.organisation.times import OrganisationTimes
from console.demo.standin import callers, clock, patches
from console.demo.standin.journal import WriteJournal
from console.demo.standin.server import RunningStandin, StandinServer
from console.demo.standin.world import StandinWorld


def prepare(
    *, state: Path | None, now: datetime | None = None, organisation: OrganizationSpec | None = None
) -> StandinWorld:
    """Return a world that is ready to serve. `now` is naive UTC, the base of ages and uses."""
    patches.apply()
    callers.SESSIONS.clear()
    journal = WriteJournal(state) if state is not None else None
    chosen = organisation or build.northline()
    world = StandinWorld(
        hub=chosen.management.id, journal=journal, seed=lambda: _seed(chosen, journal, now or clock.utcnow())
    )
    world.seed()
    world.replay()
    return world


def _seed(organisation: OrganizationSpec, journal: WriteJournal | None, now: datetime) -> None:
    """Empty moto, and seed the organization."""
    BackendDict.reset()
    usage = now.replace(minute=0, second=0, microsecond=0)
    seeder.seed(organisation, times=OrganisationTimes(anchor=_stored_anchor(journal, now), usage=usage))


def start(
    port: int = 0, *, host: str = "127.0.0.1", state: Path | None = None, now: datetime | None = None
) -> RunningStandin:
    """Serve the sample organization from a daemon thread. Port 0 selects a free one. Raises OSError if the
    port is in use.

    With `state`, writes are stored in that folder and replayed. moto's state is global: a second start in the
    same process begins again, and the data of the first is lost.
    """
    server = StandinServer((host, port), prepare(state=state, now=now))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return RunningStandin(server, thread, server.world)


def _stored_anchor(journal: WriteJournal | None, now: datetime) -> datetime:
    """Return the day of the first seeding. It is stored, so that a restart doesn't change creation dates."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if journal is None:
        return today
    path = journal.path.with_name("seeded.json")
    if not path.exists():
        path.write_text(json.dumps({"first_seeded": today.isoformat()}))
    return datetime.fromisoformat(json.loads(path.read_text())["first_seeded"])
