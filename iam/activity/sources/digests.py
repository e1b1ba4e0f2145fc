"""Digest files."""

from __future__ import annotations

from iam.activity.sources.bucket import RunBudget
from iam.activity.sources.models import TrailSource
from iam.aws.session import Aws


def read_digests(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    """Verify the new digest files of a bucket."""
