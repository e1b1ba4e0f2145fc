"""The engine over JSON Lines: one request a line in, one answer a line out; a line that is no request answers with an error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from iam.policy.compiled import PolicyKind, PolicySet, compile_set
from iam.policy.document import Document, read
from iam.policy.evaluate import Policies
from iam.policy.explain import Explanation, Reason, explain
from iam.policy.request import Principal, Request

MEMBERS = {"id", "action", "resource", "resource_account", "principal", "context", "policies"}
SINGLE = {"identity", "boundary", "session", "endpoint"}
LEVELS = {"scps": PolicyKind.SCP, "rcps": PolicyKind.RCP}


class InvalidRequestError(ValueError):
    """A line that is no request; the message says what is wrong and what belongs there."""


def answers(lines: Iterable[str], *, strict: bool) -> Iterator[str]:
    """One line of JSON for each line that is not empty."""
    for line in lines:
        if line.strip():
            yield json.dumps(answer(line, strict=strict))


def answer(line: str, *, strict: bool) -> dict[str, Any]:
    """`{"id", "decision", "because"}`, or `{"id", "error"}`."""
    name: Any = None
    try:
        source = json.loads(line)
        if not isinstance(source, dict):
            raise InvalidRequestError("A request is an object.")
        name = source.get("id")
        request, policies = question(source, strict=strict)
        return {"id": name, **shown(explain(request, policies))}
    except InvalidRequestError as error:
        return {"id": name, "error": str(error)}
    except RecursionError:
        return {"id": name, "error": "This is nested too deeply."}
    except json.JSONDecodeError as error:
        return {"id": None, "error": f"This is no JSON: {error.msg} at column {error.colno}."}


def shown(found: Explanation) -> dict[str, Any]:
    """The decision and its reasons as JSON holds them."""
    return {"decision": str(found.decision), "because": [_reason(reason) for reason in found.reasons]}


def _reason(reason: Reason) -> dict[str, Any]:
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


def question(source: Mapping[str, Any], *, strict: bool) -> tuple[Request, Policies]:
    """The request and the policies of a line; raises InvalidRequestError."""
    if unknown := sorted(str(key) for key in source.keys() - MEMBERS):
        raise InvalidRequestError(
            f"{unknown[0]!r} is no member of a request; these are: {', '.join(sorted(MEMBERS))}."
        )
    action = _text(source, "action")
    if (
        action.count(":") != 1
        or any(wild in action for wild in "*?")
        or action.startswith(":")
        or action.endswith(":")
    ):
        raise InvalidRequestError(f"action is {action!r}: name one action, such as s3:GetObject.")
    context = source.get("context") or {}
    if not isinstance(context, dict):
        raise InvalidRequestError("context must be an object of condition keys and values.")
    account = source.get("resource_account") or ""
    if not isinstance(account, str):
        raise InvalidRequestError("resource_account must be a text of twelve digits.")
    request = Request(
        action=action,
        resource=_text(source, "resource"),
        principal=_principal(source.get("principal")),
        resource_account=account,
        context={str(key): _context_value(key, value) for key, value in context.items()},
        strict=strict,
    )
    return request, _policies(source.get("policies") or {})


def _text(source: Mapping[str, Any], name: str) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} is missing, or is no text.")
    return value


def _context_value(key: str, value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    if all(one is None or isinstance(one, str | int | float | bool) for one in values):
        return value
    raise InvalidRequestError(f"context.{key} must be a value or a list of values.")


def _principal(source: Any) -> Principal:
    if isinstance(source, str) and source:
        return Principal(source)
    if not isinstance(source, dict):
        raise InvalidRequestError("principal must be an ARN, or an object with arn.")
    tags = source.get("tags")
    if tags is not None and not isinstance(tags, dict):
        raise InvalidRequestError("principal.tags must be an object of keys and values.")
    account = source.get("account") or ""
    if not isinstance(account, str):
        raise InvalidRequestError("principal.account must be a text of twelve digits.")
    return Principal(
        arn=_text(source, "arn"),
        given_account=account,
        tags=None if tags is None else {str(key): str(value) for key, value in tags.items()},
        is_service_linked=bool(source.get("service_linked")),
        is_management_account=bool(source.get("management_account")),
        unique_id=str(source.get("unique_id") or ""),
    )


def _policies(source: Any) -> Policies:
    if not isinstance(source, dict):
        raise InvalidRequestError("policies must be an object.")
    known = SINGLE | LEVELS.keys() | {"resource"}
    if unknown := sorted(str(key) for key in source.keys() - known):
        raise InvalidRequestError(
            f"policies.{unknown[0]} is no kind of policy; these are: {', '.join(sorted(known))}."
        )
    return Policies(
        identity=_set(source, "identity", PolicyKind.IDENTITY) or compile_set([], kind=PolicyKind.IDENTITY),
        boundary=_set(source, "boundary", PolicyKind.BOUNDARY),
        session=_set(source, "session", PolicyKind.SESSION),
        resource=_resource(source.get("resource")),
        scps=_levels(source, "scps"),
        rcps=_levels(source, "rcps"),
        endpoint=_set(source, "endpoint", PolicyKind.ENDPOINT),
    )


def _set(source: Mapping[str, Any], name: str, kind: PolicyKind) -> PolicySet | None:
    """None where the member is absent or empty: there is no such policy."""
    value = source.get(name)
    if not value and not isinstance(value, str):
        return None
    return compile_set(_documents(value, name), kind=kind)


def _resource(value: Any) -> PolicySet | None:
    if value is None:
        return None
    return compile_set([("resource", read(value))], kind=PolicyKind.RESOURCE)


def _levels(source: Mapping[str, Any], name: str) -> tuple[PolicySet, ...]:
    value = source.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(level, list) for level in value):
        raise InvalidRequestError(
            f"policies.{name} must be a list of levels, the root first; a level is a list of policies."
        )
    return tuple(
        compile_set(_documents(level, f"{name}[{place}]"), kind=LEVELS[name])
        for place, level in enumerate(value)
    )


def _documents(value: Any, name: str) -> list[tuple[str, Document]]:
    if isinstance(value, dict | str):
        value = [value]
    if not isinstance(value, list):
        raise InvalidRequestError(f"policies.{name} must be a list of policies.")
    return [(f"{name}[{place}]", read(document)) for place, document in enumerate(value)]
