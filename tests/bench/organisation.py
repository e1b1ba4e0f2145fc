"""A large organisation as rows of the index: shared managed documents, per-user inline ones, groups,
conditions, an SCP tree.

Fifty principals an account by default: 22 users, 28 roles. The managed documents are AWS's own, from moto.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from iam.policy.index.rows import (
    AccountRows,
    GroupRow,
    Level,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)

AWS_MANAGED = (
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "ViewOnlyAccess",
    "SecurityAudit",
    "IAMFullAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "CloudWatchReadOnlyAccess",
    "AmazonRDSFullAccess",
    "AWSLambda_FullAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonSQSFullAccess",
    "AmazonSNSFullAccess",
    "SecretsManagerReadWrite",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonECS_FullAccess",
    "AWSSupportAccess",
    "Billing",
    "IAMUserChangePassword",
    "NetworkAdministrator",
    "DatabaseAdministrator",
    "AWSCloudTrail_ReadOnlyAccess",
    "AmazonRoute53FullAccess",
    "CloudFrontFullAccess",
    "AWSKeyManagementServicePowerUser",
)
USERS, ROLES, GROUPS, LOCAL_POLICIES = 22, 28, 6, 4
KINDS_OF_GROUPS = 20
"""Groups are the same everywhere, as anyone who provisions accounts makes them."""
FIRST_USER, FIRST_ROLE, STRIDE = 70, 100, 200
"""Where the numbers of users and roles begin in an account, and how far accounts are apart, where an account
has few.
"""
TEAMS = ("payments", "search", "data", "platform", "growth", "risk")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def policy(*statements: dict[str, Any]) -> str:
    """The text of a document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def say(effect: str, actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def trust(principal: dict[str, Any]) -> str:
    """A trust policy."""
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


SELF_SERVICE = policy(
    say(
        "Allow",
        ["iam:ChangePassword", "iam:CreateAccessKey", "iam:ListMFADevices"],
        "arn:aws:iam::*:user/${aws:username}",
    ),
    say("Allow", ["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::homes/${aws:username}/*"),
    {
        "Effect": "Deny",
        "NotAction": [
            "iam:ChangePassword",
            "iam:ListMFADevices",
            "sts:GetSessionToken",
            "s3:*",
            "ec2:*",
            "lambda:*",
        ],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    },
)
SHARED = (
    SELF_SERVICE,
    policy(say("Allow", ["s3:Get*", "s3:List*"], ["arn:aws:s3:::shared-data", "arn:aws:s3:::shared-data/*"])),
    policy(say("Allow", "s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}-*")),
    policy(
        say(
            "Allow",
            ["ec2:StartInstances", "ec2:StopInstances"],
            Condition={"StringEquals": {"aws:ResourceTag/team": ("${aws:PrincipalTag/team}")}},
        )
    ),
    policy(say("Allow", ["kms:Decrypt", "kms:GenerateDataKey"], Condition=MFA)),
    policy(
        say(
            "Deny",
            "s3:*",
            ["arn:aws:s3:::audit-*"],
            Condition={"StringNotEquals": {"aws:PrincipalTag/team": "risk"}},
        )
    ),
    policy(
        say(
            "Allow",
            "iam:PassRole",
            "arn:aws:iam::*:role/app/*",
            Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        )
    ),
)
BOUNDARY = policy(
    say("Allow", ["s3:*", "ec2:*", "lambda:*", "logs:*", "sqs:*", "sns:*", "dynamodb:*", "kms:*"]),
    say("Deny", ["iam:*", "organizations:*"]),
    say("Deny", "s3:DeleteBucket", "arn:aws:s3:::prod-*"),
)
FULL = policy(say("Allow", "*"))
SCPS = (
    policy(say("Deny", ["organizations:LeaveOrganization", "account:*"])),
    policy(
        {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*", "organizations:*", "s3:ListAllMyBuckets", "support:*"],
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
                "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app/breakglass-*"},
            },
        }
    ),
    policy(
        say(
            "Deny",
            ["s3:DeleteBucket", ("kms:ScheduleKeyDeletion")],
            Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app/deploy-*"}},
        )
    ),
    policy(say("Deny", ["ec2:*", "rds:*"], Condition={"StringEquals": {"aws:PrincipalTag/team": "growth"}})),
)


class Maker:
    """Makes accounts, and keeps the texts of their documents by digest."""

    def __init__(self, *, users: int = USERS, roles: int = ROLES) -> None:
        from moto.iam.aws_managed_policies import aws_managed_policies_data

        self.users, self.roles = users, roles
        self.first_role = max(FIRST_ROLE, FIRST_USER + users)
        self.stride = max(STRIDE, self.first_role + roles)
        self.texts: dict[str, str] = {}
        data = json.loads(aws_managed_policies_data)
        self._managed = [
            (
                f"arn:aws:iam::aws:policy{data[name]['Path']}{name}",
                self.digest(json.dumps(data[name]["Document"])),
            )
            for name in AWS_MANAGED
        ]
        self._shared = [self.digest(text) for text in SHARED]
        self._boundary = self.digest(BOUNDARY)
        self._trusts = [
            self.digest(trust({"Service": name})) for name in ("ec2.amazonaws.com", "lambda.amazonaws.com")
        ]
        dice = random.Random(0)
        self._kinds_of_groups = [
            (dice.sample(range(2, len(self._managed)), 2), dice.randrange(len(self._shared)))
            for _ in range(KINDS_OF_GROUPS)
        ]
        full = PolicyRow(0, "FullAWSAccess", self.digest(FULL))
        scps = [PolicyRow(n + 1, f"scp-{n}", self.digest(text)) for n, text in enumerate(SCPS)]
        self._trees: list[tuple[Level, ...]] = [
            ((full, scps[0]), (full, *chosen), (full,))
            for chosen in ((), (scps[1],), (scps[1], scps[2]), (scps[2],), (scps[3],))
        ]
        self._rcps: tuple[Level, ...] = ((PolicyRow(0, "RCPFullAWSAccess", self.digest(trust_all())),),)

    def digest(self, text: str) -> str:
        """Keep a text."""
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self.texts[digest] = text
        return digest

    def accounts(self, count: int, *, first: int = 0) -> Iterator[AccountRows]:
        """So many accounts; the same ones whenever they are made."""
        for place in range(first, first + count):
            yield self.account(place)

    def account(self, place: int) -> AccountRows:
        """One account; its rows are numbered from `place` times `stride`."""
        dice, number, base = random.Random(place), f"{100_000_000_000 + place}", 1_000 + place * self.stride
        policies = self._policies(number, base)
        groups = [GroupRow(base + 60 + n, f"team-{n}", self._group_grants(dice, base)) for n in range(GROUPS)]
        people = [self._user(dice, number, base, n) for n in range(self.users)]
        people += [self._role(dice, number, base, n) for n in range(self.roles)]
        tree = place % len(self._trees)
        standing = OrganizationStanding(
            "o-bench000000",
            (f"o-bench000000/r-0000/ou-{tree}/",),
            scps=self._trees[tree],
            rcps=self._rcps,
            is_management=place == 0,
        )
        return AccountRows(people, groups, policies, (), number, "aws", standing)

    def _policies(self, number: str, base: int) -> list[PolicyRow]:
        rows = [PolicyRow(base + n, arn, digest) for n, (arn, digest) in enumerate(self._managed)]
        rows += [
            PolicyRow(base + 31 + n, f"arn:aws:iam::{number}:policy/shared-{n}", digest)
            for n, digest in enumerate(self._shared)
        ]
        rows.append(PolicyRow(base + 39, f"arn:aws:iam::{number}:policy/boundary", self._boundary))
        for n in range(LOCAL_POLICIES):
            text = policy(
                say(
                    "Allow",
                    ["dynamodb:GetItem", "dynamodb:Query"],
                    f"arn:aws:dynamodb:eu-west-1:{number}:table/t{n}",
                ),
                say("Allow", ["sqs:SendMessage"], f"arn:aws:sqs:eu-west-1:{number}:queue-{n}-*"),
            )
            rows.append(
                PolicyRow(base + 40 + n, f"arn:aws:iam::{number}:policy/local-{n}", self.digest(text))
            )
        return rows

    def _group_grants(self, dice: random.Random, base: int) -> PolicyHoldings:
        managed, shared = dice.choice(self._kinds_of_groups)
        return PolicyHoldings((), tuple(base + n for n in (*managed, 31 + shared)))

    def _user(self, dice: random.Random, number: str, base: int, n: int) -> PrincipalRow:
        name, inline = f"user-{base}-{n}", ()
        if dice.random() < 0.2:
            text = policy(
                say(
                    "Allow",
                    ["s3:GetObject", "s3:PutObject"],
                    f"arn:aws:s3:::work-{base}-{n}/*",
                    Condition=MFA,
                )
            )
            inline = (("own-bucket", self.digest(text)),)
        attached = (base + 31, *((base + dice.randrange(len(self._managed)),) if dice.random() < 0.2 else ()))
        groups = tuple(base + 60 + g for g in sorted(dice.sample(range(GROUPS), dice.randint(1, 2))))
        tags = {"team": dice.choice(TEAMS)} if dice.random() < 0.6 else {}
        arn = f"arn:aws:iam::{number}:user/people/{name}"
        return PrincipalRow(
            base + FIRST_USER + n, arn, f"AIDA{base + n:017d}", PolicyHoldings(inline, attached, groups), tags
        )

    def _role(self, dice: random.Random, number: str, base: int, n: int) -> PrincipalRow:
        sort = ("service", "deploy", "breakglass", "reader", "hub")[0 if n < 16 else dice.randrange(5)]
        inline: tuple[tuple[str, str], ...] = ()
        if dice.random() < 0.3:
            text = policy(
                say("Allow", ["logs:PutLogEvents", "s3:PutObject"], f"arn:aws:s3:::out-{base}-{n}/*")
            )
            inline = (("writes", self.digest(text)),)
        chosen = {
            "service": (base + dice.randrange(6, 22), base + 40 + dice.randrange(LOCAL_POLICIES)),
            "deploy": (base + 1,),
            "breakglass": (base,),
            "reader": (base + 2,),
            "hub": (base + 31 + dice.randrange(1, len(self._shared)),),
        }[sort]
        boundary = base + 39 if sort == "service" and dice.random() < 0.5 else None
        trusted = self._trusts[n % 2] if sort == "service" else self.digest(trust({"AWS": "100000000000"}))
        arn = f"arn:aws:iam::{number}:role/app/{sort}-{n}"
        return PrincipalRow(
            base + self.first_role + n,
            arn,
            f"AROA{base + n:017d}",
            PolicyHoldings(inline, chosen, (), boundary),
            {},
            trusted,
        )


def trust_all() -> str:
    """RCPFullAWSAccess."""
    return policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
