"""Plans access by a role: a new trust statement in an existing role, or a new role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from iam.access.grants.documents import TooLargeError, name_for, packed
from iam.access.grants.models import PermissionSort
from iam.access.grants.phrases import duration
from iam.access.grants.planning.account_context import DESCRIPTION, PATH, GrantSite
from iam.access.grants.planning.reach import check_reach, unread
from iam.access.grants.planning.receivers import GrantReceivers
from iam.access.grants.plans import GrantWay, OtherWay, PartPlan, PlannedPermission, PlannedStep
from iam.access.grants.terms import TermsError, WhatKind, WhoKind
from iam.access.grants.titles import who_words
from iam.access.grants.trust_statement import SESSION, opened, provider_in, sids_of, statement_for, trust_of
from iam.changes.errors import RefusedError
from iam.changes.operations import ATTACH_POLICY, Attachment, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy
from iam.changes.operations.principals import CreateRole, ReplaceTrustPolicy, RoleSettings
from iam.changes.quotas import quota_of
from iam.mirror.models import EntityState, Kind, valid_at
from iam.policy.lint import ROLE_INLINE, TRUST, LintSeverity, lint

ROLE_NAME: Final = 64
MAX_POLICIES: Final = 10
CHAINED: Final = "A chained role session always lasts up to one hour."


def plan_through_role(site: GrantSite, receivers: GrantReceivers) -> PartPlan:
    """Plan the part of an account whose recipients assume a role. Raises RefusedError or TermsError."""
    if not site.is_whole:
        raise RefusedError("Only people who see the whole account can request access to a role.")
    _check_provider(site)
    _check_partition(site)
    arns = sorted([*(entity.arn for entity in receivers.here), *receivers.elsewhere])
    statement = statement_for(
        site.terms.who,
        sid=f"Gatehouse{site.mark}",
        partition=site.account.partition,
        account_id=site.number,
        end=site.end,
        arns=arns,
    )
    part = _existing(site, statement) if site.terms.what.kind is WhatKind.ROLE else _made(site, statement)
    return replace(part, callers=receivers.elsewhere)


def _check_provider(site: GrantSite) -> None:
    """Check that the account has the identity provider. Raises RefusedError."""
    who = site.terms.who
    if who.kind is not WhoKind.FEDERATED:
        return
    kind = Kind.SAML_PROVIDER if ":saml-provider/" in who.provider_arn else Kind.OIDC_PROVIDER
    arn = provider_in(who, account_id=site.number, partition=site.account.partition)
    if site.current_entity(kind, arn) is None:
        raise RefusedError(f"The account has no identity provider {arn.rpartition('/')[2]}. Add it first.")


def _check_partition(site: GrantSite) -> None:
    """Check that roles of the account can trust the principal: both must be in one partition. Raises
    RefusedError.
    """
    principal = site.terms.who.principal
    if principal and principal.split(":")[1] != site.account.partition:
        raise RefusedError(f"{principal} is in another AWS partition, and can’t assume roles here.")


def _existing(site: GrantSite, statement: dict[str, object]) -> PartPlan:
    role = site.required_entity(Kind.ROLE, site.terms.what.role_arn)
    state = EntityState.objects.filter(valid_at(None), entity=role).select_related("document").first()
    if state is None or state.document is None:
        raise RefusedError(f"The trust policy of {role.name} isn’t synced yet.")
    sid = str(statement["Sid"])
    if sid in sids_of(state.document.text):
        raise RefusedError(f"{role.name} already has a statement {sid}. Open the form again and retry.")
    limit = trust_limit(site)
    try:
        text = _sound(opened(state.document.text, statement=statement, limit=limit))
    except TermsError as error:
        raise RefusedError(error.message) from None
    longest = RoleSettings.from_state(state).max_session
    return PartPlan(
        account=site.account,
        way=GrantWay.TRUST,
        why=f"{role.name} already exists, and you chose this role.",
        quotas=(f"trust policy: {TRUST.size(text):,} of {limit:,} characters",),
        notes=(*_session_notes(site, longest), *_name_notes(statement)),
        steps=(
            PlannedStep(
                ReplaceTrustPolicy.of(role, document=text),
                (PlannedPermission(role.arn, PermissionSort.TRUST, sid),),
            ),
        ),
    )


def trust_limit(site: GrantSite) -> int:
    """The account's limit for trust policies in characters; AWS raises it on request."""
    return quota_of(site.account, "AssumeRolePolicySizeQuota", default=TRUST.limit)


def _session_notes(site: GrantSite, longest: int) -> tuple[str, ...]:
    if site.end is None:
        return (f"A session lasts up to {duration(longest)}. {CHAINED}",)
    return (
        (
            "At the end, AWS stops new sessions. A session that started just before lasts up to "
            f"{duration(longest)} longer. {CHAINED}"
        ),
    )


def _name_notes(statement: dict[str, object]) -> tuple[str, ...]:
    """A note on whether the sessions of these recipients can be ended separately."""
    if SESSION not in str(statement.get("Condition", "")):
        return (
            (
                "Their sessions can’t be told apart from others, so only all sessions of the role can be "
                "ended "
                "at once."
            ),
        )
    return (
        "Their sessions carry their user names, as in the AWS console, so only theirs end with the grant.",
    )


def _sound(text: str) -> str:
    """The trust policy. Raises RefusedError if the lint has a security finding."""
    wrong = [finding for finding in lint(text, kind="trust") if finding.severity is LintSeverity.SECURITY]
    if wrong:
        raise RefusedError(f"This trust policy isn’t allowed: {wrong[0].message} {wrong[0].remedy}".strip())
    return text


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role to be created, as operations that refer to it name it."""

    name: str
    arn: str

    @property
    def holder(self) -> dict[str, str]:
        """The holder parameters of operations; the unique id is empty until AWS creates the role."""
        return {"holder_kind": "role", "holder_name": self.name, "holder_id": "", "holder_arn": self.arn}


def _made(site: GrantSite, statement: dict[str, object]) -> PartPlan:
    check_reach(site)
    name = name_for(who_words(site.terms.who), mark=site.mark, longest=ROLE_NAME)
    create = CreateRole.of(
        site.account,
        name=name,
        trust=_sound(trust_of(statement, limit=trust_limit(site))),
        path=PATH,
        settings=RoleSettings(_described(site.title), site.terms.session),
    )
    role = NewRole(name, create.inputs.subject_arn)
    making = PlannedStep(create, (PlannedPermission(role.arn, PermissionSort.ROLE, role.name),))
    steps = tuple(_held_policies(site, role))
    return PartPlan(
        account=site.account,
        way=GrantWay.ROLE,
        why=f"{who_words(site.terms.who)} has no user in this account, so Gatehouse creates a role for "
        "them. No password or key is shared.",
        others=(OtherWay(GrantWay.TRUST, "An existing role would give everything it allows."),),
        quotas=(f"trust policy: {TRUST.size(create.inputs.trust):,} of {trust_limit(site):,} characters",),
        notes=(*_lasting_notes(site), *unread(site)),
        steps=(making, *steps),
    )


def _described(title: str) -> str:
    """The description of a role, limited to the characters that AWS accepts.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    description = f"{DESCRIPTION}: {title}"[:200]
    return re.sub(r"[^\t\n\r\x20-\x7e\xa1-\xff]", "?", description)


def _lasting_notes(site: GrantSite) -> tuple[str, ...]:
    longest = duration(site.terms.session)
    if site.end is None:
        return (f"A session lasts up to {longest}. {CHAINED}",)
    if site.terms.what.kind is WhatKind.MANAGED:
        return _session_notes(site, site.terms.session)
    return (
        (
            "When the grant ends, the role’s permissions end too, also in running sessions. A session lasts "
            "up "
            f"to {longest}. {CHAINED}"
        ),
    )


def _held_policies(site: GrantSite, role: NewRole) -> Iterator[PlannedStep]:
    """The steps that give the new role its permissions. Raises RefusedError if they don't fit."""
    if site.terms.what.kind is WhatKind.MANAGED:
        yield _attached(site, role, site.policy_arn, policy_id=_policy_id(site))
        return
    name = name_for(site.title, mark=site.mark)
    try:
        texts = packed(site.documents_until, limit=ROLE_INLINE.limit)
        if len(texts) == 1:
            yield PlannedStep(
                PutInlinePolicy.given_as(site.account, name=name, text=texts[0], **role.holder),
                (PlannedPermission(role.arn, PermissionSort.INLINE, name),),
            )
            return
        texts = packed(site.documents_until)
    except TooLargeError as error:
        raise RefusedError(f"No policy holds this. {error} Split the statement.") from None
    if len(texts) > MAX_POLICIES:
        raise RefusedError(
            f"It takes {len(texts)} policies, and AWS allows {MAX_POLICIES} per role. Give less, or split "
            "it into two grants."
        )
    for place, text in enumerate(texts, start=1):
        numbered = name_for(site.title, mark=f"{site.mark}-{place}")
        made = CreatePolicy.of(site.account, name=numbered, text=text, path=PATH, description=DESCRIPTION)
        yield PlannedStep(
            made, (PlannedPermission(made.inputs.subject_arn, PermissionSort.POLICY, made.inputs.name),)
        )
        yield _attached(site, role, made.inputs.subject_arn)


def _attached(site: GrantSite, role: NewRole, arn: str, *, policy_id: str = "") -> PlannedStep:
    operation = Attachment.given_as(
        ATTACH_POLICY, site.account, policy_arn=arn, policy_id=policy_id, **role.holder
    )
    return PlannedStep(operation, (PlannedPermission(role.arn, PermissionSort.ATTACHED, arn),))


def _policy_id(site: GrantSite) -> str:
    """The unique id of the given managed policy; "" for an AWS managed policy that nothing in the account
    uses yet.

    Raises RefusedError if a customer managed policy is missing.
    """
    arn = site.terms.what.policy_arn
    policy = site.current_entity(Kind.POLICY, arn)
    if policy is None and ":iam::aws:" not in arn:
        raise RefusedError(f"The account has no policy {arn.rpartition('/')[2]}.")
    return policy.aws_id if policy else ""


__all__ = ["TermsError", "plan_through_role"]
