"""Attach a managed policy to a user, group or role, or detach one.

Both are idempotent: attaching an attached policy does nothing, and detaching one that isn't attached returns
NoSuchEntity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Final, Self
from uuid import UUID

from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads.policies import policy_id
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect, PolicyRef
from iam.changes.documents import flags
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.holder import HolderParams, OfHolder, effect_on, ways_beside
from iam.changes.operations.identity import find_current_entity, found_or_none, lost_identity
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import OperationSpec, Quota
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Edge, EdgeKind, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.refresh import ObservedAttachments, read_attachments, reread_attachments
from iam.policy.index.rows import PolicyRow


class AttachmentParams(HolderParams):
    """The holder and the managed policy: its name, its ARN and its unique ID at the time of the request.

    The ID is empty for a policy that an earlier change of the same set creates, and for an AWS managed policy
    that the mirror lacks because no one has it.
    """

    policy_name: str
    policy_id: Blank
    policy_arn: str

    @property
    def is_of_aws(self) -> bool:
        return ":iam::aws:" in self.policy_arn


ATTACH_POLICY: Final = OperationSpec(
    slug="attachment.attach",
    family="{holder_kind}-attachment",
    title="Attach policy {policy_name} to {holder_kind} {holder_name}",
    no_op="{policy_name} is already attached to {holder_name}.",
    counted=("Attach a policy to", "user, group or role|users, groups or roles"),
    state={"attached": "adds"},
    call="Attach{kind_word}Policy",
    parameters={"{kind_word}Name": "holder_name", "PolicyArn": "policy_arn"},
    sentence="{holder_name} gets {policy_name}",
    quota=Quota(
        "Managed policies afterwards",
        "{holder_name} has {used} managed policies, and AWS allows {limit} per {holder_kind}. Detach one "
        "first, or use an inline policy.",
        usual=10,
        name="AttachedPoliciesPer{kind_word}Quota",
    ),
    inverse="attachment.detach",
)
DETACH_POLICY: Final = ATTACH_POLICY.opposite(
    slug="attachment.detach",
    title="Detach policy {policy_name} from {holder_kind} {holder_name}",
    no_op="{policy_name} isn’t attached to {holder_name}.",
    counted=("Detach a policy from", "user, group or role|users, groups or roles"),
    call="Detach{kind_word}Policy",
    sentence="{holder_name} loses {policy_name}",
)


class Attachment(OfHolder):
    initial = {"attached": False}
    excluded = ("attachment.",)
    excluded_by = ("holder_arn", "policy_arn")
    references = ("policy_arn",)
    SPECS = (ATTACH_POLICY, DETACH_POLICY)
    inputs: AttachmentParams
    _read: ObservedAttachments | None = None

    @classmethod
    def by_arn(cls, spec: OperationSpec, holder: Entity, *, arn: str, policy_id: str = "") -> Self:
        """Return the operation with a policy that the mirror lacks: one of AWS, or one that an earlier change
        of the same set creates.
        """
        named = HolderParams.names_of(holder)
        return cls.given_as(spec, holder.account, **named, policy_arn=arn, policy_id=policy_id)

    @classmethod
    def given_as(
        cls, spec: OperationSpec, account: Account, *, policy_arn: str, policy_id: str = "", **holder: str
    ) -> Self:
        """The same as `by_arn` for a holder that an earlier change of the same set creates. `holder` has
        `holder_kind`, `holder_name`, `holder_arn`, and "" as `holder_id`.
        """
        name = policy_arn.rpartition("/")[2]
        return cls(
            account,
            AttachmentParams(**holder, policy_name=name, policy_id=policy_id, policy_arn=policy_arn),
            spec,
        )

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        super().with_preceding(earlier)
        for operation in earlier:
            made = operation.texts_made() if operation.account == self.account else {}
            if self.inputs.policy_arn in made:
                self.text = made[self.inputs.policy_arn]

    @cached_property
    def policy(self) -> Entity | None:
        aws_id, arn = self.inputs.policy_id, self.inputs.policy_arn
        return find_current_entity(self.account, kind=Kind.POLICY, aws_id=aws_id, arn=arn)

    def state_in_mirror(self) -> Image | None:
        """Whether the policy is attached. An AWS managed policy counts as existing, although the mirror has
        it only if someone holds it.
        """
        holder = self.subject()
        if holder is None or (self.policy is None and not self.inputs.is_of_aws):
            return None
        attached = Edge.objects.filter(
            valid_at(None), kind=EdgeKind.ATTACHED, source=holder, target__arn=self.inputs.policy_arn
        )
        return {"attached": attached.exists()}

    def identity_error(self, aws: Aws) -> str:
        """Compare the IDs of holder and policy. Makes two calls, or one for an AWS managed policy whose ID is
        known: it can't be replaced by another.
        """
        with parallel_reads(aws) as ask:
            of_policy = ask(partial(self._mismatch_of_policy, aws))
            return super().identity_error(aws) or of_policy()

    def _mismatch_of_policy(self, aws: Aws) -> str:
        params = self.inputs
        if params.is_of_aws and params.policy_id:
            return ""
        missing = "does not exist" if params.is_of_aws else "no longer exists"
        current = found_or_none(lambda: policy_id(aws, arn=params.policy_arn))
        what = f"Policy {params.policy_name}"
        return lost_identity(what, current, expected=params.policy_id, missing=missing)

    def observe(self, aws: Aws) -> Image:
        params = self.inputs
        self._read = read_attachments(aws, kind=params.holder_kind, name=params.holder_name)
        return {"attached": params.policy_arn in self._read.arns}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        holder = self.subject()
        if holder is not None:
            reread_attachments(self.account, aws, holder, cause_id=cause_id, read=self._read)

    def used(self) -> int:
        attached = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source=self.subject())
        others = [before for before in self.before_it if isinstance(before, Attachment)]
        return (attached.count() if self.subject() else 0) + sum(before.quota_growth for before in others)

    def refusal(self) -> str:
        """Also refuse policies that are reserved for service-linked roles."""
        if self.spec.adds and ":policy/aws-service-role/" in self.inputs.policy_arn:
            return f"{self.inputs.policy_name} can be attached only to a service-linked role."
        return super().refusal()

    @cached_property
    def text(self) -> str:
        """The policy's default text. For an AWS managed policy, the text in any account that has it; "" if it
        is unknown.
        """
        params = self.inputs
        rows = PolicyVersion.objects.filter(valid_at(None), is_default=True, policy__arn=params.policy_arn)
        if not params.is_of_aws:
            rows = rows.filter(account=self.account)
        return rows.order_by("-observed_at").values_list("document__text", flat=True).first() or ""

    def shown(self, holder: Entity) -> PolicyRef:
        """The policy, with the other ways in which the holder has it."""
        params, text = self.inputs, self.text
        return PolicyRef.managed(
            params.policy_name,
            params.policy_arn,
            digest=text and document_digest(text),
            entity_id=self.policy and self.policy.pk,
            flags=flags(text),
            ways=ways_beside(holder, arn=params.policy_arn),
        )

    def effect(self) -> AccessEffect:
        holder = self.subject()
        if holder is None:
            return AccessEffect()
        side = "gives" if self.spec.adds else "takes"
        return effect_on(holder, **{side: [self.shown(holder)]})

    def simulate(self, world: ChangeWorld) -> None:
        params = self.inputs
        number = world.number(params.policy_arn)
        if number is None and self.spec.adds and self.text:
            number = world.make(params.policy_arn)
            world.put_policy(PolicyRow(number, params.policy_arn, world.text(self.text)))
        if number is None:
            if self.spec.adds:
                world.doubt(f"{params.policy_name} isn’t synced yet, so its effect isn’t included.")
            return
        grants = world.grants(params.holder_arn)
        attached = set(grants.attached) | {number} if self.spec.adds else set(grants.attached) - {number}
        world.set_holdings(params.holder_arn, replace(grants, attached=tuple(sorted(attached))))
