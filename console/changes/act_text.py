"""Texts and links around an act, and lint findings of the policy texts that it writes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db.models import Q
from django.urls import reverse

from console.changes.access_rows import texts_of
from console.changes.actions import actions_on
from console.changes.actions.action import ACCESS
from console.changes.findings import finding_rows
from iam.access.policy_draft import findings_of
from iam.changes.acts import Subject
from iam.changes.acts.base import account as account_of
from iam.changes.acts.options import laid_out
from iam.changes.operations import CreatePolicy, Operation, PutInlinePolicy
from iam.changes.operations.policy_version import DefaultText
from iam.changes.operations.principals import CreateRole, ReplaceTrustPolicy
from iam.guard import Right, Viewer
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Account, Entity, Kind
from iam.policy.lint import MANAGED, CharacterQuota, LintFinding, LintSeverity, less_standing, lint
from iam.policy.lint.kinds import LintKind as PolicyKind
from iam.policy.lint.run import OF_KIND

LISTED: Final = 12
MAX_TEXTS: Final = 100
"""Maximum number of different texts of a request that are linted; the page says how many were not."""
_PAGES: Final = {
    Kind.USER.value: ("identities:person", "people"),
    Kind.GROUP.value: ("identities:group", "groups"),
    Kind.ROLE.value: ("identities:role", "roles"),
    Kind.POLICY.value: ("identities:policy", "policies"),
    Kind.INSTANCE_PROFILE.value: ("identities:instance-profile", "instance-profiles"),
    Kind.SAML_PROVIDER.value: ("identities:provider", "providers"),
    Kind.OIDC_PROVIDER.value: ("identities:provider", "providers"),
}


class ReturnPage(NamedTuple):
    """The page to return to from an act."""

    url: str
    name: str
    section: str


class ActButton(NamedTuple):
    """A button for an act; `note` says what to know before."""

    text: str
    url: str
    is_danger: bool = False
    note: str = ""


class UnlinkedItems(NamedTuple):
    """Objects of an account without a page of their own: those listed, and the number of further ones."""

    rows: list[Entity]
    more: int


def shown_name(subject: Subject) -> str:
    """Return the subject's name for sentences."""
    if isinstance(subject, Account):
        return subject.name
    return names_by_entity([subject])[subject.pk]


def back_of(subject: Subject, *, is_menu: bool = False) -> ReturnPage:
    """Return the page to go back to: the subject's page or, if it has none, its list of actions.

    `is_menu` means that the list of actions itself is the page to leave.
    """
    if isinstance(subject, Account):
        return ReturnPage(reverse("changes:acts") + f"?account={subject.account_id}", subject.name, "changes")
    page, section = _PAGES.get(subject.kind, ("", "changes"))
    if subject.kind == Kind.MFA_DEVICE and subject.owner_id:
        url, section = reverse("identities:person-credentials", args=[subject.owner_id]), "people"
    elif page:
        url = reverse(page, args=[subject.pk])
    else:
        about = f"account={subject.account.account_id}" if is_menu else f"on={subject.pk}"
        url = f"{reverse('changes:acts')}?{about}"
    return ReturnPage(url, shown_name(subject), section)


def address_of(slug: str, subject: Subject) -> str:
    """Return the address of an act's page for a subject."""
    about = f"account={subject.account_id}" if isinstance(subject, Account) else f"on={subject.pk}"
    return f"{reverse('changes:act', args=[slug])}?{about}"


def menu_on(subject: Subject, *, viewer: Viewer) -> dict[str, list[ActButton]]:
    """Return the actions that the viewer can request, by part of the menu; empty if nothing can be
    changed.
    """
    account = account_of(subject)
    if not account.is_writable or not viewer.may(Right.REQUEST_CHANGE, account_id=account.account_id):
        return {}
    sees_all = viewer.scope.sees_account(account.account_id)
    buttons: dict[str, list[ActButton]] = {}
    if sees_all and isinstance(subject, Entity) and _has_own_text(subject):
        buttons[ACCESS] = [ActButton("Edit text", reverse("access:policy-edit", args=[subject.pk]))]
    for action in actions_on(subject):
        if sees_all or action.act.is_plain:
            address = address_of(action.slug, subject)
            button = ActButton(action.button, address, action.is_danger, action.note)
            buttons.setdefault(action.part, []).append(button)
    return buttons


def also_on(subject: Subject, *, viewer: Viewer) -> list[ActButton]:
    """Return links to related changes that have their own pages: groups and credentials."""
    if isinstance(subject, Account) or not viewer.may(
        Right.REQUEST_CHANGE, account_id=subject.account.account_id
    ):
        return []
    join = reverse("changes:membership")
    if subject.kind == Kind.USER:
        return [
            ActButton("Add to a group", f"{join}?user={subject.pk}&do=add"),
            ActButton("Password, keys and MFA", reverse("identities:person-credentials", args=[subject.pk])),
        ]
    if subject.kind == Kind.GROUP:
        return [ActButton("Add a person", f"{join}?group={subject.pk}&do=add")]
    return []


def pageless_in(account: Account, *, wanted: str) -> UnlinkedItems:
    """Return EC2 instances, server certificates and unassigned MFA devices whose name or ID contains the
    text.
    """
    of_account = Q(kind__in=[Kind.INSTANCE, Kind.SERVER_CERTIFICATE])
    unassigned_device = Q(kind=Kind.MFA_DEVICE, owner__isnull=True)
    rows = Entity.objects.filter(of_account | unassigned_device, account=account, gone_at__isnull=True)
    if wanted:
        rows = rows.filter(Q(name__icontains=wanted) | Q(aws_id__icontains=wanted))
    listed = list(rows.order_by("kind", "name", "id")[:LISTED])
    more = max(0, rows.count() - LISTED)
    return UnlinkedItems(listed, more)


def _has_own_text(subject: Entity) -> bool:
    return subject.kind == Kind.POLICY and ":iam::aws:" not in subject.arn


class WrittenPolicy(NamedTuple):
    """A policy text that an operation writes, with its findings. `key` is equal for equal texts."""

    key: Hashable
    name: str
    findings: Callable[[], Sequence[LintFinding]]


def lint_of(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the context of `_findings.html` for all texts that are written; {} if there are none.

    It says whether a text has errors, and whether AWS would reject one. Equal texts are linted once. With
    several texts, each finding names its policy.
    """
    names: dict[Hashable, list[str]] = {}
    texts: dict[Hashable, WrittenPolicy] = {}
    for operation in operations:
        if (written := _written(operation)) is not None:
            texts.setdefault(written.key, written)
            names.setdefault(written.key, []).append(written.name)
    if not texts:
        return {}
    problems = []
    for key, written in list(texts.items())[:MAX_TEXTS]:
        for finding in written.findings():
            problems.append((finding, _names_text(names[key])))
    findings = [finding for finding, _ in problems]
    policies = [name for _, name in problems] if len(texts) > 1 else []
    return finding_rows(findings, policies=policies) | {
        "is_faulty": any(finding.severity is LintSeverity.ERROR for finding in findings),
        "is_refused": any(finding.is_refused for finding in findings),
        "text_count": len(texts),
        "unchecked_texts": max(0, len(texts) - MAX_TEXTS),
    }


def _names_text(names: Sequence[str]) -> str:
    """Return 'Policy ReadLedger', or 'Inline policy access of role deploy and 39 others'."""
    first, others = names[0], len(set(names)) - 1
    more = ""
    if others > 0:
        more = f" and {others:,} other" if others == 1 else f" and {others:,} others"
    return f"{first[:1].upper()}{first[1:]}{more}"


def _written(operation: Operation) -> WrittenPolicy | None:
    if isinstance(operation, DefaultText):
        policy = operation.subject()
        if policy is None:
            return None
        text = operation.text
        return WrittenPolicy(
            (policy.pk, text), f"policy {policy.name}", lambda: findings_of(policy, text=text)
        )
    policy_text = text_of(operation)
    if policy_text is None:
        return None
    if isinstance(operation, PutInlinePolicy) and any(
        finding.is_by_catalogue for finding in _lint(*policy_text)
    ):
        former = operation.current_text
        return WrittenPolicy(
            (*policy_text, former),
            _name_of(operation),
            lambda: less_standing(_lint(*policy_text), former=lambda: former, kind=PolicyKind.IDENTITY),
        )
    return WrittenPolicy(policy_text, _name_of(operation), lambda: _lint(*policy_text))


_lint = lru_cache(maxsize=512)(lambda text, kind, quota: lint(text, kind=kind, quota=quota))


def _name_of(operation: Operation) -> str:
    """Return the description of the policy that an operation writes."""
    if isinstance(operation, PutInlinePolicy):
        params = operation.inputs
        return f"inline policy {params.policy_name} of {params.holder_kind} {params.holder_name}"
    name = str(getattr(getattr(operation, "inputs", None), "name", ""))
    if isinstance(operation, ReplaceTrustPolicy | CreateRole):
        return f"trust policy of role {name}"
    return f"policy {name}"


def text_shown(operation: Operation, *, before: dict[str, Any]) -> dict[str, Any]:
    """Return the context of `_texts.html`: the texts before and after, or only the new one."""
    policy_text = text_of(operation)
    if policy_text is None:
        return {}
    texts = texts_of(before=before, after=laid_out(policy_text[0]))
    return {"texts": (laid_out(texts[0]), texts[1]) if texts else None, "new_text": laid_out(policy_text[0])}


def text_of(operation: Operation) -> tuple[str, PolicyKind, CharacterQuota | None] | None:
    """Return the policy text that an operation writes, its kind, and its size quota if the lint checks
    one.
    """
    if isinstance(operation, PutInlinePolicy):
        return operation.text, PolicyKind.IDENTITY, None
    if isinstance(operation, CreatePolicy):
        return operation.inputs.document, PolicyKind.IDENTITY, MANAGED
    if isinstance(operation, ReplaceTrustPolicy):
        return operation.inputs.document, PolicyKind.TRUST, OF_KIND
    if isinstance(operation, CreateRole):
        return operation.inputs.trust, PolicyKind.TRUST, OF_KIND
    return None
