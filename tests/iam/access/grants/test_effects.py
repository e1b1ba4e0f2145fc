"""What a grant gives in each account, in words: accounts with the same effect are one block, and what is not
known says so.
"""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.access.grants.effect_blocks import blocks_of
from iam.access.grants.effects import effects_of
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.access.templates.queries import offer_of
from iam.mirror.models import Account, EdgeKind
from tests import factories as make

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
READ_LEDGER = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"},
}


def terms_for(what: GrantContent, accounts: list[Account]) -> GrantTerms:
    """Terms for a partner, so that the accounts are free to choose."""
    who = WhoTerms(WhoKind.PARTNER, label="Audit", account_id="999988887777", external_id="gh-audit-1234567")
    return GrantTerms(
        who=who, what=what, accounts=tuple(account.account_id for account in accounts), why="Audit"
    )


def accounts(number: int) -> list[Account]:
    return [make.account(f"{200000000000 + place}", name=f"unit-{place:02d}") for place in range(number)]


def template(slug: str, **parameters: str) -> GrantContent:
    offer = offer_of(slug)
    assert offer is not None
    return GrantContent(WhatKind.TEMPLATE, template=slug, version=offer.version.number, parameters=parameters)


def test_forty_accounts_with_the_same_effect_are_one_block_that_names_them() -> None:
    places = accounts(40)
    what = template("publish-sns", topic="deploys", region="eu-west-1")
    (effect,) = effects_of(terms_for(what, places), accounts=places)
    assert effect.accounts == tuple(account.name for account in places)
    assert [sentence.text for sentence in effect.sentences] == [
        "Publish messages to the SNS topic deploys in eu-west-1"
    ]
    (block,) = blocks_of(terms_for(what, places), accounts=places)
    assert block.where == "40 accounts"
    assert len(block.names) == 40
    assert len(block.lines) == 1


def test_an_account_in_which_it_means_something_else_has_a_block_of_its_own() -> None:
    places = accounts(3)
    arn = f"arn:aws:sns:eu-west-1:{places[0].account_id}:deploys"
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}
    what = GrantContent(
        WhatKind.STATEMENTS,
        documents=(json.dumps({"Version": "2012-10-17", "Statement": statement}),),
    )
    own, others = effects_of(terms_for(what, places), accounts=places)
    assert own.accounts == ("unit-00",)
    assert own.sentences[0].text == "Publish messages to the SNS topic deploys in eu-west-1"
    assert others.accounts == ("unit-01", "unit-02")
    assert others.sentences[0].text.endswith("of account 200000000000")


@pytest.mark.parametrize("kind", [WhatKind.ROLE, WhatKind.GROUP])
def test_a_role_or_group_is_told_by_its_policies_in_as_many_queries_for_forty_accounts(
    kind: WhatKind,
) -> None:
    places = accounts(40)
    for account in places:
        holder = make.role(account, "deploy") if kind is WhatKind.ROLE else make.group(account, "deploy")
        make.edge(EdgeKind.ATTACHED, holder, make.policy(account, "Ledger", body=READ_LEDGER))
        make.inline(
            holder,
            body={
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
            },
        )
    arn = f"arn:aws:iam::{places[0].account_id}:{kind}/deploy"
    what = GrantContent(kind, role_arn=arn) if kind is WhatKind.ROLE else GrantContent(kind, group_arn=arn)
    with CaptureQueriesContext(connection) as queries:
        effects_of(terms_for(what, places[:1]), accounts=places[:1])
    with CaptureQueriesContext(connection) as all_of_them:
        (effect,) = effects_of(terms_for(what, places), accounts=places)
    assert len(queries) == len(all_of_them)
    assert effect.lead == ("Use the role deploy" if kind is WhatKind.ROLE else "Join the group deploy")
    assert sorted(sentence.text for sentence in effect.sentences) == [
        "All actions in SQS on all resources",
        "Read objects in s3://pay-ledger",
    ]


def test_a_managed_policy_whose_text_is_not_known_says_so() -> None:
    places = accounts(1)
    what = GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/Unheard")
    (effect,) = effects_of(terms_for(what, places), accounts=places)
    assert effect.sentences == ()
    assert "isn’t known" in effect.note


def test_a_role_without_policies_says_so() -> None:
    (account,) = places = accounts(1)
    make.role(account, "empty")
    what = GrantContent(WhatKind.ROLE, role_arn=f"arn:aws:iam::{account.account_id}:role/empty")
    (effect,) = effects_of(terms_for(what, places), accounts=places)
    assert effect.note == "This role has no policies."
