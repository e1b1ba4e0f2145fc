"""Random changes of what users, groups and roles hold, what their receipts foretell, what is so afterwards,
and undone.

Foretold: the rows of `ChangeWorld` and the engine's answer over them. So afterwards: what boto3 reads from
the stand-in, the mirror as the changes have left it and as it is read anew, and the engine's answer over
that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from iam.changes.impact import numbers_of, texts_of
from iam.changes.operations import (
    ADD_TO_GROUP,
    ATTACH_POLICY,
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    CreatePolicy,
    CreatePolicyVersion,
    DeleteInlinePolicy,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.services.undo_requests import undo_several
from iam.changes.world import ChangeWorld
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.snapshot import snapshot
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import PolicyHoldings
from iam.policy.index.scenario import ScenarioEdits, what_if
from tests.iam.changes.operations.stage import Stage, applied

MIN_TRIALS, MAX_TRIALS = 5, 10
"""So many are drawn for a set; those that make no sense as things stand are left out."""


class Held(NamedTuple):
    """What a user, group or role holds: ARNs of policies, inline policies (name, digest of the text), ARNs of
    groups and of the boundary.
    """

    attached: tuple[str, ...]
    inline: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    boundary: str


class Can(NamedTuple):
    """What a user or role can do: on everything, on some resources, under conditions."""

    everywhere: frozenset[str]
    limited: frozenset[str]
    conditional: frozenset[str]


@dataclass
class Told:
    """How it is, or is to be: of users, groups and roles by ARN what they hold, of users and roles what they
    can do.
    """

    held: dict[str, Held] = field(default_factory=dict)
    can: dict[str, Can] = field(default_factory=dict)


def random_text(rng: Random) -> str:
    """A policy of one to three statements that overlap with those of others."""
    actions = ["s3:GetObject", "s3:Get*", "s3:*", "sqs:SendMessage", "sqs:*", "iam:PassRole", "*"]
    resources: list[Any] = ["*", "arn:aws:s3:::reports/*", ["arn:aws:s3:::reports/*", "arn:aws:sqs:*:*:jobs"]]
    statements = []
    for _ in range(rng.randint(1, 3)):
        statement = {
            "Effect": rng.choice(["Allow", "Allow", "Allow", "Deny"]),
            rng.choice(["Action", "Action", "Action", "NotAction"]): rng.sample(actions, rng.randint(1, 2)),
            "Resource": rng.choice(resources),
        }
        if rng.random() < 0.3:
            statement["Condition"] = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        statements.append(statement)
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class Play:
    """A few holders and policies of one stand-in, which random sets of changes alter."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        self._stage, self._rng = stage, rng
        bound = stage.policy(text=random_text(rng))
        self.groups = [stage.group(), stage.group()]
        self.holders = [
            stage.user(),
            stage.user(PermissionsBoundary=bound.arn),
            stage.role(PermissionsBoundary=bound.arn),
            stage.role(),
            *self.groups,
        ]
        self.policies = [bound, *(stage.policy(text=random_text(rng)) for _ in range(3))]
        for holder in self.holders:
            self._furnish(holder)
        self.read_anew()

    def _furnish(self, holder: Entity) -> None:
        """What it holds from the start, by hand."""
        iam, rng, kind = self._stage.iam, self._rng, holder.kind
        who = {f"{kind.title()}Name": holder.name}
        for policy in rng.sample(self.policies, rng.randint(0, 2)):
            getattr(iam, f"attach_{kind}_policy")(**who, PolicyArn=policy.arn)
        for name in rng.sample(["a", "b"], rng.randint(0, 2)):
            getattr(iam, f"put_{kind}_policy")(**who, PolicyName=name, PolicyDocument=random_text(rng))
        for group in rng.sample(self.groups, rng.randint(0, 1)) if kind == "user" else []:
            iam.add_user_to_group(UserName=holder.name, GroupName=group.name)

    def read_anew(self) -> None:
        """Have the mirror read everything."""
        for entity in (*self.policies, *self.groups, *self.holders):
            self._stage.read(Kind(entity.kind), entity.name, arn=entity.arn)

    def operations(self) -> list[Operation]:
        """A random set. No two of it are about the same matter, since each is planned on the mirror as it
        stands.
        """
        operations_by_key: dict[tuple[str, ...], Operation] = {}
        made: list[CreatePolicy] = []
        for _ in range(self._rng.randint(MIN_TRIALS, MAX_TRIALS)):
            matter, operation = self._operation(made)
            operations_by_key.setdefault(matter, operation)
        kept = list(operations_by_key.values())
        stands = [
            operation
            for operation in kept
            if isinstance(operation, CreatePolicy) or self._makes_sense(operation)
        ]
        return [
            operation
            for operation in stands
            if operation.created_arns() or _is_there(operation, made, stands)
        ]

    def _operation(self, made: list[CreatePolicy]) -> tuple[tuple[str, ...], Operation]:
        rng, holder, policy = self._rng, self._rng.choice(self.holders), self._rng.choice(self.policies)
        bounded = rng.choice(self.holders[:4])
        member, group = rng.choice(self.holders[:2]), rng.choice(self.groups)
        name, text = rng.choice("ab"), random_text(rng)
        choices: list[Callable[[], tuple[tuple[str, ...], Operation]]] = [
            lambda: ((holder.arn, policy.arn), Attachment.of(ATTACH_POLICY, holder, policy=policy)),
            lambda: ((holder.arn, policy.arn), Attachment.of(DETACH_POLICY, holder, policy=policy)),
            lambda: ((holder.arn, name), PutInlinePolicy.of(holder, name=name, text=text)),
            lambda: ((holder.arn, name), DeleteInlinePolicy.of(holder, policy_name=name)),
            lambda: ((member.arn, group.arn), Membership.of(ADD_TO_GROUP, member, group=group)),
            lambda: ((member.arn, group.arn), Membership.of(REMOVE_FROM_GROUP, member, group=group)),
            lambda: ((policy.arn,), CreatePolicyVersion.of(policy, text=text)),
            lambda: ((bounded.arn, "boundary"), PutBoundary.of(bounded, policy=policy)),
            lambda: ((bounded.arn, "boundary"), DeleteBoundary.of(bounded)),
            lambda: self._new(made, text),
            lambda: self._given(made, holder, text),
        ]
        return rng.choice(choices)()

    def _new(self, made: list[CreatePolicy], text: str) -> tuple[tuple[str, ...], Operation]:
        made.append(CreatePolicy.of(self._stage.account, name=self._stage.name("made"), text=text))
        return made[-1].created_arns(), made[-1]

    def _given(
        self, made: list[CreatePolicy], holder: Entity, text: str
    ) -> tuple[tuple[str, ...], Operation]:
        if not made:
            return self._new(made, text)
        arn = self._rng.choice(made).created_arns()[0]
        return (holder.arn, arn), Attachment.by_arn(ATTACH_POLICY, holder, arn=arn)

    def _makes_sense(self, operation: Operation) -> bool:
        before = operation.state_in_mirror()
        return before is None or not operation.satisfied(before)

    def foretold(self, operations: list[Operation]) -> Told:
        """What the operations' receipts rest on."""
        number = self._stage.account.account_id
        arns = {entity.arn for entity in (*self.holders, *self.policies)}
        numbers = dict(Entity.objects.filter(arn__in=arns, gone_at__isnull=True).values_list("arn", "pk"))
        numbers |= numbers_of(operations)
        with snapshot(accounts={number}) as index:
            world = ChangeWorld(index.accounts[number], numbers=numbers, texts=texts_of(numbers))
            for operation in operations:
                operation.simulate(world)
            names = {pk: arn for arn in (*arns, *_made(operations)) if (pk := world.number(arn)) is not None}
            difference = what_if(index, {number: ScenarioEdits(world.changes)}, texts=world.texts)
            after = {
                member.arn: shift.after for shift, members in difference.shifts.items() for member in members
            }
            foretold = Told()
            for holder in self.holders:
                foretold.held[holder.arn] = _named(world.grants(holder.arn), names)
                if holder.kind != Kind.GROUP:
                    effective = after.get(holder.arn) or _effective(index, number, holder)
                    foretold.can[holder.arn] = _can(index, effective)
        return foretold

    def mirrored(self) -> Told:
        """What the mirror shows, and the engine answers over it."""
        number, mirrored = self._stage.account.account_id, Told()
        names = dict(Entity.objects.filter(account=self._stage.account).values_list("pk", "arn"))
        with snapshot(accounts={number}) as index:
            shard = index.accounts[number]
            for holder in self.holders:
                row = shard.groups[holder.pk] if holder.kind == Kind.GROUP else shard.members[holder.pk]
                mirrored.held[holder.arn] = _named(row.grants, names)
                if holder.kind != Kind.GROUP:
                    mirrored.can[holder.arn] = _can(index, _effective(index, number, holder))
        return mirrored

    def in_aws(self) -> dict[str, Held]:
        """What boto3 reads of the holders."""
        iam, in_aws = self._stage.iam, {}
        for holder in self.holders:
            kind, who = holder.kind, {f"{holder.kind.title()}Name": holder.name}
            attached = getattr(iam, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]
            names = getattr(iam, f"list_{kind}_policies")(**who)["PolicyNames"]
            get = getattr(iam, f"get_{kind}_policy")
            texts = {name: get(**who, PolicyName=name)["PolicyDocument"] for name in names}
            groups = iam.list_groups_for_user(**who)["Groups"] if kind == "user" else []
            in_aws[holder.arn] = Held(
                tuple(sorted(policy["PolicyArn"] for policy in attached)),
                tuple(sorted((name, document_digest(text)) for name, text in texts.items())),
                tuple(sorted(group["Arn"] for group in groups)),
                self._bound_in_aws(kind, who),
            )
        return in_aws

    def said_in_aws(self) -> dict[str, str]:
        """What boto3 reads of the policies: the default text of each."""
        iam, said_in_aws = self._stage.iam, {}
        for policy in self.policies:
            version = iam.get_policy(PolicyArn=policy.arn)["Policy"]["DefaultVersionId"]
            read = iam.get_policy_version(PolicyArn=policy.arn, VersionId=version)
            said_in_aws[policy.arn] = read["PolicyVersion"]["Document"]
        return said_in_aws

    def _bound_in_aws(self, kind: str, who: dict[str, str]) -> str:
        if kind == "group":
            return ""
        shape = getattr(self._stage.iam, f"get_{kind}")(**who)[kind.title()]
        bound: str = shape.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        return bound

    def keep(self, operations: list[Operation]) -> None:
        """Policies that were made are among those to be given and taken from now on."""
        self.policies += Entity.objects.filter(arn__in=_made(operations), gone_at__isnull=True)


def check(play: Play, stage: Stage) -> int:
    """One random set: foretold, carried out, compared; how many changes it had. Raises AssertionError where a
    receipt was not true.
    """
    operations = play.operations()
    if not operations:
        return 0
    foretold = play.foretold(operations)
    stage.carry_out(*operations)
    titles = [operation.title for operation in operations]
    assert play.in_aws() == foretold.held, titles
    as_left = play.mirrored()
    assert as_left.held == foretold.held, titles
    play.keep(operations)
    play.read_anew()
    pulled = play.mirrored()
    assert (pulled.held, pulled.can) == (foretold.held, foretold.can), titles
    assert as_left.can == pulled.can, titles
    return len(operations)


def take_back(play: Play, stage: Stage) -> int:
    """One random set: carried out, undone as a whole, compared with what was before; how many changes
    it had.
    """
    operations, held_before, said_before = play.operations(), play.in_aws(), play.said_in_aws()
    if not operations:
        return 0
    changes, viewer = stage.carry_out(*operations), stage.scene.requester
    undoing = undo_several(changes, actor=viewer, reason="Over", idempotency_key=stage.name("undo"))
    stage.scene.approve(undoing[0])
    for change in undoing:
        applied(change)
    titles = [operation.title for operation in operations]
    assert (play.in_aws(), play.said_in_aws()) == (held_before, said_before), titles
    listed = {policy["Arn"] for policy in stage.iam.list_policies(Scope="Local", MaxItems=1000)["Policies"]}
    assert listed.isdisjoint(_made(operations)), titles
    return len(operations)


def _is_there(operation: Operation, made: list[CreatePolicy], kept: list[Operation]) -> bool:
    """Whether a policy that it speaks of is made by the set, before it, or was there before."""
    speaks = {arn for create_policy in made for arn in create_policy.created_arns()} & set(
        operation.referenced_arns()
    )
    earlier = {arn for operation in kept[: kept.index(operation)] for arn in operation.created_arns()}
    return speaks <= earlier


def _made(operations: Iterable[Operation]) -> list[str]:
    return [arn for operation in operations for arn in operation.created_arns()]


def _named(grants: PolicyHoldings, names: dict[int, str]) -> Held:
    return Held(
        tuple(sorted(names[pk] for pk in grants.attached)),
        tuple(sorted(grants.inline)),
        tuple(sorted(names[pk] for pk in grants.groups)),
        "" if grants.boundary is None else names[grants.boundary],
    )


def _effective(index: PolicyIndex, number: str, holder: Entity) -> AllowedActionSets:
    return index.effective().for_member(index.accounts[number].members[holder.pk])


def _can(index: PolicyIndex, effective: AllowedActionSets) -> Can:
    return Can(*(frozenset(index.documents.space.actions.names(mask)) for mask in effective))
