"""Accounts are connected once, known again with their history, changed and disconnected; each act is in the
journal.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.accounts.disconnect import disconnect_account
from iam.mirror.accounts.prepare import discard_draft, prepare_connection, update_draft
from iam.mirror.accounts.read_all import read_all
from iam.mirror.accounts.update import update_account
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account, ConnectionDraft, Entity, Pull
from iam.mirror.models.accounts import AccountSource, PullState
from iam.mirror.services import request_pull
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NUMBER = "910277403318"


def by_role(number: str = NUMBER, **fields: Any) -> AccountConnection:
    defaults: dict[str, Any] = {
        "source": AccountSource.ROLE,
        "role_arn": f"arn:aws:iam::{number}:role/gatehouse-reader",
        "external_id": "gh-4e07b81c2d95",
    }
    return AccountConnection(number, "prod-payments", **defaults | fields)


def test_an_account_is_connected_by_its_role() -> None:
    account = connect_account(by_role(), actor=factories.viewer())
    assert (account.source, account.role_arn, account.write_role_arn) == (
        "role",
        "arn:aws:iam::910277403318:role/gatehouse-reader",
        "",
    )
    assert not account.is_writable
    entry = Entry.objects.get(kind="account.connect")
    assert (entry.account_id, entry.actor_label, entry.subject) == (NUMBER, "Ines Duarte", "prod-payments")
    assert entry.data["role"].endswith("gatehouse-reader")
    assert "gh-4e07b81c2d95" not in entry.data_json


def test_a_second_role_makes_it_writable() -> None:
    write = f"arn:aws:iam::{NUMBER}:role/gatehouse-writer"
    assert connect_account(by_role(write_role_arn=write), actor=COMMAND_LINE).is_writable


def test_the_role_that_reads_is_never_the_one_that_writes() -> None:
    same = f"arn:aws:iam::{NUMBER}:role/gatehouse-reader"
    with pytest.raises(SetupError, match="second role") as caught:
        connect_account(by_role(write_role_arn=same), actor=COMMAND_LINE)
    assert caught.value.field == "write_role_arn"
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role_arn": "arn:aws:iam::111111111111:role/x"}, "role_arn"),
        ({"role_arn": ""}, "role_arn"),
        ({"external_id": ""}, "external_id"),
        ({"partition": "aws-cn"}, "role_arn"),
        ({"partition": "mars"}, "partition"),
        ({"write_role_arn": "arn:aws:iam::111111111111:role/x"}, "write_role_arn"),
        ({"source": AccountSource.EXPORT}, ""),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(SetupError) as caught:
        connect_account(by_role(**fields), actor=COMMAND_LINE)
    assert caught.value.field == field
    assert not Account.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_partition_can_be_connected(partition: str) -> None:
    connection = by_role(partition=partition, role_arn=f"arn:{partition}:iam::{NUMBER}:role/reader")
    assert connect_account(connection, actor=COMMAND_LINE).partition == partition


def test_an_account_is_connected_once() -> None:
    connect_account(by_role(), actor=COMMAND_LINE)
    with pytest.raises(SetupError, match="connected already, as prod-payments") as caught:
        connect_account(by_role(), actor=COMMAND_LINE)
    assert caught.value.field == "account_id"
    assert Entry.objects.filter(kind="account.connect").count() == 1


def test_an_account_known_from_an_upload_may_be_connected_and_keeps_what_is_known() -> None:
    known = factories.account(NUMBER, name="brightwater", source="export", role_arn="")
    maya = factories.user(known, "maya")
    account = connect_account(by_role(), actor=COMMAND_LINE)
    assert account.pk == known.pk
    assert account.source == AccountSource.ROLE
    assert Entity.objects.get(pk=maya.pk).account_id == account.pk


def test_a_disconnected_account_comes_back_with_its_history() -> None:
    account = connect_account(by_role(), actor=COMMAND_LINE)
    maya = factories.user(account, "maya")
    disconnect_account(account, actor=COMMAND_LINE)
    assert account.removed_at is not None
    assert (account.role_arn, account.external_id) == ("", "")
    assert Entity.objects.filter(pk=maya.pk).exists()
    again = connect_account(by_role(external_id="gh-another-one"), actor=COMMAND_LINE)
    assert (again.pk, again.removed_at, again.external_id) == (account.pk, None, "gh-another-one")
    assert [e.data["known_before"] for e in Entry.objects.filter(kind="account.connect").order_by("id")] == [
        False,
        True,
    ]


def test_disconnecting_stops_a_reading_and_the_schedule() -> None:
    account = connect_account(by_role(), actor=COMMAND_LINE)
    pull = request_pull(account, requested_by=COMMAND_LINE)
    disconnect_account(account, actor=factories.viewer())
    assert Pull.objects.get(pk=pull.pk).state == PullState.CANCELLED
    assert account.next_pull_at is None
    assert Entry.objects.get(kind="account.disconnect").data["role"].endswith("gatehouse-reader")
    with pytest.raises(SetupError, match="disconnected already"):
        disconnect_account(account, actor=COMMAND_LINE)


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.MEMBER])
def test_nobody_else_manages_accounts(role: Role) -> None:
    someone = factories.viewer(role)
    account = factories.account()
    for act in (
        lambda: connect_account(by_role(), actor=someone),
        lambda: prepare_connection(NUMBER, name="x", partition="aws", actor=someone),
        lambda: update_account(account, actor=someone, name="x", pull_every=None),
        lambda: disconnect_account(account, actor=someone),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert not Entry.objects.exists()


def test_an_administrator_of_one_account_manages_that_one_alone() -> None:
    person = factories.person()
    factories.assign(person, Role.ADMINISTRATOR, account_id=NUMBER)
    someone = viewer_for(person)
    connect_account(by_role(), actor=someone)
    with pytest.raises(PermissionDenied):
        connect_account(by_role("111122223333"), actor=someone)


def test_a_change_is_journalled_with_before_and_after_but_without_the_external_id() -> None:
    account = connect_account(by_role(), actor=COMMAND_LINE)
    changed = update_account(
        account,
        actor=factories.viewer(),
        name="payments",
        pull_every=60,
        role_arn=account.role_arn,
        write_role_arn=f"arn:aws:iam::{NUMBER}:role/gatehouse-writer",
        external_id="gh-secret-like",
    )
    assert set(changed) == {"name", "pull_every", "write_role_arn", "external_id"}
    assert (account.name, account.pull_every, account.is_writable) == ("payments", 60, True)
    entry = Entry.objects.get(kind="account.update")
    assert entry.data["changed"]["name"] == {"before": "prod-payments", "after": "payments"}
    assert "gh-secret-like" not in entry.data_json
    assert "gh-4e07b81c2d95" not in entry.data_json


def test_saving_what_is_so_already_writes_nothing() -> None:
    account = connect_account(by_role(), actor=COMMAND_LINE)
    changed = update_account(
        account,
        actor=COMMAND_LINE,
        name=account.name,
        pull_every=None,
        role_arn=account.role_arn,
        external_id=account.external_id,
    )
    assert changed == {}
    assert not Entry.objects.filter(kind="account.update").exists()


def test_an_account_of_the_environment_has_no_roles_to_change() -> None:
    account = factories.account(NUMBER, source="environment", role_arn="")
    update_account(
        account,
        actor=COMMAND_LINE,
        name="hub",
        pull_every=5,
        role_arn="arn:aws:iam::1:role/x",
        external_id="!",
    )
    assert (account.name, account.role_arn, account.external_id) == ("hub", "", "")


def test_a_draft_keeps_its_external_id_however_often_the_first_step_is_taken() -> None:
    first = prepare_connection("9102-7740-3318", name="pay", partition="aws", actor=COMMAND_LINE)
    again = prepare_connection(NUMBER, name="prod-payments", partition="aws", actor=COMMAND_LINE)
    assert (again.pk, again.external_id, again.name) == (first.pk, first.external_id, "prod-payments")
    assert Entry.objects.filter(kind="account.prepare").count() == 1


def test_connecting_uses_the_draft_up() -> None:
    prepare_connection(NUMBER, name="pay", partition="aws", actor=COMMAND_LINE)
    connect_account(by_role(), actor=COMMAND_LINE)
    assert not ConnectionDraft.objects.exists()


def test_what_is_connected_cannot_be_prepared() -> None:
    connect_account(by_role(), actor=COMMAND_LINE)
    with pytest.raises(SetupError, match="connected already"):
        prepare_connection(NUMBER, name="x", partition="aws", actor=COMMAND_LINE)


def test_a_draft_takes_another_external_id_and_hub_and_is_forgotten() -> None:
    draft = prepare_connection(NUMBER, name="pay", partition="aws", actor=COMMAND_LINE)
    update_draft(
        draft,
        actor=COMMAND_LINE,
        hub_arn="arn:aws:iam::509330017742:role/x/gatehouse",
        external_id="theirs-1",
    )
    assert (draft.hub_arn, draft.external_id) == ("arn:aws:iam::509330017742:role/x/gatehouse", "theirs-1")
    with pytest.raises(SetupError):
        update_draft(draft, actor=COMMAND_LINE, external_id='a"b')
    discard_draft(draft, actor=COMMAND_LINE)
    assert not ConnectionDraft.objects.exists()
    assert Entry.objects.filter(kind="account.discard").exists()


def test_reading_all_queues_a_few_at_once_and_marks_many_as_due() -> None:
    few = [factories.account(f"{n:012d}", name=f"a{n}") for n in range(1, 4)]
    factories.account("000000000099", name="file", source="export", role_arn="")
    assert read_all(Account.objects.all(), actor=COMMAND_LINE) == 3
    assert set(Pull.objects.values_list("account_id", flat=True)) == {account.pk for account in few}
    for n in range(10, 30):
        factories.account(f"{n:012d}", name=f"a{n}")
    assert read_all(Account.objects.all(), actor=factories.viewer()) == 23
    assert Pull.objects.count() == 3
    assert Account.objects.filter(next_pull_at__isnull=False).count() == 23
    assert Entry.objects.get(kind="pull.request_all").data == {"accounts": 23}


def test_reading_all_leaves_out_what_is_not_ones_own() -> None:
    person = factories.person()
    factories.assign(person, Role.ADMINISTRATOR, account_id="000000000001")
    for n in (1, 2):
        factories.account(f"{n:012d}", name=f"a{n}")
    assert read_all(Account.objects.all(), actor=viewer_for(person)) == 1
    assert Pull.objects.get().account.account_id == "000000000001"
