"""Models an account as it would be after operations, on copies of the policy engine's rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from iam.mirror.pull.transform.principals import document_digest
from iam.policy.index.rows import NOTHING, GroupRow, PolicyHoldings, PolicyRow, PrincipalRow, RowChanges
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard

FIRST_MADE: Final = 1 << 62
"""Planned entities have numbers from here on, above those of the mirror."""
MADE_BITS: Final = 16
"""This many bits number the planned entities of one account; the bits above identify the account."""


class ChangeWorld:
    """Users, roles, groups and managed policies by ARN; a missing one is None. The index itself stays
    unchanged.

    `numbers` maps ARNs to the mirror's primary keys; `texts` are documents by digest that the index may lack
    because no one holds them yet. Operations change the world by `set_holdings`, `put_…`, `move` and `drop`,
    and later ones see the result.
    """

    def __init__(
        self, shard: AccountShard, *, numbers: Mapping[str, int], texts: Mapping[str, str] | None = None
    ) -> None:
        self._shard = shard
        self._numbers = dict(numbers)
        self._principals: dict[int, PrincipalRow] = {}
        self._groups: dict[int, GroupRow] = {}
        self._policies: dict[int, PolicyRow] = {}
        self._gone: set[int] = set()
        # A receipt can cover several accounts, so numbers of planned entities must be unique among all of
        # them.
        self._made = FIRST_MADE + (int(shard.number) << MADE_BITS)
        self.texts: dict[str, str] = dict(texts or {})
        self.doubts: dict[str, None] = {}

    @property
    def changes(self) -> RowChanges:
        """All differences from the index."""
        return RowChanges(
            principals=list(self._principals.values()),
            groups=list(self._groups.values()),
            policies=list(self._policies.values()),
            gone=sorted(self._gone),
        )

    def number(self, arn: str) -> int | None:
        """The number of an existing entity."""
        number = self._numbers.get(arn)
        return None if number is None or number in self._gone else number

    def make(self, arn: str) -> int:
        """A number for a new entity with this ARN."""
        self._numbers[arn] = self._made
        self._made += 1
        return self._numbers[arn]

    def doubt(self, sentence: str) -> None:
        """Record what an operation could not model, so that it is missing from the analysis."""
        self.doubts[sentence] = None

    def text(self, text: str) -> str:
        """The digest under which rows refer to a document."""
        digest = document_digest(text)
        self.texts[digest] = text
        return digest

    def principal(self, arn: str) -> PrincipalRow | None:
        """The current user or role."""
        number = self.number(arn)
        if number is None:
            return None
        if number in self._principals:
            return self._principals[number]
        member = self._shard.members.get(number)
        return None if member is None else row_of(member)

    def group(self, arn: str) -> GroupRow | None:
        """The current group."""
        number = self.number(arn)
        return None if number is None else self._groups.get(number) or self._shard.groups.get(number)

    def policy(self, arn: str) -> PolicyRow | None:
        """The current managed policy."""
        number = self.number(arn)
        return None if number is None else self._policies.get(number) or self._shard.policies.get(number)

    def grants(self, arn: str) -> PolicyHoldings:
        """What a user, role or group holds now; nothing if it does not exist."""
        row = self.principal(arn) or self.group(arn)
        return NOTHING if row is None else row.grants

    def set_holdings(self, arn: str, grants: PolicyHoldings) -> None:
        """Set what a user, role or group holds; ignored if it does not exist."""
        principal, group = self.principal(arn), self.group(arn)
        if principal is not None:
            self.put_principal(replace(principal, grants=grants))
        elif group is not None:
            self.put_group(replace(group, grants=grants))

    def put_principal(self, row: PrincipalRow) -> None:
        """Add or replace a user or role."""
        self._principals[row.id] = row
        self._gone.discard(row.id)

    def put_group(self, row: GroupRow) -> None:
        """Add or replace a group."""
        self._groups[row.id] = row
        self._gone.discard(row.id)

    def put_policy(self, row: PolicyRow) -> None:
        """Add or replace a managed policy."""
        self._policies[row.id] = row
        self._gone.discard(row.id)

    def move(self, arn: str, *, to: str) -> None:
        """Change the ARN of a user, role or group; ignored if it does not exist."""
        principal, group = self.principal(arn), self.group(arn)
        if principal is None and group is None:
            return
        self._numbers[to] = self._numbers.pop(arn)
        if principal is not None:
            self.put_principal(replace(principal, arn=to))
        elif group is not None:
            self.put_group(replace(group, name=to.rpartition("/")[2]))

    def drop(self, arn: str) -> None:
        """Remove the entity with this ARN."""
        number = self.number(arn)
        if number is None:
            return
        for table in (self._principals, self._groups, self._policies):
            table.pop(number, None)
        if number < FIRST_MADE:
            self._gone.add(number)
        del self._numbers[arn]
