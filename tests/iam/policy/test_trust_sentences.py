"""Trust policies in plain sentences. The cases follow AWS's, GitHub's and Kubernetes' own descriptions of the
formats.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from iam.policy.trust_sentence_parts import TrustSentence
from iam.policy.trust_sentences import explain_trust, nobody_else

HERE = "111111111111"
KNOWN = {"222222222222": "staging"}
STRANGER = "999999999999"
GITHUB = f"arn:aws:iam::{HERE}:oidc-provider/token.actions.githubusercontent.com"
CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
EKS = f"arn:aws:iam::{HERE}:oidc-provider/{CLUSTER}"
SAML = f"arn:aws:iam::{HERE}:saml-provider/Okta"


def _explain(
    principal: Any, action: Any = "sts:AssumeRole", condition: Any = None, **rest: Any
) -> list[TrustSentence]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action} | rest
    if condition is not None:
        statement["Condition"] = condition
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return explain_trust(text, account_id=HERE, names=KNOWN, at=datetime(2026, 6, 1, tzinfo=UTC))


def _line(sentence: TrustSentence) -> str:
    return ", ".join((sentence.who, *sentence.how))


AWS_CASES = [
    (
        {"Service": "lambda.amazonaws.com"},
        None,
        "AWS Lambda, for functions that use this role",
        "ok",
        "Service",
    ),
    (
        {"Service": "ec2.amazonaws.com.cn"},
        None,
        "Amazon EC2, for instances that have this role in their instance profile",
        "ok",
        "Service",
    ),
    (
        {"Service": "states.eu-west-1.amazonaws.com"},
        None,
        "AWS Step Functions in eu-west-1, for state machines that use this role",
        "ok",
        "Service",
    ),
    ({"Service": "new-thing.amazonaws.com"}, None, "new-thing.amazonaws.com", "ok", "Service"),
    (
        {"Service": "cloudtrail.amazonaws.com"},
        {"StringEquals": {"aws:SourceAccount": HERE}, "ArnLike": {"AWS:SourceArn": "arn:aws:cloudtrail:*"}},
        f"AWS CloudTrail, on behalf of the account {HERE}, on behalf of arn:aws:cloudtrail:*",
        "ok",
        "Service",
    ),
    ({"AWS": HERE}, None, "Anyone in this account whose own policies allow it", "ok", "This account"),
    (
        {"AWS": f"arn:aws:iam::{HERE}:root"},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": 3600}},
        (
            "Anyone in this account whose own policies allow it, signed in with MFA, with MFA not older "
            "than 1 "
            "hour"
        ),
        "ok",
        "This account",
    ),
    (
        {"AWS": f"arn:aws:iam::{HERE}:root"},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": True}},
        "Anyone in this account whose own policies allow it, "
        "signed in with MFA, or using an access key, which carries no information about MFA",
        "ok",
        "This account",
    ),
    ({"AWS": f"arn:aws:iam::{HERE}:user/ops/maya"}, None, "The IAM user ops/maya", "ok", "This account"),
    (
        {"AWS": f"arn:aws:sts::{HERE}:assumed-role/deploy/run-7"},
        None,
        "The role session deploy/run-7",
        "ok",
        "This account",
    ),
    (
        {"AWS": "arn:aws:iam::222222222222:role/ci"},
        None,
        "The role ci of the account staging",
        "ok",
        "Other account",
    ),
    (
        {"AWS": STRANGER},
        None,
        f"Anyone in the account {STRANGER} whose own policies allow it",
        "warn",
        "Other account",
    ),
    (
        {"AWS": f"arn:aws-us-gov:iam::{STRANGER}:root"},
        {"StringEquals": {"sts:ExternalId": ["a-1", "b-2"]}},
        f"Anyone in the account {STRANGER} whose own policies allow it, with the external ID a-1 or b-2",
        "ok",
        "Other account",
    ),
    (
        {"AWS": STRANGER},
        {"StringLike": {"sts:ExternalId": "*"}},
        f"Anyone in the account {STRANGER} whose own policies allow it, with the external ID *",
        "warn",
        "Other account",
    ),
    (
        {"AWS": STRANGER},
        {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}},
        f"Anyone in the account {STRANGER} whose own policies allow it, of the organization o-abc123",
        "ok",
        "Other account",
    ),
    ({"AWS": "*"}, None, "Anyone in any AWS account", "bad", "Anyone"),
    (
        "*",
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        "Anyone in any AWS account, from 192.0.2.0/24",
        "warn",
        "Anyone",
    ),
    (
        "*",
        {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}},
        "Anyone in any AWS account, of the organization o-abc123",
        "ok",
        "Anyone",
    ),
    (
        "*",
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-abc123"}},
        "Anyone in any AWS account",
        "warn",
        "Anyone",
    ),
    ({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, None, "No one: AIDACKCEVSQ6C2EXAMPLE no longer exists", "warn", ""),
]


@pytest.mark.parametrize(("principal", "condition", "line", "tone", "badge"), AWS_CASES)
def test_an_aws_principal_in_words(principal: Any, condition: Any, line: str, tone: str, badge: str) -> None:
    (sentence,) = _explain(principal, condition=condition)
    assert (_line(sentence), sentence.tone, sentence.badge) == (line, tone, badge)


GITHUB_CASES = [
    ("repo:northline/pay:ref:refs/heads/main", "GitHub Actions of northline/pay, on the branch main", "ok"),
    (
        "repo:northline/pay:ref:refs/heads/release-*",
        "GitHub Actions of northline/pay, on the branch release-*",
        "warn",
    ),
    ("repo:northline/pay:ref:refs/heads/*", "GitHub Actions of northline/pay, on any branch", "warn"),
    ("repo:northline/pay:ref:refs/tags/v1", "GitHub Actions of northline/pay, on the tag v1", "ok"),
    ("repo:northline/pay:environment:prod", "GitHub Actions of northline/pay, in the environment prod", "ok"),
    ("repo:northline/pay:pull_request", "GitHub Actions of northline/pay, from pull requests", "warn"),
    (
        "repo:northline/pay:*",
        "GitHub Actions of northline/pay, on any branch and from any pull request",
        "warn",
    ),
    (
        "repo:northline/*",
        "GitHub Actions of every repository of northline, on any branch and from any pull request",
        "warn",
    ),
    ("repo:north*/pay:*", "GitHub Actions of every owner like north*", "bad"),
    ("repo:*", "Every GitHub Actions run in the world", "bad"),
    ("*", "Every GitHub Actions run in the world", "bad"),
    ("repository_owner:northline", "GitHub Actions, with the subject repository_owner:northline", "ok"),
]


@pytest.mark.parametrize(("subject", "line", "tone"), GITHUB_CASES)
def test_a_github_subject_in_words(subject: str, line: str, tone: str) -> None:
    condition = {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        "StringLike": {"token.actions.githubusercontent.com:sub": subject},
    }
    (sentence,) = _explain({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", condition)
    assert _line(sentence) == line
    assert (sentence.tone, sentence.badge, sentence.literal) == (tone, "GitHub Actions", ())


def test_a_wildcard_that_is_taken_letter_by_letter_lets_nobody_in() -> None:
    condition = {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:northline/pay:*"}}
    (sentence,) = _explain({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", condition)
    assert sentence.who == "No one, by the subject repo:northline/pay:*"
    assert sentence.tone == "warn"


def test_a_shared_issuer_without_subject_lets_the_world_in() -> None:
    condition = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}
    (sentence,) = _explain({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", condition)
    assert (sentence.who, sentence.tone) == ("Every GitHub Actions run in the world", "bad")


def test_a_subject_that_may_be_missing_is_no_limit() -> None:
    condition = {
        "ForAllValues:StringLike": {"token.actions.githubusercontent.com:sub": "repo:northline/pay:*"}
    }
    (sentence,) = _explain({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", condition)
    assert sentence.tone == "warn"
    assert sentence.literal == (
        "ForAllValues:StringLike token.actions.githubusercontent.com:sub: repo:northline/pay:*",
    )


def test_each_subject_of_a_list_has_its_own_sentence() -> None:
    condition = {
        "StringLike": {
            "token.actions.githubusercontent.com:sub": [
                "repo:northline/pay:*",
                "repo:northline/web:environment:prod",
            ]
        }
    }
    sentences = _explain({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", condition)
    assert [(sentence.who, sentence.tone) for sentence in sentences] == [
        ("GitHub Actions of northline/pay", "warn"),
        ("GitHub Actions of northline/web", "ok"),
    ]


EKS_CASES = [
    (
        "system:serviceaccount:payments:settler",
        (
            "Pods with the service account settler, in the namespace payments of the EKS cluster EXAMPLED… "
            "in "
            "eu-west-1"
        ),
        "ok",
    ),
    (
        "system:serviceaccount:payments:*",
        "Every pod in the namespace payments of the EKS cluster EXAMPLED… in eu-west-1",
        "warn",
    ),
    (
        "system:serviceaccount:*:settler",
        "Pods of the EKS cluster EXAMPLED… in eu-west-1, with the service account settler in any namespace",
        "warn",
    ),
    ("*", "Every pod of the EKS cluster EXAMPLED… in eu-west-1", "warn"),
    (None, "Every pod of the EKS cluster EXAMPLED… in eu-west-1", "warn"),
]


@pytest.mark.parametrize(("subject", "line", "tone"), EKS_CASES)
def test_an_eks_subject_in_words(subject: str | None, line: str, tone: str) -> None:
    condition: dict[str, Any] = {"StringEquals": {f"{CLUSTER}:aud": "sts.amazonaws.com"}}
    if subject:
        condition["StringLike"] = {f"{CLUSTER}:sub": subject}
    (sentence,) = _explain({"Federated": EKS}, "sts:AssumeRoleWithWebIdentity", condition)
    assert (_line(sentence), sentence.tone, sentence.badge) == (line, tone, "EKS")


WEB_CASES = [
    (
        "gitlab.com",
        "project_path:northline/pay:ref_type:branch:ref:main",
        "GitLab CI of northline/pay, on the branch main",
        "ok",
    ),
    (
        "app.terraform.io",
        "organization:northline:project:core:workspace:prod:run_phase:apply",
        "HCP Terraform of northline, in the workspace prod of the project core, in the phase apply",
        "ok",
    ),
    (
        "app.terraform.io",
        "organization:northline:project:*:workspace:*:run_phase:*",
        "HCP Terraform of northline, in every workspace",
        "warn",
    ),
    ("accounts.google.com", "1180", "A web identity of Google, with the subject 1180", "ok"),
    ("login.example.com/tenant", None, "Everyone with an identity at login.example.com/tenant", "warn"),
    ("gitlab.com", None, "Everyone with an identity at GitLab CI", "bad"),
]


@pytest.mark.parametrize(("issuer", "subject", "line", "tone"), WEB_CASES)
def test_another_web_identity_in_words(issuer: str, subject: str | None, line: str, tone: str) -> None:
    condition: dict[str, Any] = {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    if subject:
        condition["StringLike"] = {f"{issuer}:sub": subject}
    principal = {"Federated": f"arn:aws:iam::{HERE}:oidc-provider/{issuer}"}
    (sentence,) = _explain(principal, "sts:AssumeRoleWithWebIdentity", condition)
    assert (_line(sentence), sentence.tone) == (line, tone)


def test_a_cognito_pool_says_whether_people_sign_in() -> None:
    condition = {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:pool"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"},
    }
    principal = {"Federated": "cognito-identity.amazonaws.com"}
    (sentence,) = _explain(principal, "sts:AssumeRoleWithWebIdentity", condition)
    assert _line(sentence) == "Identities of Amazon Cognito, without signing in"
    assert sentence.notes == ("For the audience eu-west-1:pool",)


def test_saml_names_the_provider_and_the_audience() -> None:
    condition = {
        "StringEquals": {
            "SAML:aud": "https://signin.aws.amazon.com/saml",
            "SAML:edupersonaffiliation": "staff",
        }
    }
    (sentence,) = _explain({"Federated": SAML}, "sts:AssumeRoleWithSAML", condition)
    assert _line(sentence) == (
        "People who sign in through the SAML provider Okta, at the AWS sign-in page, "
        "with edupersonaffiliation = staff"
    )
    assert sentence.tone == "ok"
    (open_door,) = _explain({"Federated": SAML}, "sts:AssumeRoleWithSAML")
    assert open_door.tone == "warn"
    assert "no audience condition" in open_door.notes[0]


def test_an_unusual_condition_is_shown_as_it_is() -> None:
    condition = {
        "StringNotLike": {"aws:PrincipalArn": ["*/break-glass", "*/root"]},
        "Null": {"aws:Foo": "false"},
    }
    (sentence,) = _explain({"AWS": HERE}, condition=condition)
    assert sentence.how == ()
    assert sentence.literal == (
        "StringNotLike aws:PrincipalArn: */break-glass, */root",
        "Null aws:Foo: false",
    )


def test_an_end_date_is_said_and_that_it_has_passed() -> None:
    condition = {"DateLessThan": {"aws:CurrentTime": "2026-05-25T02:30:00Z"}}
    (over,) = _explain({"AWS": HERE}, condition=condition)
    assert over.how == ("until 25 May 2026, 02:30 UTC",)
    assert over.notes[0] == "This has ended"
    condition["DateLessThan"]["aws:CurrentTime"] = "2026-07-01T00:00:00Z"
    (running,) = _explain({"AWS": HERE}, condition=condition)
    assert "This has ended" not in running.notes


def test_a_deny_is_a_refusal() -> None:
    condition = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    (sentence,) = _explain("*", condition=condition, Effect="Deny")
    assert _line(sentence) == "Denied: everyone, when not signed in with MFA"
    assert sentence.kind == "refusal"


def test_tagging_a_session_lets_nobody_in() -> None:
    (sentence,) = _explain({"AWS": HERE}, "sts:TagSession")
    assert _line(sentence) == "Anyone in this account whose own policies allow it, can pass session tags"
    assert sentence.kind == "tags"


def test_a_call_that_does_not_fit_the_principal_lets_nobody_in() -> None:
    (sentence,) = _explain({"Federated": SAML}, "sts:AssumeRole")
    assert sentence.how == ("can’t assume the role",)
    assert sentence.notes == (
        "The statement allows sts:AssumeRole, but this principal needs sts:AssumeRoleWithSAML",
    )


def test_not_action_is_what_it_leaves_out() -> None:
    def explained(actions: list[str], principal: Any, **more: Any) -> Any:
        statement = {"Effect": "Allow", "Principal": principal, "NotAction": actions} | more
        (sentence,) = explain_trust(json.dumps({"Statement": statement}), account_id=HERE)
        return sentence

    assert explained(["sts:TagSession"], {"AWS": HERE}).kind == "account"
    leaves_out = explained(["STS:AssumeRole", "sts:Tag*"], {"AWS": HERE})
    assert leaves_out.how == ("can pass a source identity",)
    neither = explained(["sts:AssumeRole*", "sts:TagSession", "sts:SetSourceIdentity"], {"Federated": SAML})
    assert neither.notes == (
        "The statement allows every action except sts:AssumeRole*, sts:TagSession, sts:SetSourceIdentity, "
        "but this principal needs sts:AssumeRoleWithSAML",
    )
    denied = explained(["sts:Assume*"], "*", Effect="Deny")
    assert denied.notes == ("Only for every action except sts:Assume*",)


@pytest.mark.parametrize("action", ["*", "sts:*", "sts:Assume*", ["sts:TagSession", "STS:AssumeRole"]])
def test_a_wildcard_of_calls_includes_the_one_that_counts(action: Any) -> None:
    (sentence,) = _explain({"AWS": HERE}, action)
    assert sentence.kind == "account"


def test_everybody_but_somebody_is_everybody() -> None:
    text = json.dumps(
        {"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": HERE}, "Action": "sts:AssumeRole"}}
    )
    (sentence,) = explain_trust(text, account_id=HERE)
    assert (sentence.who, sentence.tone) == (f"Everyone in the world except {HERE}", "bad")


def test_the_list_ends_with_those_who_are_not_let_in() -> None:
    sentences = _explain({"Service": "ec2.amazonaws.com"})
    assert nobody_else(sentences) == "No other account, no web identity, no SAML sign-in"
    assert nobody_else(_explain({"AWS": "*"})) == ""
    assert nobody_else([]) == "No other account, no AWS service, no web identity, no SAML sign-in"
