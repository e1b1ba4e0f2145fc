"""The words around an act: whom it is about, where one comes from, and what the lint finds in a text that is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.urls import reverse

from console.changes.findings import finding_rows
from iam.changes.acts import Act, Subject, acts_on
from iam.changes.operations import CreatePolicy, Operation, PutInlinePolicy
from iam.changes.operations.role import CreateRole
from iam.changes.operations.trust_policy import ReplaceTrustPolicy
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Kind
from iam.mirror.naming import display_name
from iam.policy.lint import MANAGED, Quota, Severity, lint
from iam.policy.lint.kinds import Kind as PolicyKind
from iam.policy.lint.run import OF_KIND

_PAGES: Final = {
    Kind.USER.value: ("identities:person", "people"),
    Kind.GROUP.value: ("identities:group", "groups"),
    Kind.ROLE.value: ("identities:role", "roles"),
    Kind.POLICY.value: ("identities:policy", "policies"),
    Kind.INSTANCE_PROFILE.value: ("identities:instance-profile", "instance-profiles"),
    Kind.SAML_PROVIDER.value: ("identities:provider", "providers"),
    Kind.OIDC_PROVIDER.value: ("identities:provider", "providers"),
}


class Back(NamedTuple):
    """The page that an act is left to."""

    url: str
    name: str
    section: str


class Button(NamedTuple):
    """An act as a page offers it."""

    text: str
    url: str
    is_danger: bool


def shown_name(subject: Subject) -> str:
    """How a sentence names it."""
    if isinstance(subject, Account):
        return subject.name
    return display_name(subject.name) if subject.kind == Kind.USER else subject.name


def back_of(subject: Subject) -> Back:
    """Where one came from."""
    if isinstance(subject, Account):
        return Back(reverse("changes:acts") + f"?account={subject.account_id}", subject.name, "changes")
    page, section = _PAGES.get(subject.kind, ("", "changes"))
    url = reverse(page, args=[subject.pk]) if page else reverse("changes:list")
    return Back(url, shown_name(subject), section)


def address_of(act: Act, subject: Subject) -> str:
    """The page of an act on a subject."""
    about = f"account={subject.account_id}" if isinstance(subject, Account) else f"on={subject.pk}"
    return f"{reverse('changes:act', args=[act.slug])}?{about}"


def buttons_on(subject: Subject, *, viewer: Viewer) -> list[Button]:
    """What the viewer can ask for about it; nothing where nothing can be changed."""
    account = subject if isinstance(subject, Account) else subject.account
    if not account.is_writable or not viewer.may(Right.REQUEST_CHANGE, account_id=account.account_id):
        return []
    return [Button(act.button, address_of(act, subject), act.is_danger) for act in acts_on(subject)]


def lint_of(operations: Iterable[Operation]) -> dict[str, Any]:
    """The context of `_findings.html` for the first text that is written, and whether AWS would refuse it; nothing where none is."""
    for one in operations:
        found = _text_of(one)
        if found is not None:
            text, kind, quota = found
            findings = lint(text, kind=kind, quota=quota)
            return finding_rows(findings) | {"is_faulty": any(f.severity is Severity.ERROR for f in findings)}
    return {}


def _text_of(one: Operation) -> tuple[str, PolicyKind, Quota | None] | None:
    if isinstance(one, PutInlinePolicy):
        return one.text, PolicyKind.IDENTITY, None
    if isinstance(one, CreatePolicy):
        return one.given.document, PolicyKind.IDENTITY, MANAGED
    if isinstance(one, ReplaceTrustPolicy):
        return one.given.document, PolicyKind.TRUST, OF_KIND
    if isinstance(one, CreateRole):
        return one.given.trust, PolicyKind.TRUST, OF_KIND
    return None
