"""Role trust policies: by account, by name, through identity providers and services."""

from __future__ import annotations

from typing import Any

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    CONDITIONAL,
    DENIED,
    NOT_ALLOWED,
    OTHER_ROOT,
    OTHER_USER,
    ROLE,
    ROOT,
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
)

CASES: list[Case] = []
SERVICE = "cloudtrail.amazonaws.com"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corporate"


def trust(*, to: Any, action: Any = "sts:AssumeRole", when: Any = None) -> dict[str, Any]:
    """A statement of a trust policy, which has no Resource element."""
    return allow(action, None, to=to, **({} if when is None else {"when": when}))


ASSUME = {"action": "sts:AssumeRole", "resource": ROLE}
MAY = allow("sts:AssumeRole", ROLE)
page = Page("Granting a user permissions to switch roles", CASES)
page.case(
    "the account is trusted and the user may",
    ALLOWED,
    **ASSUME,
    identity=MAY,
    resource_policy=trust(to={"AWS": ROOT}),
)
page.case(
    "the account is trusted, the user may not", NOT_ALLOWED, **ASSUME, resource_policy=trust(to={"AWS": ROOT})
)
page.case(
    "the user may, but is not trusted",
    NOT_ALLOWED,
    **ASSUME,
    identity=MAY,
    resource_policy=trust(to={"AWS": f"{USER}-2"}),
)
page.case(
    "an administrator who is not trusted",
    NOT_ALLOWED,
    **ASSUME,
    identity=allow("*"),
    resource_policy=trust(to={"Service": SERVICE}),
)
page.case("no trust policy is known", NOT_ALLOWED, **ASSUME, identity=allow("*"))
page.case(
    "the user itself is trusted: that is enough in the account",
    ALLOWED,
    **ASSUME,
    resource_policy=trust(to={"AWS": USER}),
)
page.case(
    "the user is denied all the same",
    DENIED,
    **ASSUME,
    identity=deny("sts:*"),
    resource_policy=trust(to={"AWS": USER}),
)
page.case(
    "everybody is trusted: enough in the account", ALLOWED, **ASSUME, resource_policy=trust(to={"AWS": "*"})
)
page.case(
    "a user of another account needs both",
    ALLOWED,
    principal=OTHER_USER,
    **ASSUME,
    identity=MAY,
    resource_policy=trust(to={"AWS": OTHER_ROOT}),
)
page.case(
    "a user of another account without permission",
    NOT_ALLOWED,
    principal=OTHER_USER,
    **ASSUME,
    resource_policy=trust(to={"AWS": OTHER_USER}),
)
page.case(
    "a user of another account who is not trusted",
    NOT_ALLOWED,
    principal=OTHER_USER,
    **ASSUME,
    identity=MAY,
    resource_policy=trust(to={"AWS": ROOT}),
)
page.case(
    "another role may be assumed, this one not",
    NOT_ALLOWED,
    **ASSUME,
    identity=allow("sts:AssumeRole", f"{ROLE}-2"),
    resource_policy=trust(to={"AWS": ROOT}),
)
page.case(
    "a deny in the trust policy",
    DENIED,
    **ASSUME,
    identity=MAY,
    resource_policy=[trust(to={"AWS": ROOT}), deny("sts:AssumeRole", None, to={"AWS": USER})],
)
page.case(
    "MFA is asked for and there",
    ALLOWED,
    **ASSUME,
    identity=MAY,
    context={"aws:MultiFactorAuthPresent": "true"},
    resource_policy=trust(to={"AWS": ROOT}, when={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
)
page.case(
    "MFA is asked for and left open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    **ASSUME,
    identity=MAY,
    resource_policy=trust(to={"AWS": ROOT}, when={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
)
page.case(
    "role chaining: the role is trusted",
    ALLOWED,
    principal=SESSION,
    action="sts:AssumeRole",
    resource=f"{ROLE}-2",
    resource_policy=trust(to={"AWS": ROLE}),
)
page.case(
    "role chaining: the boundary limits",
    NOT_ALLOWED,
    principal=SESSION,
    action="sts:AssumeRole",
    resource=f"{ROLE}-2",
    boundary=allow("s3:*"),
    resource_policy=trust(to={"AWS": ROLE}),
)
page.case(
    "a role does not trust itself by itself",
    NOT_ALLOWED,
    principal=SESSION,
    **ASSUME,
    identity=allow("*"),
    resource_policy=trust(to={"Service": SERVICE}),
)

page = Page("AssumeRole (AWS STS API Reference)", CASES)
page.case(
    "the root user cannot", NOT_ALLOWED, principal=ROOT, **ASSUME, resource_policy=trust(to={"AWS": ROOT})
)

page = Page("The confused deputy problem", CASES)
EXTERNAL = trust(to={"AWS": OTHER_ROOT}, when={"StringEquals": {"sts:ExternalId": "12345"}})
for name, context, expected, loose in (
    ("with the external id", {"sts:ExternalId": "12345"}, ALLOWED, ""),
    ("with another's", {"sts:ExternalId": "54321"}, NOT_ALLOWED, ""),
    ("without any", {"sts:ExternalId": None}, NOT_ALLOWED, ""),
    ("left open", {}, NOT_ALLOWED, CONDITIONAL),
):
    page.case(
        f"assuming {name}",
        expected,
        loose=loose,
        principal=OTHER_USER,
        **ASSUME,
        context=context,
        identity=MAY,
        resource_policy=EXTERNAL,
    )
SOURCE = {
    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"},
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
}
for name, context, expected in (
    (
        "for the own account",
        {"aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t", "aws:SourceAccount": ACCOUNT},
        ALLOWED,
    ),
    (
        "for another account",
        {
            "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:999999999999:trail/t",
            "aws:SourceAccount": "999999999999",
        },
        NOT_ALLOWED,
    ),
    (
        "for a resource of another kind",
        {"aws:SourceArn": f"arn:aws:config:eu-west-1:{ACCOUNT}:x", "aws:SourceAccount": ACCOUNT},
        NOT_ALLOWED,
    ),
):
    page.case(
        f"a service {name}",
        expected,
        principal=SERVICE,
        **ASSUME,
        context=context,
        resource_policy=trust(to={"Service": SERVICE}, when=SOURCE),
    )

page = Page("Creating a role for a third-party identity provider (federation)", CASES)
SUB, AUD = "token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud"
REPO = {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:octo-org/octo-repo:*"}}
WEB = {"action": "sts:AssumeRoleWithWebIdentity", "resource": ROLE}
WEB_TRUST = trust(action="sts:AssumeRoleWithWebIdentity", to={"Federated": OIDC}, when=REPO)
for name, context, expected in (
    (
        "its repository",
        {AUD: "sts.amazonaws.com", SUB: "repo:octo-org/octo-repo:ref:refs/heads/main"},
        ALLOWED,
    ),
    (
        "another repository",
        {AUD: "sts.amazonaws.com", SUB: "repo:evil/octo-repo:ref:refs/heads/main"},
        NOT_ALLOWED,
    ),
    ("another audience", {AUD: "me", SUB: "repo:octo-org/octo-repo:x"}, NOT_ALLOWED),
):
    page.case(
        f"web identity: {name}", expected, principal=OIDC, **WEB, context=context, resource_policy=WEB_TRUST
    )
page.case(
    "web identity: claims left open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    principal=OIDC,
    **WEB,
    resource_policy=WEB_TRUST,
)
page.case(
    "web identity: another provider",
    NOT_ALLOWED,
    principal=f"{OIDC}.example",
    **WEB,
    resource_policy=trust(action=WEB["action"], to={"Federated": OIDC}),
)
page.case(
    "web identity: another action is trusted",
    NOT_ALLOWED,
    principal=OIDC,
    **WEB,
    resource_policy=trust(to={"Federated": OIDC}),
)
page.case(
    "web identity: trust in the account is no trust in its provider",
    NOT_ALLOWED,
    principal=OIDC,
    **WEB,
    resource_policy=trust(action="sts:*", to={"AWS": ROOT}),
)
page.case(
    "web identity: a provider that AWS knows by name",
    ALLOWED,
    principal="accounts.google.com",
    **WEB,
    context={"accounts.google.com:aud": "66677788899900pro0"},
    resource_policy=trust(
        action=WEB["action"],
        to={"Federated": "accounts.google.com"},
        when={"StringEquals": {"accounts.google.com:aud": "66677788899900pro0"}},
    ),
)
page.case(
    "web identity: identity policies have no say",
    ALLOWED,
    principal=OIDC,
    **WEB,
    identity=[],
    resource_policy=trust(action=WEB["action"], to={"Federated": OIDC}),
)
SAML_TRUST = trust(
    action="sts:AssumeRoleWithSAML",
    to={"Federated": SAML},
    when={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
)
for name, context, expected in (
    ("its audience", "https://signin.aws.amazon.com/saml", ALLOWED),
    ("another audience", "https://example.com", NOT_ALLOWED),
):
    page.case(
        f"SAML: {name}",
        expected,
        principal=SAML,
        action="sts:AssumeRoleWithSAML",
        resource=ROLE,
        context={"saml:aud": context},
        resource_policy=SAML_TRUST,
    )
page.case(
    "SAML: an OIDC provider of the same name",
    NOT_ALLOWED,
    principal=OIDC,
    action="sts:AssumeRoleWithSAML",
    resource=ROLE,
    resource_policy=trust(action="sts:AssumeRoleWithSAML", to={"Federated": SAML}),
)

page = Page("Pass session tags in AWS STS", CASES)
TAG = {"action": "sts:TagSession", "resource": ROLE}
BOTH = trust(action=["sts:AssumeRole", "sts:TagSession"], to={"AWS": ROOT})
page.case(
    "trust and user may tag",
    ALLOWED,
    **TAG,
    identity=allow(["sts:AssumeRole", "sts:TagSession"], ROLE),
    resource_policy=BOTH,
)
page.case(
    "the trust policy lacks it",
    NOT_ALLOWED,
    **TAG,
    identity=allow("sts:*"),
    resource_policy=trust(to={"AWS": ROOT}),
)
page.case("the user lacks it", NOT_ALLOWED, **TAG, identity=MAY, resource_policy=BOTH)
page.case("no trust policy is known", NOT_ALLOWED, **TAG, identity=allow("*"))
page.case(
    "the tag must equal the caller's own",
    ALLOWED,
    **TAG,
    principal={"arn": USER, "tags": {"team": "red"}},
    context={"aws:RequestTag/team": "red"},
    identity=allow("sts:*", when={"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}}),
    resource_policy=BOTH,
)
page.case(
    "the tag is another than the caller's own",
    NOT_ALLOWED,
    **TAG,
    principal={"arn": USER, "tags": {"team": "red"}},
    context={"aws:RequestTag/team": "blue"},
    identity=allow("sts:*", when={"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}}),
    resource_policy=BOTH,
)

FEDERATED_USER = f"arn:aws:sts::{ACCOUNT}:federated-user/ana"
page.case(
    "a federated user's session is tagged without a trust policy",
    ALLOWED,
    action="sts:TagSession",
    resource=FEDERATED_USER,
    identity=allow(["sts:GetFederationToken", "sts:TagSession"]),
)

page = Page("Monitor and control actions taken with assumed roles", CASES)
SET = {"action": "sts:SetSourceIdentity", "resource": ROLE}
page.case(
    "both let it set",
    ALLOWED,
    **SET,
    identity=allow("sts:*"),
    resource_policy=trust(action="sts:SetSourceIdentity", to={"AWS": ROOT}),
)
page.case(
    "the trust policy lacks it",
    NOT_ALLOWED,
    **SET,
    identity=allow("sts:*"),
    resource_policy=trust(to={"AWS": ROOT}),
)
