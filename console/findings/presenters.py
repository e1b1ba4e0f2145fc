"""Presents findings: heading, severity, evidence, and links to the fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode

from console.changes.actions import ACTIONS, ActAction
from console.web.moments import date_text
from iam.audit.findings.affected import affected_words
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import (
    AuditFinding,
    FindingCertainty,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.outdated_findings import BehindAccounts
from iam.audit.findings.rules import all_rules
from iam.audit.findings.values import PLACES, shown_evidence
from iam.guard import Right, Viewer
from iam.guard.viewer import ANY_ACCOUNT

TONES: Final[Mapping[int, str]] = {
    FindingSeverity.CRITICAL: "bad",
    FindingSeverity.HIGH: "bad",
    FindingSeverity.MEDIUM: "warn",
    FindingSeverity.LOW: "",
}
STATUS_TONES: Final[Mapping[str, str]] = {
    FindingStatus.OPEN: "warn",
    FindingStatus.ACCEPTED: "info",
    FindingStatus.FIXED: "ok",
}
ESCALATION: Final = "privilege-escalation"
PLAIN: Final = frozenset(
    {
        "mfa",
        "keys",
        "created",
        "last_used",
        "days",
        "groups",
        "left",
        "password",
        "user_created",
        "name",
        "source",
        "read",
    }
)
"""Evidence shown to viewers who look after people but see no whole account."""
LABELS: Final[Mapping[str, str]] = {
    "features": "Features turned on",
    "mfa": "MFA",
    "text": "Statement",
    "statement": "Statement number",
    "last_used": "Last used",
    "user_created": "User created",
    "http_tokens": "Metadata tokens",
    "valid_until": "Valid until",
    "password_policy": "Password policy",
    "replaced_by": "Replaced by",
    "sid": "Statement ID",
    "arn": "ARN",
    "api_key": "API key",
    "role": "Role to use instead",
    "read": "Read from IAM",
    "sign_in_sessions": "Sign-in sessions",
    "request_owner": "Owner of the request",
    "boundaries_of_new_roles": "Permissions boundaries of new roles",
}
PERIODS: Final = frozenset({"grant-not-used", "services-unused-90-days"})
"""The kinds whose `days` are the period that was looked at, not how long something lasts."""
MFA_WORDS: Final[Mapping[str, str]] = {"none": "None", "virtual": "Virtual device"}
TRUST_WORDS: Final[Mapping[str, str]] = {
    "account": "This account",
    "any": "Anyone",
    "cross-account": "Another account",
    "ec2": "EC2",
    "lambda": "Lambda",
    "nobody": "No one",
    "oidc": "OpenID Connect",
    "saml": "SAML",
    "service-linked": "AWS, service-linked",
    "services": "AWS services",
}
PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "credentials": ("identities:person-credentials", "Open credentials"),
    "rotation": ("identities:person-credentials", "Open credentials"),
    "user": ("identities:person", "Open user"),
    "role": ("identities:role", "Open role"),
    "policy": ("access:policy-edit", "Edit policy"),
}
"""Pages of an entity where a fix starts, by the name in the finding."""
RECORD_PAGES: Final[Mapping[str, str]] = {"assertion": "findings:assertion", "grant": "access:grant"}
"""Pages of Gatehouse's own records that a finding can be about, by the name in the finding."""
CREDENTIAL_FIXES: Final[Mapping[str, tuple[str, str]]] = {
    "access_key.deactivate": ("Deactivate key", "of"),
    "login_profile.delete": ("Remove password", "user"),
}
"""Changes of a credential: the button's label, and the query parameter with the credential."""
OTHER_PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "roots": ("mfa:root-users", "Open root users"),
    "root-keys": ("keys:root-keys", "Open root access keys"),
    "mfa": ("mfa:fleet", "Open MFA"),
    "offboarding": ("offboarding:begin", "Offboard someone"),
}


@dataclass(frozen=True, slots=True)
class FixLink:
    """A button; `is_request` means that it leads to a request with its receipt."""

    label: str
    url: str
    is_request: bool = False


@dataclass(frozen=True, slots=True)
class FindingEvidence:
    """A fact as text, as a statement, or as a table of keys."""

    label: str
    text: str = ""
    code: str = ""
    items: tuple[str, ...] = ()
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditFindingRow:
    """A row of the list."""

    finding: AuditFinding
    title: str
    risk: str
    severity: str
    tone: str
    status: str
    status_tone: str
    is_conditional: bool
    fix: FixLink | None = None
    owner: str = ""
    is_recalculated: bool = False
    accounts: dict[str, str] = field(default_factory=dict)
    happened: tuple[str, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether someone used the escalation path that it is about."""
        return self.finding.kind == ESCALATION and "used_by" in self.finding.evidence

    @property
    def affected_words(self) -> str:
        """The number and type of what it concerns; "" if that is a single object."""
        number = self.finding.affected
        return affected_words(self.finding.kind, number) if number else ""


def row_of(
    finding: AuditFinding,
    viewer: Viewer,
    *,
    owner: str = "",
    behind: BehindAccounts | None = None,
    happened: tuple[str, ...] = (),
) -> AuditFindingRow:
    """Return the row of a finding for the list and its page.

    `behind` says which are being recalculated, `happened` what happened to it.
    """
    rule = all_rules().get(finding.kind)
    severity = FindingSeverity(finding.severity)
    title, risk = (rule.title, rule.risk) if rule else (finding.kind, "")
    return AuditFindingRow(
        finding=finding,
        title=title,
        risk=risk,
        severity=str(severity.label),
        tone=TONES[severity],
        status=str(FindingStatus(finding.status).label),
        status_tone=STATUS_TONES[finding.status],
        is_conditional=finding.certainty == FindingCertainty.CONDITIONAL,
        fix=fix_link(finding, viewer),
        owner=owner,
        is_recalculated=behind is not None and behind.will_recalculate(finding),
        happened=happened,
    )


def fix_link(finding: AuditFinding, viewer: Viewer) -> FixLink | None:
    """Return the first link to the fix."""
    return next(iter(fix_links(finding, viewer)), None)


def fix_links(finding: AuditFinding, viewer: Viewer) -> list[FixLink]:
    """Return the links to the fix, for viewers who can request it; empty if there is nothing to fix."""
    account = finding.account
    if finding.status == FindingStatus.FIXED or not viewer.may(
        Right.REQUEST_CHANGE, account_id=account.account_id
    ):
        return []
    ready = fix_request_of(finding, viewer)
    links = [_ready_link(finding, ready, viewer), _page_link(finding, viewer)]
    if ready is not None and ready.is_alternative:
        links.reverse()
    return [link for link in links if link is not None]


def fix_request_of(finding: AuditFinding, viewer: Viewer) -> FixRequest | None:
    """Return the fix that the rule has prepared, as far as the viewer can see it."""
    rule = all_rules().get(finding.kind)
    ready = rule.fix_request if rule else None
    if ready is None or not (ready.is_plain or sees_whole(finding, viewer)):
        return None
    return ready if ready.fits(finding) else None


def _ready_link(finding: AuditFinding, ready: FixRequest | None, viewer: Viewer) -> FixLink | None:
    """Return the link to the prepared request: the form of its act if the finding names one, else the
    finding's own.
    """
    fix = finding.fix
    if not finding.account.is_writable:
        return None
    if fix.get("action") in CREDENTIAL_FIXES:
        return _credential_link(fix)
    if ready is not None:
        return FixLink(ready.label, reverse("findings:fix", args=[finding.pk]), is_request=True)
    action = ACTIONS.get(fix.get("action", ""))
    return _request_link(finding, action, viewer) if action is not None else None


def _credential_link(fix: Mapping[str, Any]) -> FixLink:
    """Return the link to change an access key or a password."""
    label, name = CREDENTIAL_FIXES[fix["action"]]
    query = urlencode({"do": fix["action"], name: fix["on"]})
    return FixLink(label, f"{reverse('changes:credential')}?{query}", is_request=True)


def _request_link(finding: AuditFinding, action: ActAction, viewer: Viewer) -> FixLink:
    """Return the link to request an act; viewers without the whole account don’t learn which policy."""
    fix = finding.fix
    query = f"?on={fix['on']}" if "on" in fix else f"?account={finding.account.account_id}"
    if "policy" in fix and sees_whole(finding, viewer):
        query += f"&policy={fix['policy']}"
    return FixLink(action.button, f"{reverse('changes:act', args=[action.slug])}{query}", is_request=True)


def _page_link(finding: AuditFinding, viewer: Viewer) -> FixLink | None:
    fix = finding.fix
    page = fix.get("page", "")
    if page in PAGES and "on" in fix:
        name, label = PAGES[page]
        return FixLink(label, reverse(name, args=[fix["on"]]))
    if page == "group":
        query = urlencode({"user": fix["on"], "do": "add"})
        return FixLink("Add to a group", f"{reverse('changes:membership')}?{query}", is_request=True)
    if page == "escalation" and viewer.sees_accounts:
        return FixLink("Show what closes it", reverse("access:escalation-opening", args=[fix["policy"]]))
    if page == "assertion" and viewer.sees_accounts:
        return FixLink("Open assertion", reverse("findings:assertion", args=[fix["policy"]]))
    if page == "grant" and viewer.sees_accounts:
        return _grant_link(fix["policy"], viewer)
    if page in OTHER_PAGES and (viewer.sees_accounts or page in ("mfa", "offboarding")):
        name, label = OTHER_PAGES[page]
        query = f"?{urlencode({'q': finding.name})}" if page == "mfa" else ""
        return FixLink(label, f"{reverse(name)}{query}")
    return None


def _grant_link(grant: str, viewer: Viewer) -> FixLink:
    """Return the link to end the grant for viewers who can end any grant, else to its page."""
    rights = (Right.APPROVE_CHANGE, Right.MANAGE_ACCOUNTS)
    if any(viewer.may(right, account_id=ANY_ACCOUNT) for right in rights):
        return FixLink("End grant", reverse("access:grant-end", args=[grant]))
    return FixLink("Open grant", reverse("access:grant", args=[grant]))


def record_url(finding: AuditFinding, viewer: Viewer) -> str:
    """Return the address of the grant or assertion that a finding is about; "" for other findings."""
    name = RECORD_PAGES.get(finding.fix.get("page", ""))
    return reverse(name, args=[finding.fix["policy"]]) if name and viewer.sees_accounts else ""


def sees_whole(finding: AuditFinding, viewer: Viewer) -> bool:
    """Return whether the viewer sees the finding's whole account."""
    return viewer.may(Right.SEE_ACCOUNT, account_id=finding.account.account_id)


def evidence_of(finding: AuditFinding, viewer: Viewer) -> list[FindingEvidence]:
    """Return the evidence that the viewer can see."""
    evidence = shown_evidence(finding)
    if not sees_whole(finding, viewer):
        evidence = {name: value for name, value in evidence.items() if name in PLAIN}
    return list(_lines(evidence, finding.kind))


def _lines(evidence: Mapping[str, Any], kind: str) -> Iterator[FindingEvidence]:
    for name, value in evidence.items():
        if name == "days" and kind in PERIODS:
            yield FindingEvidence("Period", f"Last {value} days")
            continue
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        if name in LISTED and isinstance(value, list):
            label, words = LISTED[name]
            yield FindingEvidence(label, items=tuple(map(words, value)))
        elif name == "password_policy" and isinstance(value, dict):
            yield FindingEvidence(label, items=tuple(_password_policy_words(value)))
        elif isinstance(value, dict):
            yield FindingEvidence(label, code=json.dumps(value, indent=2))
        elif isinstance(value, list):
            yield FindingEvidence(label, items=tuple(map(str, value)) or ("None",))
        elif moment := _moment(value):
            yield FindingEvidence(label, moment=moment)
        elif value not in ("", None) or name == "last_used":
            yield FindingEvidence(label, _word(name, value))


def _word(name: str, value: object) -> str:
    if name == "mfa":
        return "None" if value is False else MFA_WORDS.get(str(value), str(value))
    if name == "device" and value == "virtual":
        return MFA_WORDS["virtual"]
    if name == "trusted":
        return TRUST_WORDS.get(str(value), str(value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "Never" if value is None else str(value)


def _password_policy_words(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the requirements of a password policy, one per line."""
    for name, value in policy.items():
        words = "Not set" if value is None else _word(name, value)
        yield f"{name.replace('_', ' ').capitalize()}: {words}"


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or "T" not in value or not value[:4].isdigit():
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _key_words(key: Mapping[str, Any]) -> str:
    created, used = key.get("created"), key.get("last_used")
    made = f", created {_day_words(created)}" if created else ""
    last = f"last used {_day_words(used)}" if used else "no use known"
    return f"{key['key']}{made}, {last}"


def _day_words(moment: str) -> str:
    return date_text(datetime.fromisoformat(moment))


def _step_words(step: Mapping[str, Any]) -> str:
    who, becomes = (str(step[name]).rpartition("/")[2] for name in ("who", "becomes"))
    return f"{who}: {' and '.join(step['does'])}. Becomes {becomes}."


def _statement_words(statement: Mapping[str, Any]) -> str:
    place = statement["sid"] or f"statement {statement['statement']}"
    return f"{statement['policy']}, {place}"


def _breach_words(breach: Mapping[str, Any]) -> str:
    source = ", ".join(filter(None, (breach["policy"], breach["statement"])))
    by = f", by {source}" if source else ""
    return f"{breach['arn'].rpartition('/')[2]}: {breach['action']} on {breach['resource']}{by}"


def _use_words(use: Mapping[str, Any]) -> str:
    return f"{use['arn'].rpartition('/')[2]}, last on {_day_words(use['last'])}"


def _place_words(place: Mapping[str, Any]) -> str:
    times = "1 call" if place["calls"] == 1 else f"{place['calls']:,} calls"
    first, last = _day_words(place["first"]), _day_words(place["last"])
    days = f"on {first}" if first == last else f"from {first} to {last}"
    where = ", ".join(place["instances"])
    if place["more_instances"]:
        where = f"{where} and {place['more_instances']} more"
    return f"{place['key']} from {place['address']} ({where}): {times} {days}"


def _pod_words(pod: Mapping[str, Any]) -> str:
    place = f"Cluster {pod['cluster']} ({pod['region']})"
    return f"{place}, namespace {pod['namespace']}, service account {pod['service_account']}"


def _error_words(error: Mapping[str, Any]) -> str:
    return str(error["message"])


LISTED: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "keys": ("Access keys", _key_words),
    "path": ("One path", _step_words),
    "statements": ("Opened by", _statement_words),
    "used_by": ("Used by", _use_words),
    "errors": ("Errors", _error_words),
    "pods": ("Pod identity associations", _pod_words),
    PLACES: ("Used from", _place_words),
    "broken_by": ("Broken by", _breach_words),
}
