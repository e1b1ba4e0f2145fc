"""A receipt of many accounts: the same effect is one block that names the accounts, and what differs stays
apart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.changes.impact_rows import impact_shown, named_in_impact
from console.changes.receipt import impact_context, without_new_names
from iam.changes.impact import ReceiptImpact, impact_of
from iam.changes.operations import ATTACH_POLICY, Attachment
from iam.directory.models import Role
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, Entity, Kind
from tests import factories
from tests.iam.changes.test_receipt_witness import allow, says

pytestmark = pytest.mark.django_db
MANY = 40
LEDGER = "arn:aws:s3:::pay-ledger/*"


@pytest.fixture
def accounts(db: None) -> list[Account]:
    return [factories.account(str(300_000_000_000 + n), name=f"team-{n:02}") for n in range(MANY)]


def given(account: Account, *statements: dict[str, Any], users: int = 3) -> list[Attachment]:
    """A policy for so many users of an account."""
    policy = factories.policy(account, "Given", body=says(*statements))
    names = [factories.user(account, f"user.{account.name}.{n}") for n in range(users)]
    return [Attachment.of(ATTACH_POLICY, user, policy=policy) for user in names]


def shown(impact: ReceiptImpact, viewer: Viewer) -> Any:
    return impact_context(impact.body, viewer=viewer)["impact"]


def test_the_same_effect_in_forty_accounts_is_one_block_that_counts_everybody(
    accounts: list[Account],
) -> None:
    queue = "arn:aws:sqs:eu-west-1:{}:orders"
    operations = [
        operation
        for account in accounts
        for operation in given(
            account, allow("s3:GetObject", LEDGER), allow("sqs:SendMessage", queue.format(account.account_id))
        )
    ]
    impact = impact_of(operations)
    [gain] = impact.gains
    assert (gain.all_users, gain.people, len(gain.elsewhere)) == (3 * MANY, 3 * MANY, MANY - 1)
    assert (impact.affected, impact.more_groups, impact.more_people) == (3 * MANY, 0, 0)

    block = shown(impact, factories.viewer(Role.ADMINISTRATOR)).gains[0]
    assert (block.title, block.accounts) == ("120 IAM users", MANY)
    assert block.account_names == [account.name for account in accounts]
    assert len(block.names) + block.unnamed == 3 * MANY
    assert block.outside == 0


def test_forty_accounts_are_shown_with_as_many_queries_as_two(accounts: list[Account]) -> None:
    viewer = factories.viewer(Role.ADMINISTRATOR)

    def queries(some: list[Account]) -> int:
        operations: list[Attachment] = []
        for account in some:
            operations += given(account, allow("s3:GetObject", LEDGER))
        impact = impact_of(operations)
        with CaptureQueriesContext(connection) as captured:
            shown(impact, viewer)
        return len(captured)

    assert queries(accounts[:2]) == queries(accounts[2:]) == 3


def test_names_of_users_keep_no_accounts_apart(accounts: list[Account]) -> None:
    home = allow("s3:GetObject", "arn:aws:s3:::homes/${aws:username}/*")
    impact = impact_of([operation for account in accounts for operation in given(account, home)])
    [gain] = impact.gains
    assert (gain.people, len(gain.elsewhere), impact.more_groups) == (3 * MANY, MANY - 1, 0)
    [level] = gain.rows
    [witness] = level.witnesses["gained"]
    user = gain.names[0].name
    assert witness.principal.endswith(f":user/{user}")
    assert witness.resource.startswith(f"arn:aws:s3:::homes/{user}/")


def test_a_queue_of_its_own_account_is_another_effect_than_the_same_queue_elsewhere(
    accounts: list[Account],
) -> None:
    first, second = accounts[:2]
    queue = allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{first.account_id}:orders")
    named = allow("s3:GetObject", "arn:aws:s3:::homes/${aws:username}/*")
    impact = impact_of([*given(first, queue, named), *given(second, queue, named)])
    assert [len(gain.elsewhere) for gain in impact.gains] == [0, 0]


def test_homes_and_what_everybody_reads_are_no_one_effect(accounts: list[Account]) -> None:
    first, second = accounts[:2]
    home = allow("s3:GetObject", "arn:aws:s3:::homes/${aws:username}/*")
    others = allow("s3:GetObject", "arn:aws:s3:::homes/user.team-00.0/*")
    also = allow("sqs:SendMessage", "arn:aws:sqs:*:*:${aws:username}")
    impact = impact_of([*given(first, home, also, users=1), *given(second, others, also, users=1)])
    assert [len(gain.elsewhere) for gain in impact.gains] == [0, 0]


def test_what_differs_by_account_stays_apart(accounts: list[Account]) -> None:
    first, second, third = accounts[:3]
    impact = impact_of(
        [
            *given(first, allow("s3:GetObject", LEDGER)),
            *given(second, allow("s3:GetObject", "arn:aws:s3:::other/*")),
            *given(third, allow(["s3:GetObject", "s3:PutObject"], LEDGER)),
        ]
    )
    assert [len(gain.elsewhere) for gain in impact.gains] == [0, 0, 0]
    blocks = shown(impact, factories.viewer(Role.ADMINISTRATOR)).gains
    assert {(block.title, block.where) for block in blocks} == {
        ("3 IAM users", account.name) for account in (first, second, third)
    }


def test_a_block_names_its_account_only_where_there_are_others_and_nobody_learns_of_another(
    accounts: list[Account],
) -> None:
    first, second = accounts[:2]
    alone = impact_of(given(first, allow("s3:GetObject", LEDGER)))
    assert [gain.where for gain in shown(alone, factories.viewer(Role.ADMINISTRATOR)).gains] == [""]
    other = allow("s3:GetObject", "arn:aws:s3:::other/*")
    both = impact_of([*given(first, allow("s3:GetObject", LEDGER)), *given(second, other)])
    person = factories.person("Otto Weber")
    factories.assign(person, Role.ADMINISTRATOR, account_id=second.account_id)
    assert {gain.where for gain in shown(both, viewer_for(person)).gains} <= {"", second.name}


def of_three_accounts(accounts: list[Account]) -> tuple[ReceiptImpact, Viewer]:
    """The effect on three users in each of three accounts, and who sees only the second account."""
    operations = [
        attachment for account in accounts[:3] for attachment in given(account, allow("s3:GetObject", LEDGER))
    ]
    person = factories.person("Otto Weber")
    factories.assign(person, Role.ADMINISTRATOR, account_id=accounts[1].account_id)
    return impact_of(operations), viewer_for(person)


def test_who_sees_one_account_learns_no_name_of_the_others(accounts: list[Account]) -> None:
    impact, viewer = of_three_accounts(accounts)
    block = shown(impact, viewer).gains[0]
    assert {name.name.split(".")[1] for name in block.names} == {"team-01"}
    assert block.account_names == ["team-01"]
    assert (block.accounts, block.outside) == (3, 6)


def test_who_was_deleted_since_is_not_called_outside_of_a_team(accounts: list[Account]) -> None:
    impact, viewer = of_three_accounts(accounts)
    Entity.objects.filter(account=accounts[0], kind=Kind.USER).update(gone_at=datetime.now(tz=UTC))
    block = shown(impact, viewer).gains[0]
    assert (block.accounts, block.outside, block.unnamed) == (3, 3, 3)
    everything = shown(impact, factories.viewer(Role.ADMINISTRATOR)).gains[0]
    assert (everything.outside, everything.unnamed) == (0, 9 - len(everything.names))


def test_a_receipt_from_before_is_shown_as_it_was(accounts: list[Account]) -> None:
    body = impact_of(given(accounts[0], allow("s3:GetObject", LEDGER))).body
    for gain in body["gains"]:
        del gain["elsewhere"]
    shown = impact_shown(
        body, viewer=factories.viewer(Role.ADMINISTRATOR), open_to=set(named_in_impact(body)), called={}
    )
    assert shown is not None
    assert (shown.gains[0].title, shown.gains[0].accounts) == ("3 IAM users", 1)
    assert without_new_names({"impact": body})["impact"]["gains"][0]["names"] == list(
        body["gains"][0]["names"]
    )
