"""Whether newcomers can change their first password: AWS demands it at the first sign-in, and locks out
anyone who is not allowed to.

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
from iam.mirror.models import AccountFact, Document, Entity, Kind, valid_at
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.snapshot import snapshot
from iam.people.blueprints.body import FilledTemplate
from iam.people.onboarding.creation_plan import CreationSite
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow
from iam.policy.index.shard import AccountShard

TEMPLATE: Final = "own-password"
"""The template that lets somebody change their own password."""
CALLS: Final = (("iam:ChangePassword", True), ("iam:GetAccountPasswordPolicy", False))
"""(action, whether it is on the user) of what the sign-in page of AWS calls."""
NOBODY: Final = 1 << 61
"""The number of the newcomer in the index: beyond those of the mirror."""
WITHOUT_MFA: Final = {"aws:MultiFactorAuthPresent": "false"}
BY_ACCOUNT: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [action for action, _ in CALLS], "Resource": "*"}],
    }
)
"""What the password policy of an account gives all of its users, where it lets them change their
passwords.
"""


@dataclass(frozen=True, slots=True)
class PasswordLockout:
    """An account where newcomers cannot change their first password. `is_denied`: a deny or a limit stops it,
    so that no template helps. `is_sure` False: a condition, or a policy that was not read, decides.
    """

    account: str
    is_denied: bool
    is_sure: bool

    @property
    def sentence(self) -> str:
        """What is wrong, and how to fix it."""
        if not self.is_sure:
            return (
                f"Whether new users in {self.account} can change their first password depends on a "
                "condition or on a policy that was not "
                "synced. Without it they can’t sign in."
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
    """Where newcomers of a blueprint could not change their first password; nothing where they get none."""
    lockouts_found = []
    for site in sites:
        if site.body.password:
            lockout = _lockout(site)
            if lockout is not None:
                lockouts_found.append(lockout)
    return lockouts_found


def check_first_password(sites: Sequence[CreationSite]) -> None:
    """Raises RefusedError where newcomers surely could not sign in."""
    for lockout in lockouts(sites):
        if lockout.is_sure:
            raise RefusedError(lockout.sentence)


def password_template() -> FilledTemplate | None:
    """The template that fixes it, in the version that is offered."""
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
    return PasswordLockout(
        site.account.name, is_denied=with_template is not EvaluationDecision.ALLOWED, is_sure=True
    )


def _account_allows(site: CreationSite) -> bool:
    fact = AccountFact.objects.filter(valid_at(None), account=site.account, name="password_policy").first()
    return bool(fact and isinstance(fact.value, dict) and fact.value.get("AllowUsersToChangePassword"))


def _decision(
    index: PolicyIndex, shard: AccountShard, site: CreationSite, *, is_allowed: bool
) -> EvaluationDecision:
    """How AWS would answer a newcomer without MFA, at worst; `is_allowed`: something gives every user of the
    account the permission.
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
    """The policies of the groups and of the boundary; the index keeps only those that somebody has."""
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
