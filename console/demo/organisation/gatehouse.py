"""How Gatehouse reaches Northline: the hub's user in the management account and two roles in every account."""

from __future__ import annotations

from console.demo.organisation.documents import allow, aws_managed, deny, document, trusts
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import Key, Role, User

HUB_ACCOUNT = ACCOUNT_IDS["management"]
HUB_USER = "gatehouse"
EXTERNAL_ID = "gh-4e07b81c2d95"
READER_ROLE = "gatehouse-reader"
WRITER_ROLE = "gatehouse-writer"
TAGS = {"Team": "iam", "Owner": "ines.duarte@northline.example", "Service": "gatehouse"}

OWN_ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
# The whole of IAM, for now: the console's own least-privilege policies belong here once they are written down.
READER_POLICY = document(
    allow(
        "ReadIdentities",
        ("iam:Get*", "iam:List*", "iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails"),
    ),
    allow(
        "ReadInstances",
        ("ec2:DescribeInstances", "ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeRegions"),
    ),
    allow(
        "ReadEvents", ("cloudtrail:LookupEvents", "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus")
    ),
)
WRITER_POLICY = document(
    *READER_POLICY["Statement"],
    allow("ChangeIdentities", "iam:*"),
    deny("NeverItself", OWN_ROLE_CHANGES, "arn:aws:iam::*:role/gatehouse-*"),
)
HUB_POLICY = document(
    allow(
        "ReachAccounts",
        "sts:AssumeRole",
        [f"arn:aws:iam::*:role/{name}" for name in (READER_ROLE, WRITER_ROLE)],
    ),
    allow(
        "SeeOrganisation",
        (
            "organizations:DescribeOrganization",
            "organizations:DescribePolicy",
            "organizations:ListAccounts",
            "organizations:ListAccountsForParent",
            "organizations:ListChildren",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListParents",
            "organizations:ListPolicies",
            "organizations:ListPoliciesForTarget",
            "organizations:ListRoots",
            "organizations:ListTargetsForPolicy",
        ),
    ),
)


def hub_user() -> User:
    """The user whose key the workers hold."""
    return User(
        name=HUB_USER,
        path="/machines/",
        age=64,
        tags=TAGS,
        inline={"gatehouse-hub": HUB_POLICY, "gatehouse-reader": READER_POLICY},
        keys=(Key(age=12, used=0.01, service="sts", region="eu-west-1"),),
    )


def roles() -> tuple[Role, Role]:
    """The two roles of an account; both trust the hub's user alone, and only with the external id."""
    trust = trusts(
        {"AWS": f"arn:aws:iam::{HUB_ACCOUNT}:user/machines/{HUB_USER}"},
        StringEquals={"sts:ExternalId": EXTERNAL_ID},
    )
    reader = Role(
        name=READER_ROLE,
        trust=trust,
        age=64,
        used=0.02,
        inline={"mirror": READER_POLICY},
        policies=(aws_managed("IAMReadOnlyAccess"),),
        tags=TAGS,
        description="Gatehouse reads identities",
    )
    writer = Role(
        name=WRITER_ROLE,
        trust=trust,
        age=64,
        used=1.2,
        inline={"change": WRITER_POLICY},
        tags=TAGS,
        description="Gatehouse carries out approved changes",
    )
    return reader, writer
