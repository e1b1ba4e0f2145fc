"""Tests whether new users can change their first password. AWS requires it at the first sign-in and locks out
those who aren't allowed to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_enable-user-change.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.access.templates.queries import offer_of
from iam.changes.errors import RefusedError
from iam.changes.operations.lifecycle import arn_of
from iam.mirror.models import Document, Entity, Kind
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.queries.password_policy import is_password_policy_known, password_policy
from iam.mirror.snapshot import snapshot
from iam.people.blueprints.body import FilledTemplate
from iam.people.onboarding.creation_plan import CreationSite
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow
from iam.policy.index.shard import AccountShard

TEMPLATE: Final = "own-password"
"""The template that lets a user change their own password."""
CALLS: Final = (("iam:ChangePassword", True), ("iam:GetAccountPasswordPolicy", False))
"""(action, whether it is on the user) of the calls that the AWS sign-in page makes."""
NOBODY: Final = 1 << 61
"""The number of the new user in the index, higher than those of the mirror."""
WITHOUT_MFA: Final = {"aws:MultiFactorAuthPresent": "false"}
BY_ACCOUNT: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [action for action, _ in CALLS], "Resource": "*"}],
    }
)
"""What an account's password policy allows all its users if it lets them change their passwords."""


@dataclass(frozen=True, slots=True)
class PasswordLockout:
    """An account in which new users can't change their first password. `is_denied` means that a deny or a
    limit prevents it, so that no template helps. `is_sure` False means that it depends on a condition or on a
    policy that was not synced.
    """

    account: str
    is_denied: bool
    is_sure: bool

    @property
    def sentence(self) -> str:
        """What is wrong and how to fix it."""
        if not self.is_sure:
            return (
                f"Whether new users in {self.account} can change their first password depends on a "
                "condition or on a policy that was not synced. If they can’t, they can’t sign in."
            )
        if self.is_denied:
            return (
                f"New users in {self.account} can’t change their first password: a deny, a permissions "
                "boundary or a service control policy "
                "stops iam:ChangePassword without MFA. Exempt that action there."
            )
        return (
            f"New users in {self.account} can’t change their first password, so they can’t sign in: nothing "
            "allows iam:ChangePassword. "
            "Add the template “Change your own password” to the blueprint."
        )


def lockouts(sites: Iterable[CreationSite]) -> list[PasswordLockout]:
    """Return the accounts in which new users of a blueprint could not change their first password. Accounts
    without passwords are left out.
    """
    lockouts_found = []
    for site in sites:
        if site.body.password:
            lockout = _lockout(site)
            if lockout is not None:
                lockouts_found.append(lockout)
    return lockouts_found


def check_first_password(sites: Sequence[CreationSite]) -> None:
    """Raise RefusedError if new users certainly could not sign in."""
    for lockout in lockouts(sites):
        if lockout.is_sure:
            raise RefusedError(lockout.sentence)


def password_template() -> FilledTemplate | None:
    """Return the template that fixes it, in the offered version, or None."""
    offer = offer_of(TEMPLATE)
    return FilledTemplate(offer.slug, offer.version.number) if offer is not None else None


def _lockout(site: CreationSite) -> PasswordLockout | None:
    number = site.account.account_id
    with snapshot(accounts=[number]) as index:
        shard = index.accounts.get(number)
        if shard is None:
            return None
        decision = _decision(index, shard, site, is_allowed=_account_allows(site))
        if decision is EvaluationDecision.ALLOWED:
            return None
        if decision is EvaluationDecision.CONDITIONAL:
            return PasswordLockout(site.account.name, is_denied=False, is_sure=False)
        with_template = _decision(index, shard, site, is_allowed=True)
    is_denied = with_template is not EvaluationDecision.ALLOWED
    is_sure = is_denied or is_password_policy_known(site.account)
    return PasswordLockout(site.account.name, is_denied=is_denied, is_sure=is_sure)


def _account_allows(site: CreationSite) -> bool:
    policy = password_policy(site.account)
    return policy is not None and policy.allows_change


def _decision(
    index: PolicyIndex, shard: AccountShard, site: CreationSite, *, is_allowed: bool
) -> EvaluationDecision:
    """Return the worst decision for a new user without MFA. `is_allowed` means that every user of the account
    has the permission.
    """
    texts = [text for _, _, text in site.documents]
    if is_allowed:
        texts.append(BY_ACCOUNT)
    docs = [index.documents.add(document_digest(text), text) for text in texts]
    docs += [index.documents.add(document.digest, document.text) for document in _documents(shard, site)]
    arn = arn_of(site.account, kind=Kind.USER.value, name="newcomer", path=site.body.path)
    inline = tuple((f"policy-{at}", document_digest(text)) for at, text in enumerate(texts))
    grants = PolicyHoldings(
        inline=inline, groups=tuple(group.pk for group in site.groups), boundary=_boundary(site)
    )
    then = PolicyIndex(index.documents, moment=index.moment)
    row = PrincipalRow(NOBODY, arn, "", grants, tags=dict(site.body.tags))
    then.enter_account(
        AccountRows(
            [row],
            shard.groups.values(),
            shard.policies.values(),
            (),
            shard.number,
            shard.partition,
            shard.standing,
        )
    )
    member = then.member(shard.number, NOBODY)
    decisions = []
    if member is not None:
        for action, is_own in CALLS:
            resource = arn if is_own else "*"
            question = AccessQuestion(action, resource, WITHOUT_MFA, is_pattern=False)
            decisions.append(then.decide(member, question))
    del docs
    for worst in (
        EvaluationDecision.EXPLICITLY_DENIED,
        EvaluationDecision.IMPLICITLY_DENIED,
        EvaluationDecision.CONDITIONAL,
    ):
        if worst in decisions:
            return worst
    return EvaluationDecision.ALLOWED


def _documents(shard: AccountShard, site: CreationSite) -> list[Document]:
    """Return the policies of the groups and of the boundary. They are added because the index only keeps
    policies in use.
    """
    digests: set[str] = set()
    policy_ids = {_boundary(site) or 0}
    for group in site.groups:
        if group.pk in shard.groups:
            grants = shard.groups[group.pk].grants
            digests.update(digest for _, digest in grants.inline)
            policy_ids.update(grants.attached)
    policies = [shard.policies[number] for number in policy_ids if number in shard.policies]
    digests.update(policy.digest for policy in policies if policy.digest)
    return list(Document.objects.filter(digest__in=digests))


def _boundary(site: CreationSite) -> int | None:
    if not site.boundary:
        return None
    policies = Entity.objects.filter(
        account=site.account, kind=Kind.POLICY, arn=site.boundary, gone_at__isnull=True
    )
    return policies.values_list("pk", flat=True).first()
