"""Which IAM users machines use: they have an owning team and keys, and nobody who could be offboarded or change teams."""

from __future__ import annotations

from collections.abc import Sequence

from iam.linking.owners import owning_teams
from iam.linking.whose import whose
from iam.mirror.models import Entity, TagSet, UserCredentials, valid_at
from iam.mirror.naming import display_name


def machine_users(users: Sequence[Entity]) -> frozenset[int]:
    """The primary keys of the users without a person that a team owns, or that have access keys and no console password.

    A user whose credentials were not synced is no machine user, and neither is one whose tags name a person, one with an email address or
    one with several possible people. Five queries, whatever the number of users.
    """
    if not users:
        return frozenset()
    people, owners = whose(users), owning_teams(users)
    rows = UserCredentials.objects.filter(valid_at(None), user__in=users, has_password=False, keys__gt=0)
    with_keys_only = set(rows.values_list("user_id", flat=True))
    tags = dict(TagSet.objects.filter(valid_at(None), entity__in=users).values_list("entity_id", "tags"))
    machines = set()
    for user in users:
        known = people[user.pk]
        is_named = display_name(user.name, tags.get(user.pk)) != user.name
        is_somebody = known.person is not None or bool(known.address) or known.in_doubt or is_named
        is_owned = user.pk in owners and not known.confirmed
        if is_owned or (user.pk in with_keys_only and not is_somebody):
            machines.add(user.pk)
    return frozenset(machines)


def is_machine(user: Entity) -> bool:
    """True if a machine uses this IAM user."""
    return user.pk in machine_users([user])
