"""A team with a blueprint, its lead, and what people do with runs against the stand-in."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

from iam.access.templates.models import TemplateVersion
from iam.aws import writes
from iam.changes.models import Change
from iam.changes.runner import run as carry_out
from iam.changes.runner.claims import due
from iam.changes.services import approve
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Entity
from iam.people.blueprints.body import BlueprintBody, FilledTemplate
from iam.people.blueprints.models import BlueprintVersion
from iam.people.blueprints.services import create_blueprint
from iam.people.onboarding import services
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.pasted_rows import read_sheet
from iam.people.onboarding.queries import sets_of
from iam.people.onboarding.row_checks import stage
from tests import factories
from tests.console.onboarding import allows_own_passwords
from tests.iam.changes.conftest import Nudges, Scene, make_group, nudges, scene, standin, standin_process

__all__ = ["Nudges", "nudges", "scene", "standin", "standin_process"]
_numbers = itertools.count(1)


@dataclass
class Squad:
    """A team whose people lie under a path of their own, and are in a group."""

    scene: Scene
    committing: Any
    mark: str = field(default_factory=lambda: f"{next(_numbers)}{datetime.now(tz=UTC):%H%M%S%f}")

    @cached_property
    def team(self) -> Team:
        """Found by a path and by its group."""
        made = Team.objects.create(slug=f"payments-{self.mark}", name="Payments")
        TeamRule.objects.create(team=made, kind=RuleKind.PATH, value=self.path)
        TeamRule.objects.create(team=made, kind=RuleKind.GROUP, value=self.group.name)
        return made

    @property
    def path(self) -> str:
        """Where its people lie."""
        return f"/payments-{self.mark}/"

    @cached_property
    def group(self) -> Entity:
        """In AWS and in the mirror."""
        return make_group(self.scene.aws, self.scene.account, f"payments-dev-{self.mark}")

    @cached_property
    def lead(self) -> Viewer:
        """Who leads it."""
        person = factories.person("Elif Kaya", email=f"elif-{self.mark}@example.com")
        factories.assign(person, Role.TEAM_LEAD, team=self.team)
        return viewer_for(person)

    def body(self, **fields: Any) -> BlueprintBody:
        """What its people get."""
        defaults: dict[str, Any] = {
            "accounts": (self.scene.account.account_id,),
            "path": self.path,
            "groups": (self.group.name,),
            "tags": {"Team": "payments"},
        }
        return BlueprintBody(**defaults | fields)

    def blueprint(
        self, *, actor: Viewer | None = None, name: str = "Developers", **fields: Any
    ) -> BlueprintVersion:
        """Written by its lead."""
        self.team  # noqa: B018
        allows_own_passwords(self.scene.account)
        return create_blueprint(actor or self.lead, team=self.team, name=name, body=self.body(**fields))

    def staged(
        self, text: str, *, version: BlueprintVersion | None = None, actor: Viewer | None = None
    ) -> OnboardingRun:
        """A draft from a file."""
        version = version or self.blueprint(name=f"Developers {next(_numbers)}")
        return stage(
            actor or self.lead, version=version, rows=read_sheet(text.encode()), source="joiners.csv"
        )

    def asked(self, text: str, **fields: Any) -> OnboardingRun:
        """Asked for by the lead."""
        run = self.staged(text, **fields)
        return services.request_run(self.lead, run=run, reason="They begin on Monday")

    @property
    def two(self) -> str:
        """A file of two people; the stand-in is shared, so that each test has others."""
        return sheet(
            f"Yuki Tanaka{self.mark},yuki-{self.mark}@example.com,,",
            f"Bo O'Brien{self.mark},bo-{self.mark}@example.com,,",
        )

    @property
    def yuki(self) -> str:
        """The user name of the first."""
        return f"yuki.tanaka{self.mark}"

    @property
    def bo(self) -> str:
        """The user name of the second."""
        return f"bo.obrien{self.mark}"

    def approve(self, run: OnboardingRun) -> OnboardingRun:
        """Two approvers agree, where two are asked for."""
        other = factories.viewer(
            Role.APPROVER, name="Jonas Berg", email=f"jonas-{next(_numbers)}@example.com"
        )
        for group in sets_of(run):
            for person in (self.scene.approver, other):
                first = group.changes.order_by("position")[0]
                if first.state == "awaiting_approval":
                    approve(first, actor=person, seen_digest=group.receipt_digest)
        run.refresh_from_db()
        return run

    def work(self, run: OnboardingRun) -> OnboardingRun:
        """Workers do all that is due."""
        for _ in range(60):
            due_ids = list(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
            if not due_ids:
                break
            for pk in due_ids:
                with self.committing(execute=True):
                    carry_out(pk)
        run.refresh_from_db()
        return run

    def aws(self, operation: str, **params: Any) -> dict[str, Any]:
        """What AWS itself says."""
        return dict(writes.call(self.scene.aws, "iam", operation, params).response)

    def changes(self, run: OnboardingRun) -> list[Change]:
        """All of it, in order."""
        return list(Change.objects.filter(change_set__in=sets_of(run)).order_by("position"))


@pytest.fixture
def squad(scene: Scene, django_capture_on_commit_callbacks: Any) -> Squad:
    """See Squad."""
    return Squad(scene, django_capture_on_commit_callbacks)


def sheet(*rows: str) -> str:
    """A file with these rows."""
    return "\n".join(["Name,E-mail,User name,Until", *rows]) + "\n"


def template() -> FilledTemplate:
    """A template that has one parameter, filled in."""
    for template_version in TemplateVersion.objects.order_by("pk"):
        body = template_version.body
        if len(body.parameters) == 1 and len(json.dumps(body.json)) < 2500:
            return FilledTemplate(
                template_version.template.slug,
                template_version.number,
                {body.parameters[0].name: body.parameters[0].sample},
            )
    raise AssertionError("no template has one parameter")
