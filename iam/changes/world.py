"""An account as it would be after some operations: rows of the policy engine's index, altered beside it.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from iam.mirror.pull.transform.principals import document_digest
from iam.policy.index.rows import NOTHING, GroupRow, PolicyHoldings, PolicyRow, PrincipalRow, RowChanges
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard

FIRST_MADE: Final = 1 << 62
"""What is only planned has numbers from here on, beyond those of the mirror."""
MADE_BITS: Final = 16
"""So many bits count what is planned in one account; those above them tell its account."""


class ChangeWorld:
    """Users, roles, groups and managed policies by ARN. What is asked for and not there is None; the index
    itself is left alone.

    `numbers` gives the mirror's number for an ARN; `texts` are documents by digest that the index may lack,
    since nobody holds them yet. An operation alters the world by `hold`, `put_…` and `drop`; a later one sees
    it.
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
        # A receipt may be about several accounts, in which nobody made has the number of another.
        self._made = FIRST_MADE + (int(shard.number) << MADE_BITS)
        self.texts: dict[str, str] = dict(texts or {})
        self.doubts: dict[str, None] = {}

    @property
    def changes(self) -> RowChanges:
        """All that differs from the index."""
        return RowChanges(
            principals=list(self._principals.values()),
            groups=list(self._groups.values()),
            policies=list(self._policies.values()),
            gone=sorted(self._gone),
        )

    def number(self, arn: str) -> int | None:
        """The number of what is there."""
        number = self._numbers.get(arn)
        return None if number is None or number in self._gone else number

    def make(self, arn: str) -> int:
        """A number for what comes into being under this ARN."""
        self._numbers[arn] = self._made
        self._made += 1
        return self._numbers[arn]

    def doubt(self, sentence: str) -> None:
        """Say what an operation could not enter, and is therefore not weighed."""
        self.doubts[sentence] = None

    def text(self, text: str) -> str:
        """The digest by which rows name a document."""
        digest = document_digest(text)
        self.texts[digest] = text
        return digest

    def principal(self, arn: str) -> PrincipalRow | None:
        """A user or role, as it is by now."""
        number = self.number(arn)
        if number is None:
            return None
        if number in self._principals:
            return self._principals[number]
        member = self._shard.members.get(number)
        return None if member is None else row_of(member)

    def group(self, arn: str) -> GroupRow | None:
        """A group, as it is by now."""
        number = self.number(arn)
        return None if number is None else self._groups.get(number) or self._shard.groups.get(number)

    def policy(self, arn: str) -> PolicyRow | None:
        """A managed policy, as it is by now."""
        number = self.number(arn)
        return None if number is None else self._policies.get(number) or self._shard.policies.get(number)

    def grants(self, arn: str) -> PolicyHoldings:
        """What a user, role or group holds by now; nothing when it is not there."""
        row = self.principal(arn) or self.group(arn)
        return NOTHING if row is None else row.grants

    def add_grants(self, arn: str, grants: PolicyHoldings) -> None:
        """A user, role or group holds this from now on; nothing happens when it is not there."""
        principal, group = self.principal(arn), self.group(arn)
        if principal is not None:
            self.put_principal(replace(principal, grants=grants))
        elif group is not None:
            self.put_group(replace(group, grants=grants))

    def put_principal(self, row: PrincipalRow) -> None:
        """Enter a user or role."""
        self._principals[row.id] = row
        self._gone.discard(row.id)

    def put_group(self, row: GroupRow) -> None:
        """Enter a group."""
        self._groups[row.id] = row
        self._gone.discard(row.id)

    def put_policy(self, row: PolicyRow) -> None:
        """Enter a managed policy."""
        self._policies[row.id] = row
        self._gone.discard(row.id)

    def move(self, arn: str, *, to: str) -> None:
        """A user, role or group has another ARN from now on; nothing happens when it is not there."""
        principal, group = self.principal(arn), self.group(arn)
        if principal is None and group is None:
            return
        self._numbers[to] = self._numbers.pop(arn)
        if principal is not None:
            self.put_principal(replace(principal, arn=to))
        elif group is not None:
            self.put_group(replace(group, name=to.rpartition("/")[2]))

    def drop(self, arn: str) -> None:
        """What is there under this ARN is gone from now on."""
        number = self.number(arn)
        if number is None:
            return
        for table in (self._principals, self._groups, self._policies):
            table.pop(number, None)
        if number < FIRST_MADE:
            self._gone.add(number)
        del self._numbers[arn]
