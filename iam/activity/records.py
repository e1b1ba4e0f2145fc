"""Turns a trail record into an event: checked, cut to size and without secrets.

Source:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from iam.activity.callers import ARN_LENGTH, NAME_LENGTH, CallerKey, CallerSession, caller_of, text_of, truth
from iam.activity.permissions import permission_name, service_prefix
from iam.activity.resources import resource_of
from iam.activity.tools import tool_of

EVENT_LIMIT: Final = 1024 * 1024
"""CloudTrail truncates events to 256 KB, or to 1 MB if the trail allows large ones (bytes)."""
FIRST_TRAIL: Final = datetime(2013, 11, 13, tzinfo=UTC)
"""The start of CloudTrail."""
CLOCK_AHEAD: Final = timedelta(days=1)
SECRETS: Final = frozenset(
    {
        "sessiontoken",
        "secretaccesskey",
        "password",
        "newpassword",
        "oldpassword",
        "authenticationcode1",
        "authenticationcode2",
        "base32stringseed",
        "qrcodepng",
        "servicepassword",
        "servicecredentialsecret",
        "privatekey",
        "tokencode",
        "samlassertion",
        "webidentitytoken",
    }
)
"""Keys, in lower case, whose values are never stored. CloudTrail itself leaves most of them out."""
SECRET_PARTS: Final = (
    b"oken",
    b"ecret",
    b"assword",
    b"uthenticationCode",
    b"Seed",
    b"rivateKey",
    b"QRCode",
    b"ssertion",
)
DENIED: Final = (
    "AccessDenied",
    "UnauthorizedOperation",
    "Client.UnauthorizedOperation",
    "Client.AccessDenied",
)
"""Prefixes of the error codes of denied calls, which differ between services."""
FAILED_SIGN_IN: Final = "FailedAuthentication"
"""The error code for a failed console sign-in, which has none of its own."""


class RecordError(ValueError):
    """The record isn't a valid CloudTrail event. The message says why, in one sentence."""


class EventRecord(NamedTuple):
    """An event. `account_id` is the account whose trail recorded it, `action` is the name of the permission
    (without its service) that the call needs. `is_read_only` is None if the event lacks it. `raw` is the
    event as JSON without secrets.
    """

    event_id: UUID
    at: datetime
    account_id: str
    region: str
    service: str
    action: str
    caller: CallerKey
    session: CallerSession
    source_address: str
    tool: str
    error_code: str
    is_denied: bool
    is_read_only: bool | None
    resource: str
    raw: str


def event_of(record: Any, now: datetime, *, keep_raw: bool = True) -> EventRecord:
    """Return a checked event. Raises RecordError. `now` limits the time of the event. `keep_raw=False` leaves
    `raw` empty.
    """
    if not isinstance(record, dict):
        raise RecordError("an event isn’t a JSON object")
    identity = record.get("userIdentity")
    source = text_of(record.get("eventSource"), NAME_LENGTH)
    name = text_of(record.get("eventName"), NAME_LENGTH)
    if not isinstance(identity, dict) or not source or not name:
        raise RecordError("an event lacks userIdentity, eventSource or eventName")
    raw = _raw(record) if keep_raw else ""
    caller, session = caller_of(identity, record.get("invokedBy"))
    region = text_of(record.get("awsRegion"), 32)
    service = service_prefix(source)[:64]
    account = _account(record, identity)
    error = text_of(record.get("errorCode"), 128) or _sign_in_error(record)
    from_console = truth(record.get("sessionCredentialFromConsole")) is True
    return EventRecord(
        event_id=_id(record.get("eventID")),
        at=_time(record.get("eventTime"), now),
        account_id=account,
        region=region,
        service=service,
        action=permission_name(service, name)[:128],
        caller=caller,
        session=_with_mfa_of_sign_in(record, session),
        source_address=text_of(record.get("sourceIPAddress"), 64),
        tool=tool_of(text_of(record.get("userAgent"), 512), from_console=from_console),
        error_code=error,
        is_denied=error.startswith(DENIED),
        is_read_only=truth(record.get("readOnly")),
        resource=resource_of(service, record, account, region)[:ARN_LENGTH],
        raw=raw,
    )


def _raw(record: Mapping[str, Any]) -> str:
    """Return the record as JSON without secrets. Raises RecordError if it is too large."""
    raw = orjson.dumps(record)
    if len(raw) > EVENT_LIMIT:
        raise RecordError("an event is larger than 1 MB, which CloudTrail’s never are")
    if any(part in raw for part in SECRET_PARTS):
        raw = orjson.dumps(without_secrets(record))
    return raw.decode()


def without_secrets(value: Any) -> Any:
    """Return a JSON value with each secret replaced by a note. Keys are kept."""
    if isinstance(value, dict):
        return {key: _part_without_secrets(str(key), part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_secrets(part) for part in value]
    return value


def _part_without_secrets(key: str, value: Any) -> Any:
    """Return a note in place of a secret. Numbers, booleans and null are kept, because they
    reveal nothing.
    """
    if key.lower() not in SECRETS:
        return without_secrets(value)
    return "(not stored)" if isinstance(value, str | list | dict) else value


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise RecordError("an event has no valid eventID") from None


def _time(value: Any, now: datetime) -> datetime:
    """Return the time of the event in UTC. Raises RecordError for times before CloudTrail's start or in the
    future.
    """
    try:
        at = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise RecordError("an event has no valid eventTime") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        raise RecordError("an event has no valid eventTime") from None
    if not FIRST_TRAIL <= at <= now + CLOCK_AHEAD:
        raise RecordError("an event is from before CloudTrail existed, or from the future")
    return at


def _account(record: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    """Return the ID of the account whose trail recorded the event."""
    for value in (record.get("recipientAccountId"), identity.get("accountId")):
        if isinstance(value, str) and len(value) == 12 and value.isdecimal() and value.isascii():
            return value
    raise RecordError("an event names no AWS account")


def _sign_in_error(record: Mapping[str, Any]) -> str:
    """Return the error code of a failed console sign-in, or an empty string."""
    answer = record.get("responseElements")
    failed = isinstance(answer, dict) and answer.get("ConsoleLogin") == "Failure"
    return FAILED_SIGN_IN if failed else ""


def _with_mfa_of_sign_in(record: Mapping[str, Any], session: CallerSession) -> CallerSession:
    """Return the session with MFA as a console sign-in records it, in a separate field."""
    details = record.get("additionalEventData")
    if isinstance(details, dict) and (used := details.get("MFAUsed")) in ("Yes", "No"):
        return session._replace(mfa=used == "Yes")
    return session
