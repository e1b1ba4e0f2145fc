"""Sessions of roles that are ended: everybody's, one person's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.role_sessions import RevokeSessions, revocation
from iam.mirror.models import Entity, Kind
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
EVERYBODY = {"DateLessThan": ["aws:TokenIssueTime"]}


def make_role(stage: Stage) -> Entity:
    """A role with a session or two, for all that is known."""
    role = stage.role()
    stage.keep.update(name=role.name, id=role.aws_id)
    return role


def end_all(stage: Stage) -> Operation:
    """All sessions of a role."""
    return RevokeSessions.of_everybody(make_role(stage), at=datetime.now(tz=UTC))


def end_again(stage: Stage) -> Operation:
    """All sessions of a role whose older ones were ended before."""
    role = make_role(stage)
    stage.iam.put_role_policy(
        RoleName=role.name, PolicyName="AWSRevokeOlderSessions", PolicyDocument=revocation(before=LONG_AGO)
    )
    return RevokeSessions.of_everybody(stage.read(Kind.ROLE, role.name), at=datetime.now(tz=UTC))


def end_by_identity(stage: Stage) -> Operation:
    """The sessions of one source identity."""
    role = make_role(stage)
    return RevokeSessions.of_source_identity(role, source_identity="kwame@shop", at=datetime.now(tz=UTC))


def end_by_name(stage: Stage) -> Operation:
    """The sessions of one name."""
    role = make_role(stage)
    return RevokeSessions.of_session_name(role, session_name="kwame", at=datetime.now(tz=UTC))


def shows(stage: Stage) -> Any:
    """What is denied, by name of the policy: actions, resources, conditions; and whether sessions of now are
    meant.
    """
    shows = {}
    for name in stage.iam.list_role_policies(RoleName=stage.keep["name"])["PolicyNames"]:
        text = stage.iam.get_role_policy(RoleName=stage.keep["name"], PolicyName=name)["PolicyDocument"]
        (statement,) = json.loads(text)["Statement"]
        moment = statement["Condition"]["DateLessThan"].pop("aws:TokenIssueTime")
        is_now = datetime.fromisoformat(moment) > stage.keep.setdefault("began", datetime.now(tz=UTC))
        shows[name] = (
            statement["Effect"],
            statement["Action"],
            statement["Resource"],
            statement["Condition"],
            is_now,
        )
    stage.keep.setdefault("began", datetime.now(tz=UTC))
    return shows


def denied(name: str, **condition: Any) -> Any:
    """What must be there afterwards."""

    def after(stage: Stage, before: Any) -> Any:
        """Everything is denied to sessions from before now."""
        values = {
            key: {k: v.format(**stage.keep) for k, v in operator.items()}
            for key, operator in condition.items()
        }
        return {name: ("Deny", ["*"], ["*"], {"DateLessThan": {}, **values}, True)}

    return after


def end_by_hand(stage: Stage) -> None:
    """Somebody else ends sessions, from long ago only."""
    name = stage.iam.list_role_policies(RoleName=stage.keep["name"])["PolicyNames"]
    stage.iam.put_role_policy(
        RoleName=stage.keep["name"],
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=revocation(before=LONG_AGO.replace(day=len(name) + 2)),
    )


CASES = (
    Case("role_sessions.revoke", end_all, shows, after=denied("AWSRevokeOlderSessions"), meddle=end_by_hand),
    Case(
        "role_sessions.revoke after an earlier time",
        end_again,
        shows,
        after=denied("AWSRevokeOlderSessions"),
    ),
    Case(
        "role_sessions.revoke of one source identity",
        end_by_identity,
        shows,
        after=denied("AWSRevokeOlderSessions-kwame@shop", StringEquals={"aws:SourceIdentity": "kwame@shop"}),
    ),
    Case(
        "role_sessions.revoke of one session name",
        end_by_name,
        shows,
        after=denied("AWSRevokeOlderSessions-kwame", StringEquals={"aws:userid": "{id}:kwame"}),
    ),
)
