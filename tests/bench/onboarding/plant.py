"""Inside Django: a team with a blueprint, a run of many people asked for and approved, how it stands, and its
pages.

`python -m tests.bench.onboarding.plant STEP ...` runs one step in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from tests.bench.changes.people import agree_to, asker

ACCOUNT: Final = "bench-0"
PATH: Final = "/bench/"


def ask(count: str) -> dict[str, Any]:
    """Read, check and ask for so many people, in one run; seconds of each step, and how many approvals it
    takes.
    """
    from iam.people.onboarding import services
    from iam.people.onboarding.pasted_rows import read_sheet
    from iam.people.onboarding.queries import sets_of
    from iam.people.onboarding.row_checks import stage
    from iam.people.runs.models import RunState

    actor, version = asker(), _blueprint()
    took: dict[str, float] = {}
    data = "Name,E-mail\n" + "".join(
        f"Yuki Tanaka{number},yuki{number}@bench.example\n" for number in range(int(count))
    )
    rows = _timed(took, "read", lambda: read_sheet(data.encode()))
    run = _timed(took, "check", lambda: stage(actor, version=version, rows=rows, source="bench.csv"))
    # What a worker does soon after; none is there yet.
    services.MAX_PLANNED_AT_ONCE = 0  # type: ignore[misc]
    run = _timed(took, "submit", lambda: services.request_run(actor, run=run, reason="Measured"))
    if run.state == RunState.SUBMITTING:
        _timed(took, "ask", lambda: services.ONBOARDING.request(run))
    if run.state != RunState.WAITING:
        raise RuntimeError(f"{run.state}: {run.trouble}")
    return {"took": took, "approvals": len(sets_of(run)), "steps": _changes().count()}


def approve() -> dict[str, Any]:
    """Every approver agrees to each set; seconds of each agreement, the last of which queues the changes."""
    from iam.people.onboarding.models import OnboardingRun
    from iam.people.onboarding.queries import sets_of

    took, began = agree_to(sets_of(OnboardingRun.objects.get()))
    return {"took": took, "began": began.isoformat(), "queued": _changes().exclude(queued_at=None).count()}


def again() -> dict[str, Any]:
    """What a person does about what went wrong: try it again, until nothing of it is left."""
    from iam.changes.errors import RefusedError
    from iam.people.onboarding.models import OnboardingRun
    from iam.people.onboarding.reconcile import reconcile
    from iam.people.onboarding.services import retry_failed

    run = OnboardingRun.objects.get()
    reconcile(run.pk)
    try:
        return {"tried": retry_failed(asker(), run=run)}
    except RefusedError:
        return {"tried": 0}


def standing() -> dict[str, Any]:
    """How the run and its people stand, and the changes by state, with those that were tried again."""
    from datetime import timedelta

    from django.db.models import Max

    from iam.changes.models import Change
    from iam.people.onboarding import reconcile
    from iam.people.onboarding.models import OnboardingRun, ProvisionedUser
    from iam.people.onboarding.queries import held_by

    reconcile.reconcile_open(older_than=timedelta(0))
    places = list(ProvisionedUser.objects.order_by("pk"))
    holdings = held_by(places)
    states = Counter(str(change.state) for now in holdings for change in now.latest)
    wrong = Change.objects.exclude(error_kind="").exclude(state="applied")
    return {
        "run": OnboardingRun.objects.get().state,
        "people": len(places),
        "whole": sum(not now.failed and not now.is_open for now in holdings),
        "joined": ProvisionedUser.objects.exclude(joined_at=None).count(),
        "settled": ProvisionedUser.objects.exclude(settled_at=None).count(),
        "states": dict(states),
        "reasons": dict(
            Counter(
                f"{change.operation} {change.error_kind}: {change.error_message[:90]}" for change in wrong
            )
        ),
        "last": str(Change.objects.aggregate(last=Max("ended_at"))["last"].isoformat()),
        **_known(),
    }


def _known() -> dict[str, Any]:
    """Invitations, sign-ins and grants: one for each person, and not two."""
    from iam.access.grants.models import Grant
    from iam.directory.models import Identity, Person
    from iam.people.links.models import OneTimeLink

    return {
        "persons": Person.objects.filter(email__startswith="yuki").count(),
        "identities": Identity.objects.filter(user_arn__contains=f":user{PATH}").count(),
        "invitations": OneTimeLink.objects.filter(purpose="invitation").count(),
        "grants": Grant.objects.count(),
    }


def under_way() -> dict[str, Any]:
    """What has not ended, and why, as far as the rows tell."""
    from iam.changes.models import OPEN

    rows = _changes().filter(state__in=OPEN).order_by("change_set", "position")
    columns = (
        "operation",
        "state",
        "lane",
        "branch",
        "position",
        "due_at",
        "lease_until",
        "attempts",
        "reads",
    )
    kinds = rows.values_list("change_set__cause_kind", *columns)
    return {"now": str(datetime.now(tz=UTC)), "rows": [[str(cell) for cell in row] for row in kinds[:20]]}


def pages() -> dict[str, Any]:
    """Seconds and queries of the pages of the run: the live page, its first and its last, and the page of the
    approval.
    """
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from iam.people.onboarding.models import OnboardingRun
    from iam.people.onboarding.queries import sets_of
    from tests import factories

    run = OnboardingRun.objects.get()
    client = Client()
    client.force_login(factories.operator(name=f"Looks {datetime.now(tz=UTC):%H%M%S%f}"))
    first = sets_of(run)[0].changes.order_by("position")[0]
    addresses = {
        "live": reverse("onboarding:run", args=[run.pk]),
        "live, again": reverse("onboarding:run", args=[run.pk]),
        "approval": reverse("changes:approval", args=[first.pk]),
        "change": reverse("changes:change", args=[first.pk]),
    }
    timings: dict[str, Any] = {}
    for name, address in addresses.items():
        queries = [0]

        def count(execute: Any, *words: Any, queries: list[int] = queries) -> Any:
            queries[0] += 1
            return execute(*words)

        with connection.execute_wrapper(count):
            at = time.perf_counter()
            answer = client.get(address)
            timings[name] = (
                round(time.perf_counter() - at, 3),
                queries[0],
                answer.status_code,
                len(answer.content),
            )
    return timings


def _timed(took: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    at = time.perf_counter()
    outcome = work()
    took[name] = round(time.perf_counter() - at, 3)
    return outcome


def _changes() -> Any:
    from iam.changes.models import Change

    return Change.objects.filter(change_set__cause_kind__startswith="onboarding")


def _blueprint() -> Any:
    from iam.directory.models import RuleKind, Team, TeamRule
    from iam.mirror.models import Account
    from iam.people.blueprints.body import BlueprintBody
    from iam.people.blueprints.services import create_blueprint
    from iam.people.onboarding.first_password import password_template

    team = Team.objects.create(slug="bench", name="Bench")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value=PATH)
    account = Account.objects.get(name=ACCOUNT)
    template = password_template()
    body = BlueprintBody(
        accounts=(account.account_id,),
        path=PATH,
        groups=("group-0",),
        templates=(template,) if template else (),
        tags={"Team": "bench"},
    )
    return create_blueprint(asker(), team=team, name="Developers", body=body)


if __name__ == "__main__":
    import django

    django.setup()
    steps = {command.__name__: command for command in (ask, approve, again, standing, under_way, pages)}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
