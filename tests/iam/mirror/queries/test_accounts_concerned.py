"""What was not synced counts as unknown for those whom it concerns: not for a team that has no one there."""

import pytest

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Account, EdgeKind
from iam.mirror.pull.sections import ALL
from iam.mirror.queries.lists.context import ListViewpoint
from iam.mirror.queries.lists.freshness import unsynced_sections
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def new() -> Account:
    """An account that was never synced, beside one that was."""
    account = factories.account("222222222222", name="new")
    factories.synced(account, but=tuple(ALL))
    return account


def lead_of(**rule: str) -> ListViewpoint:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev", **rule)
    person = factories.person("Elif Kaya")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return ListViewpoint(viewer_for(person))


def synced_team() -> None:
    account = factories.account()
    factories.synced(account)
    group = factories.group(account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "maya"), group)


def test_a_new_account_in_which_the_team_has_no_one_makes_nothing_unknown(new: Account) -> None:
    synced_team()
    assert unsynced_sections(lead_of()) == set()
    assert "users" in unsynced_sections(ListViewpoint(factories.viewer(Role.ADMINISTRATOR)))


def test_an_account_that_the_rule_names_concerns_the_team(new: Account) -> None:
    synced_team()
    assert "users" in unsynced_sections(lead_of(account_id=new.account_id))


def test_an_account_with_someone_of_the_team_concerns_it(new: Account) -> None:
    synced_team()
    group = factories.group(new, "payments-dev")
    factories.edge(EdgeKind.MEMBER, factories.user(new, "yuki"), group)
    assert "users" in unsynced_sections(lead_of())


def test_where_nobody_of_the_team_is_known_everything_unsynced_is_unknown(new: Account) -> None:
    assert "users" in unsynced_sections(lead_of())
