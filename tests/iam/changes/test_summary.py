"""What a request does, where and until when, in words: for every operation, for one account and for forty."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from iam.changes import services
from iam.changes.models import ChangeSet
from iam.changes.operations import (
    ADD_TO_GROUP,
    ATTACH_POLICY,
    DETACH_POLICY,
    REGISTRY,
    REMOVE_FROM_GROUP,
    Attachment,
    Membership,
    PutInlinePolicy,
)
from iam.changes.operations.principals import DeleteUser
from iam.changes.summary import SummaryBlock, blocks_of, counted, summary_of, text_of, where_words
from iam.guard import viewer_for
from iam.policy.catalogue import catalogue
from tests import factories
from tests.iam.changes.site import Site


def test_there_are_words_for_several_changes_of_every_kind() -> None:
    for slug in REGISTRY:
        several, single = counted(slug, 4), counted(slug, 1)
        assert "4 " in several
        assert several.replace("4", "1", 1) != single, slug
        assert not several.endswith("ss"), slug


@pytest.mark.django_db
def test_accounts_with_the_same_effect_are_one_block_and_forty_are_still_readable() -> None:
    operations = []
    for number in range(40):
        account = factories.account(f"{number:012}", name=f"team-{number:02}")
        user, group = factories.user(account, "kwame.boateng"), factories.group(account, "deployers")
        operations.append(Membership.of(ADD_TO_GROUP, user, group=group))
    other = factories.group(operations[0].account, "auditors")
    operations.append(
        Membership.of(ADD_TO_GROUP, factories.user(operations[0].account, "nora.whitfield"), group=other)
    )

    blocks = summary_of(operations)

    assert [len(block.accounts) for block in blocks] == [1, 39]
    assert blocks[1].what == ("Add kwame.boateng to deployers",)
    assert blocks[1].where == "team-01, team-02, team-03 and 36 more accounts"
    assert [SummaryBlock.from_json(block.body) for block in blocks] == blocks


def _in_each_account(number: int, *, adds: bool) -> list[Membership]:
    """Somebody who is in a group of another name in each account, and in one more in each second account."""
    operations = []
    for place in range(number):
        account = factories.account(f"{place:012}", name=f"team-{place:02}")
        user = factories.user(account, "kwame.boateng")
        names = [f"deployers-{place}", f"auditors-{place}"][: 1 + place % 2]
        for name in names:
            spec = ADD_TO_GROUP if adds else REMOVE_FROM_GROUP
            operations.append(Membership.of(spec, user, group=factories.group(account, name)))
        if place % 2:
            operations.append(DeleteUser.of(user))
    return operations


@pytest.mark.django_db
def test_what_differs_in_each_account_by_names_alone_is_counted_by_kind() -> None:
    operations = _in_each_account(40, adds=False)
    blocks = summary_of(operations)
    assert [(block.what, len(block.accounts)) for block in blocks] == [
        (("Remove 60 group memberships in total",), 40),
        (("Delete 20 IAM users in total",), 20),
    ]
    assert blocks[1].where == "team-01, team-03, team-05 and 17 more accounts"
    first = {f"team-{place:02}" for place in range(3)}
    few = [operation for operation in operations if operation.account.name in first]
    assert len(summary_of(few)) == 3, "a few are told account by account"


@pytest.mark.django_db
def test_what_is_given_is_named_in_each_account() -> None:
    blocks = summary_of(_in_each_account(5, adds=True))
    assert [len(block.accounts) for block in blocks] == [1] * 5
    assert blocks[0].what == ("Add kwame.boateng to deployers-0",)


@pytest.mark.django_db
def test_many_changes_of_one_kind_are_counted() -> None:
    account = factories.account(name="production")
    group = factories.group(account, "deployers")
    users = [factories.user(account, f"user-{number}") for number in range(12)]
    [block] = summary_of([Membership.of(ADD_TO_GROUP, user, group=group) for user in users])
    assert block.sentence == "Add 12 IAM users to deployers (production)"


@pytest.mark.django_db
def test_what_is_counted_in_each_of_several_accounts_says_so() -> None:
    operations = []
    for number, name in (("111111111111", "production"), ("222222222222", "staging")):
        account = factories.account(number, name=name)
        group = factories.group(account, "deployers")
        users = [factories.user(account, f"user-{position}") for position in range(12)]
        operations += [Membership.of(ADD_TO_GROUP, user, group=group) for user in users]
    [block] = summary_of(operations)
    assert block.sentence == "Add 12 IAM users to deployers in each account (production and staging)"


@pytest.mark.django_db
def test_what_a_policy_denies_goes_on_the_sentence() -> None:
    account = factories.account(name="production")
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    )
    [block] = summary_of([PutInlinePolicy.of(factories.user(account, "marcus.webb"), name="Left", text=text)])
    [line] = block.what
    assert line.startswith("Set inline policy Left of user marcus.webb: deny ")
    assert line.count(":") == 1


@pytest.mark.django_db
def test_three_newcomers_are_told_in_a_few_lines_with_what_their_policies_allow() -> None:
    account = factories.account(name="data")
    group = factories.group(account, "analysts")
    users = [factories.user(account, f"new-{number}") for number in range(3)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    [block] = summary_of(
        [
            *(Membership.of(ADD_TO_GROUP, user, group=group) for user in users),
            *(PutInlinePolicy.of(user, name="reads", text=text) for user in users),
            *(DeleteUser.of(user) for user in users),
        ]
    )
    assert block.what == (
        "Add 3 IAM users to analysts",
        "Set 3 inline policies: Read objects in s3://pay-ledger",
        "Delete 3 IAM users",
    )
    assert not block.more


@pytest.mark.django_db
def test_what_a_managed_policy_allows_is_said_where_it_is_attached_or_detached() -> None:
    account = factories.account(name="production")
    user = factories.user(account, "aaron.blake")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}
    body = {"Version": "2012-10-17", "Statement": [statement]}
    own = factories.policy(account, "LedgerRead", body=body)
    of_aws = factories.policy(
        account, "ReadOnlyAccess", body=body, arn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    for spec, verb, word in ((ATTACH_POLICY, "Attach", "to"), (DETACH_POLICY, "Detach", "from")):
        [block] = summary_of([Attachment.of(spec, user, policy=policy) for policy in (own, of_aws)])
        assert block.what == (
            f"{verb} policy LedgerRead {word} user aaron.blake: Read objects in s3://pay-ledger",
            f"{verb} policy ReadOnlyAccess {word} user aaron.blake",
        )


@pytest.mark.django_db
@pytest.mark.parametrize("number", [2, 5])
def test_what_policies_allow_is_said_however_many_are_written(number: int) -> None:
    account = factories.account(name="data")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    users = [factories.user(account, f"new-{position}") for position in range(number)]
    [block] = summary_of([PutInlinePolicy.of(user, name="reads", text=text) for user in users])
    assert all(line.endswith(": Read objects in s3://pay-ledger") for line in block.what), block.what


RAW = re.compile(r"\b[a-z0-9-]+:[A-Z][A-Za-z]+")
"""The name of an action as AWS writes it."""


@pytest.mark.django_db
def test_no_action_of_any_service_is_named_by_its_name_to_who_does_not_know_aws() -> None:
    account = factories.account(name="data")
    user = factories.user(account, "nora.whitfield")
    known = catalogue()
    by_service: dict[str, list[str]] = {}
    for name in known.names(known.mask("*")):
        by_service.setdefault(name.partition(":")[0], []).append(name)
    assert len(by_service) > 100
    for names in by_service.values():
        statement = {"Effect": "Allow", "Action": names[:2], "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        summary = [block.body for block in summary_of([PutInlinePolicy.of(user, name="reads", text=text)])]
        [exact], [plain] = blocks_of(summary), blocks_of(summary, plain=True)
        assert exact.accounts == plain.accounts
        assert not RAW.search(text_of(summary, plain=True)), names[:2]
        assert not RAW.search(plain.sentence)


def test_a_summary_that_was_stored_before_is_read_as_it_is() -> None:
    body = {"what": ["Allow budgets:ViewBudget"], "accounts": [["111111111111", "data"]], "more": 0}
    assert text_of([body], plain=True) == text_of([body]) == "Allow budgets:ViewBudget (data)"


def test_the_end_is_said_once() -> None:
    block = SummaryBlock(("Read objects in s3://pay-ledger",), (("111111111111", "production"),))
    end = datetime(2026, 12, 5, 11, tzinfo=UTC)
    assert (
        text_of([block.body], until=end)
        == "Read objects in s3://pay-ledger (production) until 5 Dec 2026, 11:00 UTC"
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more accounts"),
    ],
)
def test_a_few_accounts_are_named_and_more_are_counted(names: list[str], words: str) -> None:
    assert where_words(names) == words


def test_every_request_has_a_title_and_a_summary(site: Site) -> None:
    change = site.asked()
    [change_set] = ChangeSet.objects.all()
    assert change_set.title == change.title == "Add kwame.boateng to deployers"
    assert text_of(change_set.summary) == "Add kwame.boateng to deployers (prod-core)"


def test_a_request_of_several_changes_without_a_title_says_how_many(site: Site) -> None:
    actor = viewer_for(site.asks.person)
    groups = [factories.group(site.account, name) for name in ("one", "two", "three")]
    plans = [services.plan_membership(actor, user=site.user, group=group, do="add") for group in groups]
    asked = services.request_changes(plans, actor=actor, reason="r", idempotency_key="1")
    assert asked[0].change_set.title == "Add kwame.boateng to one and 2 more changes"
