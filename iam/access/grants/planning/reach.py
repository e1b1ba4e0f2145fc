"""Refuses access that partners must never get: all permissions, and changes to IAM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.access.grants.planning.account_context import GrantSite
from iam.access.grants.terms import WhoKind
from iam.changes.documents import EVERYTHING, flags
from iam.changes.errors import RefusedError
from iam.policy.catalogue import catalogue
from iam.policy.document import read

TOO_MUCH: Final = frozenset({"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"})
"""AWS managed policies that are refused by name, because their text may not be synced."""
IAM: Final = "iam"


def check_reach(site: GrantSite) -> None:
    """Check that a partner gets neither all permissions nor changes to IAM. Raises RefusedError."""
    if site.terms.who.kind is not WhoKind.PARTNER:
        return
    name = site.terms.what.policy_arn.rpartition("/")[2]
    if name in TOO_MUCH or any(EVERYTHING in flags(text) for text in site.documents):
        raise RefusedError("A partner can’t get all permissions. Choose what they need.")
    patterns = list(_patterns(site))
    if "" in patterns:
        raise RefusedError("A partner can’t get a policy with NotAction. Name the actions they need.")
    writes = catalogue().mask_of_service(IAM) & ~catalogue().mask_of_reads
    if any(catalogue().mask(pattern) & writes for pattern in patterns):
        raise RefusedError("A partner can’t get permissions to change IAM: they could give access to anyone.")


def _patterns(site: GrantSite) -> Iterator[str]:
    """The action patterns of all Allow statements; "" stands for NotAction."""
    for text in site.documents:
        for statement in read(text).statements:
            if statement.allows:
                yield from ("",) if statement.is_not_action else statement.actions


def unread(site: GrantSite) -> tuple[str, ...]:
    """A note if the text of the given managed policy is not synced; empty otherwise."""
    arn = site.terms.what.policy_arn
    if not arn or site.documents:
        return ()
    return (
        f"What {arn.rpartition('/')[2]} allows isn’t synced here, so it isn’t included in this analysis.",
    )
