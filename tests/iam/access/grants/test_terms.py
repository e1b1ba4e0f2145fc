"""The terms of a grant: to JSON and back, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.access.grants.titles import what_words

pytestmark = pytest.mark.on_postgresql

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROD, PARTNER = "111111111111", "339011276654"
READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::ledger/*"}],
    }
)
KWAME = f"arn:aws:iam::{PROD}:user/kwame"
GITHUB = f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"
SOUND = GrantTerms(
    who=WhoTerms(WhoKind.USERS, arns=(KWAME,)),
    what=GrantContent(WhatKind.STATEMENTS, documents=(READS,)),
    accounts=(PROD,),
    why="Settles the quarter",
    lasts=8 * 3600,
)

RECEIVERS = [
    WhoTerms(WhoKind.USERS, arns=(KWAME,)),
    WhoTerms(WhoKind.GROUP, arns=(f"arn:aws:iam::{PROD}:group/eng/deployers",)),
    WhoTerms(WhoKind.ROLE, arns=(f"arn:aws:iam::{PROD}:role/app",)),
    WhoTerms(WhoKind.TEAM, team="payments"),
    WhoTerms(WhoKind.ACCOUNT, account_id=PARTNER),
    WhoTerms(
        WhoKind.PARTNER,
        account_id=PARTNER,
        external_id="gh-bw-7c1e93f0a4",
        label="Brightwater",
        principal=f"arn:aws:iam::{PARTNER}:role/reader",
    ),
    WhoTerms(
        WhoKind.FEDERATED,
        provider_arn=GITHUB,
        subject="repo:northline/pay:ref:refs/heads/main",
        audience="sts.amazonaws.com",
    ),
]
GIVEN = [
    GrantContent(WhatKind.TEMPLATE, template="read-one-bucket", version=2, parameters={"bucket": "ledger"}),
    GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
    GrantContent(WhatKind.STATEMENTS, documents=(READS, READS)),
    GrantContent(WhatKind.ROLE, role_arn=f"arn:aws:iam::{PROD}:role/breakglass"),
    GrantContent(WhatKind.GROUP, group_arn=f"arn:aws:iam::{PROD}:group/deployers"),
]


@pytest.mark.parametrize("who", RECEIVERS, ids=lambda who: who.kind)
def test_receivers_come_back_from_json_as_they_were(who: WhoTerms) -> None:
    who.check()
    assert WhoTerms.from_json(json.loads(json.dumps(who.body))) == who


@pytest.mark.parametrize("what", GIVEN, ids=lambda what: what.kind)
def test_what_is_given_comes_back_from_json_as_it_was(what: GrantContent) -> None:
    what.check()
    assert GrantContent.from_json(json.loads(json.dumps(what.body))) == what


def test_terms_come_back_from_json_as_they_were() -> None:
    dated = replace(SOUND, lasts=0, until=NOW + timedelta(days=2))
    for terms in (SOUND, dated, replace(SOUND, lasts=0)):
        terms.check(now=NOW)
        assert GrantTerms.from_json(json.loads(json.dumps(terms.body))) == terms


def test_the_clock_of_a_duration_starts_when_it_is_approved() -> None:
    begun = NOW + timedelta(hours=20)
    assert SOUND.end_when(begun=begun) == begun + timedelta(hours=8)
    dated = replace(SOUND, lasts=0, until=NOW + timedelta(days=2))
    assert dated.end_when(begun=begun) == NOW + timedelta(days=2)
    assert replace(SOUND, lasts=0).end_when(begun=begun) is None


DENIED_SUBJECTS = ["", " ", "*", "**", "*:*", "?*", "*:ref:refs/heads/main"]
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT | statement]})


REFUSED: list[tuple[str, GrantTerms, str]] = [
    ("who", replace(SOUND, who=WhoTerms(WhoKind.USERS)), "Choose who"),
    ("who", replace(SOUND, who=WhoTerms(WhoKind.USERS, arns=(KWAME, KWAME))), "twice"),
    (
        "who",
        replace(SOUND, who=WhoTerms(WhoKind.USERS, arns=(f"arn:aws:iam::{PROD}:role/app",))),
        "the ARN of a user",
    ),
    (
        "who",
        replace(SOUND, who=WhoTerms(WhoKind.USERS, arns=(f"arn:aws:iam::{PROD}:user/*",))),
        "the ARN of a user",
    ),
    ("who", replace(SOUND, who=WhoTerms(WhoKind.ACCOUNT, account_id="*")), "12-digit"),
    (
        "who",
        replace(SOUND, who=WhoTerms(WhoKind.ACCOUNT, account_id=PARTNER, principal="*")),
        "without wildcards",
    ),
    (
        "who",
        replace(SOUND, who=WhoTerms(WhoKind.ACCOUNT, account_id=PARTNER, principal=KWAME)),
        "isn’t in account",
    ),
    ("who", replace(SOUND, who=replace(RECEIVERS[5], external_id="")), "external ID"),
    ("who", replace(SOUND, who=replace(RECEIVERS[5], external_id="a b")), "external ID"),
    ("who", replace(SOUND, who=replace(RECEIVERS[6], audience="")), "audience"),
    *[
        ("who", replace(SOUND, who=replace(RECEIVERS[6], subject=sentence)), "subject that gets access")
        for sentence in DENIED_SUBJECTS
    ],
    ("who", replace(SOUND, who=RECEIVERS[1], what=GIVEN[3]), "can’t trust a group"),
    ("what", replace(SOUND, who=RECEIVERS[2], what=GIVEN[4]), "Only users"),
    ("what", replace(SOUND, what=GrantContent(WhatKind.STATEMENTS)), "Choose permissions"),
    ("what", replace(SOUND, what=GrantContent(WhatKind.STATEMENTS, documents=("{",))), "can’t be read"),
    (
        "what",
        replace(SOUND, what=GrantContent(WhatKind.STATEMENTS, documents=(_document(Principal="*"),))),
        "Principal",
    ),
    ("what", replace(SOUND, what=GrantContent(WhatKind.TEMPLATE, template="x")), "Choose a template"),
    (
        "what",
        replace(SOUND, what=GrantContent(WhatKind.MANAGED, policy_arn="ReadOnly")),
        "Choose a managed policy",
    ),
    ("accounts", replace(SOUND, accounts=()), "Choose the accounts"),
    ("accounts", replace(SOUND, accounts=("1",)), "12 digits"),
    ("accounts", replace(SOUND, accounts=(PROD, PROD)), "twice"),
    ("accounts", replace(SOUND, who=RECEIVERS[4], accounts=(PARTNER,)), "access to itself"),
    ("until", replace(SOUND, lasts=60), "five minutes"),
    ("until", replace(SOUND, lasts=-3600), "five minutes"),
    ("until", replace(SOUND, lasts=0, until=NOW - timedelta(days=1)), "five minutes"),
    ("until", replace(SOUND, until=NOW + timedelta(days=1)), "not both"),
    ("until", replace(SOUND, lasts=5 * 365 * 86400), "three years"),
    ("until", replace(SOUND, session=60), "between 1 and 12"),
    ("why", replace(SOUND, why=" "), "Enter a reason"),
    ("why", replace(SOUND, why="x" * 1001), "1,001 characters"),
]


@pytest.mark.parametrize(("part", "terms", "sentence"), REFUSED)
def test_terms_that_make_no_sense_are_refused_with_the_step_that_puts_them_right(
    part: str, terms: GrantTerms, sentence: str
) -> None:
    with pytest.raises(TermsError) as refused:
        terms.check(now=NOW)
    assert sentence in refused.value.message
    assert refused.value.part == part


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "who"),
        ({"who": {"kind": "everybody"}, "what": {"kind": "role"}}, "who"),
        ({"who": {"kind": "users", "arns": "arn"}, "what": {"kind": "role"}}, "who"),
        ({"who": {"kind": "team", "team": "x", "admin": "yes"}, "what": {"kind": "role"}}, "who"),
        ({"who": {"kind": "team", "team": "x"}, "what": []}, "what"),
        ({"who": {"kind": "team"}, "what": {"kind": "template", "parameters": {"a": 1}}}, "what"),
        ({"who": {"kind": "team"}, "what": {"kind": "role"}, "until": "tomorrow"}, "until"),
        ({"who": {"kind": "team"}, "what": {"kind": "role"}, "lasts": "8"}, "until"),
        ({"who": {"kind": "team"}, "what": {"kind": "role"}, "accounts": [1]}, "accounts"),
    ],
)
def test_json_that_holds_no_terms_is_refused(body: dict[str, object], part: str) -> None:
    with pytest.raises(TermsError) as refused:
        GrantTerms.from_json(body)
    assert refused.value.part == part


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (["s3:GetObject"], "Access to S3"),
        (["Budgets:ViewBudget", "budgets:ModifyBudget"], "Access to Budget Service"),
        (["no-such-service:Read"], "Access to no-such-service"),
        (["s3:GetObject", "sqs:SendMessage"], "Access to 2 services"),
        (["*"], "Access"),
    ],
)
def test_a_title_names_the_service_as_people_say_it(actions: list[str], words: str) -> None:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert what_words(GrantContent(WhatKind.STATEMENTS, documents=(text,))) == words
