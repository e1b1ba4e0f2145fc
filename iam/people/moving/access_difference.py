"""Computes what a person loses, gains and keeps in a team change, as operations per account.
Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from iam.access.grants.documents import name_for
from iam.access.grants.grant_content import GrantContent, WhatKind
from iam.access.grants.models import GIVING, GrantState, LedgerEntry, PermissionSort
from iam.changes.models import LAST_BRANCH
from iam.changes.operations import (
    ADD_TO_GROUP,
    REMOVE_FROM_GROUP,
    DeleteInlinePolicy,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.principals import UpdateUser
from iam.changes.operations.tags import SetTags
from iam.changes.services import SetLane
from iam.directory.models import Person
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, InlinePolicy, Kind, TagSet, valid_at
from iam.people.blueprints.body import BlueprintBody, FilledTemplate
from iam.people.blueprints.models import BlueprintVersion
from iam.people.moving.single_blueprint_accounts import (
    DENIED,
    OWN,
    former_alone,
    leaving_of,
    parts_for,
    text_of,
    why_stays,
)
from iam.people.onboarding.creation_plan import CreationSite, PersonAccountPlan, sites_of
from iam.people.onboarding.first_password import check_first_password

LOSES, GAINS, KEEPS, SETS, NOTE = "loses", "gains", "keeps", "sets", "note"


@dataclass(frozen=True, slots=True)
class MovingPerson:
    """The person who changes team, with their users."""

    name: str
    person_id: UUID | None
    users: Sequence[Entity]
    email: str = ""


@dataclass(frozen=True, slots=True)
class MoveStep:
    """A line of the plan. `what` is the permission it gives, as the content of a grant. A step without an
    operation is informational.
    """

    account: str
    sign: str
    text: str
    note: str = ""
    operation: Operation | None = None
    lane: int = 0
    branch: int = 0
    what: GrantContent | None = None


@dataclass(frozen=True, slots=True)
class MovePlan:
    """The plan of a team change. `made` are the users to create, `left` those whose access ends, each with
    its lane.
    """

    steps: tuple[MoveStep, ...] = field(default=())
    made: tuple[tuple[int, PersonAccountPlan], ...] = ()
    left: tuple[tuple[int, Entity], ...] = ()

    @property
    def doing(self) -> list[MoveStep]:
        """The steps that are changes."""
        return [step for step in self.steps if step.operation is not None]

    @property
    def operations(self) -> list[Operation]:
        """The operations in the order of the set."""
        return [step.operation for step in self.steps if step.operation is not None]

    @property
    def lanes(self) -> list[SetLane]:
        """The lane of each operation."""
        return [SetLane(step.lane, step.branch) for step in self.doing]

    def count(self, sign: str) -> int:
        """Return the number of steps with a sign."""
        return sum(step.sign == sign for step in self.steps)

    @property
    def summary(self) -> list[dict[str, str]]:
        """The steps as stored with the move."""
        return [
            {"account": step.account, "sign": step.sign, "text": step.text, "says": step.note}
            for step in self.steps
        ]


def plan_move(
    mover: MovingPerson,
    *,
    former: BlueprintVersion,
    version: BlueprintVersion,
    viewer: Viewer,
    move_id: UUID,
) -> MovePlan:
    """Plan the change from one blueprint to another for the users of a person. Raises RefusedError if an
    account lacks something that a blueprint names.
    """
    old, new = former.body, version.body
    sites = {site.account.pk: site for site in sites_of(new, viewer=viewer)}
    steps: list[MoveStep] = []
    left: list[tuple[int, Entity]] = []
    for lane, user in enumerate(mover.users):
        site = sites.pop(user.account_id, None)
        if site is None and user.account.account_id not in old.accounts:
            continue
        why = why_stays(user, old) if former_alone(user, former=former, version=version) else "-"
        if why:
            steps += _numbered(lane, _in_account(user, old, new, site, key=move_id.hex, why=why))
        else:
            steps += _leaving(lane, user, viewer)
            left.append((lane, user))
    if sites and mover.person_id:
        check_first_password(list(sites.values()))
    made = list(enumerate(_parts(mover, list(sites.values()), body=new, move_id=move_id), len(mover.users)))
    for lane, part in made:
        steps += _making(lane, part)
    if sites and not made:
        for site in sites.values():
            text = f"Has no user in {site.account.name}, which the blueprint includes"
            steps.append(
                MoveStep(
                    site.account.name,
                    NOTE,
                    text,
                    "This IAM user isn’t matched to a person. Match it first.",
                )
            )
    return MovePlan(tuple(steps), tuple(made), tuple(left))


def _parts(
    mover: MovingPerson, sites: Sequence[CreationSite], *, body: BlueprintBody, move_id: UUID
) -> list[PersonAccountPlan]:
    person = Person.objects.filter(pk=mover.person_id, is_active=True).first() if mover.person_id else None
    return parts_for(person, mover.users, sites, body=body, move_id=move_id) if person else []


def _making(lane: int, part: PersonAccountPlan) -> Iterator[MoveStep]:
    """Yield the steps that create a user with everything in the blueprint: the user first, each permission in
    the same branch as in an onboarding.
    """
    for step in part.steps:
        note = "They get an invitation when it is created." if step.branch == 0 else ""
        text = text_of(step.operation)
        yield MoveStep(part.account.name, GAINS, text, note, step.operation, lane, step.branch)


def _leaving(lane: int, user: Entity, viewer: Viewer) -> Iterator[MoveStep]:
    """Yield the steps that end a user's access: the deny first, the others independent of each other."""
    site, name = leaving_of(user, viewer=viewer), user.account.name
    for branch, operation in enumerate(site.operations, start=1):
        text, note = f"All access of {user.name}", DENIED
        if operation is not site.deny:
            text, note = text_of(operation), ""
        yield MoveStep(name, LOSES, text, note, operation, lane, branch)
    for sentence in site.left:
        yield MoveStep(name, NOTE, "Some of it can’t be ended here", sentence)


def _numbered(lane: int, steps: Iterator[MoveStep]) -> Iterator[MoveStep]:
    """Put each step in its own branch. The change of path comes last, because it changes the user's ARN."""
    for place, step in enumerate(steps, start=1):
        branch = LAST_BRANCH if isinstance(step.operation, UpdateUser) else place
        yield replace(step, lane=lane, branch=branch)


def _in_account(
    user: Entity, old: BlueprintBody, new: BlueprintBody, site: CreationSite | None, *, key: str, why: str
) -> Iterator[MoveStep]:
    was_here = user.account.account_id in old.accounts
    body = old if was_here else BlueprintBody()
    yield from _groups(user, body.groups, site)
    yield from _templates(user, body.templates, site, key=key)
    if site is None:
        name = user.account.name
        yield MoveStep(name, NOTE, f"The user stays in {name}, which the new blueprint doesn’t include", why)
        return
    yield from _boundary(user, site)
    yield from _tags(user, body.tags, new.tags)
    state = EntityState.objects.filter(valid_at(None), entity=user).first()
    if state is not None and state.path != new.path:
        operation = UpdateUser.of(user, new_name=user.name, new_path=new.path)
        yield MoveStep(user.account.name, SETS, f"Path {new.path}", f"It was {state.path}.", operation)


def _groups(user: Entity, old: Sequence[str], site: CreationSite | None) -> Iterator[MoveStep]:
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user)
    groups_by_name = {edge.target.name: edge.target for edge in edges.select_related("target__account")}
    wanted = {group.name: group for group in site.groups} if site else {}
    name = user.account.name
    for group in sorted(set(old) & groups_by_name.keys() - wanted.keys()):
        why = other_grants(user, PermissionSort.MEMBER, groups_by_name[group].arn)
        if why:
            yield MoveStep(name, KEEPS, f"Member of {group}", f"{why} also needs it.")
        else:
            yield MoveStep(
                name,
                LOSES,
                f"Member of {group}",
                operation=Membership.of(REMOVE_FROM_GROUP, user, group=groups_by_name[group]),
            )
    for group, entity in wanted.items():
        what = GrantContent(WhatKind.GROUP, group_arn=entity.arn)
        if group in groups_by_name:
            yield MoveStep(name, KEEPS, f"Member of {group}", "Both blueprints or another grant give it.")
        else:
            operation = Membership.of(ADD_TO_GROUP, user, group=entity)
            yield MoveStep(name, GAINS, f"Member of {group}", operation=operation, what=what)


def _templates(
    user: Entity, old: Sequence[FilledTemplate], site: CreationSite | None, *, key: str
) -> Iterator[MoveStep]:
    name = user.account.name
    wanted = list(site.documents) if site else []
    entries_given = list(_policies_given(user))
    for filled in old:
        entry = next((entry for entry in entries_given if _says(entry, filled)), None)
        stays = next((template for template in wanted if template[0] == filled), None)
        if entry is None:
            continue
        if stays is not None:
            wanted.remove(stays)
            yield MoveStep(name, KEEPS, f"Policy {entry.target}", "Both blueprints give it.")
        elif InlinePolicy.objects.filter(valid_at(None), owner=user, name=entry.target).exists():
            why = other_grants(user, PermissionSort.INLINE, entry.target)
            if why:
                yield MoveStep(name, KEEPS, f"Policy {entry.target}", f"{why} also needs it.")
                continue
            operation = DeleteInlinePolicy.of(user, policy_name=entry.target)
            yield MoveStep(name, LOSES, f"Policy {entry.target}", operation=operation)
    for number, (filled, title, text) in enumerate(wanted):
        mark = f"{key[:8]}-{number}" if number else key[:8]
        policy = name_for(title, mark=mark)
        put = PutInlinePolicy.of(user, name=policy, text=text)
        yield MoveStep(name, GAINS, title, operation=put, what=filled.grant_content)


def _policies_given(user: Entity) -> Iterator[LedgerEntry]:
    """Yield the inline policies that come from a blueprint."""
    entries = LedgerEntry.objects.filter(
        entity=user, sort=PermissionSort.INLINE, since__isnull=False, until__isnull=True
    ).select_related("part__grant")
    for entry in entries.order_by("pk"):
        if entry.part.grant.idempotency_key.startswith(OWN):
            yield entry


def _says(entry: LedgerEntry, filled: FilledTemplate) -> bool:
    what = entry.part.grant.terms.get("what", {})
    return (what.get("template"), what.get("version"), what.get("parameters", {})) == (
        filled.slug,
        filled.version,
        dict(filled.parameters),
    )


def other_grants(user: Entity, sort: PermissionSort, target: str) -> str:
    """Return the references of other active grants that are also a reason for the permission, or an empty
    string.
    """
    entries = LedgerEntry.objects.filter(
        entity=user,
        sort=sort,
        target=target,
        since__isnull=False,
        until__isnull=True,
        part__state__in=[*GIVING, GrantState.APPLYING],
    ).select_related("part__grant")
    grants = {entry.part.grant for entry in entries if not entry.part.grant.idempotency_key.startswith(OWN)}
    return ", ".join(sorted(grant.reference for grant in grants))


def _boundary(user: Entity, site: CreationSite) -> Iterator[MoveStep]:
    edge = Edge.objects.filter(valid_at(None), kind=EdgeKind.BOUNDARY, source=user).first()
    has = edge.target.arn if edge else ""
    name = user.account.name
    if site.boundary and site.boundary != has:
        policy = Entity.objects.filter(
            account=user.account, kind=Kind.POLICY, arn=site.boundary, gone_at__isnull=True
        ).first()
        if policy is not None:
            operation = PutBoundary.of(user, policy=policy)
            yield MoveStep(name, SETS, f"Boundary {policy.name}", "Replaces the previous one.", operation)
    elif has and not site.boundary:
        operation_off = DeleteBoundary.of(user)
        yield MoveStep(name, SETS, "No boundary", "The new blueprint has none.", operation_off)


def _tags(user: Entity, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[MoveStep]:
    row = TagSet.objects.filter(valid_at(None), entity=user).first()
    current: dict[str, str] = dict(row.tags) if row else {}
    # A tag of the old blueprint is removed, unless someone has changed its value.
    wanted = {key: value for key, value in current.items() if old.get(key) != value or key in new}
    wanted.update(new)
    if wanted == current:
        return
    texts = [f"{key} = {value}" for key, value in sorted(new.items())]
    summary = ", ".join(texts) or "without the previous ones"
    yield MoveStep(user.account.name, SETS, "Tags", summary, SetTags.of(user, tags=wanted))
