"""Loads the templates shipped with Gatehouse into the database without changing what people wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from iam.access.templates.body import TemplateBody

FOLDER: Final = "shipped"


@cache
def shipped() -> dict[str, TemplateBody]:
    """The shipped templates by slug, sorted."""
    bodies = {}
    for file in sorted(files(__package__).joinpath(FOLDER).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            bodies[file.name.removesuffix(".json")] = TemplateBody.from_json(
                json.loads(file.read_text(encoding="utf-8"))
            )
    return bodies


def ship(templates: type[Any], versions: type[Any]) -> int:
    """Add shipped versions that are missing, and return their number. Idempotent.

    The models are parameters, so that a migration can pass its historical ones. A newer text becomes the
    offered version, unless people have written a version: then theirs stays offered.
    """
    added = 0
    for slug, body in shipped().items():
        template, _ = templates.objects.get_or_create(slug=slug, defaults={"origin": "shipped"})
        standing = {version.number: version for version in versions.objects.filter(template=template)}
        if any(version.digest == body.digest for version in standing.values()):
            continue
        number = max(standing, default=0) + 1
        versions.objects.create(**_row(body), template=template, number=number)
        added += 1
        offered = standing.get(template.current)
        if offered is None or offered.origin == "shipped":
            templates.objects.filter(pk=template.pk).update(current=number)
    return added


def _row(body: TemplateBody) -> dict[str, Any]:
    return {
        "title": body.title,
        "category": body.category,
        "risk": body.risk,
        "content": body.json,
        "digest": body.digest,
        "origin": "shipped",
        "made_label": "Gatehouse",
        "note": "Comes with Gatehouse",
        "made_at": datetime.now(tz=UTC),
    }
