"""Describes in sentences what a grant allows in each account; accounts with the same effect are grouped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from iam.access.grants.documents import written
from iam.access.grants.models import Grant
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind
from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.queries import bodies_of
from iam.mirror.models import Account, Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.phrases import counted
from iam.policy.sentences import PolicySentence, sentences_of

OF_AWS: Final = ":iam::aws:"
ENTITY_KINDS: Final = {WhatKind.ROLE: Kind.ROLE, WhatKind.GROUP: Kind.GROUP}


@dataclass(frozen=True, slots=True)
class GrantEffect:
    """What a grant allows in a set of accounts in which the effect is the same.

    `accounts` are account names. `lead` names the existing role, group or managed policy that gives the
    access, as in "Use the role deploy". `note` says what is unknown, or that nothing is given; "" if the
    sentences are complete.
    """

    accounts: tuple[str, ...]
    lead: str
    sentences: tuple[PolicySentence, ...]
    note: str = ""

    @property
    def warning(self) -> str:
        """The first warning of the sentences, or ""."""
        return next((sentence.warning for sentence in self.sentences if sentence.warning), "")


@dataclass(frozen=True, slots=True)
class _PolicyTexts:
    """Policy texts in one account, and the number of policies whose text is unknown."""

    texts: tuple[str, ...]
    missing: int = 0


def effects_of(terms: GrantTerms, *, accounts: Sequence[Account]) -> tuple[GrantEffect, ...]:
    """The effects of the terms, in the order of the accounts. The number of queries does not grow with the
    accounts.
    """
    what = terms.what
    known = _texts(what, accounts)
    groups: dict[tuple[object, ...], list[tuple[Account, tuple[PolicySentence, ...], str]]] = defaultdict(
        list
    )
    for account in accounts:
        texts = known.get(account.account_id, _PolicyTexts((), 1))
        sentences = _sentences(texts.texts, account.account_id)
        note = _unknown_note(what, texts)
        key = (tuple(sentence.text for sentence in sentences), note)
        groups[key].append((account, sentences, note))
    lead = lead_of(what)
    return tuple(
        GrantEffect(tuple(account.name for account, _, _ in group), lead, group[0][1], group[0][2])
        for group in groups.values()
    )


def lead_of(what: GrantContent) -> str:
    """A phrase that names the existing role, group or managed policy that gives the access; "" for written
    statements.
    """
    if what.kind is WhatKind.ROLE:
        return f"Use the role {_name(what.role_arn)}"
    if what.kind is WhatKind.GROUP:
        return f"Join the group {_name(what.group_arn)}"
    if what.kind is WhatKind.MANAGED:
        return f"Get the policy {_name(what.policy_arn)}"
    return ""


Bodies = Mapping[tuple[str, int], TemplateBody]


def bodies_for(grants: Iterable[Grant]) -> Bodies:
    """The template bodies of grants, for `in_one_line`. One query."""
    return bodies_of((grant.template, grant.template_version) for grant in grants)


def in_one_line(what: GrantContent, *, account_id: str, bodies: Bodies, plain: bool = False) -> str:
    """The riskiest permission and the number of further ones, for lists and mails. Makes no query."""
    sentences: tuple[PolicySentence, ...] = ()
    if what.kind is WhatKind.STATEMENTS:
        sentences = _sentences(what.documents, account_id)
    elif what.kind is WhatKind.TEMPLATE and (body := bodies.get((what.template, what.version))):
        sentences = _sentences(_rendered(body, what, account_id, "aws"), account_id)
    if not sentences:
        return lead_of(what)
    first = sentences[0].plain if plain else sentences[0].text
    more = len(sentences) - 1
    return f"{first}; and {counted(more, 'more permission')}" if more else first


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _sentences(texts: Sequence[str], account_id: str) -> tuple[PolicySentence, ...]:
    return tuple(chain.from_iterable(sentences_of(text, account_id=account_id) for text in texts))


def _unknown_note(what: GrantContent, known: _PolicyTexts) -> str:
    """A sentence that says what is unknown, or that nothing is given; "" otherwise."""
    if not known.missing:
        return f"This {what.kind} has no policies." if what.kind in ENTITY_KINDS and not known.texts else ""
    if what.kind is WhatKind.MANAGED:
        return "The text of this policy isn’t synced, so what it allows isn’t known."
    if what.kind in ENTITY_KINDS and not known.texts and known.missing == 1:
        return f"The policies of this {what.kind} aren’t synced, so what they allow isn’t known."
    return f"{counted(known.missing, 'policy', 'policies')} not synced: what they allow isn’t known."


def _texts(what: GrantContent, accounts: Sequence[Account]) -> Mapping[str, _PolicyTexts]:
    """The texts of the given policies, by account ID."""
    if what.kind is WhatKind.STATEMENTS:
        return {account.account_id: _PolicyTexts(what.documents) for account in accounts}
    if what.kind is WhatKind.TEMPLATE:
        body = bodies_of([(what.template, what.version)]).get((what.template, what.version))
        if body is None:
            return {}
        return {
            account.account_id: _PolicyTexts(_rendered(body, what, account.account_id, account.partition))
            for account in accounts
        }
    if what.kind is WhatKind.MANAGED:
        return _managed(what.policy_arn, accounts)
    return _held_policies(ENTITY_KINDS[what.kind], what.role_arn or what.group_arn, accounts)


def _rendered(body: TemplateBody, what: GrantContent, account_id: str, partition: str) -> tuple[str, ...]:
    try:
        document = body.render(what.parameters, account_id=account_id, partition=partition)
    except TemplateError:
        return ()
    return (written(document),)


def _local_arn(arn: str, account: Account) -> str:
    """The ARN with the same path and name in this account."""
    parts = arn.split(":", 5)
    owner = "aws" if parts[4] == "aws" else account.account_id
    return ":".join([parts[0], account.partition, *parts[2:4], owner, parts[5]])


def _managed(arn: str, accounts: Sequence[Account]) -> dict[str, _PolicyTexts]:
    """The text of a managed policy, by account ID. AWS managed policies are the same everywhere, so any
    account's copy counts.
    """
    wanted = {account.account_id: _local_arn(arn, account) for account in accounts}
    rows = PolicyVersion.objects.filter(
        valid_at(None), is_default=True, policy__arn__in=set(wanted.values())
    ).order_by("observed_at")
    texts = dict(rows.values_list("policy__arn", "document__text"))
    return {number: _PolicyTexts((texts[here],)) for number, here in wanted.items() if here in texts}


def _held_policies(kind: Kind, arn: str, accounts: Sequence[Account]) -> dict[str, _PolicyTexts]:
    """The texts of the attached and inline policies of a role or group, by account ID."""
    wanted = {_local_arn(arn, account): account.account_id for account in accounts}
    rows = Entity.objects.filter(kind=kind, arn__in=wanted, gone_at__isnull=True)
    holders = {pk: wanted[arn] for pk, arn in rows.values_list("pk", "arn")}
    texts: dict[str, list[str]] = {number: [] for number in holders.values()}
    missing: dict[str, int] = dict.fromkeys(texts, 0)
    now = valid_at(None)
    inline = InlinePolicy.objects.filter(now, owner__in=holders).order_by("name")
    for owner, text in inline.values_list("owner_id", "document__text"):
        texts[holders[owner]].append(text)
    edges = Edge.objects.filter(now, source__in=holders, kind=EdgeKind.ATTACHED).order_by("target__name")
    attached = list(edges.values_list("source_id", "target_id"))
    documents = _default_texts({target for _, target in attached})
    for source, target in attached:
        if target in documents:
            texts[holders[source]].append(documents[target])
        else:
            missing[holders[source]] += 1
    return {
        number: _PolicyTexts(tuple(policy_texts), missing[number]) for number, policy_texts in texts.items()
    }


def _default_texts(policies: Collection[int]) -> dict[int, str]:
    rows = PolicyVersion.objects.filter(valid_at(None), policy__in=policies, is_default=True)
    return dict(rows.values_list("policy_id", "document__text"))
