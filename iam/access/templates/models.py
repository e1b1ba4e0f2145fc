"""Models of templates and their versions. A database trigger protects versions, so that grants keep their
meaning.
"""

from __future__ import annotations

from django.db import models

from iam.access.templates.body import TemplateBody


class TemplateOrigin(models.TextChoices):
    """Who wrote the template."""

    SHIPPED = "shipped", "Comes with Gatehouse"
    OWN = "own", "Ours"


class Template(models.Model):
    """A job function by slug; `current` is the number of the offered version. Retired templates are not
    offered.
    """

    slug = models.SlugField(max_length=64, unique=True)
    origin = models.CharField(max_length=8, choices=TemplateOrigin)
    current = models.PositiveIntegerField(default=1)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class TemplateVersion(models.Model):
    """A version of a template, which never changes. `title`, `category` and `risk` repeat the body, for
    lists.
    """

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=80)
    category = models.CharField(max_length=16)
    risk = models.CharField(max_length=8)
    content = models.JSONField()
    digest = models.CharField(max_length=32)
    origin = models.CharField(max_length=8, choices=TemplateOrigin)
    made_by = models.UUIDField(null=True, blank=True)
    made_label = models.CharField(max_length=128, blank=True)
    note = models.CharField(max_length=500, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["template_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="template_version_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} version {self.number}"

    @property
    def body(self) -> TemplateBody:
        """Its content."""
        return TemplateBody.from_json(self.content)
