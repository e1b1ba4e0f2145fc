"""The owner of an access key: the owner set in Gatehouse, or else the owner of its IAM user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iam.directory.models import NamedOwner, OwnedKind
from iam.directory.owners import OwnedSubject, name_owner, remove_named_owner
from iam.directory.rules import DirectoryRuleError
from iam.guard import Viewer
from iam.journal.services import GATEHOUSE
from iam.linking.known_owners import (
    NAMED,
    NOT_YOURS,
    OF_USER,
    KnownOwner,
    check_new_owner,
    find_owner,
    may_name_owner,
    named_owner,
    owners_known,
)
from iam.mirror.models import Account, Entity, Kind


def key_subject(key: Entity) -> OwnedSubject:
    """Return an access key as a subject of ownership."""
    return _subject(key.aws_id, key)


def _subject(key_id: str, beside: Entity) -> OwnedSubject:
    user = beside.owner.arn if beside.owner else ""
    return OwnedSubject(OwnedKind.KEY, key_id, beside.account.account_id, f"{key_id} of {user}")


def owners_of_keys(keys: Sequence[Entity]) -> dict[int, KnownOwner]:
    """Return the known owners of access keys by their ids, with at most four queries."""
    own = own_owners([key.aws_id for key in keys])
    others = [key.owner_id for key in keys if key.aws_id not in own and key.owner_id is not None]
    of_users = owners_known(others) if others else {}
    owners = {}
    for key in keys:
        of_user = of_users.get(key.owner_id or 0)
        if key.aws_id in own:
            owners[key.pk] = KnownOwner(own[key.aws_id], NAMED)
        elif of_user is not None:
            owners[key.pk] = KnownOwner(of_user.name, OF_USER)
    return owners


def own_owners(key_ids: Any) -> dict[str, str]:
    """Return the names of owners set for access keys, by key ID, without people who were offboarded.
    `key_ids` is a list or a query. One query.
    """
    named = NamedOwner.objects.filter(kind=OwnedKind.KEY, subject__in=key_ids)
    rows = named.exclude(person__is_active=False).select_related("person", "team")
    return {row.subject: row.owner_name for row in rows}


def keys_with_own_owner(account: Account) -> list[int]:
    """Return the ids of an account's keys that have an owner of their own who is still active.
    Two queries.
    """
    named = NamedOwner.objects.filter(kind=OwnedKind.KEY, account_id=account.account_id)
    subjects = list(named.exclude(person__is_active=False).values_list("subject", flat=True))
    if not subjects:
        return []
    keys = Entity.objects.filter(account=account, kind=Kind.ACCESS_KEY, aws_id__in=subjects)
    return list(keys.values_list("pk", flat=True))


def may_name_key_owner(viewer: Viewer, key: Entity) -> bool:
    """Return True if the viewer can set the owner of a key, as those who can set the owner of its user."""
    is_living = key.kind == Kind.ACCESS_KEY and key.gone_at is None
    return is_living and key.owner is not None and may_name_owner(viewer, key.owner)


def set_key_owner(viewer: Viewer, key: Entity, text: str, *, why: str = "") -> bool:
    """Set the owner of a key, or remove it ("") so that the user's owner applies. Returns False if nothing
    changed. Raises DirectoryRuleError.
    """
    if not may_name_key_owner(viewer, key):
        raise DirectoryRuleError(NOT_YOURS)
    owned = key_subject(key)
    if not text.strip():
        return remove_named_owner(owned, actor=viewer, why=why)
    owner = find_owner(text)
    check_new_owner(viewer, owner, account_id=owned.account_id)
    return name_owner(owned, owner, actor=viewer, why=why)


def pass_on_key_owner(old: Entity, new_key_id: str, *, why: str) -> bool:
    """Copy the owner of a key to the key that replaces it. Returns False if there is none."""
    named = named_owner(key_subject(old))
    owner = (named.team or named.person) if named else None
    if owner is None or not new_key_id:
        return False
    return name_owner(_subject(new_key_id, old), owner, actor=GATEHOUSE, why=why)
