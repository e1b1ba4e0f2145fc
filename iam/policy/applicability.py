"""Tests whether an action applies to the resources of a statement: `iam:*` on the ARN of a bucket allows
nothing.

Source: "Actions, resources, and condition keys for AWS services", the column Resource types.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from iam.policy.arns import is_incomplete
from iam.policy.catalogue import catalogue
from iam.policy.lint.overlaps import can_mean

EVERY: Final = "*"
OTHER_SERVICE: Final = "arn:${Partition}:any-service:${Region}:${Account}:${Resource}"
"""The ARN format of a resource in an unspecified service."""


def can_apply(action: str, resources: Collection[str] | None, *, is_not: bool = False) -> bool:
    """Return True if a Resource (or NotResource) pattern can match a resource of a type that the action
    supports.

    Without a Resource element the answer is True; with NotResource it is True unless `*` is excluded. For an
    action that AWS doesn't list, only the service in the ARN is compared. Policy variables can have any
    value.
    """
    if resources is None:
        return True
    if is_not:
        return EVERY not in resources
    known = catalogue().action(action)
    formats = [f"arn:${{Partition}}:{action.partition(':')[0]}:${{Region}}:${{Account}}:${{Resource}}"]
    if known is None:
        formats.append(formats[0].replace("${Region}", ""))
    else:
        formats = [resource_type.arn for resource_type in known.resource_types]
    return any(_can_be(resource, formats) for resource in resources)


def can_be_of_any_service(resources: Collection[str] | None, *, is_not: bool = False) -> bool:
    """Return True if the resources are not limited to specific services."""
    if resources is None:
        return True
    if is_not:
        return EVERY not in resources
    return any(_can_be(resource, [OTHER_SERVICE]) for resource in resources)


def _can_be(resource: str, formats: Collection[str]) -> bool:
    # Only `*` matches actions without resource types. AWS completes an ARN that lacks segments, so the rest
    # can be anything.
    if not resource.strip("*?"):
        return True
    written = f"{resource}:*" if is_incomplete(resource) else resource
    return any(can_mean(written, arn, has_variables=True) for arn in formats)
