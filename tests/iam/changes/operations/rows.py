"""The rows by which the engine knows users, roles and groups: as an operation says that they will be, and as
the mirror has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from iam.changes.impact import numbers_of
from iam.changes.operations import Operation
from iam.changes.trust_policies import trust_meaning
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Document, Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.mirror.snapshot.rows import SnapshotRows
from iam.policy.index.rows import GroupRow, PolicyHoldings, PrincipalRow

Told = dict[str, Any]
KINDS = (Kind.USER, Kind.ROLE, Kind.GROUP)


def foretold(operation: Operation) -> Told | None:
    """By ARN (a group's by name), what becomes of the users, roles and groups that it alters or makes, None
    for what goes.

    None at all where it says nothing of what anybody may do.
    """
    if type(operation).simulate is Operation.simulate:
        return None
    number = operation.account.account_id
    known = numbers_of([operation])
    with snapshot(accounts={number}) as index:
        world = ChangeWorld(index.accounts[number], numbers=known)
        operation.simulate(world)
        changes = world.changes
        rows = [*changes.principals, *changes.groups]
        names = _names({number for row in rows for number in _numbers(row.grants)})
        gone = {key_of(arn): None for arn in known if world.number(arn) is None and ":policy/" not in arn}
        return gone | {key_of(row): _told(row, names, world.texts) for row in rows}


def as_it_is(keys: Collection[str], *, account: Account) -> Told:
    """The same as the mirror has it."""
    living = Entity.objects.filter(account=account, gone_at__isnull=True, kind__in=KINDS)
    entities = [entity.pk for entity in living if key_of(entity.arn) in keys]
    as_it_is: Told = dict.fromkeys(keys)
    for rows in SnapshotRows(None, entities=entities).by_account().values():
        for row in (*rows.principals, *rows.groups):
            digests = {digest for _, digest in row.grants.inline} | {getattr(row, "trust", None)}
            texts = dict(Document.objects.filter(digest__in=digests - {None}).values_list("digest", "text"))
            as_it_is[key_of(row)] = _told(row, _names(_numbers(row.grants)), texts)
    return as_it_is


def key_of(row: str | PrincipalRow | GroupRow) -> str:
    """What stands for a user or role (the ARN) or a group (its name)."""
    if isinstance(row, GroupRow):
        return f"group {row.name}"
    arn = row if isinstance(row, str) else row.arn
    return f"group {arn.rpartition('/')[2]}" if ":group/" in arn else arn


def _numbers(grants: PolicyHoldings) -> set[int]:
    bounds = {grants.boundary} if grants.boundary is not None else set()
    return {*grants.attached, *grants.groups, *bounds}


def _names(numbers: Collection[int]) -> dict[int, str]:
    return dict(Entity.objects.filter(pk__in=numbers).values_list("pk", "arn"))


def _told(row: PrincipalRow | GroupRow, names: Mapping[int, str], texts: dict[str, str]) -> Any:
    grants = row.grants
    grants_shown = {
        "inline": sorted(name for name, _ in grants.inline),
        "attached": sorted(names[number] for number in grants.attached),
        "groups": sorted(names[group] for group in grants.groups),
        "boundary": "" if grants.boundary is None else names[grants.boundary],
    }
    if isinstance(row, GroupRow):
        return grants_shown | {"name": row.name}
    trust = "" if row.trust is None else texts.get(row.trust) or _kept(row.trust)
    return grants_shown | {"tags": dict(row.tags or {}), "trust": trust_meaning(trust) if trust else ""}


def _kept(digest: str) -> str:
    return Document.objects.get(digest=digest).text
