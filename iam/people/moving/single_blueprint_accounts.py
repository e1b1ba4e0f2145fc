"""Handles accounts that only one of the two blueprints names. In accounts of the new one, a user is created
as in an onboarding, with an invitation; in accounts of the former one, the user is offboarded with a grace
period. Both are part of the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db.models.functions import Lower

from iam.access.grants.models import GIVING, GrantState, LedgerEntry
from iam.changes.models import ChangeSet
from iam.changes.operations import Membership, Operation, PutInlinePolicy
from iam.changes.operations.login_profile import CreateLoginProfile, DeleteLoginProfile
from iam.changes.operations.principals import CreateUser
from iam.directory.models import Person
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, valid_at
from iam.people.blueprints.body import BlueprintBody
from iam.people.blueprints.models import BlueprintVersion
from iam.people.blueprints.user_names import free_name
from iam.people.moving.models import Move
from iam.people.offboarding import models as offboarding
from iam.people.offboarding.leaver_lookup import teams_of
from iam.people.offboarding.removal_plan import RemovalSite as LeavingSite
from iam.people.offboarding.removal_plan import plan_for
from iam.people.offboarding.requester_scope import with_their_groups
from iam.people.onboarding import models as onboarding
from iam.people.onboarding.creation_plan import CreationSite, PersonAccountPlan, part_of
from iam.people.onboarding.requester_scope import with_newcomers
from iam.people.runs.models import RunState

OWN: Final = ("onboarding:", "moving:")
"""Prefixes of the keys of grants that come from a blueprint."""
MADE: Final = UUID("c9a4b1f2-6a77-4b0e-8a35-5b1f0f9d2a11")
LEFT: Final = UUID("5f7f7a36-0df1-4b5b-9a0e-3a4de61c7b11")
"""The namespaces for the ids of the onboarding and the offboarding within a move."""
GRACE_DAYS: Final = 30
DENIED: Final = (
    f"First, everything is denied to the user. It can be restored for {GRACE_DAYS} days, then its deletion "
    "is requested."
)


def made_id(move_id: UUID) -> UUID:
    """Return the id of the onboarding within a move."""
    return uuid5(MADE, str(move_id))


def left_id(move_id: UUID) -> UUID:
    """Return the id of the offboarding within a move."""
    return uuid5(LEFT, str(move_id))


def text_of(operation: Operation) -> str:
    """Return what an operation gives or removes, as a line of a move."""
    match operation:
        case CreateUser():
            return f"User {operation.inputs.name}"
        case Membership():
            return f"Member of {operation.inputs.group_name}"
        case PutInlinePolicy():
            return f"Policy {operation.inputs.policy_name}"
        case CreateLoginProfile():
            return "A temporary console password"
        case DeleteLoginProfile():
            return "The console password"
    return operation.title


def newcomer_for(
    person: Person, *, name: str, user_name: str, body: BlueprintBody
) -> onboarding.OnboardedPerson:
    """Return a person who changes team as an onboarded person, without saving it."""
    today = datetime.now(tz=UTC).date()
    until = today + timedelta(days=body.stay) if body.stay else None
    return onboarding.OnboardedPerson(
        position=0,
        line=1,
        name=name[:256],
        email=person.email,
        user_name=user_name,
        person_id=person.pk,
        until=until,
    )


def parts_for(
    person: Person,
    users: Sequence[Entity],
    sites: Sequence[CreationSite],
    *,
    body: BlueprintBody,
    move_id: UUID,
) -> list[PersonAccountPlan]:
    """Return their new users, with the name that they have in other accounts, or with a number if it is
    taken.
    """
    if not sites:
        return []
    taken: set[str] = set()
    for site in sites:
        living = Entity.objects.filter(account=site.account, kind=Kind.USER, gone_at__isnull=True)
        taken |= set(living.annotate(low=Lower("name")).values_list("low", flat=True))
    user_name = free_name(users[0].name, taken=taken)
    newcomer = newcomer_for(person, name=person.name, user_name=user_name, body=body)
    return [part_of(site, newcomer, key=made_id(move_id).hex) for site in sites]


def why_stays(user: Entity, body: BlueprintBody) -> str:
    """Return a sentence about what a user is needed for besides the former blueprint, or an empty string if
    the user can be removed.
    """
    now = valid_at(None)
    edges = Edge.objects.filter(now, source=user, kind__in=[EdgeKind.MEMBER, EdgeKind.ATTACHED])
    for edge in edges.select_related("target").order_by("target__name"):
        if edge.kind == EdgeKind.ATTACHED:
            return f"{edge.target.name} is attached to the user."
        if edge.target.name not in body.groups:
            return f"The user is also in {edge.target.name}."
    entries = LedgerEntry.objects.filter(
        entity=user, since__isnull=False, until__isnull=True, part__state__in=[*GIVING, GrantState.APPLYING]
    ).select_related("part__grant")
    given_entries = list(entries.order_by("pk"))
    other = next(
        (entry for entry in given_entries if not entry.part.grant.idempotency_key.startswith(OWN)), None
    )
    if other is not None:
        return f"{other.part.grant.reference} needs the user."
    named = {entry.target for entry in given_entries}
    inline = InlinePolicy.objects.filter(now, owner=user).exclude(name__in=named).order_by("name")
    inline_policy = inline.first()
    return f"The user also has the policy {inline_policy.name}." if inline_policy else ""


def leaving_of(user: Entity, *, viewer: Viewer) -> LeavingSite:
    """Return the operations that end a user's access. Raises RefusedError."""
    return plan_for([user], viewer=viewer).sites[0]


def reach_of_move(move_id: UUID, viewer: Viewer) -> Viewer:
    """Return the viewer with access to the groups of a move's users and to the users that it creates, for the
    requester of a move.
    """
    move = Move.objects.filter(pk=move_id).select_related("version").first()
    if move is None:
        return viewer
    users = Entity.objects.filter(pk__in=move.users).select_related("account")
    names = onboarding.OnboardedPerson.objects.filter(run=made_id(move_id)).values_list(
        "user_name", flat=True
    )
    return widened(viewer, list(users), names=list(names), body=move.version.body)


def widened(viewer: Viewer, users: Sequence[Entity], *, names: Sequence[str], body: BlueprintBody) -> Viewer:
    """Return the viewer with access to everything that a move of these users changes."""
    return with_newcomers(with_their_groups(viewer, users), names, body=body)


def write_made(move: Move, parts: Sequence[tuple[int, PersonAccountPlan]], *, group: ChangeSet) -> None:
    """Write the onboarding within the move, which sends the invitation and follows each step. Runs in the
    caller's transaction.
    """
    if not parts:
        return
    run = onboarding.OnboardingRun.objects.create(
        pk=made_id(move.pk),
        version=move.version,
        state=RunState.WAITING,
        source=move.reference,
        reason=move.reason,
        requested_by=move.requested_by,
        requested_label=move.requested_label,
        asked_at=datetime.now(tz=UTC),
    )
    newcomer = parts[0][1].newcomer
    newcomer.run = run
    newcomer.save(force_insert=True)
    onboarding.ProvisionedUser.objects.bulk_create(
        onboarding.ProvisionedUser(
            newcomer=newcomer,
            account=part.account,
            user_arn=part.user_arn,
            change_set=group,
            lane=lane,
            password_seal=part.password_seal,
            key_seal=part.key_seal,
        )
        for lane, part in parts
    )


def write_left(move: Move, left: Sequence[tuple[int, Entity]], *, email: str, group: ChangeSet) -> None:
    """Write the offboarding within the move, which verifies the end of access and allows a restore or
    deletion. Runs in the caller's transaction.
    """
    if not left:
        return
    run = offboarding.OffboardingRun.objects.create(
        pk=left_id(move.pk),
        state=RunState.REQUESTED,
        source=move.reference,
        reason=move.reason,
        grace_days=GRACE_DAYS,
        requested_by=move.requested_by,
        requested_label=move.requested_label,
        asked_at=datetime.now(tz=UTC),
    )
    users = [user for _, user in left]
    leaver = offboarding.Leaver.objects.create(
        run=run,
        name=move.name,
        email=email[:256],
        person_id=move.person_id,
        teams=teams_of(users),
        stage=offboarding.OffboardingStage.WAITING,
        # A person who changes team keeps working, so they can still sign in to Gatehouse.
        unseen=max(1, len(move.users) - len(users)),
    )
    offboarding.OffboardedUser.objects.bulk_create(
        offboarding.OffboardedUser(
            leaver=leaver,
            account=user.account,
            user=user,
            user_arn=user.arn,
            user_name=user.name,
            change_set=group,
            lane=lane,
        )
        for lane, user in left
    )


def former_alone(user: Entity, *, former: BlueprintVersion, version: BlueprintVersion) -> bool:
    """Return True if only the former blueprint names the account of a user."""
    number = user.account.account_id
    return number in former.body.accounts and number not in version.body.accounts
