"""Whether an action can work on a resource that a statement names: `iam:*` on the ARN of a bucket allows
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
"""A resource of a service of which no pattern can know more than that it is one."""


def can_apply(action: str, resources: Collection[str] | None, *, is_not: bool = False) -> bool:
    """True if one of the Resource (or NotResource) patterns can be a resource that the action works on.

    Without a Resource element, and for exceptions, the answer is True unless nothing is left. Of an action
    that AWS doesn't list, only the service of the ARN is compared. Policy variables can stand for anything.
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
    """True if the resources are not those of named services only."""
    if resources is None:
        return True
    if is_not:
        return EVERY not in resources
    return any(_can_be(resource, [OTHER_SERVICE]) for resource in resources)


def _can_be(resource: str, formats: Collection[str]) -> bool:
    # Actions that take no resource are met by `*` alone. An ARN that lacks segments is completed by AWS: the
    # rest may be anything.
    if not resource.strip("*?"):
        return True
    written = f"{resource}:*" if is_incomplete(resource) else resource
    return any(can_mean(written, arn, has_variables=True) for arn in formats)
