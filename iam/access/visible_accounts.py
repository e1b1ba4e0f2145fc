"""Determines the accounts whose access a viewer can see, as index queries expect them."""

from __future__ import annotations

from iam.guard import Right, Viewer


def accounts_seen(viewer: Viewer, *, account: str = "") -> frozenset[str] | None:
    """The account IDs whose principals the viewer can see, or only `account` if it is one of them.

    None means all, an empty set none. It is today's scope, also for questions about the past.
    """
    if not viewer.may(Right.SEE_ACCOUNT):
        return frozenset()
    if account:
        return frozenset({account}) if viewer.scope.sees_account(account) else frozenset()
    return viewer.scope.accounts
