"""A request that has only a principal."""

from __future__ import annotations

from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.keys import is_own, own_values
from iam.policy.request import PrincipalKind, Request, Values


class BareRequest(Request):
    """A request of a principal without action or resource, for conditions that depend on the principal alone.

    Keys that don't differ between principals come from `others`. It costs a tenth of a full request.
    """

    __slots__ = ("_kind", "_member", "_others")

    def __init__(self, member: IndexedPrincipal, kind: PrincipalKind, others: Request) -> None:
        self._member, self._kind, self._others = member, kind, others

    def values(self, key: str) -> Values | None:
        """The values of a key, as in a request of the principal."""
        if not is_own(key):
            return self._others.values(key)
        member = self._member
        return own_values(self._kind, member.arn, member.unique_id, member.tags, key)
