"""From nothing to a listening stand-in: patch moto, seed the organisation, replay the writes, listen."""

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
    """A world that is ready to be served. `now` is naive UTC; ages and uses are counted back from it."""
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
    """Empty moto and fill it with the organisation as it was first seeded."""
    BackendDict.reset()
    usage = now.replace(minute=0, second=0, microsecond=0)
    seeder.seed(organisation, times=OrganisationTimes(anchor=_anchor(journal, now), usage=usage))


def start(
    port: int = 0, *, host: str = "127.0.0.1", state: Path | None = None, now: datetime | None = None
) -> RunningStandin:
    """Serve the sample organisation from a daemon thread; port 0 takes a free one. Raises OSError when the
    port is taken.

    With `state`, writes are kept in that folder and replayed. moto's state is global: a second start in
    the same process begins anew, and whatever the first one serves is gone.
    """
    server = StandinServer((host, port), prepare(state=state, now=now))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return RunningStandin(server, thread, server.world)


def _anchor(journal: WriteJournal | None, now: datetime) -> datetime:
    """The day of the first seeding. It is kept, so that a restart changes nobody's creation date."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if journal is None:
        return today
    path = journal.path.with_name("seeded.json")
    if not path.exists():
        path.write_text(json.dumps({"first_seeded": today.isoformat()}))
    return datetime.fromisoformat(json.loads(path.read_text())["first_seeded"])
