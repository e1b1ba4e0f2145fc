"""Which policies a group gives and by which other ways a user holds the same, read from the mirror as it
stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from iam.changes.documents import flags
from iam.changes.operations.access import PolicyRef
from iam.mirror.models import Document, Edge, EdgeKind, Entity, InlinePolicy, PolicyVersion, valid_at


@dataclass(frozen=True, slots=True)
class GroupHoldings:
    """`given`: what the group gives, by name. `ways`: key of a policy → the user's ways to it beside this
    group."""

    is_member: bool
    given: tuple[PolicyRef, ...]
    ways: dict[str, tuple[str, ...]]
    groups: int
    boundary: str


def key_of(policy: PolicyRef) -> str:
    """What makes two policies the same for a person: the managed policy, or the text of an inline one."""
    return policy.arn or f"inline:{policy.digest}"


def holdings(user: Entity, *, group: Entity) -> GroupHoldings:
    """Five queries: the user's groups, what is attached and what is inline, default versions, the
    documents' texts."""
    now = valid_at(None)
    names = {
        edge.target_id: edge.target.name
        for edge in Edge.objects.filter(now, source=user, kind=EdgeKind.MEMBER).select_related("target")
    }
    owners = {user.pk, group.pk, *names}
    policies_by_holder: dict[int, list[PolicyRef]] = defaultdict(list)
    boundary = ""
    edges = Edge.objects.filter(now, source__in=owners, kind__in=[EdgeKind.ATTACHED, EdgeKind.BOUNDARY])
    attached = []
    for edge in edges.select_related("target"):
        if edge.kind == EdgeKind.ATTACHED:
            attached.append(edge)
        elif edge.source_id == user.pk:
            boundary = edge.target.name
    digests = dict(
        PolicyVersion.objects.filter(
            now, policy__in={e.target_id for e in attached}, is_default=True
        ).values_list("policy_id", "document_id")
    )
    inlines = list(InlinePolicy.objects.filter(now, owner__in=owners))
    wanted = {digests.get(e.target_id, "") for e in attached if e.source_id == group.pk}
    wanted |= {i.document_id for i in inlines if i.owner_id == group.pk}
    marks = {d.digest: flags(d.text) for d in Document.objects.filter(digest__in=wanted)}
    for edge in attached:
        digest = digests.get(edge.target_id, "")
        policies_by_holder[edge.source_id].append(
            _managed(edge.target, digest=digest, marks=marks.get(digest, ()))
        )
    for inline in inlines:
        policies_by_holder[inline.owner_id].append(_inline(inline, marks=marks.get(inline.document_id, ())))
    return GroupHoldings(
        is_member=group.pk in names,
        given=tuple(sorted(policies_by_holder[group.pk], key=lambda p: (p.kind, p.name))),
        ways=_ways_by_holder(
            policies_by_holder, user=user, names={pk: name for pk, name in names.items() if pk != group.pk}
        ),
        groups=len(names),
        boundary=boundary,
    )


def _managed(policy: Entity, *, digest: str, marks: tuple[str, ...]) -> PolicyRef:
    owner = "AWS" if ":iam::aws:" in policy.arn else "customer"
    return PolicyRef(
        kind="managed",
        name=policy.name,
        arn=policy.arn,
        digest=digest,
        owner=owner,
        entity_id=policy.pk,
        flags=marks,
    )


def _inline(policy: InlinePolicy, *, marks: tuple[str, ...]) -> PolicyRef:
    return PolicyRef(kind="inline", name=policy.name, digest=policy.document_id, owner="group", flags=marks)


def _ways_by_holder(
    policies_by_holder: dict[int, list[PolicyRef]], *, user: Entity, names: dict[int, str]
) -> dict[str, tuple[str, ...]]:
    ways: dict[str, set[str]] = defaultdict(set)
    for policy in policies_by_holder[user.pk]:
        ways[key_of(policy)].add("directly")
    for pk, name in names.items():
        for policy in policies_by_holder[pk]:
            ways[key_of(policy)].add(f"through {name}")
    return {key: tuple(sorted(ways_of_policy)) for key, ways_of_policy in ways.items()}
