"""PostgreSQL stops and comes back under a running web server: nobody meets a 500, before, meanwhile or
after.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.journeys.production import Answer, Installation
from tests.patience import PATIENCE_S
from tests.services.postgres import Cluster

VISITORS = 24


def visit(installed: Installation, number: int) -> Answer:
    """One page that asks the database who comes with this session."""
    return installed.ask("/people/", Cookie=f"__Host-gatehouse_session={number:032d}")


def crowd(installed: Installation) -> list[Answer]:
    """What many visitors at once are answered."""
    with ThreadPoolExecutor(VISITORS) as visitors:
        return list(visitors.map(lambda number: visit(installed, number), range(VISITORS)))


def statuses(answers: list[Answer]) -> set[int]:
    """Each status once."""
    return {answer.status for answer in answers}


def test_a_restart_is_a_503_at_most(installed: Installation, cluster: Cluster) -> None:
    assert statuses(crowd(installed)) == {302}
    cluster.halt()
    try:
        away = crowd(installed)
        ready = installed.ask("/readyz")
        alive = installed.ask("/healthz")
    finally:
        cluster.resume()
    assert statuses(away) == {503}
    assert "can’t reach its database" in away[0].body.decode()
    assert away[0].headers["Retry-After"] == "10"
    assert away[0].headers["Cache-Control"] == "no-store, private"
    assert (ready.status, alive.status) == (503, 200)

    back = time.monotonic()
    while 302 not in statuses(seen := crowd(installed)):
        assert statuses(seen) <= {302, 503}
        assert time.monotonic() < back + PATIENCE_S
    assert statuses(crowd(installed)) == {302}


def test_a_quick_restart_between_two_visits_is_not_noticed(installed: Installation, cluster: Cluster) -> None:
    assert statuses(crowd(installed)) == {302}
    cluster.halt()
    cluster.resume()
    seen = crowd(installed)
    assert statuses(seen) == {302}, [answer.body.decode()[:500] for answer in seen if answer.status != 302]
