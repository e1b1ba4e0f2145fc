"""The image of a managed policy as a whole, and what two policies share that say the same."""

from __future__ import annotations

from collections.abc import Mapping

from iam.aws.reads.policies import number_of
from iam.changes.operations.base import Image
from iam.changes.operations.policy_version import meaning
from iam.mirror.pull.transform.principals import document_digest


def policy_image(
    *, path: str, description: str, tags: Mapping[str, str], versions: Mapping[str, str], default: str
) -> Image:
    """A policy that there is: its versions' ids, meanings and the keys of their texts, the oldest first."""
    ids = sorted(versions, key=number_of)
    return {
        "exists": True,
        "path": path,
        "description": description,
        "tags": dict(tags),
        "versions": ids,
        "documents": [meaning(versions[one]) for one in ids],
        "texts": [document_digest(versions[one]) for one in ids],
        "default": default,
    }


def told(image: Image) -> Image:
    """What two policies share that say the same: without the numbers of versions and the layout of texts."""
    told = {key: value for key, value in image.items() if key not in ("versions", "texts", "default")}
    if image.get("exists"):
        told["default"] = image["versions"].index(image["default"]) if image["default"] else None
    return told
