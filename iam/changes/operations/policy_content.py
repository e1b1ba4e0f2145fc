"""Compares policies regardless of the layout of their JSON, and makes the image of a whole managed policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from django.db.models import QuerySet

from iam.aws.reads.policies import number_of
from iam.changes.operations.base import Image
from iam.mirror.models import Entity, PolicyVersion, valid_at
from iam.mirror.pull.transform.principals import document_digest
from iam.policy.lint import MANAGED

MAX_VERSIONS: Final = 5
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def versions_of(policy: Entity | None, **which: Any) -> QuerySet[PolicyVersion]:
    """The current versions of a policy in the mirror."""
    return PolicyVersion.objects.filter(valid_at(None), policy=policy, **which)


def document_meaning(text: str) -> str:
    """A digest that is the same for all layouts of the same JSON."""
    try:
        body = json.loads(text)
        normalized = json.dumps(body, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        normalized = text
    return blake2b(normalized.encode(), digest_size=16).hexdigest()


def managed_text_problem(text: str) -> str:
    """Return a problem of a managed policy that AWS's service model doesn't find, or "". The model doesn't
    check JSON, and it counts white space, which the quota does not.
    """
    size = MANAGED.size(text)
    if size > MANAGED.limit:
        return f"The policy has {size:,} characters without whitespace. The limit is {MANAGED.limit:,}."
    return "" if is_json_object(text) else "The text isn’t a JSON object."


def is_json_object(text: str) -> bool:
    """True if the text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def policy_image(policy: Any, *, versions: Mapping[str, str], default: str) -> Image:
    """The image of an existing policy: path, description, tags, and its versions' IDs, meanings and text
    digests, the oldest first.
    """
    ids = sorted(versions, key=number_of)
    return {
        "exists": True,
        "path": policy.path,
        "description": policy.description or "",
        "tags": dict(policy.tags or {}),
        "versions": ids,
        "documents": [document_meaning(versions[version_id]) for version_id in ids],
        "texts": [document_digest(versions[version_id]) for version_id in ids],
        "default": default,
    }


def comparable(image: Image) -> Image:
    """The image without version numbers and layout: it is equal for policies with equal content."""
    common = {key: value for key, value in image.items() if key not in ("versions", "texts", "default")}
    if image.get("exists"):
        common["default"] = image["versions"].index(image["default"]) if image["default"] else None
    return common
