"""Identifies the IAM users that machines use. They have an owning team and keys, and no person who could be
offboarded or change team.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iam.directory.models import OwnedUser
from iam.linking.owners import owning_teams
from iam.linking.ownership import UserOwnership, owners_of
from iam.mirror.display_names import display_name
from iam.mirror.models import Entity, TagSet, UserCredentials, valid_at


def machine_users(users: Sequence[Entity]) -> frozenset[int]:
    """Return the primary keys of users without a person that a team owns, or that have access keys and no
    console password.

    A user without synced credentials isn't a machine user, nor is one with a tag that names a person, with an
    email address, or with several possible people. Five queries for any number of users.
    """
    if not users:
        return frozenset()
    people, owners = owners_of(users), owning_teams(users)
    credentials = {row.user_id: row for row in UserCredentials.objects.filter(valid_at(None), user__in=users)}
    tags = dict(TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags"))
    machines = set()
    for user in users:
        has_keys_only = _has_keys_only(credentials.get(user.pk))
        if _is_machine(
            people[user.pk], owners.get(user.pk), has_keys_only, _is_named(user, tags.get(user.pk))
        ):
            machines.add(user.pk)
    return frozenset(machines)


def is_machine(user: Entity) -> bool:
    """Return True if a machine uses this IAM user."""
    return user.pk in machine_users([user])


def is_machine_with(
    user: Entity,
    *,
    owned: OwnedUser | None,
    credentials: UserCredentials | None,
    tags: Mapping[str, str] | None,
) -> bool:
    """Return the same from known facts. A user with a password and no owning team needs no query."""
    has_keys_only = _has_keys_only(credentials)
    if owned is None and not has_keys_only:
        return False
    return _is_machine(owners_of([user])[user.pk], owned, has_keys_only, _is_named(user, tags))


def _has_keys_only(credentials: UserCredentials | None) -> bool:
    return credentials is not None and credentials.has_password is False and credentials.keys > 0


def _is_named(user: Entity, tags: Mapping[str, str] | None) -> bool:
    return display_name(user.name, tags) != user.name


def _is_machine(known: UserOwnership, owned: OwnedUser | None, has_keys_only: bool, is_named: bool) -> bool:
    if owned is not None:
        return not known.confirmed
    is_somebody = known.person is not None or bool(known.address) or known.in_doubt or is_named
    return has_keys_only and not is_somebody
