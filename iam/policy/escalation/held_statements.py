"""The statements that a principal has in a state, each by the name of its policy and its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from iam.policy.compiled import CompiledStatement, PolicyKind
from iam.policy.escalation.states import (
    ATTACHED,
    GIVEN,
    INLINE,
    LEFT,
    PolicyRemoval,
    PrincipalState,
    grants_in,
)
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.rows import PolicyHoldings
from iam.policy.index.shard import AccountShard

TRUST: Final = "trust policy"


@dataclass(frozen=True, slots=True)
class HeldStatement:
    """A statement of a policy. `holder` is the policy's ARN, or the ARN of the principal that has the inline
    or trust policy. `policy` is its name, `number` counts from 0. `is_given` means that the attacker added it
    on the path.
    """

    holder: str
    policy: str
    number: int
    sid: str = ""
    is_given: bool = field(default=False, compare=False)

    @property
    def label(self) -> str:
        """The name of the statement within its policy, for people."""
        return self.sid or f"statement {self.number + 1}"


Held = tuple[tuple[HeldStatement, CompiledStatement], ...]


def statements_of(holder: str, policy: str, doc: IndexedDocument, kind: PolicyKind) -> Held:
    """Return the statements of a document that `holder` has under the name `policy`."""
    is_given = policy.startswith(GIVEN)
    return tuple(
        (HeldStatement(holder, policy, compiled.source.index, compiled.source.sid, is_given), compiled)
        for compiled in doc.statements_of(policy, kind, of_pattern=False)
    )


def held_documents(
    shard: AccountShard, member: IndexedPrincipal, state: PrincipalState
) -> Iterator[tuple[str, str, IndexedDocument]]:
    """Yield (holder, name, document) for all identity policies of a principal in a state."""
    grants = grants_in(member.grants, state._replace(removed=()))
    yield from _held_policies(shard, member.arn, grants, 0, state)
    for number in grants.groups:
        group = shard.groups.get(number)
        if group is not None and PolicyRemoval(LEFT, number, "") not in state.removed:
            yield from _held_policies(
                shard, f"group {group.name} of {shard.number}", group.grants, number, state
            )


def _held_policies(
    shard: AccountShard, owner: str, grants: PolicyHoldings, group: int, state: PrincipalState
) -> Iterator[tuple[str, str, IndexedDocument]]:
    named = shard.named_policies(PolicyHoldings(grants.inline, grants.attached))
    for place, (name, doc) in enumerate(named):
        if place < len(grants.inline):
            inline = grants.inline[place][0]
            if PolicyRemoval(INLINE, group, inline) not in state.removed:
                yield owner, inline, doc
        elif (
            PolicyRemoval(ATTACHED, group, str(grants.attached[place - len(grants.inline)]))
            not in state.removed
        ):
            yield name, name.rpartition("/")[2], doc
