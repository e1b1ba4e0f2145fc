"""Describes who can assume a role, with links to known principals, and finds the roles that trust
a provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from iam.guard import Viewer
from iam.mirror.models import Entity, EntityState, Kind, valid_at
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.entities import entities_by_arn
from iam.mirror.queries.visibility import visible
from iam.policy.trust_sentence_parts import TrustSentence
from iam.policy.trust_sentences import UnreadableTrustError, explain_trust, nobody_else

LINKED = (Kind.USER, Kind.ROLE, Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)


@dataclass(frozen=True, slots=True)
class TrustDescription:
    """The sentences of a trust policy, the entities that the viewer can open by ARN, and the closing
    sentence. `unreadable` says why there are no sentences.
    """

    sentences: list[TrustSentence] = field(default_factory=list)
    known: Mapping[str, Entity] = field(default_factory=dict)
    nobody_else: str = ""
    unreadable: str = ""


def trust_of(role: Entity, state: EntityState, *, viewer: Viewer, at: datetime | None) -> TrustDescription:
    """Return the trust policy of a role's state in words, with two queries."""
    if state.document is None:
        return TrustDescription(unreadable="The trust policy was not synced")
    text, own = state.document.text, role.account.account_id
    try:
        first = explain_trust(text, account_id=own, at=at)
    except UnreadableTrustError as error:
        return TrustDescription(unreadable=str(error))
    numbers = {sentence.account_id for sentence in first if sentence.account_id}
    names = dict(visible_accounts(viewer).filter(account_id__in=numbers).values_list("account_id", "name"))
    sentences = explain_trust(text, account_id=own, names=names, at=at)
    arns = {sentence.principal for sentence in sentences if sentence.principal.startswith("arn:")}
    return TrustDescription(
        sentences=sentences,
        known=entities_by_arn(viewer, arns=arns, kinds=LINKED),
        nobody_else=nobody_else(sentences),
    )


def roles_trusting(
    provider: Entity, *, viewer: Viewer, at: datetime | None
) -> QuerySet[EntityState, EntityState]:
    """Return the states of roles in the provider's account whose trust policy names the provider."""
    category = "saml" if provider.kind == Kind.SAML_PROVIDER else "oidc"
    rows = EntityState.objects.filter(
        valid_at(at),
        account=provider.account,
        kind=Kind.ROLE,
        category__in=[category, "any", "oidc"],
        document__text__contains=f'"{provider.arn}"',
    )
    return visible(rows, viewer, entity="entity").order_by("sort_name", "entity_id")


def lets_in(text: str, *, provider: Entity, at: datetime | None) -> list[TrustSentence]:
    """Return the sentences about the provider in a trust policy, or none if the document is invalid."""
    try:
        sentences_in = explain_trust(text, account_id=provider.account.account_id, at=at)
    except UnreadableTrustError:
        return []
    return [sentence for sentence in sentences_in if sentence.principal == provider.arn]
