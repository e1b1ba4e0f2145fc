"""Plans a rotation: who can start one, which keys prevent it, what is requested, and what is accepted with
the approval.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.one_time_credential import KEYS_PER_USER, CreateAccessKey
from iam.changes.operations.params import Recipient
from iam.changes.operations.user_credential import ACTIVE, DeleteCredential
from iam.directory.models import Identity, Person
from iam.guard import Right, Viewer
from iam.guard.viewer import ANY_ACCOUNT
from iam.linking.owners import leads_of, owning_team
from iam.mirror.models import NEVER, Entity, EntityState, Kind, Usage, valid_at
from iam.people.enrolment.invitation import NOBODY, may_invite, person_of
from iam.people.rotation.models import Rotation, RotationStage

QUIET_DAYS: Final = 7
"""A week has each weekday, so that weekly jobs show up before the old key is deactivated."""
LEAST_QUIET, MAX_DAYS, LEAST_KEEP = 3, 90, 1
"""Three days are longer than from Friday evening to Monday morning, so that no key is deactivated over an
unobserved weekend.
"""
KEEP_DAYS: Final = 7
IDLE: Final = timedelta(days=90)
"""Time without use after which the second key can be deleted to make room."""
MAX_ISSUES: Final = 3
"""How many keys are created one after another for a person who doesn't get the secret."""
NOT_YOURS: Final = "You can rotate only your own keys and those of your teams."
FOR_WHOM: Final = (
    "No person in Gatehouse is linked to this IAM user. Link one under “Match users to people”, or select "
    "this box if the user belongs to a machine."
)
NO_LEAD: Final = (
    "{team} owns {user} and has no lead, so no one can receive the new key. Give the team a lead, or set "
    "another owning team."
)


@dataclass(frozen=True, slots=True)
class RotationTerms:
    """The terms of a new rotation."""

    reason: str
    is_automatic: bool = True
    quiet_days: int = QUIET_DAYS
    keep_days: int = KEEP_DAYS
    is_for_me: bool = False
    """The user has no person and no owning team, so the requester gets the secret and installs it."""
    recipient: str = ""
    """The id of the lead of the owning team who gets the secret. Empty for the viewer, or else the first
    lead.
    """
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with fields of the form that have no value here, by field."""


@dataclass(frozen=True, slots=True)
class MirroredKey:
    """A key in the mirror. `used_at` None means never used; `read_at` None means that its use was
    never read.
    """

    entity: Entity
    status: str
    created_at: datetime | None
    used_at: datetime | None
    service: str
    region: str
    read_at: datetime | None

    @property
    def is_active(self) -> bool:
        """True if the key works."""
        return self.status == ACTIVE

    @property
    def is_idle(self) -> bool:
        """True if the key appears unused, so that it can be deleted: it is inactive, or was not used for a
        long time since its creation.
        """
        if not self.is_active:
            return True
        last = max(filter(None, [self.used_at, self.created_at]), default=None)
        return self.read_at is not None and last is not None and datetime.now(tz=UTC) - last > IDLE


def may_begin(viewer: Viewer, *, user: Entity) -> bool:
    """Return True if the viewer owns the user or can request changes to it."""
    return user.arn in viewer.scope.user_arns or may_invite(viewer, user=user)


def may_run(viewer: Viewer, rotation: Rotation) -> bool:
    """Return True if the viewer can act on the rotation: those who can start it, and its person."""
    return rotation.person_id == viewer.person_id or may_begin(viewer, user=rotation.user)


def for_own(viewer: Viewer) -> Viewer:
    """Return the viewer with the right to request changes to their own users."""
    arns = viewer.scope.user_arns
    if not arns:
        return viewer
    return replace(
        viewer,
        grants=viewer.grants | {(Right.REQUEST_CHANGE, ANY_ACCOUNT)},
        asks=replace(viewer.asks, user_arns=viewer.asks.user_arns | arns),
    )


def for_set(batch: UUID, viewer: Viewer) -> Viewer:
    """Return the viewer with the scope needed for a set of rotations, for its requester; see
    iam.changes.causes.
    """
    return for_own(viewer)


def keys_of(user: Entity) -> list[MirroredKey]:
    """Return the user's keys in the mirror, oldest first, with two queries."""
    rows = EntityState.objects.filter(
        valid_at(None), kind=Kind.ACCESS_KEY, entity__owner=user, entity__gone_at__isnull=True
    )
    states = list(rows.select_related("entity__account", "entity__owner").order_by("created_at", "entity_id"))
    uses = {
        usage.entity_id: usage for usage in Usage.objects.filter(entity__in=[row.entity_id for row in states])
    }
    return [_held(row, uses.get(row.entity_id)) for row in states]


def _held(row: EntityState, use: Usage | None) -> MirroredKey:
    created_at = row.created_at if row.created_at and row.created_at > NEVER else None
    if use is None or not use.is_read:
        return MirroredKey(row.entity, row.category, created_at, None, "", "", None)
    used_at = use.last_used_at if use.last_used_at > NEVER else None
    return MirroredKey(
        row.entity, row.category, created_at, used_at, use.service, use.region, use.observed_at
    )


def living_of(user: Entity) -> Rotation | None:
    """Return the user's open rotation, or None."""
    return Rotation.objects.filter(user=user).exclude(stage=RotationStage.ENDED).first()


def owner_of(key: Entity) -> Entity:
    """Return the user that owns the key. Raises RefusedError."""
    if key.kind != Kind.ACCESS_KEY or key.owner is None or key.owner.kind != Kind.USER:
        raise RefusedError("This isn’t an access key of an IAM user.")
    return key.owner


def recipients(user: Entity, *, viewer: Viewer) -> list[Person]:
    """Return who can get the secret of a new key: the person of the user, or the leads of the team that owns
    it, the viewer first.
    """
    person = person_of(user)
    if person is not None:
        return [person]
    owned = owning_team(user)
    leads = leads_of(owned.team, account_id=user.account.account_id) if owned else []
    return sorted(leads, key=lambda lead: lead.pk != viewer.person_id)


def check_begin(
    viewer: Viewer, old: Entity, *, first: Entity | None, is_for_me: bool = False, recipient: str = ""
) -> Person:
    """Return who gets the new key. Raises RefusedError if the key can't be rotated now."""
    user = owner_of(old)
    if not may_begin(viewer, user=user):
        raise RefusedError(NOT_YOURS)
    if old.gone_at is not None:
        raise RefusedError(f"Access key {old.aws_id} no longer exists in AWS, as of the last sync.")
    standing = living_of(user)
    if standing is not None:
        raise RefusedError(
            f"{user.name} has a rotation in progress ({standing.reference}). Cancel it first, or wait until "
            "it is done."
        )
    checks = FieldChecks()
    person = checks.collect(lambda: _recipient(viewer, user, is_for_me=is_for_me, recipient=recipient))
    checks.collect(lambda: check_room(keys_of(user), old=old, first=first))
    checks.finish()
    assert person is not None
    return person


def _recipient(viewer: Viewer, user: Entity, *, is_for_me: bool, recipient: str) -> Person:
    people = recipients(user, viewer=viewer)
    if recipient and people:
        people = [person for person in people if str(person.pk) == recipient]
        if not people:
            raise FieldError(
                "The person you chose can’t get this key any more. Choose again.", field="recipient"
            )
    if people:
        return people[0]
    owned = owning_team(user)
    if owned is not None:
        raise RefusedError(NO_LEAD.format(team=owned.team.name, user=user.name))
    person = Person.objects.filter(pk=viewer.person_id, is_active=True).first()
    if person is None or _is_linked(user):
        raise RefusedError(NOBODY)
    if not is_for_me:
        raise FieldError(FOR_WHOM, field="for_me")
    return person


def _is_linked(user: Entity) -> bool:
    """Return True if the user is linked to a person, even a deactivated one."""
    return Identity.objects.filter(user_arn=user.arn).exists()


def check_room(keys: Sequence[MirroredKey], *, old: Entity, first: Entity | None) -> None:
    """Raise RefusedError if the user has two keys, unless the other one was chosen to be deleted first and is
    unused.
    """
    if old.pk not in {key.entity.pk for key in keys}:
        raise RefusedError(f"Access key {old.aws_id} no longer exists in AWS, as of the last sync.")
    other = next((key for key in keys if key.entity.pk != old.pk), None)
    if first is not None and (other is None or other.entity.pk != first.pk):
        raise RefusedError("The other key changed in the meantime. Reload the page.")
    if other is None or len(keys) < KEYS_PER_USER:
        return
    if first is None:
        why = (
            f"{other.entity.owner.name if other.entity.owner else 'The user'} has a second key, "
            f"{other.entity.aws_id}, and AWS allows {KEYS_PER_USER}. Choose to delete it first."
        )
        # Only an unused key can be chosen on the page.
        raise FieldError(why, field="first") if other.is_idle else RefusedError(why)
    if not other.is_idle:
        raise RefusedError(
            f"The second key {other.entity.aws_id} is active and in use. Deactivate it first and check that "
            "nothing breaks."
        )


def creation(user: Entity, *, person: Person, sealed_id: UUID, first: Entity | None = None) -> Operation:
    """Return the operation that creates the new key, with its secret sealed for its person."""
    first_id = first.aws_id if first else ""
    return CreateAccessKey.of(
        user,
        recipient=Recipient(person.pk, person.name),
        sealed_id=sealed_id,
        instead_of=first_id,
    )


def operations_of(rotation: Rotation) -> list[Operation]:
    """Return the first operations of a rotation."""
    assert rotation.sealed_id is not None
    made = creation(rotation.user, person=rotation.person, sealed_id=rotation.sealed_id, first=rotation.first)
    return [DeleteCredential.of(rotation.first), made] if rotation.first else [made]


def check_terms(terms: RotationTerms) -> None:
    """Raise FieldError for days out of range and a missing reason."""
    checks = FieldChecks(terms.unreadable)
    if not LEAST_QUIET <= terms.quiet_days <= MAX_DAYS:
        checks.add("quiet", f"Enter {LEAST_QUIET} to {MAX_DAYS} days without use of the old key.")
    if not LEAST_KEEP <= terms.keep_days <= MAX_DAYS:
        checks.add("keep", f"Enter {LEAST_KEEP} to {MAX_DAYS} days to keep the old key inactive.")
    if not terms.reason.strip() or len(terms.reason) > 1000:
        checks.add("reason", "Enter a reason of up to 1,000 characters.")
    checks.finish()


def notes_for(terms: RotationTerms, *, olds: Collection[str], teams: Collection[str] = ()) -> list[str]:
    """Return what approvers accept besides the new key. All later automatic steps are covered by this."""
    starts, old, its = "This starts a rotation.", f"the old key {next(iter(olds), '')}", "the new key"
    secret, cancelled, that = "the secret", "the rotation is cancelled, the", "the old key"
    if len(olds) > 1:
        starts, old, its = (
            f"This starts {len(olds):,} rotations, one for each key.",
            "an old key",
            "its new key",
        )
        secret, cancelled, that = "the secret of a new key", "a rotation is cancelled, its", old
    again = (
        f"If no one gets {secret} within 24 hours, the new key is deleted and another one is created, up "
        f"to {MAX_ISSUES} times. "
        f"The same happens if the secret is lost before the key is used. If {cancelled} new key can be "
        "deleted."
    )
    teamwork = [
        (
            f"Another lead of {team} can take the rotation over. The new key is then deleted, and one is "
            "created for them."
        )
        for team in sorted(teams)
    ]
    later = f"Deactivation and deletion of {old} are requested separately later."
    if terms.is_automatic:
        later = (
            f"Once {old} hasn’t been used for {days(terms.quiet_days)} and {its} has been used, Gatehouse "
            f"deactivates the old key, and {days(terms.keep_days)} later deletes it permanently. It checks "
            "AWS before each step. No further approval is needed."
        )
    return [
        f"{starts} {later}",
        again,
        f"Until {that} is deleted, it can be reactivated immediately.",
        *teamwork,
    ]


def days(number: int) -> str:
    """Return the number of days in words: '1 day', '7 days'."""
    return f"{number} day{'' if number == 1 else 's'}"
