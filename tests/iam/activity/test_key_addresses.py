"""From where access keys and EC2 instances called, and which keys called from the address of an instance."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from iam.activity.key_addresses import (
    CallingInstance,
    calling_instances,
    is_outside_private_networks,
    key_addresses,
)
from iam.activity.models import AddressDay
from iam.activity.retention import forget
from iam.mirror.models import Account, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
KEY, NODE = "AKIAEXAMPLEONE", "i-0a1b2c3d4e5f60718"
ADDRESS, OTHER = "198.51.100.24", "198.51.100.25"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return factories.account()


def at(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def by_key(user: Entity, day: int, *, address: str = ADDRESS, key: str = KEY, **more: Any) -> None:
    happened(identity_of(user, accessKeyId=key), at=at(day), sourceIPAddress=address, **more)


def by_instance(role: Entity, day: int, *, node: str = NODE, address: str = ADDRESS, **context: Any) -> None:
    context = context or {"ec2RoleDelivery": "2.0"}
    happened(session_of(role, node, **context), at=at(day), sourceIPAddress=address)


def stored() -> set[tuple[str, str, int, int]]:
    rows = AddressDay.objects.values_list("credential", "address", "day", "calls")
    return {(credential, address, day.day, calls) for credential, address, day, calls in rows}


def test_a_day_of_each_key_and_instance_is_kept(account: Account) -> None:
    user, role = factories.user(account, "robot"), factories.role(account, "app")
    by_key(user, 20, times=2)
    by_key(user, 20, times=3)
    by_key(user, 21, address=OTHER)
    by_instance(role, 20)
    assert stored() == {(KEY, ADDRESS, 20, 5), (KEY, OTHER, 21, 1), (NODE, ADDRESS, 20, 1)}


def test_sessions_of_users_other_roles_and_calls_of_aws_services_are_left_out(account: Account) -> None:
    user, role = factories.user(account, "robot"), factories.role(account, "app")
    by_key(user, 20, key="ASIAEXAMPLEONE")
    by_key(user, 20, address="cloudformation.amazonaws.com")
    by_key(user, 20, address="AWS Internal")
    by_instance(role, 20, node="build-17")
    by_instance(role, 20, attributes={})
    assert stored() == set()


def test_what_is_older_is_forgotten(account: Account) -> None:
    user = factories.user(account, "robot")
    by_key(user, 3)
    by_key(user, 20)
    forget(datetime(2026, 1, 15, tzinfo=UTC))
    assert stored() == {(KEY, ADDRESS, 20, 1)}


def test_a_key_is_found_by_an_instance_on_the_same_day_or_by_an_address(account: Account) -> None:
    user, role = factories.user(account, "robot"), factories.role(account, "app")
    by_key(user, 12)
    by_key(user, 20, times=4)
    by_key(user, 21, address=OTHER)
    assert key_addresses(account.account_id, (), since=SINCE) == []
    by_instance(role, 19)
    assert key_addresses(account.account_id, (), since=SINCE) == [], "another day"
    by_instance(role, 20)
    (place,) = key_addresses(account.account_id, (), since=SINCE)
    assert place == (user.aws_id, KEY, ADDRESS, 4, at(20), at(20))
    own = key_addresses(account.account_id, {ADDRESS, OTHER}, since=SINCE)
    assert [(place.address, place.calls) for place in own] == [(ADDRESS, 5), (OTHER, 1)]
    assert key_addresses("999999999999", {ADDRESS}, since=SINCE) == []
    assert key_addresses(account.account_id, {ADDRESS}, since=at(22)) == []


def test_the_instances_of_an_address_come_with_the_account_of_their_role(account: Account) -> None:
    other = factories.account("222222222222")
    by_instance(factories.role(account, "app"), 20)
    by_instance(factories.role(account, "app"), 21)
    by_instance(factories.role(other, "app"), 20, node="i-0b")
    found = calling_instances([ADDRESS, OTHER], since=SINCE)
    assert found == {
        ADDRESS: {CallingInstance(NODE, account.account_id), CallingInstance("i-0b", other.account_id)}
    }


def test_the_migration_fills_the_table_from_the_events(account: Account) -> None:
    """As storing does, also of what is left out."""
    user, role = factories.user(account, "robot"), factories.role(account, "app")
    by_key(user, 20, times=2)
    by_key(user, 21, address="2001:db8::7")
    by_key(user, 20, address="cloudformation.amazonaws.com")
    by_key(user, 20, key="ASIAEXAMPLEONE")
    by_instance(role, 20)
    columns = ("caller_id", "credential", "address", "day", "calls", "first_at", "last_at")
    kept = sorted(AddressDay.objects.values_list(*columns))
    AddressDay.objects.all().delete()
    migration = import_module("iam.activity.migrations.0005_address_days")
    migration.note_earlier_events(apps, SimpleNamespace(connection=connection))
    assert sorted(AddressDay.objects.values_list(*columns)) == kept
    assert len(kept) == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("198.51.100.24", True),
        ("10.1.2.3", False),
        ("172.31.0.9", False),
        ("100.64.0.1", False),
        ("2001:db8::7", True),
        ("fd00::1", False),
    ],
)
def test_private_addresses_are_told_apart(address: str, *, expected: bool) -> None:
    assert is_outside_private_networks(address) is expected
