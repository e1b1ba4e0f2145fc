"""Finds AWS actions and services: an action leads to who can use it, a service to who has access."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from console.search.results import FirstResults, SearchResult
from iam.access.actions import action_names
from iam.guard import Viewer
from iam.policy.catalogue import catalogue

ACTIONS, SERVICES = 6, 4
COMMON = (
    "s3",
    "iam",
    "sts",
    "ec2",
    "kms",
    "lambda",
    "dynamodb",
    "secretsmanager",
    "sqs",
    "sns",
    "rds",
    "logs",
    "ecr",
    "eks",
)
"""If several services have an action of the same name, these services come first."""
LOOKED_THROUGH = 100_000
"""Larger than the number of actions, so that all matches are counted."""
SHORTEST_NAME = 4
"""Minimum length of an action name without service; shorter texts match hundreds."""


def action_results(viewer: Viewer, text: str) -> FirstResults:
    """Return the actions for `s3:Put`, or for `putobject` alone, each as a “Who can” question."""
    typed = text.strip()
    is_action = ":" in typed or (len(typed) >= SHORTEST_NAME and typed.isalpha())
    if not viewer.sees_accounts or not is_action or " " in typed or typed.lower().startswith("arn:"):
        return FirstResults([], 0)
    names = [name for name in action_names(typed, size=LOOKED_THROUGH) if ":" in name]
    results = [
        SearchResult(
            title=f"Who can {name}",
            url=f"{reverse('access:who-can')}?{urlencode({'action': name})}",
            icon="waypoints",
            kind="Action",
            detail=catalogue().title(name.partition(":")[0]),
        )
        for name in sorted(names, key=lambda name: _closeness(name, typed.lower()))[:ACTIONS]
    ]
    return FirstResults(results, len(names))


def _closeness(action: str, typed: str) -> tuple[bool, bool, int]:
    """Sort key: exact name first, then prefix, then common services."""
    service, _, name = action.lower().partition(":")
    wanted = typed.partition(":")[2] if ":" in typed else typed
    common = COMMON.index(service) if service in COMMON else len(COMMON)
    return name != wanted, not name.startswith(wanted), common


def service_results(viewer: Viewer, text: str) -> FirstResults:
    """Return services by prefix or a part of their title."""
    typed = text.strip().lower().removesuffix(":")
    if not viewer.sees_accounts or len(typed) < 2:
        return FirstResults([], 0)
    known = catalogue()
    exact = [prefix for prefix in known.prefixes if prefix == typed]
    others = [prefix for prefix in known.prefixes if prefix.startswith(typed) and prefix not in exact]
    titled = [prefix for prefix in known.prefixes if typed in known.title(prefix).lower()]
    prefixes = list(dict.fromkeys([*exact, *others, *titled]))
    results = [
        SearchResult(
            title=known.title(prefix),
            url=reverse("access:service", args=[prefix]),
            icon="boxes",
            kind="AWS service",
            detail=prefix,
        )
        for prefix in prefixes[:SERVICES]
    ]
    return FirstResults(results, len(prefixes))
