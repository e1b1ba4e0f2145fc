"""What somebody may try with the terms of a grant: subjects that mean everybody, conditions that never hold,
names at the limits, other partitions.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from iam.access.grants.documents import name_for, timed, written
from iam.access.grants.services import plan_grant, request_grant
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.mirror.models import Account
from tests import factories as make

pytestmark = pytest.mark.on_postgresql

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROD, OTHER = "111111111111", "339011276654"
GITHUB = f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"
CLUSTER = f"arn:aws:iam::{PROD}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF"
CORP = f"arn:aws:iam::{PROD}:saml-provider/corp"


def _text(**statement_or_text: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::ledger/*",
    } | statement_or_text
    if "NotAction" in statement_or_text:
        del statement["Action"]
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _terms(who: WhoTerms, *documents: str, **fields: Any) -> GrantTerms:
    what = GrantContent(WhatKind.STATEMENTS, documents=documents or (_text(),))
    return GrantTerms(**{"who": who, "what": what, "accounts": (PROD,), "why": "An audit"} | fields)


PARTNER = WhoTerms(WhoKind.PARTNER, account_id=OTHER, external_id="gh-bw-7c1e93f0a4", label="Brightwater")


@pytest.fixture
def prod(db: None) -> Account:
    """An account that can be written to."""
    return make.account(PROD, write_role_arn=f"arn:aws:iam::{PROD}:role/gatehouse-writer")


WIDE = [
    (GITHUB, "r*"),
    (GITHUB, "repo*"),
    (GITHUB, "repo:?*"),
    (GITHUB, "repo:north*"),
    (GITHUB, "${token.actions.githubusercontent.com:sub}"),
    (GITHUB, "repo:northline/pay:${token.actions.githubusercontent.com:ref}"),
    (CLUSTER, "s*"),
    (CLUSTER, "system:serviceaccount:*"),
    (CORP, "k*"),
    (CORP, "${saml:sub}"),
    (CORP, "kwame\nama"),
]
NARROW = [
    (GITHUB, "repo:northline/*"),
    (GITHUB, "repo:northline/pay:*"),
    (CLUSTER, "system:serviceaccount:payments:*"),
    (CORP, "kwame@northline.example"),
    (CORP, "kwame*"),
]


def _federated(provider: str, subject: str) -> WhoTerms:
    return WhoTerms(WhoKind.FEDERATED, provider_arn=provider, subject=subject, audience="sts.amazonaws.com")


@pytest.mark.parametrize(("provider", "subject"), WIDE)
def test_a_subject_that_means_more_than_somebody_is_refused(provider: str, subject: str) -> None:
    with pytest.raises(TermsError) as refused:
        _federated(provider, subject).check()
    assert refused.value.part == "who"


@pytest.mark.parametrize(("provider", "subject"), NARROW)
def test_a_subject_that_names_somebody_is_taken(provider: str, subject: str) -> None:
    _federated(provider, subject).check()


def test_an_audience_holds_no_variable_either() -> None:
    with pytest.raises(TermsError):
        replace(_federated(GITHUB, "repo:a/b:*"), audience="${aws:userid}").check()


@pytest.mark.parametrize("sign", ["\x00", "\ud800"])
def test_signs_that_no_database_keeps_are_refused(sign: str) -> None:
    for terms in (_terms(PARTNER, why=f"a{sign}"), _terms(replace(PARTNER, label=f"a{sign}"))):
        with pytest.raises(TermsError, match="invalid character"):
            terms.check(now=NOW)


TOO_MUCH = [
    _text(Action="i*:*", Resource="*"),
    _text(Action="*:PutRolePolicy", Resource="*"),
    _text(Action="?am:create*", Resource="*"),
    _text(NotAction="s3:*", Resource="*"),
    _text(NotAction="iam:*", Resource="*"),
]


@pytest.mark.parametrize("text", TOO_MUCH)
def test_a_partner_is_not_given_iam_in_other_words(prod: Account, text: str) -> None:
    (part,) = plan_grant(_terms(PARTNER, text), viewer=make.viewer()).parts
    assert "partner can’t get" in part.refusal


@pytest.mark.parametrize("name", ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"])
def test_a_partner_is_not_given_what_nobody_has_read_here(prod: Account, name: str) -> None:
    what = GrantContent(WhatKind.MANAGED, policy_arn=f"arn:aws:iam::aws:policy/{name}")
    (part,) = plan_grant(replace(_terms(PARTNER), what=what), viewer=make.viewer()).parts
    assert "can’t get all permissions" in part.refusal


def test_an_external_id_is_one_partners_alone_and_hard_to_guess(prod: Account) -> None:
    asks = make.viewer()
    request_grant(_terms(PARTNER), actor=asks, idempotency_key="a")
    with pytest.raises(TermsError, match="Another partner"):
        request_grant(_terms(replace(PARTNER, account_id="444455556666")), actor=asks, idempotency_key="b")
    request_grant(_terms(PARTNER, why="Once more"), actor=asks, idempotency_key="c")
    for guessed in (OTHER, "Brightwater", "gh-1"):
        plan = plan_grant(_terms(replace(PARTNER, external_id=guessed)), viewer=asks)
        assert any("guessed" in warning for warning in plan.warnings)
    assert not any("guessed" in warning for warning in plan_grant(_terms(PARTNER), viewer=asks).warnings)


DOUBTS = [
    (_text(NotAction="s3:*", Resource="*"), "every action that isn’t named"),
    (
        _text(Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        "allows nothing any more",
    ),
    (_text(Condition={"StringEquals": {"aws:PrincipalTag/team": []}}), "empty list"),
    (_text(Resource="arn:aws-cn:s3:::ledger/*"), "another AWS partition"),
    (_text(Action="s3:Frobnicate*"), "no known action"),
]


@pytest.mark.parametrize(("text", "answer_of_aws"), DOUBTS)
def test_what_gives_more_or_less_than_it_seems_is_told_to_the_approver(
    prod: Account, text: str, answer_of_aws: str
) -> None:
    user = make.user(prod, "kwame")
    who = WhoTerms(WhoKind.USERS, arns=(user.arn,))
    assert any(
        answer_of_aws in warning for warning in plan_grant(_terms(who, text), viewer=make.viewer()).warnings
    )


def test_what_aws_would_not_take_is_refused_before_anybody_approves_it() -> None:
    for text in (_text(Action="nonsense"), _text(Condition={"Bool": {"aws:SecureTransport": "maybe"}})):
        with pytest.raises(TermsError, match="would reject"):
            _terms(PARTNER, text).check(now=NOW)


def test_an_unknown_action_is_refused_with_a_way_for_newer_ones() -> None:
    with pytest.raises(TermsError, match=r"no known action.*GATEHOUSE_NEWER_NAMES"):
        _terms(PARTNER, _text(Action="s3:Frobnicate")).check(now=NOW)


def test_a_statement_that_ends_by_itself_twice_gets_a_third_end() -> None:
    context = {"aws:CurrentTime": "2030-01-01T00:00:00Z"}
    text = _text(Condition={"DateLessThan": context, "DateLessThanEquals": context})
    (statement,) = json.loads(timed(text, end=NOW))["Statement"]
    assert statement["Condition"]["DateLessThanIfExists"] == {"aws:CurrentTime": "2026-03-02T12:00:00Z"}


def test_names_and_descriptions_keep_to_what_aws_takes(prod: Account) -> None:
    label = "Žluťoučký kůň 写真 " * 20
    what = GrantContent(WhatKind.STATEMENTS, documents=tuple(_large(place) for place in range(4)))
    terms = replace(_terms(replace(PARTNER, label=label)), what=what)
    plan = plan_grant(terms, viewer=make.viewer())
    made = [step.operation.params for part in plan.parts for step in part.steps]
    assert [row["name"] for row in made if "name" in row]
    for params in made:
        assert len(params.get("name", "")) <= (64 if "trust" in params else 128)
        assert all(ord(sign) <= 0xFF for sign in params.get("description", ""))
    assert len(name_for("x" * 300, mark="12345678-1")) == 128


def _large(place: int) -> str:
    return _text(Resource=[f"arn:aws:s3:::b-{place}-{number:03d}-{'x' * 40}/*" for number in range(60)])


def test_what_aws_does_not_take_raw_is_escaped() -> None:
    text = written({"Resource": "arn:aws:s3:::写真/café"})
    assert text.isascii() or all(ord(sign) <= 0xFF for sign in text)
    assert json.loads(text) == {"Resource": "arn:aws:s3:::写真/café"}


def test_in_another_partition_everything_is_named_in_it(db: None) -> None:
    china = make.account(
        "222222222222", partition="aws-cn", write_role_arn="arn:aws-cn:iam::222222222222:role/w"
    )
    user = make.user(china, "wei", arn="arn:aws-cn:iam::222222222222:user/wei")
    asks = make.viewer()
    what = GrantContent(WhatKind.MANAGED, policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    terms = replace(_terms(WhoTerms(WhoKind.USERS, arns=(user.arn,))), what=what, accounts=("222222222222",))
    (part,) = plan_grant(terms, viewer=asks).parts
    assert part.steps[0].operation.params["policy_arn"] == "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"
    outside = f"arn:aws:iam::{OTHER}:role/reader"
    for who in (
        WhoTerms(WhoKind.ACCOUNT, account_id=OTHER, principal=outside),
        WhoTerms(WhoKind.ROLE, arns=(outside,)),
    ):
        (part,) = plan_grant(_terms(who, accounts=("222222222222",)), viewer=asks).parts
        assert "another AWS partition" in part.refusal


def test_a_policy_of_somebody_else_with_the_name_stops_the_request_and_not_the_policy(prod: Account) -> None:
    user, asks = make.user(prod, "kwame"), make.viewer()
    terms = _terms(WhoTerms(WhoKind.USERS, arns=(user.arn,)))
    name = plan_grant(terms, viewer=asks, key="k").parts[0].steps[0].operation.params["name"]
    make.policy(prod, name.upper(), arn=f"arn:aws:iam::{PROD}:policy/theirs/{name.upper()}")
    with pytest.raises(RefusedError, match="already"):
        request_grant(terms, actor=asks, idempotency_key="k")


def test_gatehouses_own_users_are_refused_while_one_plans(prod: Account) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    own = make.user(prod, "gatehouse-hub")
    body = {"Version": "2012-10-17", "Statement": [trust | {"Principal": {"AWS": own.arn}}]}
    make.role(prod, "gatehouse-writer", arn=prod.write_role_arn, trust=body)
    terms = _terms(WhoTerms(WhoKind.USERS, arns=(own.arn,)))
    (part,) = plan_grant(terms, viewer=make.viewer()).parts
    assert part.refusal.startswith("Gatehouse itself needs this")


def test_a_statement_of_another_grant_is_not_replaced(prod: Account) -> None:
    user, asks = make.user(prod, "kwame"), make.viewer()
    role = make.role(prod, "breakglass")
    what = GrantContent(WhatKind.ROLE, role_arn=role.arn)
    terms = replace(_terms(WhoTerms(WhoKind.USERS, arns=(user.arn,)), lasts=3600), what=what)
    sid = plan_grant(terms, viewer=asks, key="k").parts[0].steps[0].permissions[0].target
    body = {"Version": "2012-10-17", "Statement": [make.TRUST_EC2["Statement"][0] | {"Sid": sid}]}
    other = make.role(prod, "breakglass-2", trust=body)
    terms = replace(terms, what=GrantContent(WhatKind.ROLE, role_arn=other.arn))
    (part,) = plan_grant(terms, viewer=asks, key="k").parts
    assert sid in part.refusal


def test_the_right_to_assume_many_roles_fits_into_what_one_user_may_hold(prod: Account) -> None:
    user = make.user(prod, "kwame")
    numbers = [str(number) for number in range(200000000000, 200000000040)]
    for number in numbers:
        make.account(number, name=f"a-{number[-3:]}", write_role_arn=f"arn:aws:iam::{number}:role/w")
    terms = _terms(WhoTerms(WhoKind.USERS, arns=(user.arn,)), accounts=tuple(numbers), lasts=3600)
    plan = plan_grant(terms, viewer=make.viewer())
    assert not plan.refusals
    rights = [
        operation.params
        for operation in plan.operations
        if operation.account == prod and "document" in operation.params
    ]
    named = [arn for right in rights for arn in _resources(str(right["document"]))]
    roles = [
        operation.params["subject_arn"] for operation in plan.operations if operation.slug == "role.create"
    ]
    assert sorted(named) == sorted(roles)
    assert len(roles) == len(numbers)


def _resources(text: str) -> list[str]:
    resource = json.loads(text)["Statement"][0]["Resource"]
    return resource if isinstance(resource, list) else [resource]
