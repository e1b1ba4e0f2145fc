"""People who chose it are told of new critical and high findings, once for each calculation."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.assertions.checks import check_due
from iam.audit.findings import calculation
from iam.audit.findings.calculation import calculate_due
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.notices import tell_new_findings
from iam.directory.models import Person, Role, Team
from iam.mirror.models import Account
from iam.notify.events import NotifyEvent
from iam.notify.models import MessageChannel, OutgoingMessage, Preference
from tests import factories
from tests.iam.audit.assertions.test_checks import assertion_of, give

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def account(settings: Any) -> Account:
    settings.MAIL_IS_CONFIGURED = True
    account = factories.account()
    factories.synced(account)
    return account


def someone(role: Role, name: str, *, wants: bool = True, **fields: Any) -> Person:
    person: Person = factories.operator(role, name=name, **fields).person
    if wants:
        Preference.objects.create(
            person_id=person.pk, event=NotifyEvent.FINDINGS, channel=MessageChannel.EMAIL, is_wanted=True
        )
    return person


def messages() -> list[OutgoingMessage]:
    return list(OutgoingMessage.objects.filter(event=NotifyEvent.FINDINGS).order_by("created_at", "pk"))


def written(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1)
    account.refresh_from_db()


def test_the_first_calculation_is_one_summary(account: Account) -> None:
    reader = someone(Role.AUDITOR, "Amara Diallo")
    with factories.at_once():
        for number in range(60):
            factories.user(account, f"user-{number}", credentials={"mfa": "none"})
    calculate_due([account])
    (message,) = messages()
    assert message.recipient == str(reader.pk)
    assert message.subject.startswith("Findings of production: 6")
    assert "first time" in message.text
    assert "user-1" not in message.text
    assert message.path == f"/findings/?account={account.account_id}"


def test_later_ones_are_named_and_told_of_once(account: Account) -> None:
    someone(Role.AUDITOR, "Amara Diallo")
    factories.user(account, "old", credentials={"mfa": "none"})
    calculate_due([account])
    tomas = factories.user(account, "tomas", credentials={"mfa": "none"})
    factories.person("Tomas Lind", arns=(tomas.arn,))
    written(account)
    calculate_due([account])
    _, second = messages()
    assert "Console password without MFA: tomas, owner: Tomas Lind\n" in f"{second.text}\n"
    assert "old" not in second.text
    assert tell_new_findings(account) == 0
    written(account)
    calculate_due([account])
    assert len(messages()) == 2


def test_a_worker_that_is_killed_before_it_tells_loses_no_message(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone(Role.AUDITOR, "Amara Diallo")
    factories.user(account, "old", credentials={"mfa": "none"})
    calculate_due([account])
    factories.user(account, "tomas", credentials={"mfa": "none"})
    written(account)

    def killed(account: Account) -> int:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(calculation, "tell_new_findings", killed)
        with pytest.raises(SystemExit):
            calculate_due([account])
    assert len(messages()) == 1
    factories.user(account, "jonas", credentials={"mfa": "none"})
    written(account)
    with monkeypatch.context() as patch:
        patch.setattr(calculation, "tell_new_findings", killed)
        with pytest.raises(SystemExit):
            calculate_due([account])

    calculate_due([account])
    _, second = messages()
    assert "tomas" in second.text
    assert "jonas" in second.text
    calculate_due([account])
    assert len(messages()) == 2


def test_medium_and_low_ones_tell_nobody(account: Account) -> None:
    someone(Role.AUDITOR, "Amara Diallo")
    calculate_due([account])
    before = len(messages())
    factories.group(account, "empty")
    written(account)
    calculate_due([account])
    assert AuditFinding.objects.filter(kind="group-without-users").exists()
    assert len(messages()) == before


@pytest.mark.parametrize(
    ("role", "wants", "is_told"),
    [
        (Role.ADMINISTRATOR, True, True),
        (Role.APPROVER, True, True),
        (Role.AUDITOR, True, True),
        (Role.AUDITOR, False, False),
        (Role.TEAM_LEAD, True, False),
        (Role.MEMBER, True, False),
    ],
)
def test_only_who_may_read_it_and_chose_it_is_told(
    role: Role, wants: bool, is_told: bool, account: Account
) -> None:
    team = Team.objects.create(name="Payments", slug="payments") if role is Role.TEAM_LEAD else None
    someone(role, "Some One", wants=wants, team=team)
    factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate_due([account])
    assert bool(messages()) is is_told


def test_a_broken_assertion_is_told_of(account: Account) -> None:
    someone(Role.AUDITOR, "Amara Diallo")
    calculate_due([account])
    assertion_of(name="Only BreakGlass creates users")
    give(factories.user(account, "tomas", credentials={"mfa": "security-key"}))
    check_due()
    account.refresh_from_db()
    calculate_due([account])
    assert any("Broken assertion: Only BreakGlass creates users" in message.text for message in messages())
