"""The sample blueprints and the sample run: each names what the organisation has, and people are onboarded
once, when the account is read.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.demo import onboarding
from console.demo.organisation.build import northline
from console.demo.organisation.people import ACCOUNT_IDS
from iam.changes.models import Approval, Change
from iam.changes.states import RUN_CHANGE
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account
from iam.people.blueprints.models import BlueprintVersion
from iam.people.onboarding.models import OnboardingRun
from tests import factories as make
from tests.queue import catch

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who acts, the team of the lead, and the accounts, unread."""
    catch(monkeypatch, RUN_CHANGE, lambda *_, **__: True)
    for login in (onboarding.ASKER, *onboarding.APPROVERS):
        role = Role.ADMINISTRATOR if login == onboarding.ASKER else Role.APPROVER
        make.assign(make.person(login, email=f"{login}@northline.example"), role)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/payments/")
    for name in ("production", "staging", "data"):
        number = ACCOUNT_IDS[name]
        make.account(number, name=name, write_role_arn=f"arn:aws:iam::{number}:role/gatehouse-writer")
    onboarding.write_blueprints()


def test_every_blueprint_names_groups_and_boundaries_that_the_organisation_has(organisation: None) -> None:
    accounts = {account.id: account for account in northline().accounts}
    bodies = [blueprint_version.body for blueprint_version in BlueprintVersion.objects.all()]
    assert len(bodies) == len(onboarding.BLUEPRINTS) >= 3
    for body in bodies:
        for number in body.accounts:
            assert set(body.groups) <= {group.name for group in accounts[number].groups}
            assert body.boundary in {"", *(policy.name for policy in accounts[number].policies)}


def test_people_are_onboarded_once_when_their_account_was_read(organisation: None) -> None:
    assert onboarding.run_sample() == 0
    make.group(Account.objects.get(name="data"), "analysts")

    assert onboarding.run_sample() == len(onboarding.PEOPLE)
    assert set(Change.objects.values_list("state", flat=True)) == {"queued"}
    assert not Approval.objects.filter(approver_id=OnboardingRun.objects.get().requested_by).exists()
    with CaptureQueriesContext(connection) as queries:
        assert onboarding.run_sample() == 0
    # The task runs every minute for as long as the console does.
    assert len(queries) == 1
    assert OnboardingRun.objects.count() == 1
