"""The base account: plain dictionaries, filled from the seed."""

from __future__ import annotations

import collections
import datetime as dt
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.bench.fakeaws.documents import Documents
from tests.bench.fakeaws.ids import BASE_ACCOUNT, EPOCH, NOW, iso, key_id, uid
from tests.bench.fakeaws.managed import WANTED, actions_by_service

Fact = dict[str, Any]


class Account:
    """Users, groups, roles and policies of account 0; every other account is its copy under other names.

    The order in which random numbers are drawn is part of the seed: a change of it changes every figure.
    """

    def __init__(
        self,
        *,
        users: int,
        groups: int,
        roles: int,
        policies: int,
        seed: int,
        managed: dict[str, Fact],
        managed_scope: str = "attached",
    ) -> None:
        r = random.Random(seed)
        self.id = BASE_ACCOUNT
        self.docs = Documents(r, actions_by_service(managed), self.id)
        self.saml = [f"arn:aws:iam::{self.id}:saml-provider/{n}" for n in ("Okta", "AzureAD")]
        self.oidc = [
            f"arn:aws:iam::{self.id}:oidc-provider/{n}"
            for n in (
                "token.actions.githubusercontent.com",
                "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789",
            )
        ]
        self.managed = _aws_policies(managed)
        self.used_managed = _usual(self.managed, r)
        self.policies = [self._policy(i, r) for i in range(policies)]
        attach = [(p["name"], p["arn"]) for p in self.policies] * 2 + [
            (p["name"], p["arn"]) for p in self.used_managed
        ] * (2 + 4 * policies // max(1, len(self.used_managed)))
        bounds = [p["arn"] for p in self.policies[: max(1, policies // 50)]] or [self.used_managed[0]["arn"]]
        self.groups = [self._principal("group", i, r, attach, bounds) for i in range(groups)]
        self.roles = [self._principal("role", i, r, attach, bounds) for i in range(roles)]
        self.users = [self._principal("user", i, r, attach, bounds) for i in range(users)]
        self._count_attachments()
        if managed_scope == "attached":
            self.managed = [p for p in self.managed if p["attached"] or p["bounds"]]
        add_credentials(self.users, rng=random.Random(seed + 7919))
        self.issuer = ""
        self.delegations: list[Fact] = []
        self.server_certificates = [f"legacy-{name}" for name in ("www", "api", "mail")]
        self.reindex()

    def _date(self, r: random.Random, since: dt.datetime = EPOCH, until: dt.datetime = NOW) -> dt.datetime:
        return (since + dt.timedelta(seconds=r.randrange(int((until - since).total_seconds())))).replace(
            microsecond=0
        )

    def _text(self, document: Fact, r: random.Random) -> str:
        return (
            json.dumps(document, indent=4)
            if r.random() < 0.5
            else json.dumps(document, separators=(",", ":"))
        )

    def _tags(self, r: random.Random, high: int) -> dict[str, str]:
        pool = {
            "Team": f"team-{r.randint(1, 60)}",
            "Env": r.choice(("prod", "stage", "dev")),
            "CostCentre": str(r.randint(1000, 9999)),
            "Owner": f"owner{r.randint(1, 500)}@example.com",
            "ManagedBy": r.choice(("terraform", "cdk", "hand & eye")),
            "Project": f"p{r.randint(1, 200)}",
        }
        return {k: pool[k] for k in r.sample(sorted(pool), r.randint(0, high))}

    def _policy(self, i: int, r: random.Random) -> Fact:
        name, path = (
            f"policy-{i:05d}-{r.choice(('app', 'data', 'deploy', 'audit', 'boundary'))}",
            r.choice(("/", "/", "/", "/teams/", "/svc/")),
        )
        top = r.choice((1, 1, 1, 2, 3, 4, 7))
        dates = sorted(iso(self._date(r)) for _ in range(top + 1))
        created = dates[0]
        versions = [
            (f"v{v}", self._text(self.docs.policy(1, 8), r), dates[v])
            for v in range(max(1, top - 4), top + 1)
        ][::-1]
        return {
            "name": name,
            "id": uid("ANPA", i),
            "arn": f"arn:aws:iam::{self.id}:policy{path}{name}",
            "path": path,
            "default": r.choice(versions)[0] if r.random() < 0.1 else versions[0][0],
            "versions": versions,
            "created": created,
            "updated": versions[0][2],
            "attached": 0,
            "bounds": 0,
            "tags": self._tags(r, 3),
            "desc": f"Policy {i} of the {name.split('-')[-1]} team",
            "aws": False,
        }

    def _principal(
        self, kind: str, i: int, r: random.Random, attach: list[tuple[str, str]], bounds: list[str]
    ) -> Fact:
        letters = {"user": "AIDA", "group": "AGPA", "role": "AROA"}[kind]
        path = r.choice(("/", "/teams/") if kind == "group" else ("/", "/", "/eng/", "/ops/", "/ci/"))
        e: Fact = {"kind": kind, "name": f"{kind}-{i:05d}", "path": path, "id": uid(letters, i)}
        e |= {"created": iso(self._date(r)), "tags": {}, "boundary": None, "inline": []}
        if r.random() < {"user": 0.15, "group": 0.1, "role": 0.35}[kind]:
            count = r.choice((1, 1, 2))
            e["inline"] = [(f"inline-{k}", self._text(self.docs.policy(1, 4), r)) for k in range(count)]
        top: Sequence[int] = {"user": (0, 0, 0, 1, 2), "group": range(1, 9), "role": range(6)}[kind]
        e["attached"] = sorted(set(r.sample(attach, r.choice(top))))
        if kind != "group":
            e["tags"] = self._tags(r, 5)
            e["boundary"] = r.choice(bounds) if r.random() < (0.08 if kind == "user" else 0.12) else None
        if kind == "user":
            self._add_user_facts(e, i, r)
        if kind == "role":
            self._add_role_facts(e, i, r)
        e["arn"] = f"arn:aws:iam::{self.id}:{kind}{e['path']}{e['name']}"
        return e

    def _add_user_facts(self, e: Fact, i: int, r: random.Random) -> None:
        names = [group["name"] for group in self.groups]
        e["groups"] = sorted(r.sample(names, min(len(names), r.choice((1, 1, 2, 2, 3, 4, 5)))))
        e["login"] = iso(self._date(r)) if r.random() < 0.6 else None
        used = e["login"] and r.random() < 0.8
        e["pw_used"] = iso(self._date(r, NOW - dt.timedelta(days=400))) if used else None
        e["mfa"] = iso(self._date(r)) if r.random() < 0.5 else None
        e["keys"] = [
            {
                "id": key_id(i * 2 + k),
                "status": "Active" if r.random() < 0.8 else "Inactive",
                "created": iso(self._date(r)),
                "used": iso(self._date(r, NOW - dt.timedelta(days=300))) if r.random() < 0.8 else None,
            }
            for k in range(r.choice((0, 0, 1, 1, 2)))
        ]

    def _add_role_facts(self, e: Fact, i: int, r: random.Random) -> None:
        trust, e["trust_kind"] = self.docs.trust()
        if r.random() < 0.02:
            e["path"] = f"/aws-service-role/svc{i}.amazonaws.com/"
            e["name"] = f"AWSServiceRoleForSvc{i}"
        e["trust"] = self._text(trust, r)
        e["profiles"] = [(e["name"], uid("AIPA", i), e["created"])] if e["trust_kind"] == "ec2" else []
        e["used"] = iso(self._date(r, NOW - dt.timedelta(days=400))) if r.random() < 0.7 else None
        e["desc"] = f"Role {i}"

    def _count_attachments(self) -> None:
        by = {p["arn"]: p for p in self.policies + self.managed}
        for e in self.users + self.groups + self.roles:
            for _, arn in e["attached"]:
                by[arn]["attached"] += 1
            if e["boundary"]:
                by[e["boundary"]]["bounds"] += 1

    def reindex(self) -> None:
        """Rebuild the look-up tables."""
        self.user = {e["name"]: e for e in self.users}
        self.group = {e["name"]: e for e in self.groups}
        self.role = {e["name"]: e for e in self.roles}
        self.policy = {p["arn"]: p for p in self.policies + self.managed}
        self.members: dict[str, list[Fact]] = collections.defaultdict(list)
        self.entities: dict[str, list[Fact]] = collections.defaultdict(list)
        self.key_owner: dict[str, tuple[Fact, Fact]] = {}
        for user in self.users:
            for group in user["groups"]:
                self.members[group].append(user)
            for key in user["keys"]:
                self.key_owner[key["id"]] = (user, key)
        for e in self.users + self.groups + self.roles:
            for _, arn in e["attached"]:
                self.entities[arn].append(e)

    def mutate(self, n: int, *, seed: int) -> tuple[list[Fact], list[Fact]]:
        """Change n users and roles (a tag) and n customer policies (the default version)."""
        r = random.Random(seed)
        touched = r.sample(self.users + self.roles, min(n, len(self.users + self.roles)))
        for e in touched:
            e["tags"] = {**e["tags"], "Rev": str(r.randrange(10**6))}
        changed = r.sample(self.policies, min(n, len(self.policies)))
        for p in changed:
            top = max(int(version[0][1:]) for version in p["versions"]) + 1
            newest = (f"v{top}", self._text(self.docs.policy(1, 8), r), iso(NOW))
            p["versions"] = ([newest] + p["versions"])[:5]
            p["default"], p["updated"] = f"v{top}", iso(NOW)
        return touched, changed

    def touch(self, n: int, *, seed: int) -> tuple[list[Fact], list[Fact]]:
        """Change when n users' passwords, n access keys and n roles were last used, and nothing else."""
        r = random.Random(seed)
        users = r.sample(with_password := [u for u in self.users if u["login"]], min(n, len(with_password)))
        for user in users:
            user["pw_used"] = self._later(user["pw_used"], r)
        keys = [key for user in self.users for key in user["keys"]]
        for key in r.sample(keys, min(n, len(keys))):
            key["used"] = self._later(key["used"], r)
        roles = r.sample(self.roles, min(n, len(self.roles)))
        for role in roles:
            role["used"] = self._later(role["used"], r)
        return users, roles

    def _later(self, before: str | None, r: random.Random) -> str:
        start = dt.datetime.fromisoformat(before) if before else NOW - dt.timedelta(days=30)
        return iso(start + dt.timedelta(seconds=r.randint(1, 86_400)))


def add_credentials(users: list[Fact], *, rng: random.Random) -> None:
    """Security keys, SSH keys, signing certificates and service-specific credentials of a few users.

    The first users have one of each, so that a small world has them too.
    """
    for number, user in enumerate(users):
        made = iso(EPOCH + dt.timedelta(days=rng.randrange(3000)))
        user["security_key"] = made if rng.random() < 0.02 or number == 2 else None
        user["ssh"] = [("APKA" + user["id"][4:], made)] if rng.random() < 0.03 or number == 3 else []
        user["certificates"] = [("CERT" + user["id"][4:], made)] if rng.random() < 0.01 or number == 4 else []
        service = rng.choice(("codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com"))
        user["service"] = (
            [("ACCA" + user["id"][4:], service, made, number)] if rng.random() < 0.03 or number == 5 else []
        )


def _aws_policies(managed: dict[str, Fact]) -> list[Fact]:
    return [
        {
            "name": name,
            "id": uid("ANPA", 900000 + i),
            "arn": p["Arn"],
            "path": p.get("Path") or "/",
            "desc": "",
            "default": p["DefaultVersionId"],
            "created": p["CreateDate"][:19] + "Z",
            "updated": p["UpdateDate"][:19] + "Z",
            "attached": 0,
            "bounds": 0,
            "tags": {},
            "aws": True,
            "versions": [(p["DefaultVersionId"], p["Text"], p["UpdateDate"][:19] + "Z")],
        }
        for i, (name, p) in enumerate(sorted(managed.items()))
    ]


def _usual(managed: list[Fact], r: random.Random) -> list[Fact]:
    """The policies of AWS that this account attaches."""
    names = {p["name"]: p for p in managed}
    pick = [names[name] for name in WANTED if name in names]
    rest = [p for p in managed if p not in pick and "/aws-service-role/" not in p["path"]]
    return pick + r.sample(rest, min(len(rest), 110))
