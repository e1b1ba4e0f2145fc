"""Read an uploaded `aws iam get-account-authorization-details` file into records.

The file is untrusted: everything in it is checked, and each error names the place in the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, BinaryIO, NoReturn

from iam.aws.export_nodes import ExportError, ExportNode, named_type
from iam.aws.export_shapes import BUILDERS, instance_profiles_of
from iam.aws.reads.authorization import AuthorizationItem
from iam.aws.records import InstanceProfileRecord, LastUsed, RoleRecord

__all__ = ["MAX_BYTES", "AuthorizationExport", "ExportError", "parse_export", "read_export"]

MAX_BYTES = 100_000_000
MAX_ENTITIES = 100_000
"""Several times the highest quotas that an account can have."""
USUAL_LENGTH, MAX_LENGTH = 1 << 16, 1 << 22
_LISTS = {
    "UserDetailList": "user",
    "GroupDetailList": "group",
    "RoleDetailList": "role",
    "Policies": "policy",
}
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}|aws):(user|group|role|policy)(/.*)")
_SPACE = re.compile(r"[ \t\r\n]*")
_COMMAND = "`aws iam get-account-authorization-details --output json > iam.json`"


@dataclass(frozen=True, slots=True)
class AuthorizationExport:
    """The data of an uploaded file about one account, in the same shape as a page-by-page read.

    `profiles` are the instance profiles that contain a role; the file does not describe others. `warnings`
    are sentences about references to entities that the file does not contain.
    """

    account_id: str
    partition: str
    items: tuple[AuthorizationItem, ...]
    profiles: tuple[InstanceProfileRecord, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())


def read_export(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> AuthorizationExport:
    """Read and parse a file, but at most `max_bytes` of it. ExportError if it is larger or invalid."""
    pieces, size = [], 0
    while piece := stream.read(min(1 << 20, max_bytes + 1 - size)):
        size += len(piece)
        if size > max_bytes:
            raise ExportError(
                f"The file is larger than {max_bytes // 1_000_000} MB. Connect an account of this size by a "
                "role."
            )
        pieces.append(piece)
    return parse_export(b"".join(pieces))


def parse_export(content: bytes) -> AuthorizationExport:
    """Parse the content of a file. ExportError with a sentence that says where the error is and how to fix
    it.
    """
    text = _decoded(content)
    items: list[AuthorizationItem] = []
    profiles: list[InstanceProfileRecord] = []
    for name, path, value in _entries(text):
        if len(items) == MAX_ENTITIES:
            raise ExportError(f"The file has more than {MAX_ENTITIES:,} entities, which no account has.")
        node = ExportNode(value, path)
        items.append(_item(_LISTS[name], node))
        if name == "RoleDetailList":
            profiles += instance_profiles_of(node)
    return _EntityChecks(items, profiles).export()


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExportError(f"The file is not text (byte {error.start}). Create it with {_COMMAND}.") from None
    if not text.strip():
        raise ExportError(f"The file is empty. Create it with {_COMMAND}.")
    return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _decoder_message(error: ValueError) -> str:
    """Return the message of a JSON decoder's error, without its hints for programmers."""
    reason: str = getattr(error, "msg", str(error))
    if reason.startswith("Exceeds the limit"):
        return "a number has too many digits"
    return reason.removesuffix(" starting at").removesuffix(" at")


class _Scanner:
    """A scanner of the top level of the file that decodes one list member at a time, to save memory."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def peek(self) -> str:
        """Return the next character that is not white space, or "" at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def expect(self, expected: str) -> None:
        """Skip one character. ExportError if it is not the expected one."""
        if self.peek() != expected:
            raise self.error(f"{expected!r} is expected")
        self._at += 1

    def items(self, opening: str, closing: str) -> Iterator[int]:
        """Yield the position of each item between two brackets. The caller must consume the item."""
        self.expect(opening)
        position = 0
        while position or self.peek() != closing:
            yield position
            position += 1
            if self.peek() == closing:
                break
            self.expect(",")
        self.expect(closing)

    def value(self, path: str) -> Any:
        """Decode the next value. Its text can be at most MAX_LENGTH long, because a small text can be large
        in memory.
        """
        self.peek()
        decoded, length = (
            self._decoded(USUAL_LENGTH, path=path) or self._decoded(MAX_LENGTH, path=path) or (None, 0)
        )
        if not length:
            raise ExportError(f"{path} is longer than anything that AWS keeps of one entity.")
        self._at += length
        return decoded

    def _decoded(self, longest: int, *, path: str) -> tuple[Any, int] | None:
        """Return the value and the length of its text, or None if it does not end within `longest`
        characters.
        """
        piece = self._text[self._at : self._at + longest]
        try:
            return self._decoder.raw_decode(piece)
        except RecursionError:
            raise ExportError(f"{path} is nested too deep.") from None
        except ValueError as error:
            if len(piece) == longest:
                return None
            self._at += getattr(error, "pos", 0)
            raise self.error(_decoder_message(error)) from None

    def error(self, why: str) -> ExportError:
        """Return the error of a file that is not valid JSON at the current position."""
        line = self._text.count("\n", 0, self._at) + 1
        column = self._at - self._text.rfind("\n", 0, self._at)
        if not self._text.rstrip().endswith("}"):
            why = f"{why}. The end of the file is missing"
        return ExportError(
            f"The file isn’t valid, at line {line}, column {column}: {why}. Create it with {_COMMAND}."
        )


def _entries(text: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (list name, JSON path, value) of each entity. ExportError if a list is missing or the file is
    only one page of the answer.
    """
    scanner = _Scanner(text)
    seen: set[str] = set()
    if scanner.peek() != "{":
        raise scanner.error("an object is expected")
    for _ in scanner.items("{", "}"):
        if scanner.peek() != '"':
            raise scanner.error("a name in quotes is expected")
        key = scanner.value("$")
        scanner.expect(":")
        if key in seen:
            raise ExportError(f"$.{key[:40]} is in the file twice.")
        seen.add(key)
        if key in _LISTS:
            yield from _members(scanner, key)
        else:
            _refuse_truncation(key, scanner.value(f"$.{key[:40]}"))
    if scanner.peek():
        raise scanner.error("the end of the file is expected")
    for name in _LISTS:
        if name not in seen:
            raise ExportError(f"$.{name} is missing. Make the file with {_COMMAND}, without --query.")


def _members(scanner: _Scanner, name: str) -> Iterator[tuple[str, str, Any]]:
    if scanner.peek() != "[":
        value = scanner.value(f"$.{name}")
        raise ExportError(f"$.{name} is {named_type(value)}; a list is expected there.")
    for position in scanner.items("[", "]"):
        path = f"$.{name}[{position}]"
        yield name, path, scanner.value(path)


def _refuse_truncation(key: str, value: Any) -> None:
    if (key == "IsTruncated" and value) or (key in ("Marker", "NextToken") and value is not None):
        raise ExportError(
            f"$.{key} says that this file is one page of several. Create it with {_COMMAND}, without "
            "--no-paginate "
            "and --max-items."
        )


def _item(kind: str, node: ExportNode) -> AuthorizationItem:
    record = BUILDERS[kind](node)
    last_used = None
    if isinstance(record, RoleRecord) and record.last_used_at:
        last_used = LastUsed(record.last_used_at, record.last_used_region)
    digest = blake2b(repr(_without_use(record)).encode(), digest_size=16).digest()
    return AuthorizationItem(kind, record.aws_id, record.name, record.arn, digest, record, last_used)


def _without_use(record: Any) -> Any:
    return (
        replace(record, last_used_at=None, last_used_region=None)
        if isinstance(record, RoleRecord)
        else record
    )


class _EntityChecks:
    """The checks that compare entities with one another."""

    def __init__(self, items: list[AuthorizationItem], profiles: list[InstanceProfileRecord]) -> None:
        self._items = items
        self._profiles = profiles

    def export(self) -> AuthorizationExport:
        partition, account_id = self._account()
        self._refuse_doubles()
        self._refuse_wrong_profiles(account_id)
        return AuthorizationExport(
            account_id, partition, tuple(self._items), tuple(self._profiles), tuple(self._dangling())
        )

    def _account(self) -> tuple[str, str]:
        owners: dict[tuple[str, str], str] = {}
        for item in self._items:
            match = _ARN.fullmatch(item.arn)
            if match is None or match[3] != item.kind or match[4].rpartition("/")[2] != item.name:
                raise ExportError(
                    f"The ARN of the {item.kind} {item.name} does not belong to it: {item.arn[:120]!r}."
                )
            if match[2] != "aws":
                owners.setdefault((match[1], match[2]), item.arn)
            elif item.kind != "policy":
                raise ExportError(f"The ARN of the {item.kind} {item.name} has no account.")
        if not owners:
            raise ExportError(
                "The file has no user, group, role or policy of an account, so the account can’t be "
                "determined."
            )
        if len(owners) > 1:
            first, second = list(owners.values())[:2]
            raise ExportError(f"The file mixes accounts: {first} and {second}.")
        return next(iter(owners))

    def _refuse_doubles(self) -> None:
        for label, key in (("id", _by_id), ("ARN", _by_arn)):
            seen: set[tuple[str, str]] = set()
            for item in self._items:
                if key(item) in seen:
                    raise ExportError(f"The {item.kind} {label} {key(item)[1]} is in the file twice.")
                seen.add(key(item))

    def _refuse_wrong_profiles(self, account_id: str) -> None:
        """Raise ExportError unless each instance profile has its name in its ARN, belongs to the account and
        contains one role.
        """
        holders: dict[str, str] = {}
        for profile in self._profiles:
            if not profile.arn.endswith(f":iam::{account_id}:instance-profile{profile.path}{profile.name}"):
                raise ExportError(
                    f"The ARN of the instance profile {profile.name} does not belong to it: "
                    f"{profile.arn[:120]!r}."
                )
            for key in (profile.aws_id, profile.arn):
                if key in holders:
                    raise ExportError(
                        f"The instance profile {key} is in the roles {holders[key]} and {profile.roles[0]}; "
                        "AWS allows one."
                    )
                holders[key] = profile.roles[0]

    def _dangling(self) -> Iterator[str]:
        groups = {item.name for item in self._items if item.kind == "group"}
        policies = {item.arn for item in self._items if item.kind == "policy"}
        named_groups: set[str] = set()
        attached: set[str] = set()
        for item in self._items:
            named_groups.update(getattr(item.record, "groups", ()))
            attached.update(getattr(item.record, "attached", ()))
        if named_groups - groups:
            yield (
                f"{len(named_groups - groups)} groups that users are in are not in the file, such as "
                f"{min(named_groups - groups)}; it may have been made with --filter."
            )
        if attached - policies:
            yield (
                f"{len(attached - policies)} attached policies are not in the file, such as "
                f"{min(attached - policies)}; it may have been made with --filter."
            )


def _by_id(item: AuthorizationItem) -> tuple[str, str]:
    return item.kind, item.aws_id


def _by_arn(item: AuthorizationItem) -> tuple[str, str]:
    return item.kind, item.arn
