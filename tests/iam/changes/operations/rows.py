"""The rows by which the engine knows users, roles and groups: as an operation says that they will be, and as
the mirror has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from iam.changes.impact import numbers_of
from iam.changes.operations import Operation
from iam.changes.operations.trust import trust_meaning
from iam.changes.world import World
from iam.mirror.models import Account, Document, Entity, Kind
from iam.mirror.snapshot import snapshot
from iam.mirror.snapshot.rows import Rows
from iam.policy.index.rows import Grants, GroupRow, PrincipalRow

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
        world = World(index.accounts[number], numbers=known)
        operation.simulate(world)
        changes = world.changes
        rows = [*changes.principals, *changes.groups]
        names = _names({one for row in rows for one in _numbers(row.grants)})
        gone = {key_of(arn): None for arn in known if world.number(arn) is None and ":policy/" not in arn}
        return gone | {key_of(row): _told(row, names, world.texts) for row in rows}


def as_it_is(keys: Collection[str], *, account: Account) -> Told:
    """The same as the mirror has it."""
    living = Entity.objects.filter(account=account, gone_at__isnull=True, kind__in=KINDS)
    entities = [one.pk for one in living if key_of(one.arn) in keys]
    found: Told = dict.fromkeys(keys)
    for rows in Rows(None, entities=entities).by_account().values():
        for row in (*rows.principals, *rows.groups):
            digests = {digest for _, digest in row.grants.inline} | {getattr(row, "trust", None)}
            texts = dict(Document.objects.filter(digest__in=digests - {None}).values_list("digest", "text"))
            found[key_of(row)] = _told(row, _names(_numbers(row.grants)), texts)
    return found


def key_of(one: str | PrincipalRow | GroupRow) -> str:
    """What stands for a user or role (the ARN) or a group (its name)."""
    if isinstance(one, GroupRow):
        return f"group {one.name}"
    arn = one if isinstance(one, str) else one.arn
    return f"group {arn.rpartition('/')[2]}" if ":group/" in arn else arn


def _numbers(grants: Grants) -> set[int]:
    bounds = {grants.boundary} if grants.boundary is not None else set()
    return {*grants.attached, *grants.groups, *bounds}


def _names(numbers: Collection[int]) -> dict[int, str]:
    return dict(Entity.objects.filter(pk__in=numbers).values_list("pk", "arn"))


def _told(row: PrincipalRow | GroupRow, names: Mapping[int, str], texts: dict[str, str]) -> Any:
    grants = row.grants
    told = {
        "inline": sorted(name for name, _ in grants.inline),
        "attached": sorted(names[one] for one in grants.attached),
        "groups": sorted(names[one] for one in grants.groups),
        "boundary": "" if grants.boundary is None else names[grants.boundary],
    }
    if isinstance(row, GroupRow):
        return told | {"name": row.name}
    trust = "" if row.trust is None else texts.get(row.trust) or _kept(row.trust)
    return told | {"tags": dict(row.tags or {}), "trust": trust_meaning(trust) if trust else ""}


def _kept(digest: str) -> str:
    return Document.objects.get(digest=digest).text
