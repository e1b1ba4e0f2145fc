"""Iterate over the pages of a list call: as raw members for long lists, otherwise as botocore's parsed
responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from iam.aws.calls import build_all, invoke, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.raw_lists import malformed, raw_answer
from iam.aws.session import Aws

T = TypeVar("T")


def read_one(aws: Aws, operation: str, *, key: str | None = None, **parameters: Any) -> Any:
    """Return the response of one IAM call, or the field `key` of it."""
    answer = invoke(aws.iam, operation, parameters)
    return answer if key is None else part(answer, key, action=f"iam:{operation}")


def each(aws: Aws, names: Iterable[str], read: Callable[[str], T]) -> Iterator[tuple[str, T]]:
    """Yield (name, result of `read`) for each name, without entities that were deleted after the listing."""
    with parallel_reads(aws) as ask:
        for name, answer in [(name, ask(partial(read, name))) for name in names]:
            try:
                yield name, answer()
            except AwsError as error:
                if error.kind is not ErrorKind.NOT_FOUND:
                    raise


def read_all(
    aws: Aws, operation: str, *, key: str, build: Callable[[Any], T], **parameters: Any
) -> tuple[T, ...]:
    """Return the result of `build` for each member of all pages of an IAM list call, as botocore
    parses them.
    """
    return build_all(members(aws, operation, key=key, **parameters), build, action=f"iam:{operation}")


def members(aws: Aws, operation: str, *, key: str, **parameters: Any) -> Iterator[Any]:
    """Yield the members of all pages of an IAM list call."""
    action = f"iam:{operation}"
    marker: str | None = None
    while True:
        answer = invoke(aws.iam, operation, {**parameters, **({"Marker": marker} if marker else {})})
        items = part(answer, key, action=action)
        following = next_marker(answer, marker=marker, action=action)
        yield from items
        if following is None:
            return
        marker = following


def raw_pages(
    aws: Aws, operation: str, *, tags: tuple[str, ...], page_size: int = 1000, always_paged: bool = False
) -> Iterator[tuple[dict[str, list[bytes]], bool]]:
    """Yield ({list name: its `<member>` fragments}, whether it is the last page) for each page of an IAM list
    call.

    AwsError if a page is incomplete, or if the call is `always_paged` and a page does not state whether it is
    the last.
    """
    action = f"iam:{operation}"
    names = tuple(tag.encode() for tag in tags)
    marker: str | None = None
    while True:
        parameters: dict[str, Any] = {"MaxItems": page_size, **({"Marker": marker} if marker else {})}
        with raw_answer(action, tags=names) as answer:
            envelope = invoke(aws.iam, operation, parameters)
        lists = answer.taken(envelope)
        if always_paged and "IsTruncated" not in envelope:
            raise malformed(action, "it does not say whether there is more")
        following = next_marker(envelope, marker=marker, action=action)
        yield {name.decode(): lists.pop(name) for name in names}, following is None
        if following is None:
            return
        marker = following


def next_marker(envelope: dict[str, Any], *, marker: str | None, action: str) -> str | None:
    """Return the marker of the next page, or None at the end. AwsError if the response is ambiguous.

    Lists without pages, such as those of the providers, do not state whether there is more.
    ListDelegationRequests spells the field `isTruncated`.
    """
    following: str = envelope.get("Marker", "")
    if not envelope.get("IsTruncated", envelope.get("isTruncated", bool(following))):
        return None
    if not following or following == marker:
        raise malformed(action, "it says that there is more, but not where")
    return following


def token_pages(
    client: Any, operation: str, *, key: str, paged_by: str = "NextToken", **parameters: Any
) -> Iterator[Any]:
    """Yield the members of all pages of a call that pages by NextToken (Organizations, EC2) or nextToken
    (EKS).
    """
    action = f"{client.meta.service_model.service_name}:{operation}"
    token: str | None = None
    while True:
        answer = invoke(client, operation, {**parameters, **({paged_by: token} if token else {})})
        yield from part(answer, key, action=action)
        following = answer.get(paged_by)
        if not following:
            return
        if following == token:
            raise malformed(action, "the same token came twice")
        token = following
