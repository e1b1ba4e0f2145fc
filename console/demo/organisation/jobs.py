"""Helpers for a job function: a team's policy and group."""

from __future__ import annotations

from console.demo.organisation.specs import Document, GroupSpec, PolicySpec
from console.demo.standin.ids import digest

LOGS_READ = ("logs:StartQuery", "logs:GetQueryResults", "logs:FilterLogEvents", "logs:DescribeLogGroups")
METRICS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:DescribeAlarms")


def job_policy(name: str, why: str, team: str, *documents: Document, first: int = 1) -> PolicySpec:
    """Return a job policy whose versions were created one after the other, the last some weeks ago."""
    oldest = 420 + int(digest("job", name)[:4], 16) % 600
    latest = 15 + int(digest("latest", name)[:4], 16) % 120
    step_count = max(1, len(documents) - 1)
    versions = []
    for index, document in enumerate(documents):
        age = oldest - (oldest - latest) * index // step_count
        versions.append((document, age))
    tags = {"Team": team, "Owner": f"{team}@northline.example", "ManagedBy": "terraform"}
    return PolicySpec(name, tuple(versions), "/jobs/", why, tags, first)


def job_group(
    name: str, age: float, *policies: str, path: str = "/teams/", inline: dict[str, Document] | None = None
) -> GroupSpec:
    """Return a group with these managed policies."""
    return GroupSpec(name=name, path=path, age=age, policies=policies, inline=inline or {})
