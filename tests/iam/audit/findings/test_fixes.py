"""Fixes that are requests: which kinds have one, and that it closes the finding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.directory.models import Role
from iam.mirror.models import Account, Entity, EntityState, Kind, UserCredentials
from tests import factories

pytestmark = pytest.mark.django_db
LONG_AGO = datetime.now(tz=UTC) - timedelta(days=200)


@pytest.fixture
def account() -> Account:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    return account


def key_of(user: Entity, key_id: str) -> Entity:
    key = factories.entity(
        user.account, Kind.ACCESS_KEY, key_id, category="Active", created_at=LONG_AGO, arn=""
    )
    Entity.objects.filter(pk=key.pk).update(owner=user, aws_id=key_id)
    return key


def look(account: Account, kind: str) -> AuditFinding:
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1)
    account.refresh_from_db()
    calculate(account)
    return AuditFinding.objects.get(kind=kind)


def request_of(finding: AuditFinding, label: str) -> str:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = client.get(reverse("findings:finding", args=[finding.pk])).content.decode()
    assert label in page
    start = page.index(reverse("changes:credential"))
    address = page[start : page.index('"', start)].replace("&amp;", "&")
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_key_that_is_not_needed_is_deactivated_by_a_request(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"active_keys": 1, "has_password": False})
    key = key_of(user, "AKIA0000000000000001")
    finding = look(account, "key-never-used")
    assert finding.fix["action"] == "access_key.deactivate"
    assert finding.fix["on"] == key.pk
    assert "AKIA0000000000000001" in request_of(finding, "Deactivate key")
    EntityState.objects.filter(entity=key).update(category="Inactive")
    UserCredentials.objects.filter(user=user).update(active_keys=0)
    assert look(account, "key-never-used").status == FindingStatus.FIXED


def test_several_keys_begin_on_the_page_of_credentials(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"active_keys": 2, "has_password": False})
    key_of(user, "AKIA0000000000000001")
    key_of(user, "AKIA0000000000000002")
    finding = look(account, "key-never-used")
    assert (finding.fix["page"], finding.fix["on"]) == ("credentials", user.pk)


def test_a_password_that_is_not_used_is_removed_by_a_request(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"password_changed_at": LONG_AGO})
    finding = look(account, "password-unused-90-days")
    assert finding.fix["action"] == "login_profile.delete"
    assert "console password" in request_of(finding, "Remove password").lower()
    UserCredentials.objects.filter(user=user).update(has_password=False)
    assert look(account, "password-unused-90-days").status == FindingStatus.FIXED
