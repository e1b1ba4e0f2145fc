"""Where the pages are that messages lead to. Plain paths, so that a worker that sends mail loads no page."""

from __future__ import annotations

from typing import Final

from iam.notify.pages import Page

PAGE_PATHS: Final = {
    Page.APPROVALS: "/changes/approvals/",
    Page.CAMPAIGN: "/mfa/campaigns/{}/",
    Page.CHANGE_REVIEW: "/changes/{}/review/",
    Page.GRANT: "/grants/{}/",
    Page.LEAVER: "/leaving/people/{}/",
    Page.LINK: "/link/{}/",
    Page.MESSAGE: "/go/{}/",
    Page.MFA_REPLACEMENT: "/mfa/replacements/{}/",
    Page.NEWCOMER: "/onboarding/{}/?q={}",
    Page.NOTIFICATIONS: "/profile/notifications/",
    Page.REQUEST: "/changes/{}/request/",
    Page.ROTATION: "/keys/rotations/{}/",
    Page.RULES_PROPOSAL: "/changes/rules/{}/",
}
