"""Stream GetAccountAuthorizationDetails page by page, decoding only the members whose bytes have changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from xml.sax.saxutils import unescape

from iam.aws.errors import map_errors
from iam.aws.raw import malformed, raw_answer
from iam.aws.reads.decode import decode, fields_of, last_used_of, moment
from iam.aws.records import LastUsed, Record
from iam.aws.session import Aws

ACTION = "iam:GetAccountAuthorizationDetails"
KINDS = (
    ("user", b"UserDetailList", b"User"),
    ("group", b"GroupDetailList", b"Group"),
    ("role", b"RoleDetailList", b"Role"),
    ("policy", b"Policies", b"Policy"),
)
_TAGS = tuple(tag for _, tag, _ in KINDS)
Known = Callable[[str, str], bytes | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One entity of a page. `record` is None when its bytes are those that the caller knows by `digest`.

    The digest covers all that AWS says but when a role was last used, which is in `last_used` (None: not a
    role, or not used as far back as AWS looks). Equal digests mean equal facts; different ones may be a mere
    change of order.
    """

    kind: str
    aws_id: str
    name: str
    arn: str
    digest: bytes
    record: Record | None
    last_used: LastUsed | None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its entities, its number from 1 on, and whether it was the last."""

    items: list[Item]
    number: int
    is_last: bool
    size: int


def stream_authorization(
    aws: Aws, *, page_size: int = 1000, known: Known = lambda kind, aws_id: None
) -> Iterator[Page]:
    """All users, groups, roles and managed policies (customer's, and the attached ones of AWS), a page at a
    time.

    `known(kind, aws_id)` gives the digest of what the caller already has, or None. Only one page is held at a
    time. Raises AwsError when a page cannot be read whole or speaks of another account; then the walk has not
    ended.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    marker: str | None = None
    number = 0
    prefix = f"arn:{aws.access.partition}:iam::{aws.access.account_id}:"
    while True:
        number += 1
        page, following = _read_page(
            aws, page_size=page_size, marker=marker, number=number, known=known, prefix=prefix
        )
        if following is not None and following == marker:
            raise malformed(ACTION, "the same marker came twice")
        yield page
        if following is None:
            return
        marker = following


def _read_page(
    aws: Aws, *, page_size: int, marker: str | None, number: int, known: Known, prefix: str
) -> tuple[Page, str | None]:
    parameters = {"MaxItems": page_size, **({"Marker": marker} if marker else {})}
    with raw_answer(ACTION, tags=_TAGS) as answer, map_errors(ACTION):
        envelope = aws.iam.get_account_authorization_details(**parameters)
    if "IsTruncated" not in envelope or (envelope["IsTruncated"] and not envelope.get("Marker")):
        raise malformed(ACTION, "it does not say whether there is more")
    items: list[Item] = []
    size = 0
    for kind, tag, element in KINDS:
        for fragment in answer.members(tag):
            size += len(fragment)
            items.append(_item(kind, element, fragment, known=known, prefix=prefix))
    following = envelope["Marker"] if envelope["IsTruncated"] else None
    return Page(items=items, number=number, is_last=following is None, size=size), following


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


def _item(kind: str, element: bytes, fragment: bytes, *, known: Known, prefix: str) -> Item:
    last_used = None
    stable = fragment
    head = fragment
    if kind == "role":
        stable, last_used = _cut_last_used(fragment)
        head = _PROFILES.sub(b"", fragment)
    aws_id, name, arn = (_found(pattern, head, kind) for pattern in _IDENTITY[element])
    if not arn.startswith(prefix) and not (kind == "policy" and arn.split(":", 5)[4:5] == ["aws"]):
        raise malformed(ACTION, f"{arn} does not belong to the account that was asked for")
    digest = blake2b(stable, digest_size=16).digest()
    record = None if known(kind, aws_id) == digest else decode(kind, fragment, action=ACTION)
    return Item(kind, aws_id, name, arn, digest, record, last_used)


def _cut_last_used(fragment: bytes) -> tuple[bytes, LastUsed | None]:
    """A role's bytes without its last use, and the last use."""
    found = _LAST_USED.findall(fragment)
    if not found:
        return fragment, None
    stable = _LAST_USED.sub(b"", fragment)
    if len(found) > 1:
        return stable, last_used_of(fields_of(fragment, action=ACTION))
    at, region = _USED_AT.search(found[0]), _USED_IN.search(found[0])
    return stable, LastUsed(moment(at[1].decode()), region[1].decode() if region else None) if at else None


def _found(pattern: re.Pattern[bytes], fragment: bytes, kind: str) -> str:
    found = pattern.search(fragment)
    if found is None:
        raise malformed(ACTION, f"a {kind} lacks its id, name or ARN")
    value = found[1].decode()
    return unescape(value, {"&quot;": '"', "&apos;": "'"}) if "&" in value else value
