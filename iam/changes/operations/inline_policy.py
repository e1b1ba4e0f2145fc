"""Write an inline policy of a user, group or role, or delete one.

Both are idempotent: writing replaces the policy of the same name, and deleting a missing one returns
NoSuchEntity.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect, PolicyRef
from iam.changes.documents import flags
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import former_text
from iam.changes.operations.holder import HolderParams, OfHolder, effect_on, ways_beside
from iam.changes.operations.policy_content import document_meaning, is_json_object
from iam.changes.operations.spec import OperationSpec
from iam.changes.quotas import QuotaUse, quota_of
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Entity, InlinePolicy, valid_at
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.refresh import ReadInlinePolicy, read_inline, reread_inline
from iam.policy.lint import GROUP_INLINE, ROLE_INLINE, USER_INLINE
from iam.policy.statements import statements_of

SIZES: Final = {"user": USER_INLINE, "group": GROUP_INLINE, "role": ROLE_INLINE}
"""The maximum size of all inline policies of a holder together, without white space, if the account summary
was not synced.
"""
NONE: Final[Image] = {"document": "", "text": ""}
"""The image if there is no policy with this name."""


class InlineParams(HolderParams):
    policy_name: str


class InlineText(InlineParams):
    document: str


class InlineOperation(OfHolder):
    initial = NONE
    excluded = ("inline_policy.",)
    excluded_by: ClassVar[tuple[str, ...]] = ("holder_arn", "policy_name")
    inputs: InlineParams
    _read: ReadInlinePolicy | None = None

    @property
    @abstractmethod
    def text(self) -> str:
        """The policy's text afterwards; "" if it is deleted."""

    def desired_state(self) -> Image:
        return _image(self.text)

    @cached_property
    def current_text(self) -> str:
        """The policy's text in the mirror; "" if there is none."""
        holder = self.subject()
        rows = InlinePolicy.objects.filter(valid_at(None), owner=holder, name=self.inputs.policy_name)
        return "" if holder is None else rows.values_list("document__text", flat=True).first() or ""

    def image_of(self, subject: Entity) -> Image:
        return _image(self.current_text)

    def observe(self, aws: Aws) -> Image:
        params = self.inputs
        self._read = read_inline(
            aws, kind=params.holder_kind, name=params.holder_name, policy_name=self.inputs.policy_name
        )
        return _image(self._read.text or "")

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        holder = self.subject()
        if holder is None:
            return
        if self._read is None:
            self.observe(aws)
        if self._read is not None:
            reread_inline(self.account, holder, cause_id=cause_id, read=[self._read])

    def shown(self, holder: Entity, text: str) -> PolicyRef:
        """The policy with this text, and the other ways in which the holder has the same text."""
        name, digest = self.inputs.policy_name, document_digest(text)
        ways = ways_beside(holder, digest=digest, but=name)
        return PolicyRef("inline", name, digest=digest, owner=holder.kind, flags=flags(text), ways=ways)

    def effect(self) -> AccessEffect:
        holder = self.subject()
        if holder is None:
            return AccessEffect()
        added = [self.shown(holder, self.text)] if self.text else []
        taken = [self.shown(holder, self.current_text)] if self.current_text else []
        return effect_on(holder, gives=added, takes=taken)

    def simulate(self, world: ChangeWorld) -> None:
        arn = self.inputs.holder_arn
        grants = world.grants(arn)
        inline = [(name, digest) for name, digest in grants.inline if name != self.inputs.policy_name]
        if self.text:
            inline.append((self.inputs.policy_name, world.text(self.text)))
        world.set_holdings(arn, replace(grants, inline=tuple(sorted(inline))))

    def quota(self) -> QuotaUse | None:
        params, holder = self.inputs, self.subject()
        size = SIZES[params.holder_kind]
        rows = InlinePolicy.objects.filter(valid_at(None), owner=holder).values_list("name", "document__text")
        texts: dict[str, str] = dict(rows) if holder else {}
        texts |= {
            earlier_operation.inputs.policy_name: earlier_operation.text
            for earlier_operation in self.before_it
            if isinstance(earlier_operation, InlineOperation)
        }
        used = sum(size.size(text) for text in texts.values())
        after = used - size.size(texts.get(self.inputs.policy_name, "")) + size.size(self.text)
        limit = quota_of(self.account, f"{self.kind_word}PolicySizeQuota", default=size.limit)
        limit = limit if after > used else max(limit, after)
        refusal = (
            f"All inline policies of {params.holder_name} would have {after:,} characters "
            f"without whitespace, and AWS allows {limit:,} "
            f"per {params.holder_kind}. Shorten it, or use a managed policy."
        )
        return QuotaUse(
            "Inline policy characters afterwards", used=used, after=after, limit=limit, refusal=refusal
        )

    def restoration(self, before: Image) -> Operation | None:
        name = self.inputs.policy_name
        if not before["text"]:
            return self.beside("inline_policy.delete", policy_name=name)
        text = former_text(before["text"])
        return None if text is None else self.beside("inline_policy.put", policy_name=name, document=text)


class PutInlinePolicy(InlineOperation):
    spec = OperationSpec(
        slug="inline_policy.put",
        family="{holder_kind}-inline",
        title="Set inline policy {policy_name} of {holder_kind} {holder_name}",
        no_op="{policy_name} of {holder_name} already has this text.",
        counted=("Set", "inline policy|inline policies"),
        call="Put{kind_word}Policy",
        parameters={
            "{kind_word}Name": "holder_name",
            "PolicyName": "policy_name",
            "PolicyDocument": "document",
        },
        sentence="Sets the text of inline policy {policy_name} of {holder_name}",
    )

    inputs: InlineText

    @classmethod
    def of(cls, holder: Entity, *, name: str, text: str) -> Self:
        return cls.given_as(holder.account, **HolderParams.names_of(holder), name=name, text=text)

    @classmethod
    def given_as(cls, account: Account, *, name: str, text: str, **holder: str) -> Self:
        """The same as `of` for a holder that an earlier change of the same set creates. `holder` has
        `holder_kind`, `holder_name`, `holder_arn`, and "" as `holder_id`.
        """
        return cls(account, InlineText(**holder, policy_name=name, document=text))

    @property
    def text(self) -> str:
        return self.inputs.document

    def refusal(self) -> str:
        return super().refusal() if is_json_object(self.text) else "The text isn’t a JSON object."


DENY_ALL: Final = ":iam::aws:policy/AWSDenyAll"
"""The end of the ARN of the AWS managed policy that denies everything."""


def denies_all(text: str) -> bool:
    wanted = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}
    for statement in statements_of(text):
        plain: dict[str, Any] = {}
        for key, value in statement.items():
            is_single = isinstance(value, str) and key != "Effect"
            plain[key] = [value] if is_single else value
        plain.pop("Sid", None)
        if plain == wanted:
            return True
    return False


def is_denied_all(operation: Operation, beside: Sequence[Operation]) -> bool:
    """True if another operation of the same set denies everything to the principal from which this one takes
    something.
    """
    arns = set(operation.modified_arns())
    denying = [other for other in beside if _denies_all(other)]
    return any(arns.intersection(other.modified_arns()) for other in denying)


def _denies_all(operation: Operation) -> bool:
    if isinstance(operation, PutInlinePolicy):
        return denies_all(operation.text)
    return str(operation.params.get("policy_arn", "")).endswith(DENY_ALL) and operation.spec.adds


class DeleteInlinePolicy(InlineOperation):
    spec = OperationSpec(
        slug="inline_policy.delete",
        family="{holder_kind}-inline",
        title="Delete inline policy {policy_name} of {holder_kind} {holder_name}",
        no_op="{holder_name} has no inline policy named {policy_name}.",
        counted=("Delete", "inline policy|inline policies"),
        call="Delete{kind_word}Policy",
        parameters={"{kind_word}Name": "holder_name", "PolicyName": "policy_name"},
        sentence="{holder_name} loses the inline policy {policy_name}; Gatehouse keeps its text",
    )

    text = ""
    inputs: InlineParams


def _image(text: str) -> Image:
    return {"document": document_meaning(text), "text": document_digest(text)} if text else dict(NONE)
