"""Walk the pages of a list call: raw members where the list is long, botocore's own answers elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from iam.aws.errors import map_errors
from iam.aws.raw import malformed, raw_answer
from iam.aws.session import Aws

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def raw_pages(aws: Aws, *, operation: str, tag: str, page_size: int = 1000) -> Iterator[list[bytes]]:
    """The `<member>` fragments of an IAM list call, a page at a time; AwsError when a page is not whole."""
    action, name = f"iam:{operation}", tag.encode()
    marker: str | None = None
    while True:
        parameters: dict[str, Any] = {"MaxItems": page_size, **({"Marker": marker} if marker else {})}
        with raw_answer(action, tags=(name,)) as answer, map_errors(action):
            envelope = method(aws.iam, operation)(**parameters)
        following = next_marker(envelope, marker=marker, action=action)
        yield answer.members(name)
        if following is None:
            return
        marker = following


def next_marker(envelope: dict[str, Any], *, marker: str | None, action: str) -> str | None:
    """The marker of the page after this one, or None at the end; AwsError when the answer leaves it open."""
    if "IsTruncated" not in envelope:
        raise malformed(action, "it does not say whether there is more")
    if not envelope["IsTruncated"]:
        return None
    following: str = envelope.get("Marker", "")
    if not following or following == marker:
        raise malformed(action, "it says that there is more, but not where")
    return following


def members(aws: Aws, *, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
    """The members of all pages of an IAM list call, as botocore parses them."""
    action = f"iam:{operation}"
    marker: str | None = None
    while True:
        with map_errors(action):
            answer = method(aws.iam, operation)(**parameters, **({"Marker": marker} if marker else {}))
        yield from answer.get(key, ())
        if not answer.get("IsTruncated"):
            return
        marker = next_marker(answer, marker=marker, action=action)


def one(aws: Aws, *, operation: str, **parameters: Any) -> dict[str, Any]:
    """The answer of one IAM call."""
    with map_errors(f"iam:{operation}"):
        answer: dict[str, Any] = method(aws.iam, operation)(**parameters)
    return answer


def method(client: Any, operation: str) -> Any:
    """The client's method for an operation as AWS names it ("ListMFADevices")."""
    return getattr(client, client_method_name(client, operation))


def client_method_name(client: Any, operation: str) -> str:
    """botocore's own Python name of an operation."""
    for python_name, aws_name in client.meta.method_to_api_mapping.items():
        if aws_name == operation:
            return str(python_name)
    raise ValueError(f"{client.meta.service_model.service_name} has no operation {operation!r}.")
