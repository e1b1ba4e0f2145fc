"""Finds existing groups and customer managed policies that give exactly the requested access."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.db.models import QuerySet

from iam.access.grants.documents import Meaning, meaning_of
from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.access.grants.planning.account_context import GrantSite
from iam.directory.models import RuleKind, TeamRule
from iam.mirror.models import Document, Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at


def policy_alike(site: GrantSite) -> Entity | None:
    """The first customer managed policy, by name, with exactly the given content and no end date; None if
    there is none.
    """
    wanted = meaning_of(site.documents)
    if not wanted:
        return None
    rows = PolicyVersion.objects.filter(valid_at(None), account=site.account, is_default=True)
    rows = rows.exclude(policy__arn__contains=":iam::aws:").order_by("policy__name")
    document_ids = dict(rows.values_list("policy_id", "document_id"))
    meanings = _meanings(set(document_ids.values()))
    alike = [policy for policy, digest in document_ids.items() if meanings.get(digest) == wanted]
    return Entity.objects.filter(pk=alike[0]).select_related("account").first() if alike else None


def is_made_for_a_grant(policy: Entity) -> bool:
    """True if a grant created the policy and is still a reason for it."""
    entries = LedgerEntry.objects.filter(
        account=policy.account_id, holder_arn=policy.arn, sort=PermissionSort.POLICY, until__isnull=True
    )
    return entries.filter(since__isnull=False).exists()


def group_alike(site: GrantSite, *, policy: Entity | None) -> Entity | None:
    """The first group, by name, that gives exactly this access; None if there is none.

    `policy` is the given managed policy; if None, documents are compared. Groups that define team membership
    are left out.
    """
    entities = _saying_alone(site) if policy is None else _holding_alone(site, policy)
    team_rules = TeamRule.objects.filter(kind=RuleKind.GROUP, account_id__in=["", site.number])
    groups = entities.exclude(name__in=team_rules.values_list("value", flat=True))
    return groups.select_related("account").order_by("name").first()


def _groups(site: GrantSite) -> QuerySet[Entity]:
    return Entity.objects.filter(account=site.account, kind=Kind.GROUP, gone_at__isnull=True)


def _holding_alone(site: GrantSite, policy: Entity) -> QuerySet[Entity]:
    now = valid_at(None)
    attached = Edge.objects.filter(now, kind=EdgeKind.ATTACHED)
    holders = attached.filter(target=policy).values("source")
    others = (
        attached.filter(account=site.account, source__kind=Kind.GROUP).exclude(target=policy).values("source")
    )
    inline = InlinePolicy.objects.filter(now, account=site.account, owner__kind=Kind.GROUP).values("owner")
    return _groups(site).filter(pk__in=holders).exclude(pk__in=others).exclude(pk__in=inline)


def _saying_alone(site: GrantSite) -> QuerySet[Entity]:
    wanted = meaning_of(site.documents)
    if not wanted:
        return Entity.objects.none()
    digests_by_group = _held_by_groups(site)
    meanings = _meanings(set().union(*digests_by_group.values()))
    alike = [group for group, digests in digests_by_group.items() if _union(digests, meanings) == wanted]
    return _groups(site).filter(pk__in=alike)


def _held_by_groups(site: GrantSite) -> dict[int, set[str]]:
    """The digests of the documents that each group of the account holds."""
    now = valid_at(None)
    edges = Edge.objects.filter(now, account=site.account, kind=EdgeKind.ATTACHED, source__kind=Kind.GROUP)
    attached = list(edges.values_list("source_id", "target_id"))
    policies = {policy for _, policy in attached}
    versions = PolicyVersion.objects.filter(now, is_default=True, policy__in=policies)
    digest_by_policy = dict(versions.values_list("policy_id", "document_id"))
    digests_by_group: dict[int, set[str]] = defaultdict(set)
    for group, policy in attached:
        # A policy whose text is not synced equals nothing.
        digests_by_group[group].add(digest_by_policy.get(policy, ""))
    inline = InlinePolicy.objects.filter(now, account=site.account, owner__kind=Kind.GROUP)
    for group, digest in inline.values_list("owner_id", "document_id"):
        digests_by_group[group].add(digest)
    return digests_by_group


def _union(digests: set[str], meanings: dict[str, Meaning | None]) -> Meaning | None:
    union: set[tuple[object, ...]] = set()
    for digest in digests:
        meaning = meanings.get(digest)
        if meaning is None:
            return None
        union |= meaning
    return frozenset(union)


_KNOWN: dict[str, Meaning | None] = {}
_MAX_KNOWN: Final = 16_384


def _meanings(digests: set[str]) -> dict[str, Meaning | None]:
    """The meanings of documents by digest, cached, since a digest always means the same text. At most one
    query.
    """
    missing = digests - _KNOWN.keys()
    if len(_KNOWN) + len(missing) > _MAX_KNOWN:
        _KNOWN.clear()
        missing = digests
    for digest, text in Document.objects.filter(digest__in=missing).values_list("digest", "text"):
        _KNOWN[digest] = meaning_of([text])
    return {digest: _KNOWN[digest] for digest in digests if digest in _KNOWN}
