"""What the database itself holds of the directory, on SQLite as on PostgreSQL."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from iam.directory.models import Role, RoleAssignment, Team
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def test_a_role_is_held_once_per_account_and_team() -> None:
    someone = factories.person()
    team = Team.objects.create(slug="payments", name="Payments")
    for fields in ({"role": Role.AUDITOR, "account_id": ""}, {"role": Role.TEAM_LEAD, "team": team}):
        RoleAssignment.objects.create(person=someone, **fields)
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleAssignment.objects.create(person=someone, **fields)
    RoleAssignment.objects.create(person=someone, role=Role.AUDITOR, account_id="111111111111")


@pytest.mark.parametrize("role", list(Role))
def test_team_leads_have_a_team_and_nobody_else(role: Role) -> None:
    someone = factories.person()
    team = Team.objects.create(slug="payments", name="Payments")
    wrong = None if role is Role.TEAM_LEAD else team
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(person=someone, role=role, team=wrong)
