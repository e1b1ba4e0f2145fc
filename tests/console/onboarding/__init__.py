"""Blueprints and runs as rows, for tests of their pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from iam.changes.models import Change, ChangeSet, ChangeState
from iam.directory.models import Person, Team
from iam.mirror.models import Account, AccountFact
from iam.people.blueprints.body import BlueprintBody
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.runs.models import RowStatus, RunState
from tests import factories


def blueprint(account: Account, team: Team, *, name: str = "Developers", **fields: Any) -> BlueprintVersion:
    """A blueprint of the team, for one account."""
    defaults: dict[str, Any] = {
        "accounts": (account.account_id,),
        "path": "/payments/",
        "groups": ("payments-dev",),
    }
    allows_own_passwords(account)
    made = Blueprint.objects.create(team=team, name=name)
    content = BlueprintBody(**defaults | fields).json
    return BlueprintVersion.objects.create(
        blueprint=made, number=1, content=content, made_label="Ines Duarte"
    )


def allows_own_passwords(account: Account) -> None:
    """The password policy of the account lets its users change their passwords."""
    if not AccountFact.objects.filter(account=account, name="password_policy").exists():
        factories.password_policy(account, allows_change=True)


def draft(version: BlueprintVersion, author: Person, *, count: int = 1) -> OnboardingRun:
    """A draft of so many people who are ready."""
    run = OnboardingRun.objects.create(version=version, requested_by=author.pk, requested_label=author.name)
    OnboardedPerson.objects.bulk_create(
        OnboardedPerson(
            run=run,
            position=at,
            line=at + 2,
            name=f"Yuki Tanaka {at}",
            email=f"yuki{at}@example.com",
            user_name=f"yuki.tanaka{at}",
        )
        for at in range(count)
    )
    return run


def asked(version: BlueprintVersion, author: Person, account: Account, *, count: int = 1) -> OnboardingRun:
    """The same, asked for and made; each waits for its person."""
    run = draft(version, author, count=count)
    OnboardingRun.objects.filter(pk=run.pk).update(
        state=RunState.DONE, asked_at=run.created_at, ended_at=run.created_at
    )
    group = ChangeSet.objects.create(title="Onboard", cause_kind="onboarding", cause_id=run.pk)
    for newcomer in run.people.filter(standing=RowStatus.READY):
        arn = f"arn:aws:iam::{account.account_id}:user/payments/{newcomer.user_name}"
        ProvisionedUser.objects.create(
            newcomer=newcomer, account=account, user_arn=arn, change_set=group, lane=newcomer.position
        )
        for branch, operation in enumerate(("user.create", "group_membership.add", "login_profile.create")):
            _change(
                group, account, author, lane=newcomer.position, branch=branch, operation=operation, arn=arn
            )
    run.refresh_from_db()
    return run


def _change(
    group: ChangeSet, account: Account, author: Person, *, lane: int, branch: int, operation: str, arn: str
) -> None:
    Change.objects.create(
        change_set=group,
        position=lane * 3 + branch,
        lane=lane,
        branch=branch,
        operation=operation,
        title=operation,
        account=account,
        subject_kind="user",
        subject_id=arn,
        subject_arn=arn,
        params={},
        before={},
        after={},
        receipt={
            "title": operation,
            "effect": {"gains": [], "loses": [], "keeps": [], "boundary": "", "notes": []},
            "sensitivity": "normal",
            "calls": [],
        },
        receipt_digest="",
        state=ChangeState.APPLIED,
        idempotency_key=str(uuid4()),
        requested_by=author.pk,
        requested_label=author.name,
        reason="They begin",
        ended_at=author.created_at,
        queued_at=author.created_at,
    )
