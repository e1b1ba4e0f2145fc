"""Creates, updates and retires templates. Existing versions are never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from django.db import IntegrityError, transaction

from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.models import Template, TemplateOrigin, TemplateVersion
from iam.access.templates.template_lint import errors_of
from iam.guard import Right, Viewer
from iam.guard.viewer import ANY_ACCOUNT
from iam.journal.services import record

SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_NOTE_LENGTH: Final = 500


def may_write(viewer: Viewer) -> bool:
    """True if the viewer can write templates. These apply to all accounts, so it takes managing all
    of them.
    """
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id=ANY_ACCOUNT)


def create_template(actor: Viewer, *, slug: str, body: TemplateBody, note: str = "") -> TemplateVersion:
    """Create a custom template with its first version. Raises TemplateError."""
    _check(actor, body, more=slug_problems(slug))
    try:
        with transaction.atomic():
            template = Template.objects.create(slug=slug, origin=TemplateOrigin.OWN)
            version = _write(template, actor=actor, body=body, number=1, note=note)
            record(kind="template.create", actor=actor, subject=slug, data={"title": body.title})
    except IntegrityError:
        message = f"There is a template {slug} already. Choose another short name."
        raise TemplateError(message, fields={"slug": message}) from None
    return version


def slug_problems(slug: str) -> dict[str, str]:
    """Return the message of the field `slug` if the short name can't be used, else nothing."""
    if len(slug) > 64 or not SLUG.fullmatch(slug):
        return {"slug": "The short name has small letters, digits and single hyphens, such as read-reports."}
    return {}


def save_version(
    actor: Viewer, *, template: Template, body: TemplateBody, base: int, note: str = ""
) -> TemplateVersion:
    """Save a new version and offer it; existing grants keep theirs. Raises TemplateError.

    `base` is the version that was edited: if another was saved since, nothing is saved.
    """
    _check(actor, body)
    template.refresh_from_db()
    offered = TemplateVersion.objects.get(template=template, number=template.current)
    if offered.number != base:
        raise TemplateError(
            f"Someone saved version {offered.number} since you opened this page. Copy your text, reload the "
            "page, "
            "and apply your changes again."
        )
    if offered.digest == body.digest:
        raise TemplateError("Nothing differs from the version that is offered.")
    try:
        with transaction.atomic():
            return _offer(template, actor=actor, body=body, base=base, note=note)
    except IntegrityError:
        raise TemplateError("Someone else saved a version at the same time. Reload the page.") from None


def _offer(template: Template, *, actor: Viewer, body: TemplateBody, base: int, note: str) -> TemplateVersion:
    last = TemplateVersion.objects.filter(template=template).order_by("-number").first()
    number = (last.number if last else 0) + 1
    version = _write(template, actor=actor, body=body, number=number, note=note)
    moved = Template.objects.filter(pk=template.pk, current=base).update(current=number)
    if not moved:
        raise IntegrityError
    template.current = number
    record(
        kind="template.version",
        actor=actor,
        subject=template.slug,
        data={"version": number, "before": base, "note": note.strip()[:MAX_NOTE_LENGTH]},
    )
    return version


def retire_template(actor: Viewer, *, template: Template) -> None:
    """Stop offering the template; its grants stay unchanged. Raises TemplateError."""
    _set_retired(actor, template=template, at=datetime.now(tz=UTC), kind="template.retire")


def restore_template(actor: Viewer, *, template: Template) -> None:
    """Offer the template again. Raises TemplateError."""
    _set_retired(actor, template=template, at=None, kind="template.restore")


@transaction.atomic
def _set_retired(actor: Viewer, *, template: Template, at: datetime | None, kind: str) -> None:
    _check_right(actor)
    changed = Template.objects.filter(pk=template.pk, retired_at__isnull=at is not None).update(retired_at=at)
    if changed:
        template.retired_at = at
        record(kind=kind, actor=actor, subject=template.slug)


def _write(
    template: Template, *, actor: Viewer, body: TemplateBody, number: int, note: str
) -> TemplateVersion:
    return TemplateVersion.objects.create(
        template=template,
        number=number,
        title=body.title,
        category=body.category,
        risk=body.risk,
        content=body.json,
        digest=body.digest,
        origin=TemplateOrigin.OWN,
        made_by=actor.person_id,
        made_label=actor.name[:128],
        note=note.strip()[:MAX_NOTE_LENGTH],
        made_at=datetime.now(tz=UTC),
    )


def _check(actor: Viewer, body: TemplateBody, *, more: Mapping[str, str] | None = None) -> None:
    """Check the right, and all fields: `more` are the messages of other fields."""
    _check_right(actor)
    problems = body.problems() | dict(more or {})
    if "statements" not in problems and (findings := errors_of(body)):
        problems["statements"] = f"{findings[0].message} {findings[0].remedy}"
    if problems:
        raise TemplateError.of(problems)


def _check_right(actor: Viewer) -> None:
    if not may_write(actor):
        raise TemplateError("Only administrators of all accounts write templates.")
