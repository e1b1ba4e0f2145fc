"""Somebody with every way to sign in that AWS knows, in AWS and in the mirror, and the people who have them
leave.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

from iam.access.grants.models import Grant
from iam.access.grants.services import request_grant
from iam.access.grants.terms import GrantContent, WhatKind, WhoKind, WhoTerms
from iam.access.grants.terms import GrantTerms as GrantTerms
from iam.aws import writes
from iam.changes.models import Change
from iam.changes.runner import run as carry_out
from iam.changes.runner.claims import due
from iam.changes.services import approve
from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Entity
from iam.mirror.refresh.user_access import reread_user_access
from iam.people.offboarding import reconcile
from iam.people.offboarding.leaver_lookup import LeaverUsers, leaver_of
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingRun, OffboardingStage
from iam.people.offboarding.services import OffboardingTerms, request_leaving
from tests import factories
from tests.iam.changes.conftest import Nudges, Scene, make_group, nudges, scene, standin, standin_process
from tests.queue import catch

__all__ = ["Nudges", "nudges", "scene", "standin", "standin_process"]
_numbers = itertools.count(1)
REASON = "Last day today"


@dataclass
class Farewell:
    """A person with two users of one account, and everything by which they sign in."""

    scene: Scene
    committing: Any
    sent: list[tuple[str, Any]]
    mark: str = field(default_factory=lambda: f"{next(_numbers)}{datetime.now(tz=UTC):%H%M%S%f}")

    @cached_property
    def user(self) -> Entity:
        """With a password, an active and an inactive key, a service credential, an MFA device and two
        groups.
        """
        user = self.scene.user
        name = {"UserName": user.name}
        self.aws("CreateLoginProfile", **name, Password="harbour-lantern-42", PasswordResetRequired=False)
        for _ in range(2):
            key = self.aws("CreateAccessKey", **name)["AccessKey"]["AccessKeyId"]
        self.aws("UpdateAccessKey", **name, AccessKeyId=key, Status="Inactive")
        self.aws("CreateServiceSpecificCredential", **name, ServiceName="codecommit.amazonaws.com")
        for group in (self.scene.group, make_group(self.scene.aws, user.account, f"on-call-{self.mark}")):
            self.aws("AddUserToGroup", **name, GroupName=group.name)
        self.read(user)
        return user

    @cached_property
    def person(self) -> Person:
        """Whose it is in the directory."""
        person = factories.person("Maya Okafor", email=f"maya-{self.mark}@example.com")
        Identity.objects.create(person=person, user_arn=self.user.arn)
        return person

    def read(self, user: Entity) -> None:
        """Into the mirror."""
        reread_user_access(user.account, user, policies=("GatehouseLeft",))

    def somebody(self) -> LeaverUsers:
        """Who leaves."""
        self.person  # noqa: B018
        return leaver_of(self.user)

    def asked(self, *, actor: Viewer | None = None, key: str = "form", **terms: Any) -> OffboardingRun:
        """Asked for by an administrator."""
        return request_leaving(
            actor or self.scene.requester,
            person=self.somebody(),
            terms=OffboardingTerms(**{"reason": REASON} | terms),
            key=key,
        )

    def approve(self, run: OffboardingRun) -> None:
        """As many agree as the rules ask for."""
        for group in {
            change.change_set for change in self.changes(run) if change.state == "awaiting_approval"
        }:
            self.agree(group.changes.order_by("position")[0])

    def agree(self, first: Change) -> None:
        """Two approvers, where two are asked for."""
        second = factories.viewer(
            Role.APPROVER, name="Jonas Berg", email=f"jonas-{next(_numbers)}@example.com"
        )
        with self.committing(execute=True):
            for person in (self.scene.approver, second):
                first.refresh_from_db()
                if first.state == "awaiting_approval":
                    approve(first, actor=person, seen_digest=first.change_set.receipt_digest)

    def work(self) -> None:
        """Workers do all that is due, and what they are told of leaving."""
        for _ in range(80):
            due_ids = list(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
            proving, self.sent[:] = [pk for task, pk in self.sent if task == "prove_user"], []
            if not due_ids and not proving:
                return
            for pk in due_ids:
                with self.committing(execute=True):
                    carry_out(pk)
            for pk in dict.fromkeys(proving):
                with self.committing(execute=True):
                    reconcile.prove(pk)

    def gone(self, *, actor: Viewer | None = None, **terms: Any) -> Leaver:
        """Asked for, agreed to and done."""
        run = self.asked(actor=actor, **terms)
        self.approve(run)
        self.work()
        leaver = run.people.get()
        assert leaver.stage == OffboardingStage.GONE, (
            self.told(run),
            list(leaver.seats.values("proof", "trouble")),
        )
        return leaver

    def changes(self, run: OffboardingRun) -> list[Change]:
        """All of it, in order."""
        sets = OffboardedUser.objects.filter(leaver__run=run).values("change_set")
        return list(Change.objects.filter(change_set__in=sets).order_by("position"))

    def told(self, run: OffboardingRun) -> list[tuple[str, str, str]]:
        """How the changes stand, for a failing test."""
        return [(change.title, change.state, change.error_message) for change in self.changes(run)]

    def held(self) -> dict[str, Any]:
        """What AWS says that the user holds by themselves, and can sign in with."""
        name = {"UserName": self.user.name}
        keys = self.aws("ListAccessKeys", **name)["AccessKeyMetadata"]
        return {
            "policies": self.aws("ListUserPolicies", **name)["PolicyNames"],
            "active keys": sum(key["Status"] == "Active" for key in keys),
            "groups": sorted(group["GroupName"] for group in self.aws("ListGroupsForUser", **name)["Groups"]),
        }

    def learn_group(self, name: str) -> None:
        """A group of AWS into the mirror."""
        group_shown = self.aws("GetGroup", GroupName=name)["Group"]
        group = factories.group(self.scene.account, name, arn=group_shown["Arn"])
        Entity.objects.filter(pk=group.pk).update(aws_id=group_shown["GroupId"])

    def granted(self) -> Grant:
        """A grant of one more group, which was asked for, approved and given."""
        group = make_group(self.scene.aws, self.user.account, f"analysts-{self.mark}")
        terms = GrantTerms(
            who=WhoTerms(WhoKind.USERS, arns=(self.user.arn,)),
            what=GrantContent(WhatKind.GROUP, group_arn=group.arn),
            accounts=(self.scene.account.account_id,),
            why="The audit of the quarter",
        )
        grant = request_grant(terms, actor=self.scene.requester, idempotency_key=f"grant-{self.mark}")
        self.agree(Change.objects.get(change_set__cause_id=grant.pk))
        self.work()
        grant.refresh_from_db()
        assert grant.state == "active"
        return grant

    @cached_property
    def lead(self) -> Viewer:
        """Who leads the team that is the people of one of the user's groups."""
        self.user  # noqa: B018
        team = Team.objects.create(slug="payments", name="Payments")
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=self.scene.group.name)
        person = factories.person("Elif Kaya", email=f"elif-{self.mark}@example.com")
        factories.assign(person, Role.TEAM_LEAD, team=team)
        return viewer_for(person)

    @cached_property
    def stranger(self) -> Viewer:
        """Who leads another team."""
        team = Team.objects.create(slug="data", name="Data")
        person = factories.person("Bo Berg", email=f"bo-{self.mark}@example.com")
        factories.assign(person, Role.TEAM_LEAD, team=team)
        return viewer_for(person)

    def own(self) -> Viewer:
        """Who leaves, as an administrator."""
        factories.assign(self.person, Role.ADMINISTRATOR)
        return viewer_for(self.person)

    def work_alone(self) -> None:
        """Workers do what is due of the changes, and nobody is told of an end: that process is lost."""
        for pk in due(datetime.now(tz=UTC)).values_list("pk", flat=True):
            carry_out(pk)

    def aws(self, operation: str, **params: Any) -> dict[str, Any]:
        """What AWS itself says."""
        return dict(writes.call(self.scene.aws, "iam", operation, params).response)


@pytest.fixture
def farewell(
    scene: Scene, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> Farewell:
    """See Farewell; what would be put into the queue is written down."""
    sent: list[tuple[str, Any]] = []
    catch(monkeypatch, "iam.people.offboarding.tasks", lambda task, pk, **_: sent.append((task, pk)))
    return Farewell(scene, django_capture_on_commit_callbacks, sent)
