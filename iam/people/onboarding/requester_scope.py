"""Widens the scope of a lead who onboards people: they can create users that a group of the blueprint puts
into their team.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from uuid import UUID

from iam.changes.operations.lifecycle import arn_of
from iam.guard import Viewer
from iam.mirror.models import Account, Kind
from iam.people.blueprints.body import BlueprintBody
from iam.people.onboarding.models import OnboardingRun
from iam.people.runs.models import RowStatus


def with_newcomers(viewer: Viewer, names: Iterable[str], *, body: BlueprintBody) -> Viewer:
    """Return the viewer with the users of these names, in accounts where the blueprint adds them to a group
    of the viewer's teams. One query, or none if they can reach everything.
    """
    if viewer.asks.sees_everything:
        return viewer
    groups_given = set(body.groups)
    own = {account for account, group in viewer.asks.groups if group in groups_given}
    numbers = [number for number in body.accounts if "" in own or number in own]
    accounts = Account.objects.filter(account_id__in=numbers)
    arns = {
        arn_of(account, kind=Kind.USER.value, name=name, path=body.path)
        for account, name in product(accounts, names)
    }
    return replace(viewer, asks=replace(viewer.asks, user_arns=viewer.asks.user_arns | arns))


def of_run(run_id: UUID, viewer: Viewer) -> Viewer:
    """Return the viewer with the scope needed for a run, for its requester."""
    run = OnboardingRun.objects.filter(pk=run_id).select_related("version").first()
    if run is None:
        return viewer
    # Existing users must be in the requester's normal scope.
    names = run.people.filter(standing=RowStatus.READY, users=[]).values_list("user_name", flat=True)
    return with_newcomers(viewer, names, body=run.version.body)
