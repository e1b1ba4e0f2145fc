"""What escalation needs besides policies: paths of groups, instance profiles and what runs with them, passwords, older versions."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Final

from iam.mirror.models import (
    Document,
    Edge,
    EdgeKind,
    EntityState,
    Kind,
    PolicyVersion,
    Section,
    SectionState,
    UserCredentials,
    valid_at,
)
from iam.mirror.pull.bulk import chunks
from iam.mirror.pull.sections import INSTANCE_PROFILES
from iam.policy.escalation.states import Facts
from iam.policy.index.documents import Doc
from iam.policy.index.index import Index

RUNNING: Final = (EdgeKind.PROFILE_ROLE.value, EdgeKind.INSTANCE_PROFILE.value)


def facts_at(at: datetime | None, index: Index) -> tuple[Facts, list[Doc]]:
    """The facts, and the documents of other versions, which have to be held as long as the facts are used. Six queries."""
    roles_of, instances = _profiles(at)
    versions = _versions(at)
    digests = {digest for digests in versions.values() for digest in digests}
    held = _held(index, digests | _unattached(index))
    facts = Facts(
        group_arns=dict(
            EntityState.objects.filter(valid_at(at), kind=Kind.GROUP).values_list("entity_id", "arn")
        ),
        profiled=_profiled(index, roles_of),
        running=frozenset(role for profile in instances for role in roles_of.get(profile, ())),
        passwords=_passwords(at),
        versions=versions,
    )
    return facts, held


def _passwords(at: datetime | None) -> dict[int, bool]:
    rows = UserCredentials.objects.filter(valid_at(at), has_password__isnull=False)
    return {user: bool(has) for user, has in rows.values_list("user_id", "has_password")}


def _profiles(at: datetime | None) -> tuple[dict[int, list[int]], set[int]]:
    """The roles of each instance profile, and the profiles that instances use."""
    roles_of: dict[int, list[int]] = defaultdict(list)
    used: set[int] = set()
    edges = Edge.objects.filter(valid_at(at), kind__in=RUNNING)
    for kind, source, target in edges.values_list("kind", "source_id", "target_id"):
        if kind == EdgeKind.PROFILE_ROLE:
            roles_of[source].append(target)
        else:
            used.add(target)
    return roles_of, used


def _profiled(index: Index, roles_of: dict[int, list[int]]) -> dict[str, frozenset[int]]:
    """By account, of those whose instance profiles have been read whole."""
    read = Section.objects.filter(name=INSTANCE_PROFILES, state=SectionState.COMPLETE)
    known = set(read.values_list("account__account_id", flat=True))
    roles = {role for found in roles_of.values() for role in found}
    return {
        number: frozenset(roles & shard.members.keys())
        for number, shard in index.accounts.items()
        if number in known
    }


def _versions(at: datetime | None) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = PolicyVersion.objects.filter(valid_at(at), is_default=False)
    for policy, digest in rows.values_list("policy_id", "document_id"):
        found[policy].append(digest)
    return {policy: tuple(sorted(digests)) for policy, digests in found.items()}


def _unattached(index: Index) -> set[str]:
    """The documents of policies that nobody holds: they can be attached, or be the boundary of a principal that someone creates."""
    rows = (row for shard in index.accounts.values() for row in shard.policies.values())
    return {row.digest for row in rows if row.digest and index.documents.known(row.digest) is None}


def _held(index: Index, digests: set[str]) -> list[Doc]:
    held = []
    for chunk in chunks(sorted(digests)):
        for digest, text in Document.objects.filter(digest__in=chunk).values_list("digest", "text"):
            held.append(index.documents.add(digest, text))
    return held
