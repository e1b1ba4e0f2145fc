"""Selects which of many keys can be rotated now, and why the others can't, with few queries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db.models import Count

from iam.batches import batches
from iam.changes.operations.one_time_credential import KEYS_PER_USER
from iam.directory.models import OwnedUser, Person, Role, RoleAssignment, Team
from iam.guard import Right, Viewer
from iam.linking.owners import owning_teams
from iam.linking.ownership import owners
from iam.mirror.models import Entity, EntityState, Kind, valid_at
from iam.mirror.models.accounts import AccountSource
from iam.mirror.queries.visibility import visible
from iam.people.rotation.models import Rotation, RotationStage

CHUNK: Final = 500
NOT_IN_SCOPE: Final = "You can’t request changes to their users"
UNDER_WAY: Final = "A rotation is already in progress"
NO_OWNER: Final = "No person and no owning team"
NO_LEAD: Final = "The owning team has no lead who could receive the new key"
TWO_KEYS: Final = "The user has two keys: start from their page, where you choose which one is deleted"
READ_ONLY_ACCOUNT: Final = "The account is read-only"
DELETED: Final = "Deleted in AWS"


@dataclass(frozen=True, slots=True)
class SelectedKey:
    """A key that can be rotated, and who gets the new one."""

    key: Entity
    person: Person
    team: Team | None = None


@dataclass(slots=True)
class KeySelection:
    """The keys that can be rotated. `left_out` counts the others by reason, and `left_keys` names them."""

    chosen: list[SelectedKey] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    left_keys: defaultdict[str, list[Entity]] = field(default_factory=lambda: defaultdict(list))


def choose(viewer: Viewer, keys: Sequence[int]) -> KeySelection:
    """Return the selection among the keys with these ids, with a few queries per 500 keys."""
    choice, users = KeySelection(), set[int]()
    for part in batches(keys, CHUNK):
        rows = Entity.objects.filter(pk__in=part, kind=Kind.ACCESS_KEY).select_related(
            "account", "owner__account"
        )
        known = _SelectionFacts(viewer, [key.owner for key in rows if key.owner])
        for key in sorted(rows, key=lambda key: (key.first_seen, key.pk)):
            why, person = known.refusal_and_recipient(key)
            # The keys of a user are counted by another query: one can have been added meanwhile.
            if not why and key.owner_id in users:
                why = TWO_KEYS
            if why or person is None:
                choice.left_out[why] += 1
                choice.left_keys[why].append(key)
                continue
            users.add(key.owner_id or 0)
            choice.chosen.append(SelectedKey(key, person, known.team_of(key.owner)))
    return choice


class _SelectionFacts:
    """The facts about the users, each loaded with one query."""

    def __init__(self, viewer: Viewer, users: Sequence[Entity]) -> None:
        self.viewer = viewer
        pks = [entity.pk for entity in users]
        reach = replace(viewer, scope=viewer.asks)
        self.reached = set(
            visible(Entity.objects.filter(pk__in=pks), reach, entity="pk", kinds=(Kind.USER,)).values_list(
                "pk", flat=True
            )
        )
        self.busy = set(
            Rotation.objects.filter(user__in=pks)
            .exclude(stage=RotationStage.ENDED)
            .values_list("user_id", flat=True)
        )
        self.people = owners(entity.arn for entity in users)
        self.owned = owning_teams(users)
        self.leads = _leads(self.owned.values())
        counts: Any = (
            EntityState.objects.filter(
                valid_at(None),
                kind=Kind.ACCESS_KEY,
                entity__owner__in=pks,
                entity__gone_at__isnull=True,
            )
            .values("entity__owner")
            .annotate(n=Count("pk"))
        )
        self.counts = dict(counts.values_list("entity__owner", "n"))

    def refusal_and_recipient(self, key: Entity) -> tuple[str, Person | None]:
        """Return why a key can't be rotated, or an empty string and the recipient of the new one."""
        user = key.owner
        if user is None or key.gone_at is not None:
            return DELETED, None
        account = key.account
        is_own = user.arn in self.viewer.scope.user_arns
        asks = user.pk in self.reached and self.viewer.may(
            Right.REQUEST_CHANGE, account_id=account.account_id
        )
        if not (is_own or asks):
            return NOT_IN_SCOPE, None
        if user.pk in self.busy:
            return UNDER_WAY, None
        if account.source == AccountSource.EXPORT or not account.is_writable:
            return READ_ONLY_ACCOUNT, None
        if self.counts.get(user.pk, 0) >= KEYS_PER_USER:
            return TWO_KEYS, None
        person = self.people.get(user.arn)
        if person is not None:
            return "", person
        if user.pk not in self.owned:
            return NO_OWNER, None
        person = self._lead(self.owned[user.pk])
        return ("", person) if person else (NO_LEAD, None)

    def team_of(self, user: Entity | None) -> Team | None:
        """Return the team that owns a user, or None."""
        owned = self.owned.get(user.pk) if user else None
        return owned.team if owned else None

    def _lead(self, owned: OwnedUser) -> Person | None:
        """Return the recipient of a machine user's new key: the viewer if they lead the team there, or else
        its first lead.
        """
        leads = [
            lead.person for lead in self.leads[owned.team_id] if lead.account_id in ("", owned.account_id)
        ]
        first = leads[0] if leads else None
        return next((lead for lead in leads if lead.pk == self.viewer.person_id), first)


def _leads(owned: Iterable[OwnedUser]) -> dict[int, list[RoleAssignment]]:
    """Return the active leads of teams, the longest-serving first, with one query."""
    leads_by_team: dict[int, list[RoleAssignment]] = defaultdict(list)
    rows = RoleAssignment.objects.filter(
        role=Role.TEAM_LEAD, team__in={owned_user.team_id for owned_user in owned}, person__is_active=True
    )
    for row in rows.select_related("person").order_by("created_at", "pk"):
        leads_by_team[row.team_id or 0].append(row)
    return leads_by_team
