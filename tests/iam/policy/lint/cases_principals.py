"""Cases of principals, trust policies and resource control policies, and of what is dangerous."""

from __future__ import annotations

from tests.iam.policy.lint.builders import (
    ACCOUNT,
    BUCKET,
    CONDITION,
    EKS,
    EKS_HOST,
    FIRST,
    GITHUB,
    PLAIN,
    ROLE,
    SAML,
    Case,
    allow,
    deny,
    policy,
    rcp,
    shared,
    trust,
)

PRINCIPALS = [
    Case("MISSING_PRINCIPAL", policy(allow()), FIRST, shared({"AWS": ROLE}), "resource"),
    Case("UNSUPPORTED_PRINCIPAL", shared({"AWS": ROLE}), f"{FIRST}.Principal", PLAIN),
    Case(
        "SCP_SYNTAX_ERROR_PRINCIPAL",
        policy(deny(NotPrincipal={"AWS": ROLE})),
        f"{FIRST}.NotPrincipal",
        policy(deny()),
        "scp",
    ),
    Case(
        "INVALID_PRINCIPAL_KEY",
        shared({"Aws": ROLE}),
        f"{FIRST}.Principal.Aws",
        shared({"AWS": ROLE}),
        "resource",
    ),
    Case(
        "INVALID_PRINCIPAL_FORMAT",
        shared({"AWS": "app"}),
        f"{FIRST}.Principal.AWS",
        shared({"AWS": [ACCOUNT, ROLE]}),
        "resource",
    ),
    Case(
        "INVALID_PRINCIPAL_FORMAT",
        shared({"AWS": f"arn:aws:iam::{ACCOUNT}:group/devs"}),
        f"{FIRST}.Principal.AWS",
        shared({"AWS": f"arn:aws:iam::{ACCOUNT}:user/a/b"}),
        "resource",
    ),
    Case(
        "INVALID_PRINCIPAL_FORMAT",
        shared({"CanonicalUser": "abc"}),
        f"{FIRST}.Principal.CanonicalUser",
        shared({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
        "resource",
    ),
    Case(
        "INVALID_SERVICE_PRINCIPAL_FORMAT",
        trust({"Service": "ec2"}),
        f"{FIRST}.Principal.Service",
        trust({"Service": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}),
        "trust",
    ),
    Case(
        "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
        shared({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}),
        f"{FIRST}.Principal.AWS",
        shared("*"),
        "resource",
    ),
    Case(
        "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
        trust({"Service": "*"}),
        f"{FIRST}.Principal.Service",
        trust({"AWS": "*"}),
        "trust",
    ),
    Case(
        "DELETED_PRINCIPAL",
        trust({"AWS": "AROAEXAMPLEID12345678"}),
        f"{FIRST}.Principal.AWS",
        trust({"AWS": ROLE}),
        "trust",
    ),
    Case(
        "ALLOW_WITH_NOT_PRINCIPAL",
        policy(allow(NotPrincipal={"AWS": ROLE})),
        f"{FIRST}.NotPrincipal",
        policy(deny(NotPrincipal={"AWS": ROLE})),
        "resource",
    ),
    Case(
        "ALLOW_WITH_STAR_IN_PRINCIPAL",
        shared("*"),
        f"{FIRST}.Principal",
        shared("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        "resource",
    ),
    Case(
        "ALLOW_WITH_STAR_IN_PRINCIPAL",
        shared({"AWS": "*"}, Condition={"Bool": {"aws:SecureTransport": "true"}}),
        f"{FIRST}.Principal",
        policy(deny(Principal="*")),
        "resource",
    ),
    Case(
        "ALLOW_WITH_STAR_IN_PRINCIPAL",
        trust("*", Condition={"StringEqualsIfExists": {"aws:PrincipalArn": ROLE}}),
        f"{FIRST}.Principal",
        trust("*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}}),
        "trust",
    ),
    Case(
        "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
        shared({"Service": "cloudtrail.amazonaws.com"}),
        f"{FIRST}.Principal",
        shared(
            {"Service": "cloudtrail.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
        "resource",
    ),
    Case(
        "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
        trust({"Federated": "github.com"}, "sts:AssumeRoleWithWebIdentity"),
        f"{FIRST}.Principal.Federated",
        trust({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity"),
        "trust",
    ),
    Case(
        "MISMATCHED_ACTION_FOR_PRINCIPAL",
        trust({"Federated": SAML}),
        f"{FIRST}.Action",
        trust({"Federated": SAML}, "sts:AssumeRoleWithSAML"),
        "trust",
    ),
    Case(
        "MISMATCHED_ACTION_FOR_PRINCIPAL",
        trust({"AWS": ROLE}, "sts:AssumeRoleWithSAML"),
        f"{FIRST}.Action",
        trust({"AWS": ROLE}, ["sts:AssumeRole", "sts:TagSession"]),
        "trust",
    ),
    Case(
        "MISMATCHED_ACTION_FOR_PRINCIPAL",
        trust({"Federated": GITHUB}, "sts:AssumeRoleWithSAML"),
        f"{FIRST}.Action",
        trust({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity"),
        "trust",
    ),
    Case(
        "UNSUPPORTED_ACTION_IN_POLICY",
        trust({"AWS": ROLE}, "s3:GetObject"),
        f"{FIRST}.Action",
        trust({"AWS": ROLE}, "STS:assumerole"),
        "trust",
    ),
    Case(
        "MISSING_SAML_AUDIENCE",
        trust({"Federated": SAML}, "sts:AssumeRoleWithSAML"),
        f"{FIRST}.Principal.Federated",
        trust(
            {"Federated": SAML},
            "sts:AssumeRoleWithSAML",
            Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        ),
        "trust",
    ),
    Case(
        "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPALS",
        trust(
            {"Federated": EKS},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{EKS_HOST}:aud": "sts.amazonaws.com"}},
        ),
        f"{FIRST}.Principal.Federated",
        trust(
            {"Federated": EKS},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{EKS_HOST}:sub": "system:serviceaccount:a:b"}},
        ),
        "trust",
    ),
    Case(
        "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPALS",
        trust(
            {"Federated": EKS},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {f"{EKS_HOST}:sub": "*"}},
        ),
        f"{FIRST}.Principal.Federated",
        trust(
            {"Federated": "cognito-identity.amazonaws.com"},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}},
        ),
        "trust",
    ),
    Case(
        "MISSING_GITHUB_REPO_CONDITION_KEY",
        trust(
            {"Federated": GITHUB},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}},
        ),
        f"{FIRST}.Principal.Federated",
        trust(
            {"Federated": GITHUB},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/*"}},
        ),
        "trust",
    ),
    Case(
        "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED",
        trust(
            {"Federated": GITHUB},
            "sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/app:*"}},
        ),
        f"{CONDITION}.StringLike.token.actions.githubusercontent.com:sub",
        trust(
            {"Federated": GITHUB},
            "sts:AssumeRoleWithWebIdentity",
            Condition={
                "StringEquals": {
                    "token.actions.githubusercontent.com:sub": "repo:org/app:ref:refs/heads/main"
                }
            },
        ),
        "trust",
    ),
    Case("RCP_SYNTAX_ERROR_ALLOW", rcp(Effect="Allow"), f"{FIRST}.Effect", rcp(), "rcp"),
    Case(
        "RCP_SYNTAX_ERROR_NOT_ACTION", rcp(Action=None, NotAction="s3:*"), f"{FIRST}.NotAction", rcp(), "rcp"
    ),
    Case("RCP_SYNTAX_ERROR_PRINCIPAL", rcp(Principal={"AWS": ROLE}), f"{FIRST}.Principal", rcp(), "rcp"),
    Case(
        "RCP_SYNTAX_ERROR_NOT_PRINCIPAL",
        rcp(Principal=None, NotPrincipal={"AWS": ROLE}),
        f"{FIRST}.NotPrincipal",
        rcp(),
        "rcp",
    ),
    Case(
        "RCP_SYNTAX_ERROR_SERVICE_IN_ACTION",
        rcp(Action="iam:*"),
        f"{FIRST}.Action",
        rcp(Action=["s3:*", "kms:*"]),
        "rcp",
    ),
    Case(
        "RCP_SYNTAX_ERROR_ACTION_WILDCARD",
        rcp(Action="*"),
        f"{FIRST}.Action",
        rcp(Action="*", Effect="Allow"),
        "rcp",
    ),
]


def sensitive(name: str, prefix: str) -> list[Case]:
    """The six ways in which iam:PassRole and iam:CreateServiceLinkedRole are given for every role."""
    good = policy(allow(name, f"arn:aws:iam::{ACCOUNT}:role/app*"))
    pattern = f"{name[:-1]}*"
    return [
        Case(
            f"{prefix}_WITH_STAR_IN_RESOURCE",
            policy(allow(["s3:GetObject", name], "*")),
            f"{FIRST}.Action[1]",
            good,
        ),
        Case(
            f"{prefix}_WITH_STAR_IN_ACTION_AND_RESOURCE", policy(allow(pattern, "*")), f"{FIRST}.Action", good
        ),
        Case(
            f"{prefix}_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
            policy(allow(None, "*", NotAction="s3:*")),
            f"{FIRST}.NotAction",
            policy(allow(None, "*", NotAction="iam:*")),
        ),
        Case(
            f"{prefix}_WITH_NOT_RESOURCE",
            policy(allow(name, None, NotResource=ROLE)),
            f"{FIRST}.Action",
            good,
        ),
        Case(
            f"{prefix}_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
            policy(allow(pattern, None, NotResource=ROLE)),
            f"{FIRST}.Action",
            good,
        ),
        Case(
            f"{prefix}_WITH_NOT_ACTION_AND_NOT_RESOURCE",
            policy(allow(None, None, NotAction="s3:*", NotResource=ROLE)),
            f"{FIRST}.NotAction",
            good,
        ),
    ]


RISKS = [
    Case(
        "PASS_ROLE_WITH_STAR_IN_RESOURCE",
        policy(allow("iam:PassRole", "arn:aws:iam::*:role/*")),
        f"{FIRST}.Action",
        policy(allow("iam:PassRole", "arn:aws:iam::*:role/service/*")),
    ),
    Case(
        "ALLOW_WITH_STAR_IN_ACTION_AND_RESOURCE",
        policy(allow("*:*", "arn:aws:*:*:*:*")),
        f"{FIRST}.Action",
        policy(allow("*", "arn:aws:s3:::example")),
    ),
    *sensitive("iam:PassRole", "PASS_ROLE"),
    *sensitive("iam:CreateServiceLinkedRole", "CREATE_SLR"),
    Case(
        "ALLOW_WITH_NOT_ACTION",
        policy(allow(None, "*", NotAction="iam:*")),
        f"{FIRST}.NotAction",
        policy(deny(None, "*", NotAction="iam:*")),
    ),
    Case("ALLOW_WITH_NOT_ACTION", policy(allow(None, "*", NotAction="iam:*")), f"{FIRST}.NotAction", PLAIN),
    Case(
        "ALLOW_WITH_NOT_RESOURCE",
        policy(allow(resource=None, NotResource=BUCKET)),
        f"{FIRST}.NotResource",
        policy(deny(resource=None, NotResource=BUCKET)),
    ),
    Case(
        "ALLOW_WITH_STAR_IN_ACTION_AND_RESOURCE",
        policy(allow("*", "*")),
        f"{FIRST}.Action",
        policy(deny("*", "*")),
    ),
    Case(
        "SERVICE_STAR_WITH_STAR_IN_RESOURCE",
        policy(allow("s3:*", "*")),
        f"{FIRST}.Action",
        policy(allow("s3:*", [BUCKET, f"{BUCKET}/*"])),
    ),
    Case(
        "WRITE_WITH_STAR_IN_RESOURCE",
        policy(allow(["s3:PutObject", "s3:GetObject"], "*")),
        f"{FIRST}.Action",
        policy(allow("s3:GetObject", "*")),
    ),
    Case(
        "WRITE_WITH_STAR_IN_RESOURCE",
        policy(allow("s3:PutObject", "*")),
        f"{FIRST}.Action",
        policy(allow("s3:PutObject")),
    ),
    Case(
        "PERMISSIONS_MANAGEMENT_WITH_STAR_IN_RESOURCE",
        policy(allow("iam:AttachRolePolicy", "*")),
        f"{FIRST}.Action",
        policy(allow("iam:AttachRolePolicy", ROLE)),
    ),
]
