"""Paging, look-ups, and GetAccountAuthorizationDetails from fragments that are rendered once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.bench.fakeaws.account import Account, Fact
from tests.bench.fakeaws.xml import gaad_group, gaad_policy, gaad_role, gaad_user, members, x

Params = dict[str, Any]
GAAD = (
    ("User", "UserDetailList", gaad_user),
    ("Group", "GroupDetailList", gaad_group),
    ("Role", "RoleDetailList", gaad_role),
    ("LocalManagedPolicy", "Policies", gaad_policy),
    ("AWSManagedPolicy", "Policies", gaad_policy),
)
_LIST_TAGS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


class ApiError(Exception):
    """An error answer: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def missing(message: str) -> ApiError:
    """IAM's answer for what is not there."""
    return ApiError(404, "NoSuchEntity", message)


class Bulk:
    """The account with its rendered fragments and its cache of whole answers."""

    def __init__(self, account: Account) -> None:
        self.a = account
        self.cache: dict[Any, bytes] = {}
        self.fragments: dict[str, list[bytes]] = {}
        for kind, _, shape in GAAD:
            self.fragments[kind] = [_member(shape(e)) for e in self._entities(kind)]
        self._position = {
            e["arn"]: (kind, position)
            for kind, _, _ in GAAD
            for position, e in enumerate(self._entities(kind))
        }

    def _entities(self, kind: str) -> list[Fact]:
        return {
            "User": self.a.users,
            "Group": self.a.groups,
            "Role": self.a.roles,
            "LocalManagedPolicy": self.a.policies,
            "AWSManagedPolicy": self.a.managed,
        }[kind]

    def rerender(self, changed: Iterable[Fact]) -> None:
        """Make the fragments of changed entities anew, and forget all whole answers."""
        shapes = {kind: shape for kind, _, shape in GAAD}
        for e in changed:
            kind, position = self._position[e["arn"]]
            self.fragments[kind][position] = _member(shapes[kind](e))
        self.cache.clear()

    def GetAccountAuthorizationDetails(self, p: Params) -> bytes:
        """Users, groups, roles, customer's and AWS's policies, in this order, a page over all of them."""
        wanted = {value for key, value in p.items() if key.startswith("Filter.")}
        kinds = [(kind, tag) for kind, tag, _ in GAAD if not wanted or kind in wanted]
        start, end, tail = window(sum(len(self.fragments[kind]) for kind, _ in kinds), p)
        out: dict[str, list[bytes]] = {tag: [] for tag in _LIST_TAGS}
        at = 0
        for kind, tag in kinds:
            fragments = self.fragments[kind]
            out[tag].extend(fragments[max(0, start - at) : max(0, end - at)])
            at += len(fragments)
        body = [tail.encode()]
        for tag in _LIST_TAGS:
            body += [f"<{tag}>".encode(), *out[tag], f"</{tag}>".encode()]
        return b"".join(body)

    def user_of(self, p: Params) -> Fact:
        """The user that a call names; the first one when it names none."""
        return self._find(self.a.user, p["UserName"], "user") if p.get("UserName") else self.a.users[0]

    def group_of(self, p: Params) -> Fact:
        """The group that a call names."""
        return self._find(self.a.group, p["GroupName"], "group")

    def role_of(self, p: Params) -> Fact:
        """The role that a call names."""
        return self._find(self.a.role, p["RoleName"], "role")

    def policy_of(self, p: Params) -> Fact:
        """The managed policy that a call names."""
        return self._find(self.a.policy, p["PolicyArn"], "policy")

    @staticmethod
    def _find(table: dict[str, Fact], name: str, what: str) -> Fact:
        if name not in table:
            raise missing(f"The {what} with name {name} cannot be found.")
        return table[name]


def _member(inner: str) -> bytes:
    return b"<member>" + inner.encode() + b"</member>"


def window(total: int, p: Params) -> tuple[int, int, str]:
    """(start, end, the IsTruncated and Marker elements) of the page that a call asks for."""
    size = max(1, min(1000, int(p.get("MaxItems", 100))))
    start = int(base64.b64decode(p["Marker"])) if p.get("Marker") else 0
    end = min(total, start + size)
    marker = x("Marker", base64.b64encode(b"%d" % end).decode()) if end < total else ""
    return start, end, x("IsTruncated", end < total) + marker


def page(tag: str, items: Sequence[Any], shape: Callable[[Any], str], p: Params) -> str:
    """One page of a list."""
    start, end, tail = window(len(items), p)
    return members(tag, (shape(item) for item in items[start:end])) + tail


def whole(tag: str, inner: Iterable[str]) -> str:
    """A list that is never longer than a page."""
    return members(tag, inner) + x("IsTruncated", False)
