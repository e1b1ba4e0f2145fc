"""An account in memory for the cases of rules: what it has is stated, and everything was synced."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from iam.audit.findings.facts import AccountFacts, CredentialFact, EntityFact, KeyFact, RecordedCalls
from iam.audit.findings.identity import ComputedFindings, compute
from iam.audit.findings.rule import FindingRule
from iam.mirror.models import NEVER, Kind
from iam.mirror.pull.sections import ALL
from iam.people.fleet.roots import RootStanding, RootUserFacts
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.states import OutsideFacts
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    ALONE,
    AccountRows,
    GroupRow,
    Level,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)

NUMBER: Final = "111111111111"
INSIDE: Final = "222222222222"
OUTSIDE: Final = "333333333333"
NOW: Final = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PREFIX: Final = f"arn:aws:iam::{NUMBER}:"
TRUE, FALSE, CONDITIONAL, UNREAD = "true", "false", "conditional", "unread"
FULL: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def days(number: float) -> datetime:
    """So many days ago."""
    return NOW - timedelta(days=number)


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trusts(
    principal: Any, *, action: str = "sts:AssumeRole", effect: str = "Allow", **condition: Any
) -> dict[str, Any]:
    """A statement of a trust policy."""
    statement = {"Effect": effect, "Principal": principal, "Action": action}
    return {**statement, "Condition": condition} if condition else statement


MFA: Final = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass
class Site:
    """What the account has; `facts` puts it together."""

    entities: dict[int, EntityFact] = field(default_factory=dict)
    credentials: dict[int, CredentialFact] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    inline: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    attached: dict[int, list[int]] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    bounds: dict[int, int] = field(default_factory=dict)
    defaults: dict[int, str] = field(default_factory=dict)
    versions: dict[int, list[tuple[str, bool]]] = field(default_factory=dict)
    usage: dict[int, datetime] = field(default_factory=dict)
    tags: dict[int, dict[str, str]] = field(default_factory=dict)
    profiles: dict[int, list[int]] = field(default_factory=dict)
    running: dict[int, list[int]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    unsynced: set[str] = field(default_factory=set)
    root: RootUserFacts | None = None
    is_root_mfa_virtual: bool = False
    scps: tuple[Level, ...] = ()
    gone: frozenset[str] = frozenset()
    owned: set[int] = field(default_factory=set)
    own_users: set[str] = field(default_factory=set)
    openings: Any = ()
    last_calls: RecordedCalls | None = None
    assertions: Any = ()
    unused_grants: Any = ()
    services: Any = field(default_factory=dict)
    key_places: Any = ()
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def document(self, *statements: Mapping[str, Any]) -> str:
        """The digest of a policy with these statements."""
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self.documents[digest] = text
        return digest

    def entity(self, kind: Kind, name: str, **fields: Any) -> int:
        """An entity; its number."""
        number = next(self._numbers)
        arn = fields.pop("arn", f"{PREFIX}{kind.value}/{name}")
        made = {"created_at": days(400)} | fields
        self.entities[number] = EntityFact(number, f"ID{number:018d}", kind.value, name, arn, **made)
        return number

    def user(
        self,
        name: str = "maya",
        *,
        password: bool | None = True,
        mfa: str = "security-key",
        keys: tuple[KeyFact, ...] = (),
        changed: datetime | None = None,
        used: datetime | None = None,
        tags: dict[str, str] | None = None,
        **fields: Any,
    ) -> int:
        """A user with credentials."""
        number = self.entity(Kind.USER, name, **fields)
        made = [key.created_at for key in keys if key.created_at]
        self.credentials[number] = CredentialFact(
            password, changed or days(10), used, mfa, len(keys), min(made, default=NEVER), keys
        )
        self.usage[number] = used or NEVER
        self.tags[number] = tags or {}
        return number

    def role(
        self, name: str = "app", *trust: Mapping[str, Any], used: datetime | None = None, **fields: Any
    ) -> int:
        """A role; by default EC2 can assume it."""
        statements = trust or (trusts({"Service": "ec2.amazonaws.com"}),)
        shape = {"category": "service:ec2"} | fields
        number = self.entity(Kind.ROLE, name, document=self.document(*statements), **shape)
        self.usage[number] = used or NEVER
        return number

    def group(self, name: str = "team", *users: int) -> int:
        """A group with users."""
        number = self.entity(Kind.GROUP, name)
        self.members[number] = list(users)
        return number

    def policy(
        self, name: str, *statements: Mapping[str, Any], to: tuple[int, ...] = (), aws: bool = False
    ) -> int:
        """A managed policy, attached to some."""
        arn = f"arn:aws:iam::aws:policy/{name}" if aws else f"{PREFIX}policy/{name}"
        number = self.entity(Kind.POLICY, name, arn=arn, category="aws" if aws else "customer")
        self.defaults[number] = self.document(*statements)
        self.versions[number] = [("v1", True)]
        for holder in to:
            self.attached.setdefault(holder, []).append(number)
        return number

    def inlined(self, holder: int, name: str, *statements: Mapping[str, Any]) -> None:
        """An inline policy."""
        self.inline.setdefault(holder, []).append((name, self.document(*statements)))

    def scp(self, *statements: Mapping[str, Any]) -> None:
        """A level of SCPs with one policy."""
        self.scps = (
            *self.scps,
            (PolicyRow(10_000 + len(self.scps), "Guardrail", self.document(*statements)),),
        )

    def facts(self) -> AccountFacts:
        """All of it."""
        index = self._index()
        shard = index.accounts[NUMBER]
        return AccountFacts(
            number=NUMBER,
            partition="aws",
            now=NOW,
            entities=self.entities,
            members=self.members,
            attached=self.attached,
            bounds=self.bounds,
            profiles=self.profiles,
            running=self.running,
            inline=self.inline,
            versions=self.versions,
            defaults=self.defaults,
            credentials=self.credentials,
            usage=self.usage,
            tags=self.tags,
            values=self.values,
            documents=self.documents,
            complete=frozenset(ALL) - self.unsynced,
            known_accounts=frozenset({NUMBER, INSIDE}),
            administrators=PathBuilder(index, shard, OutsideFacts()).administrators(),
            openings=self.openings,
            last_calls=self.last_calls,
            own_roles=frozenset({f"{PREFIX}role/gatehouse-writer"}),
            persons_gone=self.gone,
            owned=frozenset(self.owned),
            root=self.root or RootUserFacts(NUMBER, "production", RootStanding.ON, 0, NEVER, NOW),
            is_root_mfa_virtual=self.is_root_mfa_virtual,
            index=index,
            assertions=self.assertions,
            unused_grants=self.unused_grants,
            own_users=frozenset(self.own_users),
            services=self.services,
            key_places=self.key_places,
        )

    def _index(self) -> PolicyIndex:
        documents = SharedDocuments()
        held = [documents.add(digest, text) for digest, text in self.documents.items()]
        principals = [
            self._row(entity) for entity in self.entities.values() if entity.kind in ("user", "role")
        ]
        groups = [
            GroupRow(entity.id, entity.name, self._grants(entity.id))
            for entity in self.entities.values()
            if entity.kind == Kind.GROUP
        ]
        policies = [
            PolicyRow(number, self.entities[number].name, text) for number, text in self.defaults.items()
        ]
        standing = (
            OrganizationStanding("o-inside0000", ("o-inside0000/r-1/",), scps=self.scps)
            if self.scps
            else ALONE
        )
        rows = AccountRows(principals, groups, policies, (), NUMBER, "aws", standing)
        index = PolicyIndex(documents)
        index.enter_account(rows)
        assert held or not self.documents
        return index

    def _row(self, entity: EntityFact) -> PrincipalRow:
        return PrincipalRow(
            entity.id, entity.arn, entity.aws_id, self._grants(entity.id), trust=entity.document
        )

    def _grants(self, number: int) -> PolicyHoldings:
        groups = tuple(group for group, users in self.members.items() if number in users)
        return PolicyHoldings(
            tuple(self.inline.get(number, ())),
            tuple(self.attached.get(number, ())),
            groups,
            self.bounds.get(number),
        )


Build = Callable[[Site], object]
Cases = Mapping[str, tuple[Build, str]]


def answer_of(rule: FindingRule, build: Build) -> tuple[str, ComputedFindings]:
    """What a rule says of a site: TRUE, FALSE, CONDITIONAL or UNREAD."""
    site = Site()
    build(site)
    computed = compute([rule], site.facts(), is_past=False)
    certainties = {str(finding.values["certainty"]) for finding in computed.findings.values()}
    if "confirmed" in certainties:
        return TRUE, computed
    if certainties:
        return CONDITIONAL, computed
    is_unread = computed.unread or computed.unread_subjects or computed.unread_keys
    return (UNREAD if is_unread else FALSE), computed


def cases_of(rule: FindingRule, cases: Cases) -> Any:
    """A test of each case."""

    @pytest.mark.parametrize("name", list(cases))
    def test_case(name: str) -> None:
        build, expected = cases[name]
        answer, computed = answer_of(rule, build)
        assert answer == expected, [finding.values for finding in computed.findings.values()]

    return test_case
