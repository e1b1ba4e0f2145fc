"""The pages that a message can lead to, by name; the console says where each one is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class MessagePage(StrEnum):
    """A page, and what its address names in brackets."""

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
    """Say where the pages are: paths with a pair of braces for each key."""
    _paths.update(paths)


def path_of(page: MessagePage, *keys: object) -> str:
    """The path of a page about something."""
    return _paths[page].format(*keys)


def prefix_of(page: MessagePage) -> str:
    """What the paths of a page begin with, whatever it is about."""
    return _paths[page].partition("{")[0]
