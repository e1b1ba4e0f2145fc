"""Access through a role: another account, a partner, a federated subject, and a role that is there, against
the stand-in.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.grants import services
from iam.access.grants.ledger import ledger_of
from iam.access.grants.models import GrantState, PermissionSort
from iam.access.grants.proof import proof_of
from iam.access.grants.services.cleanup_denies import tidy_denials
from iam.access.grants.services.revoke_sessions import request_cut
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.mirror.models import EdgeKind, Kind
from tests import factories
from tests.iam.access.grants.conftest import Office, allowing, statements

pytestmark = pytest.mark.on_postgresql

OTHER = "339011276654"


def _terms(office: Office, who: WhoTerms, what: GrantContent | None = None, **fields: Any) -> GrantTerms:
    return GrantTerms(who=who, what=what or statements(), accounts=(office.number,), why="An audit", **fields)


def _role_in_aws(office: Office, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    iam = office.scene.aws.iam
    role = iam.get_role(RoleName=name)["Role"]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    trust, document = (
        role["AssumeRolePolicyDocument"],
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"],
    )
    return (_json(trust), _json(document))


def _json(document: Any) -> dict[str, Any]:
    return document if isinstance(document, dict) else dict(json.loads(document))


def _made_role(office: Office, grant: Any) -> str:
    return next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ROLE)


PARTNER = WhoTerms(
    WhoKind.PARTNER, account_id=OTHER, external_id="gh-bw-7c1e93f0a4", label="Brightwater Audit"
)


def test_a_partner_gets_a_role_that_only_they_with_their_external_id_assume(office: Office) -> None:
    end = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(days=30)
    stamp = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    grant = office.granted(_terms(office, PARTNER, until=end))
    name = _made_role(office, grant)
    trust, document = _role_in_aws(office, name)
    assert name.startswith("gatehouse-brightwater-audit-")
    assert trust["Statement"] == [
        {
            "Sid": f"Gatehouse{grant.id.hex[:8]}",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": "gh-bw-7c1e93f0a4"},
                "DateLessThan": {"aws:CurrentTime": stamp},
            },
        }
    ]
    assert document["Statement"][0]["Condition"] == {"DateLessThan": {"aws:CurrentTime": stamp}}
    grant = office.ended(grant)
    assert grant.state == GrantState.ENDED
    with pytest.raises(office.scene.aws.iam.exceptions.NoSuchEntityException):
        office.scene.aws.iam.get_role(RoleName=name)


def test_one_role_of_another_account_is_trusted_alone(office: Office) -> None:
    reader = f"arn:aws:iam::{OTHER}:role/reader"
    grant = office.granted(_terms(office, WhoTerms(WhoKind.ACCOUNT, account_id=OTHER, principal=reader)))
    trust, _ = _role_in_aws(office, _made_role(office, grant))
    assert trust["Statement"][0]["Principal"] == {"AWS": reader}
    assert not any("as a whole" in warning for warning in _plan(office, grant).warnings)


def _plan(office: Office, grant: Any) -> Any:
    return services.plan_grant(grant.agreed, viewer=office.asks)


def test_a_whole_account_is_said_to_be_trusted_as_a_whole(office: Office) -> None:
    plan = services.plan_grant(
        _terms(office, WhoTerms(WhoKind.ACCOUNT, account_id=OTHER)), viewer=office.asks
    )
    assert any("is trusted: its administrators" in warning for warning in plan.warnings)
    assert "trust-opened" in plan.risks
    wide = _terms(office, WhoTerms(WhoKind.ACCOUNT, account_id=OTHER), statements(allowing("*")))
    plan = services.plan_grant(wide, viewer=office.asks)
    assert any("gets everything" in warning for warning in plan.warnings)
    assert "administrator" in plan.risks


def test_a_federated_subject_gets_a_role_with_its_subject_in_the_trust(office: Office) -> None:
    arn = f"arn:aws:iam::{office.number}:oidc-provider/token.actions.githubusercontent.com"
    factories.entity(office.scene.account, Kind.OIDC_PROVIDER, "token.actions.githubusercontent.com", arn=arn)
    who = WhoTerms(
        WhoKind.FEDERATED,
        provider_arn=arn,
        subject="repo:northline/pay:ref:refs/heads/main",
        audience="sts.amazonaws.com",
    )
    grant = office.granted(_terms(office, who))
    trust, _ = _role_in_aws(office, _made_role(office, grant))
    (statement,) = trust["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:northline/pay:ref:refs/heads/main",
    }


@pytest.mark.parametrize("subject", ["repo:*", "repo:*/*:*"])
def test_a_subject_that_means_everybody_is_refused(office: Office, subject: str) -> None:
    arn = f"arn:aws:iam::{office.number}:oidc-provider/token.actions.githubusercontent.com"
    factories.entity(office.scene.account, Kind.OIDC_PROVIDER, "token.actions.githubusercontent.com", arn=arn)
    who = WhoTerms(WhoKind.FEDERATED, provider_arn=arn, subject=subject, audience="sts.amazonaws.com")
    with pytest.raises(TermsError, match="subject that gets access"):
        office.ask(_terms(office, who))


def test_a_provider_that_the_account_does_not_have_is_named(office: Office) -> None:
    arn = f"arn:aws:iam::{office.number}:saml-provider/corp"
    who = WhoTerms(WhoKind.FEDERATED, provider_arn=arn, subject="kwame@northline.example")
    with pytest.raises(RefusedError, match="no identity provider corp"):
        office.ask(_terms(office, who))


def test_a_partner_is_given_neither_everything_nor_iam(office: Office) -> None:
    for text in (allowing("*"), allowing("iam:*"), allowing("iam:PutRolePolicy")):
        with pytest.raises(RefusedError, match="partner can’t get"):
            office.ask(_terms(office, PARTNER, statements(text)))


def _role(office: Office, trust: dict[str, Any]) -> Any:
    name = f"breakglass-{office.suffix}"
    office.call(
        "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=7200
    )
    role = factories.role(office.scene.account, name, trust=trust)
    office.read(role)
    return type(role).objects.get(account=office.scene.account, name=name, gone_at__isnull=True)


def test_an_existing_role_is_opened_by_one_statement_which_goes_again(office: Office) -> None:
    role = _role(office, factories.TRUST_EC2)
    what = GrantContent(WhatKind.ROLE, role_arn=role.arn)
    grant = office.granted(office.terms(what, lasts=3600))
    part = grant.parts.get()
    assert part.way == "trust"
    assert any("2 hours longer" in note for note in part.plan["notes"])
    iam = office.scene.aws.iam
    first, second = _json(iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"])["Statement"]
    assert first == factories.TRUST_EC2["Statement"][0]
    assert second["Principal"] == {"AWS": office.scene.user.arn}
    assert "DateLessThan" in second["Condition"]
    (let_in,) = ledger_of(role, viewer=office.asks)
    assert (let_in.sort, [entry.part.grant_id for entry in let_in.reasons]) == (
        PermissionSort.TRUST,
        [grant.pk],
    )
    office.ended(grant)
    assert _json(iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"])["Statement"] == [first]


def test_statements_too_large_for_one_role_policy_become_several(office: Office) -> None:
    resources = [f"arn:aws:s3:::ledger-{number:04d}-{'x' * 40}/*" for number in range(60)]
    documents = tuple(
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": f"s3:GetObject{word}", "Resource": resources}],
            }
        )
        for word in ("", "Tagging", "Acl", "Version")
    )
    what = GrantContent(WhatKind.STATEMENTS, documents=documents)
    plan = services.plan_grant(
        _terms(office, WhoTerms(WhoKind.ACCOUNT, account_id=OTHER), what), viewer=office.asks
    )
    (part,) = plan.parts
    texts = [
        str(step.operation.params["document"])
        for step in part.steps
        if step.operation.slug == "policy.create"
    ]
    assert len(texts) > 1
    assert all(len(text) <= 6144 for text in texts)
    content = [content["Action"] for text in texts for content in json.loads(text)["Statement"]]
    assert content == [json.loads(text)["Statement"][0]["Action"] for text in documents]


def test_the_sessions_of_one_person_end_with_the_grant_and_nobody_elses(office: Office) -> None:
    role = _role(office, factories.TRUST_EC2)
    grant = office.granted(office.terms(GrantContent(WhatKind.ROLE, role_arn=role.arn), lasts=3600))
    iam, user = office.scene.aws.iam, office.scene.user.name
    statement = _json(iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"])["Statement"][1]
    assert statement["Condition"]["StringEquals"] == {"sts:RoleSessionName": "${aws:username}"}
    grant = office.ended(grant)
    (name,) = iam.list_role_policies(RoleName=role.name)["PolicyNames"]
    (denial,) = _json(iam.get_role_policy(RoleName=role.name, PolicyName=name)["PolicyDocument"])["Statement"]
    assert denial["Effect"] == "Deny"
    assert denial["Condition"]["StringEquals"] == {"aws:userid": f"{role.aws_id}:{user}"}
    proof = proof_of(grant.parts.get())
    assert proof.is_whole
    assert [removal.is_of_sessions for removal in proof.removals] == [False, True]
    assert proof.reads >= 2
    assert "confirmed by" in proof.sentence
    # The denial stays as long as a session of that time could be running.
    now = datetime.now(tz=UTC)
    assert tidy_denials(now=now + timedelta(hours=12)) == 0
    assert tidy_denials(now=now + timedelta(hours=14)) == 1
    assert tidy_denials(now=now + timedelta(hours=14)) == 0
    office.work(grant)
    assert iam.list_role_policies(RoleName=role.name)["PolicyNames"] == []


def test_all_sessions_of_a_role_are_ended_by_a_request_of_its_own_after_the_end(office: Office) -> None:
    role = _role(office, factories.TRUST_EC2)
    who = WhoTerms(WhoKind.ACCOUNT, account_id=OTHER, principal=f"arn:aws:iam::{OTHER}:role/reader")
    grant = office.granted(_terms(office, who, GrantContent(WhatKind.ROLE, role_arn=role.arn)))
    part = grant.parts.get()
    assert any("only all sessions of the role" in note for note in part.plan["notes"])
    with pytest.raises(RefusedError, match="End the grant first"):
        request_cut(part, actor=office.asks, reason="Leaked", idempotency_key="c")
    part = office.ended(grant).parts.get()
    (change,) = request_cut(part, actor=office.asks, reason="Leaked", idempotency_key="c")
    assert change.state == "awaiting_approval"


def test_where_nothing_is_taken_away_the_proof_says_why(office: Office) -> None:
    office.scene.by_hand("AddUserToGroup")
    factories.edge(EdgeKind.MEMBER, office.scene.user, office.scene.group)
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)))
    assert "there before" in proof_of(office.ended(grant).parts.get()).sentence
