"""Collects the facts that escalation needs besides policies: group ARNs, instance profiles, instances,
passwords and older policy versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
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
    TagSet,
    UserCredentials,
    valid_at,
)
from iam.mirror.pull.bulk import chunks
from iam.mirror.pull.sections import INSTANCE_PROFILES
from iam.policy.escalation.states import Ec2Instance, OutsideFacts
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex

RUNNING: Final = (EdgeKind.PROFILE_ROLE.value, EdgeKind.INSTANCE_PROFILE.value)


def facts_at(at: datetime | None, index: PolicyIndex) -> tuple[OutsideFacts, list[IndexedDocument]]:
    """The facts, and the documents of older versions, which must be kept while the facts are in use. Eight
    queries.
    """
    roles_of, instances = _profiles(at)
    versions = _versions(at)
    digests = set(chain.from_iterable(versions.values()))
    documents = _held(index, digests | _unattached(index))
    facts = OutsideFacts(
        group_arns=dict(
            EntityState.objects.filter(valid_at(at), kind=Kind.GROUP).values_list("entity_id", "arn")
        ),
        profiled=_profiled(index, roles_of),
        running=_running(at, roles_of, instances),
        passwords=_passwords(at),
        versions=versions,
    )
    return facts, documents


def _passwords(at: datetime | None) -> dict[int, bool]:
    rows = UserCredentials.objects.filter(valid_at(at), has_password__isnull=False)
    return {user: bool(has) for user, has in rows.values_list("user_id", "has_password")}


def _running(
    at: datetime | None, roles_of: Mapping[int, Sequence[int]], profiles: Mapping[int, int]
) -> dict[int, tuple[Ec2Instance, ...]]:
    """The EC2 instances of each role, with their tags. An instance without tags has no tag row."""
    instances_by_role: dict[int, list[Ec2Instance]] = defaultdict(list)
    for chunk in chunks(sorted(profiles)):
        tag_sets = TagSet.objects.filter(valid_at(at), entity__in=chunk)
        tags_by_instance = dict(tag_sets.values_list("entity_id", "tags"))
        states = EntityState.objects.filter(valid_at(at), entity__in=chunk).order_by("arn")
        for number, arn in states.values_list("entity_id", "arn"):
            tags = tags_by_instance.get(number, {})
            instance = Ec2Instance(arn, tuple(sorted(tags.items())))
            profile = profiles[number]
            for role in roles_of.get(profile, ()):
                instances_by_role[role].append(instance)
    return {role: tuple(instances) for role, instances in instances_by_role.items()}


def _profiles(at: datetime | None) -> tuple[dict[int, list[int]], dict[int, int]]:
    """The roles of each instance profile, and the profile of each instance."""
    roles_of: dict[int, list[int]] = defaultdict(list)
    used: dict[int, int] = {}
    edges = Edge.objects.filter(valid_at(at), kind__in=RUNNING)
    for kind, source, target in edges.values_list("kind", "source_id", "target_id"):
        if kind == EdgeKind.PROFILE_ROLE:
            roles_of[source].append(target)
        else:
            used[source] = target
    return roles_of, used


def _profiled(index: PolicyIndex, roles_of: dict[int, list[int]]) -> dict[str, frozenset[int]]:
    """The roles in instance profiles, by account. Accounts whose instance profiles are not fully synced are
    left out.
    """
    read = Section.objects.filter(name=INSTANCE_PROFILES, state=SectionState.COMPLETE)
    known = set(read.values_list("account__account_id", flat=True))
    roles = set(chain.from_iterable(roles_of.values()))
    return {
        number: frozenset(roles & shard.members.keys())
        for number, shard in index.accounts.items()
        if number in known
    }


def _versions(at: datetime | None) -> dict[int, tuple[str, ...]]:
    texts: dict[int, list[str]] = defaultdict(list)
    rows = PolicyVersion.objects.filter(valid_at(at), is_default=False)
    for policy, digest in rows.values_list("policy_id", "document_id"):
        texts[policy].append(digest)
    return {policy: tuple(sorted(digests)) for policy, digests in texts.items()}


def _unattached(index: PolicyIndex) -> set[str]:
    """The documents of unattached policies: they could be attached, or become the boundary of a new
    principal.
    """
    rows = chain.from_iterable(shard.policies.values() for shard in index.accounts.values())
    return {row.digest for row in rows if row.digest and index.documents.find(row.digest) is None}


def _held(index: PolicyIndex, digests: set[str]) -> list[IndexedDocument]:
    documents = []
    for chunk in chunks(sorted(digests)):
        for digest, text in Document.objects.filter(digest__in=chunk).values_list("digest", "text"):
            documents.append(index.documents.add(digest, text))
    return documents
