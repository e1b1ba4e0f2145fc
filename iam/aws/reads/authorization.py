"""Read GetAccountAuthorizationDetails page by page and decode only the members with changed bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from xml.sax.saxutils import unescape

from iam.aws.raw_lists import malformed
from iam.aws.reads.decode import decode, fields_of, last_used_of, moment
from iam.aws.reads.pages import raw_pages
from iam.aws.records import LastUsed, Record
from iam.aws.session import Aws

OPERATION = "GetAccountAuthorizationDetails"
ACTION = f"iam:{OPERATION}"
KINDS = (
    ("user", "UserDetailList", b"User"),
    ("group", "GroupDetailList", b"Group"),
    ("role", "RoleDetailList", b"Role"),
    ("policy", "Policies", b"Policy"),
)
_TAGS = tuple(tag for _, tag, _ in KINDS)
Known = Callable[[str, str], bytes | None]


@dataclass(frozen=True, slots=True)
class AuthorizationItem:
    """An entity of a page. `record` is None if the caller already knows its `digest`.

    The digest covers all fields except the last use of a role, which is in `last_used` (None if it is not a
    role or was not used in AWS's tracking period). Equal digests mean equal data; different digests can be
    caused by a change of order alone.
    """

    kind: str
    aws_id: str
    name: str
    arn: str
    digest: bytes
    record: Record | None
    last_used: LastUsed | None


@dataclass(frozen=True, slots=True)
class AuthorizationPage:
    """A response: its entities, its number from 1 up, whether it is the last, and the size of its entities in
    bytes.
    """

    items: list[AuthorizationItem]
    number: int
    is_last: bool
    size: int


def stream_authorization(
    aws: Aws, *, page_size: int = 1000, known: Known = lambda kind, aws_id: None
) -> Iterator[AuthorizationPage]:
    """Yield all users, groups, roles and managed policies (customer managed, and attached AWS managed) page
    by page.

    `known(kind, aws_id)` returns the digest of the caller's copy, or None. Only one page is in memory at a
    time. AwsError if a page is incomplete or contains data of another account; the read is then incomplete.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    prefix = f"arn:{aws.access.partition}:iam::{aws.access.account_id}:"
    pages = raw_pages(aws, OPERATION, tags=_TAGS, page_size=page_size, always_paged=True)
    for number, (lists, is_last) in enumerate(pages, start=1):
        yield _page(lists, number=number, is_last=is_last, known=known, prefix=prefix)


def _page(
    lists: dict[str, list[bytes]], *, number: int, is_last: bool, known: Known, prefix: str
) -> AuthorizationPage:
    items: list[AuthorizationItem] = []
    for kind, tag, element in KINDS:
        items += [_item(kind, element, fragment, known=known, prefix=prefix) for fragment in lists[tag]]
    size = sum(map(len, chain.from_iterable(lists.values())))
    return AuthorizationPage(items=items, number=number, is_last=is_last, size=size)


_IDENTITY = {
    element: tuple(
        re.compile(rb"<%s>([^<]+)</%s>" % (tag, tag)) for tag in (element + b"Id", element + b"Name", b"Arn")
    )
    for _, _, element in KINDS
}
_PROFILES = re.compile(rb"<InstanceProfileList>.*</InstanceProfileList>", re.DOTALL)
_LAST_USED = re.compile(rb"<RoleLastUsed>.*?</RoleLastUsed>|<RoleLastUsed/>", re.DOTALL)
_USED_AT = re.compile(rb"<LastUsedDate>([^<]+)</LastUsedDate>")
_USED_IN = re.compile(rb"<Region>([^<]+)</Region>")


def _item(kind: str, element: bytes, fragment: bytes, *, known: Known, prefix: str) -> AuthorizationItem:
    last_used = None
    stable = fragment
    head = fragment
    if kind == "role":
        stable, last_used = _cut_last_used(fragment)
        head = _PROFILES.sub(b"", fragment)
    aws_id, name, arn = (_found(pattern, head, kind) for pattern in _IDENTITY[element])
    if not arn.startswith(prefix) and not (kind == "policy" and arn.split(":", 5)[4:5] == ["aws"]):
        raise malformed(ACTION, f"{arn} doesn’t belong to the expected account")
    digest = blake2b(stable, digest_size=16).digest()
    record = None if known(kind, aws_id) == digest else decode(kind, fragment, action=ACTION)
    return AuthorizationItem(kind, aws_id, name, arn, digest, record, last_used)


def _cut_last_used(fragment: bytes) -> tuple[bytes, LastUsed | None]:
    """Return the bytes of a role without its last use, and the last use."""
    matches = _LAST_USED.findall(fragment)
    if not matches:
        return fragment, None
    stable = _LAST_USED.sub(b"", fragment)
    if len(matches) > 1:
        return stable, last_used_of(fields_of(fragment, action=ACTION))
    at, used_in = _USED_AT.search(matches[0]), _USED_IN.search(matches[0])
    if at is None:
        return stable, None
    used_at = moment(at[1].decode())
    region = used_in[1].decode() if used_in else None
    return stable, LastUsed(used_at, region)


def _found(pattern: re.Pattern[bytes], fragment: bytes, kind: str) -> str:
    match = pattern.search(fragment)
    if match is None:
        raise malformed(ACTION, f"a {kind} lacks its id, name or ARN")
    value = match[1].decode()
    return unescape(value, {"&quot;": '"', "&apos;": "'"}) if "&" in value else value
