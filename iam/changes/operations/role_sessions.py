"""Revoke the sessions of a role, of everyone or of one person: sessions that were issued before are denied
everything.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html

An inline policy of the role denies every action to sessions whose token was issued before a point in time.
That time is set when the policy is sent, not when it is requested. It is a little in the future, so that no
session slips through while the policy takes effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from iam.aws.session import Aws
from iam.changes import trust_policies
from iam.changes.access_effects import AccessEffect
from iam.changes.operations.base import AwsCall, Image
from iam.changes.operations.facts import state_of
from iam.changes.operations.holder import HolderParams
from iam.changes.operations.inline_policy import InlineText, PutInlinePolicy
from iam.changes.operations.params import Blank
from iam.changes.operations.policy_content import document_meaning
from iam.changes.operations.spec import NORMAL
from iam.mirror.models import Entity
from iam.mirror.pull.transform.principals import document_digest
from iam.phrases import first_names

EVERYBODY: Final = "AWSRevokeOlderSessions"
"""The policy name that the AWS console uses too."""
ISSUED: Final = "aws:TokenIssueTime"
PROPAGATION_TIME: Final = timedelta(seconds=30)
"""How long the AWS console waits for a policy to take effect everywhere."""
_NO_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


class RevokeParams(InlineText):
    """Whose sessions to revoke, as text; blank for everyone's."""

    whose: Blank


def revocation(*, before: datetime, key: str = "", value: str = "") -> str:
    """Return the policy that denies everything to sessions issued before a time. With `key`, only to sessions
    in which this condition key has the value.
    """
    conditions: dict[str, dict[str, str]] = {"DateLessThan": {ISSUED: f"{before:%Y-%m-%dT%H:%M:%SZ}"}}
    if key:
        conditions["StringEquals"] = {key: value}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": conditions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class RevokeSessions(PutInlinePolicy):
    excluded = ("{slug}",)
    excluded_by = ("policy_name",)
    spec = replace(
        PutInlinePolicy.spec,
        slug="role_sessions.revoke",
        family="role-sessions",
        title="Revoke {title_sessions} in role {holder_name}",
        no_op="The {noop_sessions} of {holder_name} are already revoked.",
        counted=("Revoke the sessions of", "role"),
        sentence="{whose_sessions} in {holder_name} that began before this change stop working",
        weight=NORMAL,
    )

    inputs: RevokeParams

    @classmethod
    def of_everybody(cls, role: Entity, *, at: datetime) -> Self:
        """Revoke all sessions of a role of the mirror that are issued before it is applied, and at least
        those before `at`.
        """
        return cls._of(role, at=at)

    @classmethod
    def of_source_identity(cls, role: Entity, *, source_identity: str, at: datetime) -> Self:
        """Revoke the sessions with a source identity, which can't be changed during a session."""
        return cls._of(role, key="aws:SourceIdentity", value=source_identity, whose=source_identity, at=at)

    @classmethod
    def of_session_name(cls, role: Entity, *, session_name: str, at: datetime) -> Self:
        """Revoke the sessions with a name. The caller of AssumeRole chooses it, unless the trust policy
        requires one.
        """
        user_id = f"{role.aws_id}:{session_name}"
        return cls._of(role, key="aws:userid", value=user_id, whose=session_name, at=at)

    @classmethod
    def _of(cls, role: Entity, *, at: datetime, whose: str = "", key: str = "", value: str = "") -> Self:
        name = f"{EVERYBODY}-{_NO_NAME.sub('-', whose)}" if whose else EVERYBODY
        text = revocation(before=at, key=key, value=value)
        names = HolderParams.names_of(role)
        return cls(role.account, RevokeParams(**names, policy_name=name[:128], document=text, whose=whose))

    @property
    def title_sessions(self) -> str:
        return f"sessions of {self.inputs.whose}" if self.inputs.whose else "all sessions"

    @property
    def noop_sessions(self) -> str:
        return "sessions" if self.inputs.whose else "running sessions"

    @property
    def whose_sessions(self) -> str:
        return f"Sessions of {self.inputs.whose}" if self.inputs.whose else "All sessions"

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        text = _with_moment(self.inputs.document, datetime.now(tz=UTC) + PROPAGATION_TIME)
        return {**call.params, "PolicyDocument": text}

    def desired_state(self) -> Image:
        """The time in the document is the earliest one that is sufficient."""
        return _image(self.inputs.document)

    def satisfied(self, image: Image) -> bool:
        """True if the same is denied, with this time or a later one."""
        wanted = self.desired_state()
        return bool(image["document"] == wanted["document"] and image["moment"] >= wanted["moment"])

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return image == before

    def initial_state(self) -> Image:
        return _image("")

    def image_of(self, subject: Entity) -> Image:
        return _image(self.current_text)

    def observe(self, aws: Aws) -> Image:
        super().observe(aws)
        return _image((self._read.text if self._read else "") or "")

    def effect(self) -> AccessEffect:
        effect = super().effect()
        notes = ("Anyone who can assume the role can start a new session immediately.", *self._who())
        return replace(effect, notes=(*effect.notes, *notes))

    def _who(self) -> tuple[str, ...]:
        """A sentence on who may have such sessions."""
        role = self.subject()
        state = state_of(role) if role and not self.inputs.whose else None
        if state is None or state.document is None:
            return ()
        names = sorted(trust_policies.admitted(state.document.text))
        return (f"Affects everyone who has assumed it: {first_names(names)}.",) if names else ()


def _with_moment(text: str, moment: datetime | None) -> str:
    """The same revocation with another time; None for no time."""
    moment_text = "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    body = json.loads(text)
    body["Statement"][0]["Condition"]["DateLessThan"][ISSUED] = moment_text
    return json.dumps(body)


def _image(text: str) -> Image:
    """What the text denies, without its time, and the time; the time is empty if the text is not a
    revocation.
    """
    try:
        moment = str(json.loads(text)["Statement"][0]["Condition"]["DateLessThan"][ISSUED])
        shape = _with_moment(text, None)
    except (ValueError, LookupError, TypeError):
        moment, shape = "", text
    digest = document_digest(text) if text else ""
    return {"document": document_meaning(shape) if shape else "", "moment": moment, "text": digest}
