"""Who breaks an assertion: tables of who is allowed, and the second engine on random organizations."""

from __future__ import annotations

import json
import random
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.audit.assertions.evaluation import (
    UNREAD_POLICIES,
    UNREAD_TAGS,
    UNREAD_TRUST,
    AccountJudgment,
    judge,
)
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, GroupRow, PolicyHoldings, PrincipalRow
from tests.iam.policy.index import longhand
from tests.iam.policy.index import organisations as made

NUMBER, OTHER = made.ACCOUNTS[:2]
ALLOW = {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}
SSO = "aws-reserved/sso.amazonaws.com/eu-north-1/AWSReservedSSO_Operators_0123456789abcdef"


def judged(terms: AssertionTerms, *, tags: dict[str, str] | None = None) -> AccountJudgment:
    """An account in which a user, her group's user, a role and a permission set can create users."""
    organisation = made.Organisation()
    digest = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}))
    holds = PolicyHoldings((("create", digest),))
    prefix = f"arn:aws:iam::{NUMBER}"
    tags = {} if tags is None else tags
    rows = [
        PrincipalRow(1, f"{prefix}:user/people/maya", "AIDA1", holds, tags),
        PrincipalRow(2, f"{prefix}:user/tomas", "AIDA2", PolicyHoldings(groups=(9,)), {}),
        PrincipalRow(3, f"{prefix}:role/app/BreakGlass", "AROA3", holds, {}),
        PrincipalRow(4, f"{prefix}:role/{SSO}", "AROA4", holds, {}),
        PrincipalRow(5, f"{prefix}:user/nobody", "AIDA5", PolicyHoldings(), {}),
    ]
    groups = [GroupRow(9, "admins", holds)]
    organisation.accounts.append(AccountRows(rows, groups, (), (), NUMBER))
    return judge(organisation.index(), NUMBER, terms)


def names(judgment: AccountJudgment) -> set[str]:
    return {breach.arn.rpartition("/")[2].partition("_0")[0] for breach in judgment.breaches}


EVERYBODY = {"maya", "tomas", "BreakGlass", "AWSReservedSSO_Operators"}


@pytest.mark.parametrize(
    ("kind", "value", "freed"),
    [
        (AllowedKind.USER, "maya", {"maya"}),
        (AllowedKind.USER, "MAYA", {"maya"}),
        (AllowedKind.USER, "m*", {"maya"}),
        (AllowedKind.USER, "ma[y]a", set()),
        (AllowedKind.USER, f"arn:aws:iam::{NUMBER}:user/people/*", {"maya"}),
        (AllowedKind.USER, "BreakGlass", set()),
        (AllowedKind.ROLE, "BreakGlass", {"BreakGlass"}),
        (AllowedKind.ROLE, "maya", set()),
        (AllowedKind.GROUP, "admins", {"tomas"}),
        (AllowedKind.GROUP, "admin", set()),
        (AllowedKind.PERMISSION_SET, "Operators", {"AWSReservedSSO_Operators"}),
        (AllowedKind.PERMISSION_SET, "Operator", set()),
        (AllowedKind.ACCOUNT, NUMBER, EVERYBODY),
        (AllowedKind.ACCOUNT, OTHER, set()),
        (AllowedKind.TAG, "team=security", {"maya"}),
        (AllowedKind.TAG, "team=sec*", {"maya"}),
        (AllowedKind.TAG, "team=other", set()),
    ],
)
def test_the_allowed_do_not_break_it(kind: AllowedKind, value: str, freed: set[str]) -> None:
    terms = AssertionTerms(("iam:CreateUser",), ("*",), (AllowedPrincipal(kind, value),))
    judgment = judged(terms, tags={"team": "security"})
    assert names(judgment) == EVERYBODY - freed
    assert judgment.unread == ()


def test_who_breaks_it_is_told_with_the_statement_that_allows_it() -> None:
    judgment = judged(AssertionTerms(("iam:Create*",), ("*",)))
    breach = next(breach for breach in judgment.breaches if breach.arn.endswith("maya"))
    assert (breach.action, breach.policy, breach.statement) == ("iam:CreateUser", "create", "statement 1")
    assert breach.is_sure


def test_unknown_tags_are_unknown_and_not_a_breach() -> None:
    organisation = made.Organisation()
    digest = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}))
    row = PrincipalRow(
        1, f"arn:aws:iam::{NUMBER}:user/maya", "AIDA1", PolicyHoldings((("create", digest),)), None
    )
    organisation.accounts.append(AccountRows([row], (), (), (), NUMBER))
    allowed = (AllowedPrincipal(AllowedKind.TAG, "team=security"),)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed)
    assert judge(organisation.index(), NUMBER, terms) == AccountJudgment((), (UNREAD_TAGS,))


@pytest.mark.parametrize(
    ("terms", "account", "unread"),
    [
        (AssertionTerms(("s3:GetObject",), ("arn:aws:s3:::vault/*",)), NUMBER, UNREAD_POLICIES),
        (
            AssertionTerms(("sts:AssumeRole",), (f"arn:aws:iam::{OTHER}:role/unknown",)),
            NUMBER,
            UNREAD_TRUST,
        ),
    ],
)
def test_what_was_not_read_is_said(terms: AssertionTerms, account: str, unread: str) -> None:
    organisation = made.Organisation()
    organisation.accounts.append(AccountRows((), (), (), (), NUMBER))
    judgment = judge(organisation.index(), account, terms)
    assert judgment.unread == (unread,)


@pytest.mark.parametrize(("counts", "breaks"), [(True, True), (False, False)])
def test_conditional_access_counts_if_it_is_said_to(counts: bool, breaks: bool) -> None:
    organisation = made.Organisation()
    statement = ALLOW | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    digest = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    row = PrincipalRow(
        1, f"arn:aws:iam::{NUMBER}:user/maya", "AIDA1", PolicyHoldings((("create", digest),)), {}
    )
    organisation.accounts.append(AccountRows([row], (), (), (), NUMBER))
    terms = AssertionTerms(("iam:CreateUser",), ("*",), counts_conditional=counts)
    judgment = judge(organisation.index(), NUMBER, terms)
    assert bool(judgment.breaches) is breaks


ASKED = [action for action in made.ACTIONS if action != "sts:GetCallerIdentity"]


def second_engine(organisation: made.Organisation, terms: AssertionTerms, account: str) -> set[str]:
    """Every principal by itself, by the long way, and names compared with regular expressions."""
    rows = next(rows for rows in organisation.accounts if rows.number == account)
    by_number = {row.id: row for row in rows.principals}
    breakers = set()
    for resource, actions in terms.questions():
        for action in actions:
            targets = [resource]
            if action == "sts:AssumeRole" and "*" in resource:
                everybody = [row for each in organisation.accounts for row in each.principals]
                targets = [
                    row.arn for row in everybody if ":role/" in row.arn and fnmatchcase(row.arn, resource)
                ]
            for target in targets:
                question = AccessQuestion(action, target, accounts=frozenset({account}))
                for number, decision in longhand.who_can(organisation, question).items():
                    counted = {EvaluationDecision.ALLOWED}
                    if terms.counts_conditional:
                        counted.add(EvaluationDecision.CONDITIONAL)
                    if number in by_number and decision in counted:
                        breakers.add(number)
    allowed = {number for number in breakers if _is_allowed(by_number[number], rows, terms)}
    return {by_number[number].arn for number in breakers - allowed}


def _is_allowed(row: PrincipalRow, rows: AccountRows, terms: AssertionTerms) -> bool:
    groups = {group.id: group.name for group in rows.groups}
    for each in terms.allowed:
        pattern = re.escape(each.value).replace(r"\*", ".*")
        if each.kind is AllowedKind.GROUP:
            names = [groups[number] for number in row.grants.groups]
        elif each.kind is AllowedKind.ACCOUNT:
            names = [rows.number]
        else:
            names = [row.arn.split("/")[-1]] if f":{each.kind.value}/" in row.arn else []
        if any(re.fullmatch(pattern, name) for name in names):
            return True
    return False


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_the_index_and_the_second_engine_name_the_same(seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    index = organisation.index()
    kinds = (AllowedKind.USER, AllowedKind.ROLE, AllowedKind.GROUP)
    for _ in range(4):
        allowed = tuple(
            AllowedPrincipal(dice.choice(kinds), dice.choice(("m*", "home", "tomas", "group0")))
            for _ in range(dice.randint(0, 2))
        )
        terms = AssertionTerms(
            tuple(made.some(dice, ASKED, least=1, most=3)),
            tuple(made.some(dice, made.RESOURCES, least=1, most=2)),
            allowed,
            counts_conditional=dice.random() < 0.7,
        )
        for rows in organisation.accounts:
            judgment = judge(index, rows.number, terms, explains=False)
            expected = second_engine(organisation, terms, rows.number)
            assert {breach.arn for breach in judgment.breaches} == expected, terms
