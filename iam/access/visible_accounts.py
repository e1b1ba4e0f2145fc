"""Whose access a viewer may see, as the questions to the index take it."""

from __future__ import annotations

from iam.guard import Right, Viewer


def accounts_seen(viewer: Viewer, *, account: str = "") -> frozenset[str] | None:
    """The numbers of the accounts whose principals the viewer may be told of, or only `account` if it is one
    of them.

    None: all there are. Empty: nobody. It is the scope of today, whatever moment is asked about.
    """
    if not viewer.may(Right.SEE_ACCOUNT):
        return frozenset()
    if account:
        return frozenset({account}) if viewer.scope.sees_account(account) else frozenset()
    return viewer.scope.accounts
