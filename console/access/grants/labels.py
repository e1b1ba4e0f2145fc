"""Short texts for the terms of a grant: who, what, where, until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.access.grants.phrases import listed
from iam.access.grants.terms import WhoKind, WhoTerms
from iam.access.grants.titles import what_words
from iam.mirror.display_names import names_by_arn
from iam.phrases import counted

__all__ = ["ICONS", "lasting", "name_of", "others_too", "what_words", "who_words"]

ICONS: Final = {
    WhoKind.USERS: "user-round",
    WhoKind.GROUP: "users",
    WhoKind.ROLE: "bot",
    WhoKind.TEAM: "users",
    WhoKind.ACCOUNT: "building-2",
    WhoKind.PARTNER: "handshake",
    WhoKind.FEDERATED: "fingerprint",
}


def name_of(arn: str) -> str:
    """Return the name at the end of an ARN, without its path."""
    return arn.rpartition("/")[2]


def who_words(who: WhoTerms) -> str:
    """Return 'Maya Okafor', 'Maya Okafor and 3 others', 'team payments' or 'account 1111-2222-3333'; "" if no
    one is chosen.
    """
    if who.arns:
        names = names_by_arn(who.arns)
        shown = list(dict.fromkeys(names[arn] for arn in who.arns))
        more = len(shown) - 1
        others = "others" if more > 1 else "other"
        return f"{shown[0]} and {more} {others}" if more else shown[0]
    if who.kind is WhoKind.TEAM:
        return f"team {who.team}" if who.team else ""
    if who.kind is WhoKind.PARTNER and who.label:
        return who.label
    if who.kind is WhoKind.FEDERATED:
        return f"{who.subject} of {name_of(who.provider_arn)}" if who.subject and who.provider_arn else ""
    return f"account {who.account_id}" if who.account_id else ""


def lasting(seconds: int) -> str:
    """Return '8 hours', '7 days' or '90 minutes'."""
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return counted(seconds // size, noun)
    return counted(seconds, "second")


def others_too(names: Sequence[str], others: int) -> str:
    """Return 'Maya Okafor, and 3 outside your teams'."""
    shown = listed(names) or "No one in your teams"
    return f"{shown}, and {others} outside your teams"
