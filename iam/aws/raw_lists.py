"""Extract the list members of a response as raw bytes without botocore's slow parser. botocore does the rest
of the call.

Only calls inside `raw_answer` work this way; every other call of the same client is standard botocore.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from iam.aws.errors import AwsError, ErrorKind

MALFORMED = "MalformedAnswer"
"""The code of the AwsError for a response that could not be read completely."""
BROKEN_OFF = "IncompleteAnswer"
"""The code of the AwsError for a response that was cut off by a lost connection."""
_MEMBER_TAG = re.compile(rb"<(/?)member>")
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([^"']+)["']""")


@dataclass
class RawAnswer:
    """The extracted lists: tag name → the bytes of each `<member>…</member>` in order."""

    tags: tuple[bytes, ...]
    action: str
    lists: dict[bytes, list[bytes]] | None = field(default=None)

    def taken(self, envelope: dict[str, Any]) -> dict[bytes, list[bytes]]:
        """Return the lists. AwsError if the handler got no body, or if botocore parsed one of the lists."""
        if self.lists is None:
            raise malformed(self.action, "no answer body was seen")
        for tag in self.tags:
            if envelope.get(tag.decode()):
                raise malformed(self.action, f"the list {tag.decode()} is not written as AWS writes it")
        return self.lists


_wanted: ContextVar[RawAnswer | None] = ContextVar("raw_answer", default=None)


@contextmanager
def raw_answer(action: str, *, tags: tuple[bytes, ...]) -> Iterator[RawAnswer]:
    """Inside the block, store the lists named `tags` of one call of `action` in the yielded RawAnswer."""
    answer = RawAnswer(tags=tags, action=action)
    token = _wanted.set(answer)
    try:
        yield answer
    finally:
        _wanted.reset(token)


def install(client: Any) -> None:
    """Register the handlers on a client: one refuses incomplete responses, the other extracts the requested
    lists of IAM.
    """
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-parse.{service}", _refuse_broken_off)
    client.meta.events.register(f"before-parse.{service}", _take_lists)


def _refuse_broken_off(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Raise AwsError for an incomplete response. botocore does not compare a body with its Content-Length, so
    a lost connection would look like a short response.
    """
    length, body = response_dict["headers"].get("content-length"), response_dict["body"]
    if length is None or not isinstance(body, bytes) or len(body) >= int(length):
        return
    raise AwsError(
        f"The connection broke off after {len(body)} of {length} bytes.",
        kind=ErrorKind.UNAVAILABLE,
        action=f"{operation_model.service_model.service_name}:{operation_model.name}",
        code=BROKEN_OFF,
    )


def _take_lists(response_dict: dict[str, Any], **_: Any) -> None:
    answer = _wanted.get()
    if answer is None or response_dict["status_code"] != 200:
        return
    response_dict["body"], answer.lists = cut_lists(
        response_dict["body"], tags=answer.tags, action=answer.action
    )


def cut_lists(body: bytes, *, tags: tuple[bytes, ...], action: str) -> tuple[bytes, dict[bytes, list[bytes]]]:
    """Split an IAM response into an envelope without the lists and the members of each list.

    A list that is missing in the response is empty. Anything that IAM does not send (an unclosed element,
    text between members, a comment or CDATA section, another encoding) raises AwsError, so that no page is
    read incompletely.
    """
    name = action.partition(":")[2].encode()
    if not body.rstrip().endswith(b"</%sResponse>" % name):
        raise malformed(action, f"the answer of {len(body)} bytes does not end with its closing tag")
    if b"<!" in body:
        raise malformed(action, "the answer has a comment, a CDATA section or a document type")
    encoding = _ENCODING.match(body)
    if encoding and encoding[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise malformed(action, f"the answer is encoded as {encoding[1].decode('ascii', 'replace')}")
    lists: dict[bytes, list[bytes]] = {}
    spans: list[tuple[int, int]] = []
    for tag in tags:
        start, end = _span(body, tag=tag, action=action)
        lists[tag] = split_members(body, start=start, end=end, action=action)
        spans.append((start, end))
    return _without(body, spans=spans, action=action), lists


def _span(body: bytes, *, tag: bytes, action: str) -> tuple[int, int]:
    """Return the start and end positions of the text between a list's tags. The span is empty if the list is
    missing.
    """
    opening, closing = b"<%s>" % tag, b"</%s>" % tag
    start = body.find(opening)
    end = body.find(closing)
    if start < 0 and end < 0:
        return 0, 0
    if start < 0 or end < start:
        raise malformed(action, f"the list {tag.decode()} is not closed")
    start += len(opening)
    if body.find(opening, start) >= 0 or body.find(closing, end + 1) >= 0:
        raise malformed(action, f"the list {tag.decode()} is there more than once")
    return start, end


def split_members(body: bytes, *, start: int, end: int, action: str) -> list[bytes]:
    """Return the outermost `<member>…</member>` fragments between two positions. Nested members stay inside
    them.
    """
    members: list[bytes] = []
    depth, begin, last = 0, start, start
    for tag in _MEMBER_TAG.finditer(body, start, end):
        if tag[1]:
            depth -= 1
            if depth == 0:
                last = tag.end()
                members.append(body[begin:last])
            elif depth < 0:
                raise malformed(action, "a list member ends that did not begin")
        else:
            if depth == 0:
                begin = tag.start()
                if begin != last and body[last:begin].strip():
                    raise malformed(action, "there is something between two list members")
            depth += 1
    if depth:
        raise malformed(action, "a list member is not closed")
    if end != last and body[last:end].strip():
        raise malformed(action, "there is something after the last list member")
    return members


def _without(body: bytes, *, spans: list[tuple[int, int]], action: str) -> bytes:
    pieces, at = [], 0
    for start, end in sorted(span for span in spans if span[1]):
        if start < at:
            raise malformed(action, "one list is inside of another")
        pieces.append(body[at:start])
        at = end
    pieces.append(body[at:])
    return b"".join(pieces)


def malformed(action: str, why: str) -> AwsError:
    """Return the error for a response that AWS never sends. It is retryable, because the next response can be
    complete.
    """
    return AwsError(
        f"The answer could not be read: {why}.",
        kind=ErrorKind.UNEXPECTED,
        action=action,
        code=MALFORMED,
        is_retryable=True,
    )
