"""A request about one user in one account, the people who may decide on it, and rules put in force for a
test.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from iam.changes import services
from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.approval.rules import ApprovalRule, as_json
from iam.changes.models import Change
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.changes.conftest import Nudges

_numbers = itertools.count(1)


@dataclass
class Desk:
    """An account with a user of the team Payments and a group; people by name."""

    account: Account
    user: Entity
    group: Entity
    team: Team
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str, role: Role | None, **where: Any) -> Viewer:
        """Somebody with a role, as the viewer that they are today."""
        if name not in self.people:
            self.people[name] = factories.person(name)
        someone = self.people[name]
        if role is not None:
            factories.assign(someone, role, **where)
        return viewer_for(someone)

    def again(self, name: str) -> Viewer:
        """The same person with the rights of this moment."""
        return viewer_for(Person.objects.get(pk=self.people[name].pk))

    def ask(self, *, actor: Viewer | None = None, key: str = "") -> Change:
        """A request that waits."""
        return services.request_membership(
            actor or self.again("Ines Duarte"),
            user=self.user,
            group=self.group,
            do="add",
            reason="Covers for Elif this week",
            idempotency_key=key or str(next(_numbers)),
        )

    def approve(self, change: Change, *names: str, comment: str = "") -> Change:
        """These people agree, one after the other, to what they see."""
        for name in names:
            shown = Change.objects.get(pk=change.pk)
            seen = shown.change_set.receipt_digest
            services.approve(shown, actor=self.again(name), seen_digest=seen, comment=comment)
        change.refresh_from_db()
        return change

    def alter(self) -> None:
        """Let the request do something else than it did."""
        factories.edge(
            EdgeKind.ATTACHED, self.group, factories.policy(self.account, f"Added{next(_numbers)}")
        )


@pytest.fixture
def desk(db: None, nudges: Nudges) -> Desk:
    """Ines administers, Hana and Jonas approve, Elif leads Payments, Tomas is a member."""
    account = factories.account(name="prod-core", write_role_arn="arn:aws:iam::111111111111:role/writer")
    user = factories.user(account, "kwame.boateng")
    devs = factories.group(account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, user, devs)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    made = Desk(account, user, factories.group(account, "deployers"), team)
    made.person("Ines Duarte", Role.ADMINISTRATOR)
    made.person("Hana Sato", Role.APPROVER)
    made.person("Jonas Berg", Role.APPROVER)
    made.person("Elif Kaya", Role.TEAM_LEAD, team=team)
    made.person("Tomas Lind", Role.MEMBER)
    made.person("Amara Diallo", Role.AUDITOR)
    return made


def in_force(*rules: ApprovalRule) -> RuleSet:
    """Put rules in force, as though two administrators had agreed."""
    RuleSet.objects.filter(state=RulesState.ACTIVE).update(state=RulesState.SUPERSEDED)
    number = RuleSet.objects.filter(number__gt=0).count() + 1
    return RuleSet.objects.create(
        number=number,
        state=RulesState.ACTIVE,
        body=as_json(rules),
        author_id=uuid4(),
        author_label="Somebody",
    )
