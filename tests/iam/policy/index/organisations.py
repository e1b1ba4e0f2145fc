"""Random organisations and questions, for properties of the index.

Made from dice and not from hypothesis's own strategies, which take a hundred times as long; a failure names
its seed. Few actions, resources and sets of policies, so that policies meet and principals share them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import WITH_ROOT, AccessQuestion
from iam.policy.index.rows import (
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "iam:PassRole",
    "sts:AssumeRole",
    "kms:Decrypt",
    "sts:GetCallerIdentity",
)
NAMES = ("maya", "tomas", "home", "red")
RESOURCES = (
    "arn:aws:s3:::prod/home/maya/x",
    "arn:aws:s3:::prod-data/red",
    "arn:aws:s3:::prod/home/m*/x",
    "arn:aws:s3:::prod*",
    "arn:aws:iam::111111111111:role/app/home",
    "arn:aws:iam::222222222222:role/tomas",
    "arn:aws:iam::111111111111:role/*",
    "arn:aws:kms:eu-west-1:111111111111:key/1",
    "*",
)
PATTERNS = (
    "*",
    "arn:aws:s3:::prod*",
    "arn:aws:s3:::prod/home/${aws:username}/*",
    "arn:aws:s3:::prod-data/${aws:PrincipalTag/team, 'red'}",
    "arn:aws:iam::111111111111:role/*",
    "arn:aws:iam::${aws:PrincipalAccount}:role/*",
    "arn:aws:s3:::*/${aws:userid}/x",
    "arn:aws:kms:*:*:key/*",
)
CONDITIONS: tuple[tuple[str, str, Any], ...] = (
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app/*"),
    ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:user/maya", "arn:aws:iam::222222222222:*"]),
    ("StringEquals", "aws:username", ["maya", "home"]),
    ("StringEquals", "aws:PrincipalTag/team", "red"),
    ("StringNotEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/boss, 'blue'}"),
    ("StringEquals", "aws:ResourceTag/owner", "${aws:username}"),
    ("StringLike", "aws:ResourceTag/owner", "${aws:PrincipalTag/team}*"),
    ("StringEquals", "aws:PrincipalTag/team", "${aws:ResourceTag/team}"),
    ("StringEquals", "aws:ResourceAccount", "${aws:PrincipalAccount}"),
    ("StringNotEqualsIfExists", "aws:ResourceOrgID", "${aws:PrincipalOrgID}"),
    ("StringEquals", "aws:PrincipalOrgID", "o-one"),
    ("StringEquals", "aws:PrincipalAccount", "111111111111"),
    ("StringEquals", "aws:PrincipalType", "User"),
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "false"),
    ("StringLike", "aws:userid", ["AIDA*", "AROA*:*"]),
    ("Null", "aws:PrincipalTag/team", "true"),
    ("StringIsLike", "aws:username", "x"),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-one/r-1/*"),
)
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "111111111111"},
    {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:user/maya"]},
    {"AWS": "arn:aws:iam::222222222222:role/app/home"},
    {"AWS": "arn:aws:sts::111111111111:assumed-role/tomas/session"},
    {"AWS": "AIDA1"},
    {"Service": "ec2.amazonaws.com"},
)


T = TypeVar("T")
Levels = tuple[tuple[PolicyRow, ...], ...]


def some(dice: random.Random, choices: Sequence[T], *, least: int, most: int) -> list[T]:
    """A few of them, each once."""
    return dice.sample(choices, min(len(choices), dice.randint(least, most)))


def statement(dice: random.Random, *, with_principal: bool) -> dict[str, Any]:
    """A statement, mostly a sound one."""
    statement: dict[str, Any] = {"Effect": dice.choice(("Allow", "Allow", "Allow", "Deny"))}
    names = ("*", "s3:*", "s3:GetObject", "s3:Get*", "sts:*", "iam:PassRole", "kms:*", *ACTIONS)
    statement["NotAction" if dice.random() < 0.15 else "Action"] = some(dice, names, least=1, most=3)
    if not with_principal or dice.random() < 0.3:
        is_everything = dice.random() < 0.4
        resources = ["*"] if is_everything else some(dice, PATTERNS, least=1, most=3)
        is_not = not is_everything and dice.random() < 0.25
        statement["NotResource" if is_not else "Resource"] = resources
    for operator, key, values in some(dice, CONDITIONS, least=0, most=2):
        statement.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    if with_principal or dice.random() < 0.08:
        statement["NotPrincipal" if dice.random() < 0.2 else "Principal"] = dice.choice(PRINCIPALS)
    if dice.random() < 0.03:
        statement.pop(dice.choice(tuple(statement)))
    return statement


def document(dice: random.Random, *, with_principal: bool = False) -> str:
    """The text of a document; now and then one that cannot be read."""
    if dice.random() < 0.03:
        return dice.choice(("{", "[]", '{"Version": "2012-10-17"}'))
    body = [statement(dice, with_principal=with_principal) for _ in range(dice.randint(1, 2))]
    version = "2012-10-17" if dice.random() < 0.9 else "2008-10-17"
    return json.dumps({"Version": version, "Statement": body})


ALLOW_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass
class Organisation:
    """Accounts as rows, and the texts of their documents by digest."""

    accounts: list[AccountRows] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def digest(self, text: str) -> str:
        """Keep a text."""
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self.texts[digest] = text
        return digest

    store: SharedDocuments = field(default_factory=SharedDocuments)

    def held(self) -> list[IndexedDocument]:
        """All documents, which stay in use as long as somebody has this list."""
        return [self.store.add(digest, text) for digest, text in self.texts.items()]

    def index(self) -> PolicyIndex:
        """An index of it, in which only what is in use is kept."""
        documents = self.held()
        index = PolicyIndex(self.store)
        for rows in self.accounts:
            index.enter_account(rows)
        del documents
        return index


def organisation(dice: random.Random) -> Organisation:
    """One to three accounts; what they hold comes from a few documents, so that much is shared."""
    organisation = Organisation()
    pool = [organisation.digest(document(dice)) for _ in range(dice.randint(2, 5))] + [
        organisation.digest(ALLOW_ALL)
    ]
    with_principal = [organisation.digest(document(dice, with_principal=True)) for _ in range(4)]
    scps, rcps = _levels(dice, [*pool, pool[-1]]), _levels(dice, with_principal)
    for place, number in enumerate(ACCOUNTS[: dice.randint(1, 3)]):
        standing = dice.choice(
            (
                OrganizationStanding(),
                OrganizationStanding("o-one", ("o-one/r-1/ou-1/",), scps=scps, rcps=rcps),
                OrganizationStanding("o-one", ("o-one/r-1/",), scps=scps, rcps=rcps),
                OrganizationStanding("o-one", ("o-one/r-1/",), is_management=True, scps=scps, rcps=rcps),
                OrganizationStanding("o-two", is_known=False),
            )
        )
        organisation.accounts.append(account(dice, number, 1000 * place, pool, with_principal, standing))
    return organisation


def _levels(dice: random.Random, pool: list[str]) -> Levels:
    return tuple(
        tuple(
            PolicyRow(9000 + n, f"level policy {n}", d)
            for n, d in enumerate(some(dice, pool, least=1, most=2))
        )
        for _ in range(dice.choice((0, 1, 1, 2)))
    )


def account(
    dice: random.Random,
    number: str,
    base: int,
    pool: list[str],
    trusts: list[str],
    standing: OrganizationStanding,
) -> AccountRows:
    """An account in which several principals hold the same."""
    policies = [
        PolicyRow(base + n, f"arn:aws:iam::{number}:policy/p{n}", dice.choice((*pool, *pool, None)))
        for n in range(3)
    ]
    groups = [GroupRow(base + 10 + n, f"group{n}", grants(dice, policies, [], pool)) for n in range(2)]
    grantses = [grants(dice, policies, groups, pool) for _ in range(3)]
    people = [principal(dice, number, base + 20 + n, grantses, trusts) for n in range(dice.randint(0, 8))]
    return AccountRows(people, groups, policies, (), number, "aws", standing)


def principal(
    dice: random.Random, number: str, pk: int, grantses: list[PolicyHoldings], trusts: list[str]
) -> PrincipalRow:
    """A user, a role, or a service-linked role. Names repeat over accounts."""
    name = NAMES[pk % len(NAMES)]
    tags = dice.choice(
        (None, {}, {"team": "red"}, {"team": "blue"}, {"Team": "red", "boss": "red"}, {"team": "mayor"})
    )
    mine = dice.choice(grantses)
    if dice.random() < 0.6:
        return PrincipalRow(pk, f"arn:aws:iam::{number}:user/{name}", f"AIDA{pk}", mine, tags)
    path = dice.choice(("", "app/", "aws-service-role/x/"))
    mine = replace(mine, groups=())
    arn = f"arn:aws:iam::{number}:role/{path}{name}"
    return PrincipalRow(pk, arn, f"AROA{pk}", mine, tags, dice.choice(trusts))


def grants(
    dice: random.Random, policies: list[PolicyRow], groups: list[GroupRow], pool: list[str]
) -> PolicyHoldings:
    """What somebody holds."""
    numbers = [policy.id for policy in policies]
    return PolicyHoldings(
        tuple((f"inline{n}", digest) for n, digest in enumerate(some(dice, pool, least=0, most=1))),
        tuple(some(dice, numbers, least=0, most=2)),
        tuple(some(dice, [group.id for group in groups], least=0, most=2)),
        dice.choice((None, None, *numbers)),
    )


CONTEXTS: tuple[tuple[str, Any], ...] = (
    ("aws:MultiFactorAuthPresent", "true"),
    ("aws:ResourceTag/owner", "maya"),
    ("aws:ResourceTag/owner", "redder"),
    ("aws:ResourceTag/team", "red"),
    ("aws:PrincipalTag/team", "red"),
    ("aws:PrincipalTag/boss", "red"),
    ("aws:PrincipalOrgID", "o-one"),
    ("aws:PrincipalAccount", "111111111111"),
    ("aws:PrincipalArn", "arn:aws:iam::111111111111:role/app/home"),
    ("aws:username", "maya"),
)


def question(dice: random.Random) -> AccessQuestion:
    """A question of any sort; half of them about objects of buckets."""
    is_plain = dice.random() < 0.5
    policy = document(dice, with_principal=True) if dice.random() < 0.25 else None
    return AccessQuestion(
        "s3:GetObject" if is_plain else dice.choice(ACTIONS),
        dice.choice(RESOURCES[:4] if is_plain else RESOURCES),
        dict(some(dice, CONTEXTS, least=0, most=2)),
        accounts=dice.choice((None, None, frozenset(ACCOUNTS[:1]), frozenset(ACCOUNTS[1:]))),
        resource_account=dice.choice(("", "", ACCOUNTS[0], "999999999999")),
        resource_policy=policy,
        strict=dice.random() < 0.3,
        kinds=WITH_ROOT,
    )
