"""Random principals before and after random changes, and random requests of theirs, for both engines."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    AccountRows,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from tests.iam.policy import naive

JSON = dict[str, Any]
ACCOUNT, OTHER = "111111111111", "222222222222"
THIRD = "333333333333"
"""An account that no policy names."""
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BUCKET = "arn:aws:s3:::pay-ledger"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table"
RESOURCES: dict[str, tuple[str, ...]] = {
    "s3:GetObject": (
        f"{BUCKET}/maya/x",
        f"{BUCKET}/maya/2026/x",
        f"{BUCKET}/ben/report.csv",
        f"{BUCKET}/public/a",
        "arn:aws:s3:::other/x",
        f"{BUCKET}-old/7",
    ),
    "s3:PutObject": (
        f"{BUCKET}/maya/x",
        f"{BUCKET}/ben/2026",
        "arn:aws:s3:::other/maya/x",
        f"{BUCKET}-old/x",
    ),
    "s3:ListBucket": (BUCKET, f"{BUCKET}-old", "arn:aws:s3:::other"),
    "sqs:SendMessage": (
        QUEUE,
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs",
        f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs2",
        f"arn:aws:sqs:eu-west-1:{OTHER}:jobs",
        f"arn:aws:sqs:us-east-1:{THIRD}:jobs",
    ),
    "iam:PassRole": (f"{ROLE}/app/web", f"{ROLE}/maya", f"{ROLE}/admin"),
    "sts:AssumeRole": (
        f"{ROLE}/app/web",
        f"{ROLE}/maya",
        f"arn:aws:iam::{OTHER}:role/app/web",
        f"arn:aws:iam::{THIRD}:role/app/x",
    ),
    "kms:Decrypt": (f"{KEY}/1", f"{KEY}/2", f"arn:aws:kms:eu-west-1:{THIRD}:key/1"),
    "dynamodb:GetItem": (
        f"{TABLE}/orders",
        f"{TABLE}/maya",
        f"arn:aws:dynamodb:eu-west-1:{OTHER}:table/orders",
    ),
    "iam:ListUsers": ("*",),
    "ec2:DescribeInstances": ("*",),
}
NAMES = (
    "*",
    "s3:*",
    "s3:Get*",
    "s3:*Object",
    "s3:PutObject",
    "s3:ListBucket",
    "sqs:*",
    "iam:*",
    "iam:PassRole",
    "sts:AssumeRole",
    "kms:Decrypt",
    "dynamodb:Get*",
    "ec2:Describe*",
)
PATTERNS = (
    f"{BUCKET}/*",
    BUCKET,
    f"{BUCKET}*",
    f"{BUCKET}/maya/*",
    f"{BUCKET}/*/x",
    f"{BUCKET}/????/x",
    BUCKET + "/${aws:username}/*",
    BUCKET + "/${aws:PrincipalTag/team, 'public'}/*",
    "arn:aws:s3:::*/${aws:RequestTag/project}/*",
    f"{BUCKET}/ben/report.csv",
    "arn:aws:s3:::other/*",
    f"arn:aws:sqs:*:{ACCOUNT}:jobs*",
    QUEUE,
    "arn:aws:sqs",
    f"{ROLE}/app/*",
    f"{ROLE}/*",
    "arn:aws:iam::*:role/${aws:username}",
    f"arn:aws:iam::{OTHER}:role/app/web",
    "arn:aws:iam::*:role/app/*",
    "arn:aws:kms:*:*:key/1",
    f"arn:aws:*:*:{ACCOUNT}:*",
    f"{KEY}/*",
    f"{KEY}/?",
    f"{TABLE}/orders",
    "arn:aws:dynamodb:*:*:table/*",
)
CONDITIONS: tuple[tuple[str, str, Any], ...] = (
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "false"),
    ("IpAddress", "aws:SourceIp", "192.0.2.0/24"),
    ("NotIpAddress", "aws:SourceIp", ["192.0.2.0/25", "10.0.0.0/8"]),
    ("StringEquals", "aws:RequestTag/project", ["ledger", "maya"]),
    ("StringNotLike", "aws:RequestTag/project", "led*"),
    ("StringEquals", "aws:PrincipalTag/team", "red"),
    ("StringEquals", "aws:RequestTag/project", "${aws:PrincipalTag/team}"),
    ("Null", "aws:RequestTag/project", "true"),
    ("DateLessThan", "aws:CurrentTime", "2026-12-05T00:00:00Z"),
    ("DateGreaterThan", "aws:CurrentTime", "2026-09-01T00:00:00Z"),
    ("DateLessThan", "aws:CurrentTime", "2026-01-05T00:00:00Z"),
    ("ForAnyValue:StringEquals", "aws:TagKeys", ["project", "cost"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["project"]),
    ("StringLike", "aws:username", "m*"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::pay-*"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
    ("StringEquals", "s3:prefix", "maya/"),
    ("StringEquals", "iam:PassedToService", "ec2.amazonaws.com"),
    ("StringEquals", "aws:ResourceAccount", "${aws:PrincipalAccount}"),
    ("StringNotEquals", "aws:ResourceAccount", [ACCOUNT, OTHER]),
    ("StringNotEqualsIfExists", "aws:ResourceOrgID", "${aws:PrincipalOrgID}"),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "aws:MultiFactorAuthPresent": ("true", "false", None),
    "aws:SourceIp": ("192.0.2.7", "192.0.2.200", "10.1.1.1", "203.0.113.9", None),
    "aws:RequestTag/project": ("ledger", "maya", "red", "lead", None, None),
    "aws:CurrentTime": ("2026-06-02T00:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    "aws:TagKeys": (["project"], ["cost"], ["project", "cost"], ["other"], None),
    "aws:SourceArn": ("arn:aws:s3:::pay-ledger", "arn:aws:s3:::other", None),
    "aws:MultiFactorAuthAge": ("10", "7200", None),
}
OF_ACTION = {
    "s3:ListBucket": ("s3:prefix", ("maya/", "ben/", None)),
    "iam:PassRole": ("iam:PassedToService", ("ec2.amazonaws.com", "lambda.amazonaws.com", None)),
}


def statement(dice: random.Random, *, denies: float) -> JSON:
    """A statement that AWS would take."""
    statement: JSON = {"Effect": "Deny" if dice.random() < denies else "Allow"}
    statement["NotAction" if dice.random() < 0.1 else "Action"] = dice.sample(NAMES, dice.randint(1, 3))
    if dice.random() < 0.4:
        statement["Resource"] = "*"
    else:
        statement["NotResource" if dice.random() < 0.15 else "Resource"] = dice.sample(
            PATTERNS, dice.randint(1, 4)
        )
    if dice.random() < 0.45:
        for operator, key, values in dice.sample(CONDITIONS, dice.randint(1, 2)):
            statement.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    return statement


def document(dice: random.Random, *, denies: float = 0.25) -> JSON:
    """A policy of one to three statements."""
    statements = [statement(dice, denies=denies) for _ in range(dice.randint(1, 3))]
    return {"Version": "2012-10-17", "Statement": statements}


@dataclass
class Held:
    """What has a say about one principal."""

    identity: list[str]
    boundary: str | None


@dataclass
class Case:
    """One principal before and after; texts by digest."""

    arn: str
    tags: dict[str, str]
    before: Held
    after: Held
    scps: list[str]
    texts: dict[str, str] = field(default_factory=dict)

    def digest(self, body: JSON) -> str:
        """The digest under which a document is kept."""
        text = json.dumps(body)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.texts[digest] = text
        return digest

    def index(self, documents: SharedDocuments) -> tuple[PolicyIndex, list[Any], RowChanges]:
        """The index as it is before, the documents that it needs, and the changes."""
        doc_list = [documents.add(digest, text) for digest, text in self.texts.items()]
        standing = OrganizationStanding(
            "o-1",
            ("o-1/r-1/",),
            False,
            (tuple(PolicyRow(900 + n, d, d) for n, d in enumerate(self.scps)),) if self.scps else (),
        )
        policies = {digest: PolicyRow(10 + n, digest, digest) for n, digest in enumerate(self.texts)}
        index = PolicyIndex(documents)

        def row(held_: Held) -> PrincipalRow:
            bound = None if held_.boundary is None else policies[held_.boundary].id
            grants = PolicyHoldings(tuple((f"p{n}", d) for n, d in enumerate(held_.identity)), (), (), bound)
            return PrincipalRow(1, self.arn, "AIDA1" if ":user/" in self.arn else "AROA1", grants, self.tags)

        index.enter_account(
            AccountRows([row(self.before)], (), policies.values(), (), ACCOUNT, "aws", standing)
        )
        return index, doc_list, RowChanges(principals=[row(self.after)])

    def answer(self, action: str, resource: str, context: JSON, *, after: bool, agrees: bool = False) -> bool:
        """What the plain engine says."""
        holding = self.after if after else self.before
        owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
        place = {"aws:ResourceOrgID": "o-1", "aws:ResourceOrgPaths": ["o-1/r-1/"]}
        line = {
            "action": action,
            "resource": resource,
            "principal": {
                "arn": self.arn,
                "tags": self.tags,
                "unique_id": "AIDA1" if ":user/" in self.arn else "",
            },
            "context": {
                "aws:PrincipalOrgID": "o-1",
                "aws:PrincipalOrgPaths": ["o-1/r-1/"],
                **({} if owner.isdigit() and owner != ACCOUNT else place),
                **context,
            },
            "policies": {
                "identity": [self._body(d) for d in holding.identity],
                "boundary": [self._body(holding.boundary)] if holding.boundary else [],
                "scps": [[self._body(d) for d in self.scps]] if self.scps else [],
                "resource": AGREEING if agrees or _must_agree(action, resource) else None,
            },
        }
        return naive.decide(line) == "allowed"

    def _body(self, digest: str) -> JSON:
        body = _READ.get(self.texts[digest])
        if body is None:
            body = _READ[self.texts[digest]] = json.loads(self.texts[digest])
        return body


_READ: dict[str, JSON] = {}
AGREEING = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "*", "Resource": "*"}]}


def _must_agree(action: str, resource: str) -> bool:
    is_elsewhere = f":{OTHER}:" in resource or f":{THIRD}:" in resource
    return is_elsewhere or action.startswith(("sts:Assume", "kms:"))


def case(dice: random.Random) -> Case:
    """A principal who is given, loses or has altered some policies, or the boundary."""
    is_user = dice.random() < 0.7
    name = dice.choice(("maya", "ben", "zoe"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}" if is_user else f"{ROLE}/{name}"
    tags = {} if dice.random() < 0.5 else {"team": dice.choice(("red", "maya", "ledger"))}
    case = Case(arn, tags, Held([], None), Held([], None), [])
    kept = [case.digest(document(dice)) for _ in range(dice.randint(0, 2))]
    gone = [case.digest(document(dice)) for _ in range(dice.randint(0, 2))]
    fresh = [case.digest(document(dice)) for _ in range(dice.randint(0, 2))]
    if gone and dice.random() < 0.5:
        body = json.loads(case.texts[gone[0]])
        body["Statement"][0] = statement(dice, denies=0.2)
        fresh.append(case.digest(body))
    bound = case.digest(document(dice, denies=0.1)) if dice.random() < 0.4 else None
    other = case.digest(document(dice, denies=0.1)) if dice.random() < 0.2 else None
    case.before = Held(kept + gone, bound)
    case.after = Held(kept + fresh, dice.choice((bound, bound, other)))
    if dice.random() < 0.4:
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        case.scps = [
            case.digest(allow),
            case.digest({"Version": "2012-10-17", "Statement": [statement(dice, denies=1)]}),
        ]
    return case


def request(dice: random.Random) -> tuple[str, str, JSON]:
    """A request as AWS could get it: the resource is one that the action works on, and no key comes that the
    action does not have.
    """
    action = dice.choice(tuple(RESOURCES))
    context = {key: value for key, values in VALUES.items() if (value := dice.choice(values)) is not None}
    if action in OF_ACTION:
        key, values = OF_ACTION[action]
        if (value := dice.choice(values)) is not None:
            context[key] = value
    return action, dice.choice(RESOURCES[action]), context
