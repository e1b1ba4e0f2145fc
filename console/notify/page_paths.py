"""Paths of the pages that messages link to, as plain text, so that workers that send mail load no views."""

from __future__ import annotations

from typing import Final

from iam.notify.pages import MessagePage

PAGE_PATHS: Final = {
    MessagePage.APPROVALS: "/changes/approvals/",
    MessagePage.ASSERTION: "/findings/assertions/{}/",
    MessagePage.CAMPAIGN: "/mfa/campaigns/{}/",
    MessagePage.CHANGE_REVIEW: "/changes/{}/review/",
    MessagePage.DUTIES_RULE: "/reviews/rules/{}/",
    MessagePage.FINDING: "/findings/{}/",
    MessagePage.FINDINGS: "/findings/",
    MessagePage.GRANT: "/grants/{}/",
    MessagePage.LEAVER: "/leaving/people/{}/",
    MessagePage.LINK: "/link/{}/",
    MessagePage.MESSAGE: "/go/{}/",
    MessagePage.MFA_REPLACEMENT: "/mfa/replacements/{}/",
    MessagePage.NEWCOMER: "/onboarding/{}/?q={}",
    MessagePage.NOTIFICATIONS: "/profile/notifications/",
    MessagePage.REQUEST: "/changes/{}/request/",
    MessagePage.REQUIREMENT: "/compliance/{}/{}/",
    MessagePage.REVIEW: "/reviews/{}/",
    MessagePage.ROTATION: "/keys/rotations/{}/",
    MessagePage.RULES_PROPOSAL: "/changes/rules/{}/",
    MessagePage.SOURCE_REQUEST: "/activity/sources/requests/{}/",
}
