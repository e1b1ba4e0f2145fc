"""Findings are kept: opened, fixed, opened again, left alone where nothing was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.audit.findings.calculation import calculate, computed_of, is_due
from iam.audit.findings.models import AuditFinding, FindingEvent, FindingRun, FindingStatus
from iam.audit.findings.rules import all_rules
from iam.mirror.models import Account, Entity, Section, SectionState, UserCredentials
from tests import factories

pytestmark = pytest.mark.django_db
KIND = "password-without-mfa"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def user(account: Account) -> Entity:
    return factories.user(account, "tomas", credentials={"mfa": "none"})


def written(account: Account) -> None:
    """Something was written to the mirror."""
    account.writes += 1
    Account.objects.filter(pk=account.pk).update(writes=account.writes)


def look(account: Account) -> AuditFinding:
    """Calculate, and give the finding."""
    written(account)
    assert calculate(account)
    return AuditFinding.objects.get(account=account, kind=KIND)


def history(finding: AuditFinding) -> list[str]:
    return list(FindingEvent.objects.filter(finding=finding).order_by("at").values_list("kind", flat=True))


def set_mfa(user: Entity, mfa: str) -> None:
    UserCredentials.objects.filter(user=user).update(mfa=mfa)


def test_a_finding_is_opened_fixed_and_opened_again(account: Account, user: Entity) -> None:
    finding = look(account)
    assert (finding.status, finding.subject, finding.entity) == (FindingStatus.OPEN, user.arn, user)
    first_seen, seen_at = finding.first_seen, finding.seen_at
    set_mfa(user, "virtual")
    finding = look(account)
    assert (finding.status, finding.seen_at) == (FindingStatus.FIXED, seen_at)
    assert finding.closed_at is not None
    set_mfa(user, "none")
    finding = look(account)
    assert (finding.status, finding.closed_at, finding.first_seen) == (FindingStatus.OPEN, None, first_seen)
    assert history(finding) == ["opened", "fixed", "reopened"]


def test_what_was_not_read_is_neither_fixed_nor_opened(account: Account, user: Entity) -> None:
    finding = look(account)
    Section.objects.filter(account=account, name="users").update(state=SectionState.DENIED)
    set_mfa(user, "virtual")
    factories.user(account, "kwame", credentials={"mfa": "none"})
    finding = look(account)
    assert finding.status == FindingStatus.OPEN
    assert finding.unread_since is not None
    assert history(finding) == ["opened"]
    Section.objects.filter(account=account, name="users").update(state=SectionState.COMPLETE)
    written(account)
    assert calculate(account)
    finding = AuditFinding.objects.get(pk=finding.pk)
    assert (finding.status, finding.unread_since) == (FindingStatus.FIXED, None)


def test_a_subject_that_was_not_read_keeps_its_finding(account: Account, user: Entity) -> None:
    look(account)
    set_mfa(user, "unread")
    finding = look(account)
    assert finding.status == FindingStatus.OPEN
    assert finding.unread_since is not None


def test_a_user_who_was_created_again_is_another_finding(account: Account, user: Entity) -> None:
    before = look(account)
    now = datetime.now(tz=UTC)
    user.states.update(valid_to=now)
    UserCredentials.objects.filter(user=user).update(valid_to=now)
    user.gone_at = now
    user.save()
    factories.user(account, "tomas", credentials={"mfa": "none"})
    written(account)
    assert calculate(account)
    findings = AuditFinding.objects.filter(kind=KIND).order_by("pk")
    assert [finding.status for finding in findings] == [FindingStatus.FIXED, FindingStatus.OPEN]
    assert findings[0].key == before.key


def test_nothing_is_calculated_while_nothing_was_written(account: Account, user: Entity) -> None:
    assert is_due(account)
    look(account)
    assert not is_due(account)
    assert not calculate(account)


def test_twice_changes_nothing(account: Account, user: Entity) -> None:
    before = look(account)
    seen_at = before.seen_at
    again = look(account)
    assert (again.changed_at, again.first_seen) == (before.changed_at, before.first_seen)
    assert again.seen_at > seen_at
    assert history(again) == ["opened"]


def test_another_process_that_is_at_it_is_left_alone_until_its_lease_ends(
    account: Account, user: Entity
) -> None:
    now = datetime.now(tz=UTC)
    FindingRun.objects.create(account=account, lease="other", lease_until=now + timedelta(minutes=1))
    assert not calculate(account)
    FindingRun.objects.update(lease_until=now - timedelta(minutes=1))
    assert calculate(account)


def test_findings_of_one_account_leave_another_alone(account: Account, user: Entity) -> None:
    other = factories.account("222222222222", name="staging")
    factories.synced(other)
    look(account)
    assert calculate(other)
    assert AuditFinding.objects.get(kind=KIND).account == account


def test_a_past_moment_uses_the_same_rules(account: Account, user: Entity) -> None:
    then = factories.FIRST_READ + timedelta(days=1)
    credentials = UserCredentials.objects.get(user=user)
    factories.becomes(credentials, at=then + timedelta(days=1), mfa="virtual")
    kinds = {finding.kind for finding in computed_of(account, at=then).findings.values()}
    assert KIND in kinds
    now = computed_of(account)
    assert KIND not in {finding.kind for finding in now.findings.values()}


def test_last_use_has_no_past(account: Account) -> None:
    assert "role-unused-90-days" in computed_of(account, at=datetime.now(tz=UTC)).unread
    assert "role-unused-90-days" not in computed_of(account).unread


def test_of_an_account_of_which_nothing_was_read_every_kind_is_unknown() -> None:
    """Not one is held to be fine: the posture score would count it as passed."""
    unsynced = factories.account("999999999999")
    for at in (None, factories.FIRST_READ - timedelta(days=9)):
        computed = computed_of(unsynced, at=at)
        assert not computed.findings
        assert computed.unread == all_rules().keys()


def test_the_number_of_queries_does_not_grow(account: Account, django_assert_max_num_queries) -> None:
    with factories.at_once():
        for number in range(60):
            factories.user(account, f"user-{number}", credentials={"mfa": "none"})
            factories.role(account, f"role-{number}")
    # SQLite stores 249 findings and their events in eleven statements, by their number of columns.
    with django_assert_max_num_queries(61):
        calculate(account)
    assert AuditFinding.objects.filter(kind=KIND).count() == 60
