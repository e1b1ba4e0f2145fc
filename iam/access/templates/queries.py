"""Finds templates, and renders their policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.models import Template, TemplateVersion


@dataclass(frozen=True, slots=True)
class OfferedTemplate:
    """A template with the offered version."""

    template: Template
    version: TemplateVersion

    @property
    def slug(self) -> str:
        """Its short name."""
        return self.template.slug

    @property
    def body(self) -> TemplateBody:
        """What the version says."""
        return body_of(self.version)


def offered_templates(*, with_retired: bool = False) -> list[OfferedTemplate]:
    """All templates with their offered versions, by title. One query."""
    rows = TemplateVersion.objects.filter(number=F("template__current")).select_related("template")
    if not with_retired:
        rows = rows.filter(template__retired_at__isnull=True)
    return [
        OfferedTemplate(version.template, version) for version in rows.order_by("title", "template__slug")
    ]


def offer_of(slug: str, *, number: int | None = None) -> OfferedTemplate | None:
    """One template with the offered version, or the version with this number; None if there is none."""
    rows = TemplateVersion.objects.filter(template__slug=slug).select_related("template")
    rows = rows.filter(number=F("template__current")) if number is None else rows.filter(number=number)
    version = rows.first()
    return OfferedTemplate(version.template, version) if version else None


def bodies_of(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], TemplateBody]:
    """The contents of versions by slug and number. One query; none without input."""
    pairs = {(slug, number) for slug, number in wanted if slug}
    if not pairs:
        return {}
    slugs = {slug for slug, _ in pairs}
    numbers = {number for _, number in pairs}
    versions = TemplateVersion.objects.filter(template__slug__in=slugs, number__in=numbers)
    bodies = {}
    for version in versions.select_related("template"):
        bodies[version.template.slug, version.number] = body_of(version)
    return bodies


def versions_of(template: Template) -> list[TemplateVersion]:
    """All versions, newest first."""
    return list(TemplateVersion.objects.filter(template=template).order_by("-number"))


def document_for(
    slug: str, *, version: int, parameters: Mapping[str, str], account_id: str, partition: str = "aws"
) -> dict[str, Any]:
    """The policy document of a version for these parameters in an account. Raises TemplateError."""
    offer = offer_of(slug, number=version)
    if offer is None:
        raise TemplateError(f"The template {slug[:64]} has no version {version}.")
    return offer.body.render(parameters, account_id=account_id, partition=partition)


def body_of(version: TemplateVersion) -> TemplateBody:
    """The content of a version, cached by digest because lists need all of them."""
    return _BODIES.get(version.digest) or _keep(version)


_BODIES: dict[str, TemplateBody] = {}
_MAX_BODIES = 512


def _keep(version: TemplateVersion) -> TemplateBody:
    if len(_BODIES) >= _MAX_BODIES:
        _BODIES.clear()
    return _BODIES.setdefault(version.digest, version.body)
