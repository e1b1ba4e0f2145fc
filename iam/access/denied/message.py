"""Parses AWS's access denied messages. Pure: the text itself is not stored.

Sources: "Troubleshoot access denied error messages",
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, "Enhanced access denied
error messages with policy ARNs" of the AWS Security Blog, and DecodeAuthorizationMessage of the STS API
Reference.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from iam.policy.catalogue import catalogue

MAX_MESSAGE_LENGTH: Final = 20_000
"""The maximum length of a message with a stack trace; encoded messages have some thousand characters."""


class PolicyType(StrEnum):
    """The policy types as AWS's messages name them."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"
    ENDPOINT = "VPC endpoint policy"
    TRUST = "role trust policy"


class MessageError(ValueError):
    """Raised if the text can't be parsed; the message says why and what to paste instead."""


@dataclass(frozen=True, slots=True)
class DeniedMessage:
    """The content of a message; fields that it lacks are empty.

    `is_explicit` is None if it does not say whether something denies or nothing allows. `may_mean` are the
    possible actions for an operation name if the message has no action. `is_encoded`: only AWS can decode
    part of it.
    """

    action: str
    principal: str = ""
    resource: str = ""
    policy_type: PolicyType | None = None
    is_explicit: bool | None = None
    policy_arn: str = ""
    may_mean: tuple[str, ...] = ()
    is_encoded: bool = False


# A part of a message ends at a space, a quote, or the end of its sentence.
_WORD: Final = r"[\"'\\]*(?P<{0}>[^\s\"'\\]+)"
_ACTION: Final = r"(?P<action>[A-Za-z0-9-]+:[A-Za-z0-9*]+)"
_PERFORM: Final = re.compile(
    rf"User: {_WORD.format('principal')}[\"'\\]* is not authorized to (?:perform|assume)(?: operation)?: "
    rf"?[\"'\\]*{_ACTION}"
)
_ONLY_PERFORM: Final = re.compile(rf"not authorized to perform: ?[\"'\\]*{_ACTION}")
# The AWS console shows details as fields, and the S3 console names only the action.
_FIELDS: Final = re.compile(
    rf"User: {_WORD.format('principal')}[\"'\\]*(?: Service: ?\S+)? Action: ?{_ACTION}"
)
_CONSOLE: Final = re.compile(
    r"(?:update your IAM permissions to allow|do(?: not|n['’]t) have (?:the )?permissions? (?:to "
    rf"perform|to|for):?) {_ACTION}"
)
_ON: Final = re.compile(rf"on resource(?:\(s\)|s)?:? {_WORD.format('resource')}", re.IGNORECASE)
# IAM has long written "role deploy" where others write an ARN.
_NAMED: Final = re.compile(
    r"on resource: (?P<kind>user|role|group|policy|instance profile) (?:path )?(?P<name>[\w+=,.@/-]+)"
)
_TYPES: Final = "|".join(re.escape(kind.value) for kind in PolicyType)
_IMPLICIT: Final = re.compile(rf"(?:because|Context:) no (?P<type>{_TYPES}) allows", re.IGNORECASE)
_EXPLICIT: Final = re.compile(
    rf"(?:with|Context:) an explicit deny(?: in (?:an?|the) (?P<type>{_TYPES})(?:: "
    rf"?{_WORD.format('arn')})?)?",
    re.IGNORECASE,
)
_OPERATION: Final = re.compile(r"when calling the (?P<operation>[A-Za-z0-9]+) operation")
_ENCODED: Final = re.compile(r"encoded authorization failure message", re.IGNORECASE)
_BLOB: Final = re.compile(r"[A-Za-z0-9_+/=-]{200,}")
_ENDS: Final = ".,;:)]}"
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")

EMPTY: Final = "Paste the error message from AWS, starting at “User:” or “An error occurred”."
TOO_LONG: Final = (
    "This is longer than any AWS error message. Paste only the line that says what was denied, up to "
    f"{MAX_MESSAGE_LENGTH:,} characters."
)
ENCODED: Final = (
    "The reason is in an encoded message. Someone with the permission sts:DecodeAuthorizationMessage can run "
    "“aws sts decode-authorization-message --encoded-message …”; then paste the answer here."
)
UNREAD: Final = (
    "We couldn’t find an action in this message. An AWS access denied message says “is not authorized to "
    "perform: SERVICE:ACTION”. "
    "Paste the whole message, or choose what you need from the list."
)


def read_message(text: str) -> DeniedMessage:
    """Parse the first access denied message in the text. Raises MessageError."""
    if not text.strip():
        raise MessageError(EMPTY)
    if len(text) > MAX_MESSAGE_LENGTH:
        raise MessageError(TOO_LONG)
    flat = html.unescape(" ".join(text.replace("\\n", " ").replace('\\"', '"').split()))
    denied = _decoded(text) or _sentence(flat) or _event(text) or _operation(flat)
    if denied is not None:
        return denied
    is_blob = bool(_ENCODED.search(flat)) or _BLOB.fullmatch(flat.replace(" ", "")) is not None
    why_not = ENCODED if is_blob else UNREAD
    raise MessageError(why_not)


def _sentence(flat: str) -> DeniedMessage | None:
    """'User: … is not authorized to perform: … on resource: … because no … allows the … action'."""
    ways = (_PERFORM, _ONLY_PERFORM, _FIELDS, _CONSOLE)
    matches = (way.search(flat) for way in ways)
    match = next((hit for hit in matches if hit is not None), None)
    if match is None:
        return None
    rest = flat[match.end() :]
    another = rest.find("User: ")
    rest = rest if another < 0 else rest[:another]
    principal = match.groupdict().get("principal") or ""
    resource = _resource(rest, principal)
    kind, is_explicit, arn = _context(rest)
    return DeniedMessage(
        action=_spelled_by_aws(match["action"]),
        principal=principal,
        resource=resource,
        policy_type=kind,
        is_explicit=is_explicit,
        policy_arn=arn,
        is_encoded=bool(_ENCODED.search(flat)),
    )


def _resource(rest: str, principal: str) -> str:
    """The resource of a message; an IAM name becomes an ARN in the account of the denied principal."""
    iam_name = _NAMED.search(rest)
    segments = principal.split(":")
    if iam_name and len(segments) > 5:
        kind = iam_name["kind"].replace(" ", "-")
        name = iam_name["name"].rstrip(_ENDS).lstrip("/")
        return f"arn:{segments[1]}:iam::{segments[4]}:{kind}/{name}"
    match = _ON.search(rest)
    if match is None:
        return ""
    resource = match["resource"].rstrip(_ENDS)
    return "" if resource.lower() in {"this", "resource"} else resource


def _context(rest: str) -> tuple[PolicyType | None, bool | None, str]:
    """The deciding policy type, whether it denies, and its ARN if AWS names it."""
    explicit = _EXPLICIT.search(rest)
    if explicit:
        kind = _type(explicit["type"]) if explicit["type"] else None
        arn = (explicit["arn"] or "").rstrip(_ENDS)
        return kind, True, arn if arn.startswith("arn:") else ""
    implicit = _IMPLICIT.search(rest)
    return (_type(implicit["type"]), False, "") if implicit else (None, None, "")


def _type(text: str) -> PolicyType:
    return next(kind for kind in PolicyType if kind.value.lower() == text.lower())


def _decoded(text: str) -> DeniedMessage | None:
    """Parse the output of DecodeAuthorizationMessage or its content: JSON with `explicitDeny` and a
    `context`.
    """
    body = _json(text)
    if isinstance(body.get("DecodedMessage"), str):
        body = _json(body["DecodedMessage"])
    context = body.get("context")
    if not isinstance(context, Mapping) or not isinstance(context.get("action"), str):
        return None
    principal = context.get("principal")
    principal_arn = _text(principal.get("arn")) if isinstance(principal, Mapping) else ""
    is_explicit = body["explicitDeny"] if isinstance(body.get("explicitDeny"), bool) else None
    return DeniedMessage(
        action=_spelled_by_aws(context["action"]),
        principal=principal_arn,
        resource=_text(context.get("resource")),
        is_explicit=is_explicit,
    )


def _event(text: str) -> DeniedMessage | None:
    """Parse a CloudTrail event, using service and event name if its message is incomplete."""
    body = _json(text)
    source, name = _text(body.get("eventSource")), _text(body.get("eventName"))
    if not source.endswith(".amazonaws.com") or not name or not body.get("errorCode"):
        return None
    caller = body.get("userIdentity")
    principal = _text(caller.get("arn")) if isinstance(caller, Mapping) else ""
    action = f"{source.partition('.')[0]}:{name}"
    return DeniedMessage(action=_spelled_by_aws(action), principal=principal)


def _operation(flat: str) -> DeniedMessage | None:
    """'An error occurred (AccessDenied) when calling the GetObject operation: Access Denied': only the
    operation is named.
    """
    match = _OPERATION.search(flat)
    if match is None or _ENCODED.search(flat):
        return None
    name = match["operation"].lower()
    may_mean = tuple(a for a in catalogue().actions if a.partition(":")[2].lower() == name)
    if not may_mean:
        return None
    action = may_mean[0] if len(may_mean) == 1 else ""
    return DeniedMessage(action=action, may_mean=may_mean)


def _json(text: str) -> Mapping[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _text(value: object) -> str:
    """A JSON string without characters that no text has."""
    return _NO_TEXT.sub("\ufffd", value) if isinstance(value, str) else ""


def _spelled_by_aws(action: str) -> str:
    """The action in AWS's spelling if it is known."""
    action = _text(action)
    known_action = catalogue().action(action)
    return known_action.name if known_action else action
