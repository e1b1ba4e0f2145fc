"""Handles the named owners of grants. An owner gets no rights from it."""

from __future__ import annotations

from iam.access.grants.models import Grant
from iam.directory.models import OwnedKind
from iam.directory.owners import OwnedSubject, name_owner, remove_named_owner
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.linking.known_owners import (
    NAMED,
    NOT_YOURS,
    KnownOwner,
    check_new_owner,
    find_owner,
    named_owner,
)


def grant_subject(grant: Grant) -> OwnedSubject:
    """The grant as a subject that can have an owner."""
    numbers = grant.terms["accounts"]
    account_id = numbers[0] if len(numbers) == 1 else ""
    return OwnedSubject(OwnedKind.GRANT, str(grant.pk), account_id, f"{grant.reference}: {grant.title}")


def owner_of_grant(grant: Grant) -> KnownOwner | None:
    """The named owner of a grant; None if there is none or they have left."""
    named = named_owner(grant_subject(grant))
    if named is None or (named.person is not None and not named.person.is_active):
        return None
    return KnownOwner(named.owner_name, NAMED)


def may_name_grant_owner(viewer: Viewer, grant: Grant) -> bool:
    """True if the viewer can name the owner: administrators of all its accounts, and leads for grants they
    requested.
    """
    numbers = grant.terms["accounts"]
    if all(viewer.may(Right.MANAGE_OPERATORS, account_id=number) for number in numbers):
        return True
    return bool(viewer.leads) and grant.requested_by == viewer.person_id


def set_grant_owner(viewer: Viewer, grant: Grant, text: str, *, why: str = "") -> bool:
    """Name the owner of a grant, or remove it if `text` is blank.

    Returns False if nothing changed. Raises DirectoryRuleError.
    """
    if not may_name_grant_owner(viewer, grant):
        raise DirectoryRuleError(NOT_YOURS)
    owned = grant_subject(grant)
    if not text.strip():
        return remove_named_owner(owned, actor=viewer, why=why)
    owner = find_owner(text)
    if not all(viewer.may(Right.MANAGE_OPERATORS, account_id=number) for number in grant.terms["accounts"]):
        check_new_owner(viewer, owner, account_id=owned.account_id)
    return name_owner(owned, owner, actor=viewer, why=why)
