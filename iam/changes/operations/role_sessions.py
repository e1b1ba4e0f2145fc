"""End the running sessions of a role, of everybody or of one person: those that were issued before are denied
everything.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
An inline policy of the role denies every action to sessions with a token from before a moment. The moment is
set when the policy is sent, not when it is asked for, and lies a little ahead, so that a session does not
slip through while the policy spreads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from iam.aws.session import Aws
from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect, AwsCall, Image
from iam.changes.operations.facts import first_names, state_of
from iam.changes.operations.holder import HolderParams
from iam.changes.operations.inline_policy import InlineText, PutInlinePolicy
from iam.changes.operations.params import Blank
from iam.changes.operations.policy_content import document_meaning
from iam.changes.operations.spec import NORMAL, OperationSpec
from iam.mirror.models import Entity
from iam.mirror.pull.transform.principals import document_digest

EVERYBODY: Final = "AWSRevokeOlderSessions"
"""The name that the AWS console gives to the policy as well."""
ISSUED: Final = "aws:TokenIssueTime"
SPREADS_IN: Final = timedelta(seconds=30)
"""As long as the AWS console waits for a policy to hold everywhere."""
_NO_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


class RevokeParams(InlineText):
    """With whose sessions they are, in words; blank for everybody's."""

    whose: Blank


def revocation(*, before: datetime, key: str = "", value: str = "") -> str:
    """The policy that ends sessions which were issued before a moment; of one person, by what a condition
    key says of their sessions."""
    conditions: dict[str, dict[str, str]] = {"DateLessThan": {ISSUED: f"{before:%Y-%m-%dT%H:%M:%SZ}"}}
    if key:
        conditions["StringEquals"] = {key: value}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": conditions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class RevokeSessions(PutInlinePolicy):
    excluded = ("{slug}",)
    excluded_by = ("policy_name",)
    spec = OperationSpec(
        slug="role_sessions.revoke",
        counted=("Revoke the sessions of", "role"),
        call="Put{kind_word}Policy",
        parameters={
            "{kind_word}Name": "holder_name",
            "PolicyName": "policy_name",
            "PolicyDocument": "document",
        },
        sentence="{whose_sessions} in {holder_name} that began before this change stop working",
        weight=NORMAL,
    )

    inputs: RevokeParams

    @classmethod
    def of_everybody(cls, role: Entity, *, at: datetime) -> Self:
        """All sessions of a role of the mirror that were issued until it is carried out, and at least
        until a moment."""
        return cls._of(role, at=at)

    @classmethod
    def of_source_identity(cls, role: Entity, *, source_identity: str, at: datetime) -> Self:
        """The sessions that carry a source identity, which nobody can change once the session is there."""
        return cls._of(role, key="aws:SourceIdentity", value=source_identity, whose=source_identity, at=at)

    @classmethod
    def of_session_name(cls, role: Entity, *, session_name: str, at: datetime) -> Self:
        """The sessions of a name: who assumes the role chooses it, unless its trust policy demands one."""
        user_id = f"{role.aws_id}:{session_name}"
        return cls._of(role, key="aws:userid", value=user_id, whose=session_name, at=at)

    @classmethod
    def _of(cls, role: Entity, *, at: datetime, whose: str = "", key: str = "", value: str = "") -> Self:
        name = f"{EVERYBODY}-{_NO_NAME.sub('-', whose)}" if whose else EVERYBODY
        text = revocation(before=at, key=key, value=value)
        names = HolderParams.names_of(role)
        return cls(role.account, RevokeParams(**names, policy_name=name[:128], document=text, whose=whose))

    @property
    def title(self) -> str:
        whose = f"sessions of {self.inputs.whose}" if self.inputs.whose else "all sessions"
        return f"Revoke {whose} in role {self.inputs.holder_name}"

    @property
    def noop_message(self) -> str:
        return (
            f"The {'sessions' if self.inputs.whose else 'running sessions'} of "
            f"{self.inputs.holder_name} are already revoked."
        )

    @property
    def whose_sessions(self) -> str:
        return f"Sessions of {self.inputs.whose}" if self.inputs.whose else "All sessions"

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        text = _with_moment(self.inputs.document, datetime.now(tz=UTC) + SPREADS_IN)
        return {**call.params, "PolicyDocument": text}

    def desired_state(self) -> Image:
        """The moment is the earliest that will do."""
        return _image(self.inputs.document)

    def satisfied(self, image: Image) -> bool:
        """It denies the same, from this moment on or from a later one."""
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
        names = sorted(trust.admitted(state.document.text))
        return (f"Affects everyone who has assumed it: {first_names(names)}.",) if names else ()


def _with_moment(text: str, moment: datetime | None) -> str:
    """The same revocation from another moment; None for no moment at all."""
    moment_text = "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    body = json.loads(text)
    body["Statement"][0]["Condition"]["DateLessThan"][ISSUED] = moment_text
    return json.dumps(body)


def _image(text: str) -> Image:
    """What it denies, without its moment, and from which moment on; a text that is no revocation has none."""
    try:
        moment = str(json.loads(text)["Statement"][0]["Condition"]["DateLessThan"][ISSUED])
        shape = _with_moment(text, None)
    except (ValueError, LookupError, TypeError):
        moment, shape = "", text
    digest = document_digest(text) if text else ""
    return {"document": document_meaning(shape) if shape else "", "moment": moment, "text": digest}
