"""The engine over JSON Lines: it answers each request line with a line, and an invalid line with an error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

from iam.policy.compiled import PolicyKind, PolicySet, compile_set
from iam.policy.document import JsonMembers, PolicyDocument, parse, read
from iam.policy.evaluate import RequestPolicies
from iam.policy.explain import DecisionExplanation, DecisionReason, explain
from iam.policy.letter_case import fold
from iam.policy.request import Principal, Request, text_of
from iam.policy.statements import as_list

MEMBERS: Final = frozenset(
    {"id", "action", "resource", "resource_account", "principal", "context", "policies"}
)
PRINCIPAL_MEMBERS: Final = frozenset(
    {"arn", "account", "tags", "service_linked", "management_account", "unique_id"}
)
LEVELS: Final = {"scps": PolicyKind.SCP, "rcps": PolicyKind.RCP}
POLICY_MEMBERS: Final = frozenset({"identity", "boundary", "session", "endpoint", "resource", *LEVELS})
RCP_FULL_AWS_ACCESS: Final = (
    "RCPFullAWSAccess",
    read(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        }
    ),
)
PREVIEW_LENGTH: Final = 80
MAX_ID_LENGTH: Final = 1000
"""Maximum length, as JSON, of an id that is a list or an object."""
TOO_DEEP: Final = "This is nested too deeply."


class InvalidRequestError(ValueError):
    """The line isn't a valid request. The message says what is wrong and how to fix it."""


def answers(lines: Iterable[str], *, strict: bool) -> Iterator[str]:
    """Yield a line of JSON for each non-empty line."""
    for line in lines:
        if line.strip(" \t\r\n"):
            reply = answer(line, strict=strict)
            try:
                yield json.dumps(reply)
            except RecursionError:
                yield json.dumps({"id": None, "error": TOO_DEEP})


def answer(line: str, *, strict: bool) -> dict[str, Any]:
    """Return `{"id", "decision", "because"}`, or `{"id", "error"}` for an invalid line."""
    name: Any = None
    try:
        source = _object(line)
        name = _id(source)
        request, policies = question(source, strict=strict)
        return {"id": name, **explanation_json(explain(request, policies))}
    except InvalidRequestError as error:
        return {"id": name, "error": str(error)}
    except RecursionError:
        return {"id": name, "error": TOO_DEEP}


def _object(line: str) -> Mapping[str, Any]:
    try:
        source = parse(line)
    except json.JSONDecodeError as error:
        raise InvalidRequestError(f"This isn’t valid JSON: {error.msg} at column {error.colno}.") from error
    except ValueError as error:
        raise InvalidRequestError(f"This isn’t valid JSON: {error}.") from error
    if not isinstance(source, JsonMembers):
        raise InvalidRequestError("A request is a JSON object.")
    return source


def _id(source: Mapping[str, Any]) -> Any:
    """Return the line's id, which can be any JSON value but not a long nested one, because not every JSON
    parser could read it back.
    """
    value = source.get("id")
    if isinstance(value, list | Mapping) and len(json.dumps(value)) > MAX_ID_LENGTH:
        raise InvalidRequestError("id is a long list or object. Write a string or a number.")
    return value


def explanation_json(explanation: DecisionExplanation) -> dict[str, Any]:
    """Return the decision and its reasons as JSON values."""
    return {
        "decision": str(explanation.decision),
        "because": [_reason(reason) for reason in explanation.reasons],
    }


def _reason(reason: DecisionReason) -> dict[str, Any]:
    members = {
        "kind": reason.kind,
        "outcome": str(reason.outcome),
        "text": reason.text,
        "policy": reason.policy,
        "statement": reason.statement,
        "sid": reason.sid,
        "level": reason.level,
        "conditions": list(reason.conditions),
    }
    return {
        key: value
        for key, value in members.items()
        if value not in ("", None, [], 0) or (key == "statement" and value == 0)
    }


def question(source: Mapping[str, Any], *, strict: bool) -> tuple[Request, RequestPolicies]:
    """Return the request and the policies of a line. Raises InvalidRequestError."""
    _known_members_only(source, MEMBERS, "")
    action = _text(source, "action")
    if action.count(":") != 1 or any(wild in action for wild in "*?") or not all(action.split(":")):
        raise InvalidRequestError(
            f"action is {action[:PREVIEW_LENGTH]!r}. Write one action, such as s3:GetObject."
        )
    request = Request(
        action=action,
        resource=_text(source, "resource"),
        principal=_principal(source.get("principal")),
        resource_account=_optional_text(source, "resource_account"),
        context=_context(_mapping(source, "context", "")),
        strict=strict,
    )
    return request, _policies(_mapping(source, "policies", ""))


def _known_members_only(source: Mapping[str, Any], known: Set[str], place: str) -> None:
    """Raise an error for an unknown or repeated member, so that a typo can't change the decision."""
    if unknown := sorted(source.keys() - known):
        names = ", ".join(sorted(known))
        raise InvalidRequestError(
            f"{place}{unknown[0][:PREVIEW_LENGTH]!r} isn’t a known member. The members are: {names}."
        )
    if isinstance(source, JsonMembers) and source.repeated:
        raise InvalidRequestError(f"{place}{source.repeated[0]!r} is given twice.")


def _text(source: Mapping[str, Any], name: str, place: str = "") -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{place}{name} is missing, or isn’t a string.")
    return value


def _optional_text(source: Mapping[str, Any], name: str, place: str = "") -> str:
    value = source.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequestError(f"{place}{name} must be a string.")
    return value


def _flag(source: Mapping[str, Any], name: str, place: str) -> bool:
    value = source.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequestError(f"{place}{name} must be true or false.")
    return bool(value)


def _mapping(source: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    """Return the object under a name, or an empty one if it is absent."""
    value = source.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{place}{name} must be an object.")
    return value


def _context(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of each key. null means that the key is absent."""
    _each_once(source, "context")
    for key, value in source.items():
        if value is not None and not all(_is_scalar(item) for item in as_list(value)):
            raise InvalidRequestError(f"context.{key[:PREVIEW_LENGTH]} must be a value or a list of values.")
    return dict(source)


def _each_once(source: Mapping[str, Any], place: str) -> None:
    """Raise an error if a key appears twice. Condition keys and tag keys are not case-sensitive."""
    times = Counter(fold(key) for key in source)
    repeated = getattr(source, "repeated", ()) or [key for key, count in times.items() if count > 1]
    if repeated:
        raise InvalidRequestError(f"{place}.{repeated[0][:PREVIEW_LENGTH]} is given twice.")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _principal(source: Any) -> Principal:
    if isinstance(source, str) and source:
        return Principal(source)
    if not isinstance(source, Mapping):
        raise InvalidRequestError("principal must be an ARN, or an object with arn.")
    place = "principal."
    _known_members_only(source, PRINCIPAL_MEMBERS, place)
    return Principal(
        arn=_text(source, "arn", place),
        given_account=_optional_text(source, "account", place),
        tags=_tags(source),
        is_service_linked=_flag(source, "service_linked", place),
        is_management_account=_flag(source, "management_account", place),
        unique_id=_optional_text(source, "unique_id", place),
    )


def _tags(source: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the tags, or None if the member is absent, which means that they are unknown."""
    if source.get("tags") is None:
        return None
    tags = _mapping(source, "tags", "principal.")
    _each_once(tags, "principal.tags")
    for key, value in tags.items():
        if not _is_scalar(value):
            raise InvalidRequestError(f"principal.tags.{key[:PREVIEW_LENGTH]} must be a string.")
    return {key: text_of(value) for key, value in tags.items()}


def _policies(source: Mapping[str, Any]) -> RequestPolicies:
    _known_members_only(source, POLICY_MEMBERS, "policies.")
    return RequestPolicies(
        identity=_set(source, "identity", PolicyKind.IDENTITY) or compile_set([], kind=PolicyKind.IDENTITY),
        boundary=_set(source, "boundary", PolicyKind.BOUNDARY),
        session=_set(source, "session", PolicyKind.SESSION),
        resource=_resource(source.get("resource")),
        scps=_levels(source, "scps"),
        rcps=_levels(source, "rcps"),
        endpoint=_set(source, "endpoint", PolicyKind.ENDPOINT),
    )


def _set(source: Mapping[str, Any], name: str, kind: PolicyKind) -> PolicySet | None:
    """Return the policies under a name, or None if the member is absent or an empty list, which means that
    there is no such policy.
    """
    value = source.get(name)
    if value is None or value == []:
        return None
    return compile_set(_documents(value, name), kind=kind)


def _resource(value: Any) -> PolicySet | None:
    if value is None:
        return None
    if not isinstance(value, Mapping | str):
        raise InvalidRequestError("policies.resource must be a policy, or null.")
    return compile_set([("resource", read(value))], kind=PolicyKind.RESOURCE)


def _levels(source: Mapping[str, Any], name: str) -> tuple[PolicySet, ...]:
    value = source.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(level, list) for level in value):
        raise InvalidRequestError(
            f"policies.{name} must be a list of levels, the root first; a level is a list of policies."
        )
    levels = [_documents(level, f"{name}[{place}]") for place, level in enumerate(value)]
    if name == "rcps":
        levels = [_beside_full_access(level) for level in levels]
    return tuple(compile_set(level, kind=LEVELS[name]) for level in levels)


def _beside_full_access(level: list[tuple[str, PolicyDocument]]) -> list[tuple[str, PolicyDocument]]:
    """Add RCPFullAWSAccess to a level of RCPs without an Allow, because customers' RCPs have none and
    RCPFullAWSAccess can't be detached.

    Source: "RCP evaluation",
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
    """
    has_allow = any(any(statement.allows for statement in document.statements) for _, document in level)
    return level if has_allow else [RCP_FULL_AWS_ACCESS, *level]


def _documents(value: Any, name: str) -> list[tuple[str, PolicyDocument]]:
    if isinstance(value, Mapping | str):
        value = [value]
    if not isinstance(value, list):
        raise InvalidRequestError(f"policies.{name} must be a list of policies.")
    return [(f"{name}[{place}]", read(document)) for place, document in enumerate(value)]
