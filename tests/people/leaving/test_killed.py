"""A worker that is killed while it proves that somebody's access has ended: another goes on, and nothing is certified twice.

With processes that are killed and all that may break around them: `tests.bench.leaving.torture`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from iam.people.leaving import proving, settling
from iam.people.leaving.models import Certificate, Seat
from tests.changes.test_lost_workers import KilledError, dying_after, killed
from tests.people.leaving.conftest import Farewell

pytestmark = pytest.mark.django_db

STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before AWS is read again": (proving, "reread_user_access", killed),
    "after AWS was read again": (proving, "reread_user_access", dying_after(proving.reread_user_access)),
    "after it is proved": (settling, "prove_seat", dying_after(settling.prove_seat)),
    "before it is certified": (settling, "certify", killed),
    "after it is certified": (settling, "certify", dying_after(settling.certify)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_of_the_proof_leaves_it_to_another(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run = farewell.asked()
    farewell.approve(run)
    place, name, dies = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            farewell.work()
    # What was in the queue went with the worker.
    farewell.sent.clear()
    assert run.people.get().stage == "closing"

    settling.settle_open(older_than=timedelta(seconds=-1))
    farewell.work()

    leaver = run.people.get()
    assert leaver.stage == "gone", list(Seat.objects.values("proof", "trouble"))
    assert farewell.held() == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": []}
    body = json.loads(Certificate.objects.get().text)
    assert all(body[moment] for moment in ("began_at", "denied_everything_at", "proved_at"))
    assert all(one["proved_at"] for one in body["accounts"])
