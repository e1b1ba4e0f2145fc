"""A Roles Anywhere profile gives any certificate all permissions of its roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from iam.audit.findings.effect import CONDITION
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust_fixes import require_trust_anchors
from iam.audit.findings.workload_roles import admits_any_certificate, has_limited_sessions, roles_by_arn
from iam.mirror.models import Kind
from iam.mirror.pull.sections import ROLES, ROLES_ANYWHERE

LONG_SESSION: Final = 3600
"""The session duration in seconds if the profile doesn't set one."""


class RolesAnywhereProfileUnrestricted(FindingRule):
    """Profiles with a limiting session policy are left out, and so are roles whose trust policy has a
    condition on the certificate or its trust anchor. Without an enabled trust anchor in the Region, no
    certificate is accepted. The finding is conditional if a role was not synced.
    """

    kind = "roles-anywhere-profile-unrestricted"
    severity = FindingSeverity.MEDIUM
    title = "Roles Anywhere profile doesn’t restrict"
    sentence = (
        "Any certificate of any trust anchor gets all permissions of a profile’s roles; high if one of them "
        "is administrator."
    )
    risk = (
        "Anyone with a certificate of any of the certificate authorities gets the roles, whatever the "
        "certificate was issued for."
    )
    remedy = (
        "Limit the trust policies of the roles to a trust anchor (aws:SourceArn) and to attributes of the "
        "certificate, such as aws:PrincipalTag/x509Subject/OU, or give the profile a session policy."
    )
    fix_request = FixRequest("Require trust anchor", require_trust_anchors)
    sections = (ROLES_ANYWHERE,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        roles = roles_by_arn(facts)
        for profile in facts.of_kind(Kind.ANYWHERE_PROFILE):
            anchors = self._anchors(profile, facts)
            if profile.category == "enabled" and anchors and not has_limited_sessions(profile, facts):
                yield from self._of_profile(profile, facts, roles, anchors)

    def _anchors(self, profile: EntityFact, facts: AccountFacts) -> list[str]:
        """Return the sorted names of the enabled trust anchors in the profile's Region."""
        region = profile.attrs.get("Region")
        names = []
        for anchor in facts.of_kind(Kind.TRUST_ANCHOR):
            if anchor.category == "enabled" and anchor.attrs.get("Region") == region:
                names.append(anchor.name)
        return sorted(names)

    def _of_profile(
        self, profile: EntityFact, facts: AccountFacts, roles: dict[str, EntityFact], anchors: list[str]
    ) -> Iterator[RuleProblem]:
        open_roles: dict[str, bool] = {}
        unread = []
        for arn in profile.attrs.get("RoleArns") or ():
            if arn in roles:
                is_sure = admits_any_certificate(roles[arn], profile, facts)
                if is_sure is not None:
                    open_roles[arn] = is_sure
            elif ROLES not in facts.complete or not arn.startswith(facts.prefix):
                unread.append(f"the role {arn} wasn’t synced")
        if not open_roles and not unread:
            return
        is_sure = any(open_roles.values())
        conditions = [CONDITION] if open_roles else []
        chosen = [roles[arn] for arn in open_roles]
        administrators = [role.name for role in chosen if role.id in (facts.administrators or {})]
        severity = FindingSeverity.HIGH if administrators else None
        reasons = () if is_sure else (*conditions, *unread)
        fix = FindingFix(page="role", on=chosen[0].id) if chosen else None
        yield RuleProblem(
            profile,
            self._evidence(profile, chosen, administrators, anchors),
            severity=severity,
            related=tuple(sorted(open_roles)),
            affected=len(open_roles),
            reasons=reasons,
            fix=fix,
        )

    def _evidence(
        self, profile: EntityFact, roles: list[EntityFact], administrators: list[str], anchors: list[str]
    ) -> dict[str, Any]:
        attrs = profile.attrs
        evidence: dict[str, Any] = {
            "region": attrs.get("Region"),
            "roles": sorted(role.name for role in roles),
            "trust_anchors": anchors,
            "session_policy": False,
        }
        if administrators:
            evidence["administrators"] = sorted(administrators)
        seconds = attrs.get("DurationSeconds") or 0
        if seconds > LONG_SESSION:
            evidence["session_duration"] = _duration_words(seconds)
        if attrs.get("AcceptRoleSessionName"):
            evidence["accepts_session_names"] = True
        return evidence


def _duration_words(seconds: int) -> str:
    """Format a duration, such as "12 hours" or "90 minutes". The maximum of a profile is 12 hours."""
    if seconds % 3600:
        return f"{seconds // 60} minutes"
    return f"{seconds // 3600} hours"
