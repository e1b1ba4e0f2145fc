"""What needs attention comes first, and each role is offered what it mostly comes for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.dashboard.waiting_counts import DRIFT, WaitingCounts
from iam.access.escalation_calculation.calculation import calculate_due
from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, AccountFact
from iam.mirror.pull.revisions import note_write
from tests import factories
from tests.console.dashboard.test_overview import _client, _text
from tests.iam.linking.test_ownership import tagged

pytestmark = pytest.mark.django_db


def _escalating() -> Account:
    """An account in which one user can become administrator, one root user has no MFA, and one has a key."""
    account = factories.account()
    factories.inline(factories.user(account, "maya"), "tune", body=ALLOW_POLICIES)
    AccountFact.objects.create(
        account=account,
        name="summary",
        value={"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    note_write(account.pk)
    return account


ALLOW_POLICIES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}],
}
MATTER = re.compile(
    r'<a href="([^"]*)"><strong>([^<]+)</strong></a>.*?<span class="(?:count|badge)"[^>]*>([^<]+)<', re.DOTALL
)


def _matters(page: str) -> dict[str, tuple[str, str]]:
    """Title → (address, number), in order."""
    listed = page.partition('<ul class="list" id="matters">')[2].partition("</ul>")[0] or page
    return {title: (address, number) for address, title, number in MATTER.findall(listed)}


def test_what_is_worst_comes_first_and_leads_to_the_same_number() -> None:
    _escalating()
    client = _client(Role.ADMINISTRATOR)
    matters = _matters(_text(client))
    assert list(matters)[:3] == [
        "Can become administrator",
        "Root users without MFA",
        "Root users with access keys",
    ]
    assert matters["Root users without MFA"] == ("/mfa/roots/", "1")
    for address, _ in matters.values():
        assert client.get(address).status_code == 200, address


def test_what_was_not_worked_out_is_unknown_and_loaded() -> None:
    _escalating()
    client = _client(Role.ADMINISTRATOR)
    page = _text(client)
    assert _matters(page)["Can become administrator"][1] == "Unknown"
    assert 'hx-get="/overview/escalation/"' in page
    assert _matters(_text(client, "/overview/escalation/"))["Can become administrator"][1] == "Unknown"
    calculate_due()
    worked_out = _text(client, "/overview/escalation/")
    assert _matters(worked_out)["Can become administrator"] == ("/escalation/", "1")
    assert _matters(_text(client))["Can become administrator"][1] == "1"
    assert "1 IAM user" in worked_out
    assert "can become administrator" in _text(client, "/escalation/")


def test_a_root_user_that_was_not_synced_is_neither_safe_nor_unsafe() -> None:
    factories.user(factories.account(), "maya")
    matters = _matters(_text(_client(Role.ADMINISTRATOR)))
    assert matters["Root users whose MFA is unknown"][1] == "Unknown"
    assert "Root users without MFA" not in matters


def test_an_auditor_is_offered_evidence_and_nothing_that_changes_anything() -> None:
    factories.user(factories.account(), "maya")
    client = _client(Role.AUDITOR)
    page = _text(client)
    main = page.partition("<main")[2]
    for address in ("/audit/journal/", "/changes/", "/leaving/", "/operators/", "/changes/rules/"):
        assert f'href="{address}"' in main
        assert client.get(address).status_code == 200
    assert "not verified yet" in main
    for address in ("/grants/new/", "/leaving/new/", "/moving/new/"):
        assert address not in page
    assert 'method="post"' not in main


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (Role.ADMINISTRATOR, ["Grant access", "Onboard", "Who can …"]),
        (Role.APPROVER, ["Grant access", "Onboard", "Who can …"]),
        (Role.AUDITOR, ["Who can …"]),
        (Role.TEAM_LEAD, ["Onboard", "Offboard", "Change team", "Grant access"]),
    ],
)
def test_each_role_is_offered_what_it_mostly_comes_for(role: Role, actions: list[str]) -> None:
    factories.user(factories.account(), "maya")
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    client = _client(role, **({"team": team} if role is Role.TEAM_LEAD else {}))
    head = _text(client).partition('<header class="page-head">')[2].partition("</header>")[0]
    matches = re.findall(r'<a class="btn[^"]*" href="([^"]+)">.*?</svg>([^<]+)</a>', head, re.DOTALL)
    assert [label for _, label in matches] == actions
    for address, label in matches:
        assert client.get(address, follow=True).status_code == 200, label


def test_the_first_steps_are_shown_until_all_are_done() -> None:
    client = _client(Role.ADMINISTRATOR)
    assert "First steps" in _text(client)
    account = factories.account()
    user = factories.user(account, "maya")
    page = _text(client)
    assert "Connect an AWS account<span" in page
    assert 'href="/operators/set-up/">Appoint two approvers' in page
    for name in ("Hana Sato", "Otto Weber"):
        factories.operator(Role.APPROVER, name=name)
    Account.objects.update(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    assert 'href="/people/links/">Match IAM users to people' in _text(client)
    factories.person("Maya Okafor", email="maya@example.com")
    tagged(user, email="maya@example.com")
    refresh_links(whole=True)
    assert 'href="/people/links/review/">Match IAM users to people' in _text(client)
    Identity.objects.create(person=Person.objects.get(name="Maya Okafor"), user_arn=user.arn)
    assert "First steps" not in _text(client)


def test_sample_data_is_called_so(settings: Any) -> None:
    factories.user(factories.account(), "maya")
    client = _client(Role.ADMINISTRATOR)
    assert "You see sample data" not in _text(client)
    settings.SAMPLE_DATA = True
    assert "You see sample data" in _text(client)


@pytest.mark.parametrize(("role", "decides"), [(Role.ADMINISTRATOR, True), (Role.AUDITOR, False)])
def test_only_who_can_decide_on_drift_is_told_to(role: Role, decides: bool, monkeypatch: Any) -> None:
    factories.user(factories.account(), "maya")
    waiting = WaitingCounts((), {DRIFT: 1})
    monkeypatch.setattr("console.dashboard.overview.waiting", lambda viewer, account=None: waiting)
    client = _client(role)
    assert ("undo the rest" in _text(client)) is decides
    assert ("undo the rest" in client.get("/changes/drift/").content.decode()) is decides
