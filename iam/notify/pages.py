"""The pages that a message can open, by name. The console defines their paths."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class MessagePage(StrEnum):
    """A page that a message can open."""

    APPROVALS = "approvals"
    ASSERTION = "assertion"
    CAMPAIGN = "campaign"
    CHANGE_REVIEW = "change-review"
    DUTIES_RULE = "duties-rule"
    FINDING = "finding"
    FINDINGS = "findings"
    GRANT = "grant"
    LEAVER = "leaver"
    LINK = "link"
    MESSAGE = "message"
    MFA_REPLACEMENT = "mfa-replacement"
    NEWCOMER = "newcomer"
    NOTIFICATIONS = "notifications"
    REQUEST = "request"
    REQUIREMENT = "requirement"
    REVIEW = "review"
    ROTATION = "rotation"
    RULES_PROPOSAL = "rules-proposal"
    SOURCE_REQUEST = "source-request"


_paths: dict[MessagePage, str] = {}


def place_pages(paths: Mapping[MessagePage, str]) -> None:
    """Set the paths of the pages, with a pair of braces for each key."""
    _paths.update(paths)


def path_of(page: MessagePage, *keys: object) -> str:
    """Return the path of a page for these keys."""
    return _paths[page].format(*keys)


def prefix_of(page: MessagePage) -> str:
    """Return the common prefix of a page's paths."""
    return _paths[page].partition("{")[0]
