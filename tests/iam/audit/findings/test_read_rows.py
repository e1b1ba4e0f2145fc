"""Rows are what the ORM gives, and what was read before is converted and digested no second time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import F
from django.db.models.fields import json as json_fields

from iam.audit.findings import calculation, identity, read_rows
from iam.audit.findings.calculation import calculate
from iam.audit.findings.read_rows import rows_read
from iam.mirror.models import NEVER, Account, Edge, EntityState, TagSet, Usage, UserCredentials
from tests import factories
from tests.iam.audit.findings.test_owners import tag
from tests.work import calls_of

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def users(account: Account, count: int) -> None:
    with factories.at_once():
        for number in range(count):
            report = {
                "access_key_1_active": True,
                "access_key_1_last_rotated": f"2026-01-05T09:00:{number:02}Z",
            }
            credentials = {"mfa": "none", "active_keys": 1, "report": report}
            factories.user(account, f"user-{number}", credentials=credentials)


@pytest.mark.parametrize("model", [EntityState, UserCredentials, TagSet, Usage, Edge])
def test_rows_are_those_of_the_orm(model: Any) -> None:
    account = factories.account()
    tag(factories.user(account, "maya", credentials={"has_password": None}), {"Team": "Zahlungen “ß”"})
    users(account, 3)
    names = [field.attname for field in model._meta.concrete_fields]
    rows = model.objects.order_by("pk").values_list(*names)
    for _ in range(2):
        assert rows_read(rows) == list(rows)
    assert rows_read(model.objects.none().values_list("pk")) == []
    assert rows_read(model.objects.filter(pk=0).values_list("pk")) == []


def test_times_are_those_of_the_orm() -> None:
    account = factories.account()
    moments = [
        None,
        NEVER,
        datetime(2026, 1, 5, 9, 0, 7, tzinfo=UTC),
        datetime(2026, 1, 5, 9, 0, 7, 120_000, tzinfo=UTC),
        datetime(2026, 7, 5, 9, 0, 7, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]
    for number, moment in enumerate(moments):
        factories.user(account, f"user-{number}", created_at=moment)
    rows = EntityState.objects.order_by("pk").values_list("created_at", "entity__usage__last_used_at", "name")
    read_rows.forget()
    for _ in range(2):
        times = [row[0] for row in rows_read(rows)]
        assert times == moments
        assert repr(times) == repr(list(rows.values_list("created_at", flat=True)))
        assert rows_read(rows) == list(rows)


def test_a_calculation_after_one_change_converts_and_digests_what_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = factories.account()
    factories.synced(account)
    users(account, 40)
    read_rows.forget()
    first = calls_of(lambda: calculate(Account.objects.get()))
    counted = {"loads": 0, "stamps": 0}
    loads, stamp = json_fields.json.loads, identity._stamp

    def counting(name: str, step: Any) -> Any:
        def count(*arguments: Any, **named: Any) -> Any:
            counted[name] += 1
            return step(*arguments, **named)

        return count

    monkeypatch.setattr(json_fields.json, "loads", counting("loads", loads))
    monkeypatch.setattr(identity, "_stamp", counting("stamps", stamp))
    user = UserCredentials.objects.order_by("pk")[0]
    UserCredentials.objects.filter(pk=user.pk).update(mfa="virtual", has_password=False)
    Account.objects.update(writes=F("writes") + 1)
    second = calls_of(lambda: calculation.calculate(Account.objects.get()))
    assert 0 < counted["stamps"] < 10
    assert counted["loads"] < 40
    assert second < first / 2
