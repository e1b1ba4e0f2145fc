"""A review with the people and access that its tests are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from iam.audit.reviews.campaigns import CampaignDraft, open_campaign, start
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.terms import ReviewTerms
from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories

ADMINISTRATOR = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(slots=True)
class World:
    """An account with a team: Maya (administrator), Tomas and a lead; a machine user and a service role."""

    account: Account
    maya: Entity
    tomas: Entity
    machine: Entity
    role: Entity
    group: Entity
    policy: Entity
    lead: Viewer
    administrator: Viewer
    approver: Viewer


def person(name: str, *roles: Role, team: Team | None = None, account: str = "") -> Person:
    """Somebody with roles."""
    made = Person.objects.create(name=name, email=f"{name.lower()}@example.com")
    for role in roles:
        made.assignments.create(role=role, account_id=account, team=team if role == Role.TEAM_LEAD else None)
    return made


def world() -> World:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    group = factories.group(account, "payments")
    policy = factories.policy(account)
    factories.edge(EdgeKind.ATTACHED, group, policy)
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    for member in (maya, tomas):
        factories.edge(EdgeKind.MEMBER, member, group)
    factories.inline(maya, "everything", body=ADMINISTRATOR)
    machine = factories.user(account, "ci", credentials={"has_password": False, "active_keys": 1})
    factories.edge(EdgeKind.ATTACHED, machine, policy)
    role = factories.role(account, "app")
    factories.inline(role, "read")
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    lead = person("Elif", Role.TEAM_LEAD, team=team)
    of_maya = person("Maya", Role.ADMINISTRATOR)
    Identity.objects.create(person=of_maya, user_arn=maya.arn, aws_id=maya.aws_id)
    approver = person("Hana", Role.APPROVER)
    return World(
        account, maya, tomas, machine, role, group, policy,
        viewer_for(lead), viewer_for(of_maya), viewer_for(approver),
    )  # fmt: skip


def drafted(made: World, **changes: Any) -> ReviewCampaign:
    """A draft of the administrator; the approver reviews what is theirs."""
    terms = ReviewTerms(**changes)
    now = datetime.now(tz=UTC)
    draft = CampaignDraft(
        "Half-yearly review",
        "PCI DSS 7.2.4",
        terms,
        now + timedelta(days=14),
        made.administrator.person_id,
        made.approver.person_id,
    )
    return start(draft, actor=made.administrator, now=now)


def opened(made: World, **changes: Any) -> ReviewCampaign:
    """A review in progress."""
    return open_campaign(drafted(made, **changes), actor=made.administrator, by_worker=False)


def row(campaign: ReviewCampaign, entity: Entity, target: str = "") -> ReviewItem:
    """The row of a user or role, by a part of its target."""
    rows = ReviewItem.objects.filter(campaign=campaign, entity=entity, target__contains=target)
    return rows.select_related("entity", "campaign", "account").get()
