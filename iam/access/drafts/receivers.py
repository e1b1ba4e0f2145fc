"""Finds possible recipients by typing, by a pasted list of names, or by ARN, within what the viewer can
request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from django.db.models import QuerySet

from iam.access.grants.terms import WhoKind
from iam.directory.models import Team, TeamRule
from iam.guard import Viewer
from iam.linking.pasted_people import PastedList, match_list
from iam.mirror.display_names import names_by_entity
from iam.mirror.mfa import has_mfa
from iam.mirror.models import Account, Entity, Kind, UserCredentials, valid_at
from iam.mirror.queries.accounts import accounts_to_change, whole_accounts
from iam.mirror.queries.visibility import visible_entities
from iam.search_words import words_of

MAX_MATCHES: Final = 12
MAX_NAMESAKES: Final = 100
KINDS: Final = {
    WhoKind.USERS: Kind.USER,
    WhoKind.GROUP: Kind.GROUP,
    WhoKind.ROLE: Kind.ROLE,
}
"""Maps kinds of recipients to kinds of mirror entities."""


@dataclass(frozen=True, slots=True)
class DraftReceiver:
    """A possible recipient.

    `shown` is the display name. `has_mfa` is None if it is unknown, no user, or a user without a console
    password. `basis` is how a pasted name was matched.
    """

    pk: int
    arn: str
    name: str
    shown: str
    kind: str
    account: Account
    has_mfa: bool | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class ReceiverMatches:
    """The first matches by name, and whether there are more."""

    rows: list[DraftReceiver]
    has_more: bool


@dataclass(frozen=True, slots=True)
class PastedReceivers:
    """The result of a pasted list: matched recipients, unmatched lines, ambiguous lines with their
    candidates, and lines beyond the limit.

    A line matched only by a tag counts as ambiguous.
    """

    found: list[DraftReceiver]
    unknown: list[str]
    several: dict[str, list[DraftReceiver]]
    left_over: list[str] = field(default_factory=list)

    def without_decided(self, arns: Collection[str]) -> PastedReceivers:
        """The result without ambiguous lines for which a candidate is already selected."""
        open_lines = {
            text: rows
            for text, rows in self.several.items()
            if not any(receiver.arn in arns for receiver in rows)
        }
        return replace(self, several=open_lines)


def reach(viewer: Viewer, kind: Kind) -> QuerySet[Entity]:
    """The entities of a kind that the viewer can request access for, in writable accounts."""
    asks = visible_entities(replace(viewer, scope=viewer.asks))
    entities = asks.filter(
        kind=kind, gone_at__isnull=True, account__in=accounts_to_change(viewer).values("pk")
    )
    return entities.select_related("account")


def search(
    viewer: Viewer, kind: WhoKind, *, text: str, account_id: str = "", most: int = MAX_MATCHES
) -> ReceiverMatches:
    """The entities whose ARN, name or unique id contains every word; all if nothing is typed. Two queries."""
    rows = reach(viewer, KINDS[kind])
    if account_id:
        rows = rows.filter(account__account_id=account_id)
    for word in words_of(text, most=8):
        rows = rows.filter(search__contains=word)
    entities = list(rows.order_by("name", "id")[: most + 1])
    return ReceiverMatches(_receivers(entities[:most]), has_more=len(entities) > most)


def chosen(viewer: Viewer, kind: WhoKind, arns: Sequence[str]) -> list[DraftReceiver]:
    """The recipients with these ARNs that the viewer can still choose, in order."""
    by_arn = {
        receiver.arn: receiver for receiver in _receivers(reach(viewer, KINDS[kind]).filter(arn__in=arns))
    }
    return [by_arn[arn] for arn in arns if arn in by_arn]


def namesakes(viewer: Viewer, kind: WhoKind, receivers: Iterable[DraftReceiver]) -> list[DraftReceiver]:
    """Users with the same name in other accounts, because a person often has a user in each."""
    names = {receiver.name for receiver in receivers}
    arns = {receiver.arn for receiver in receivers}
    if not names:
        return []
    rows = reach(viewer, KINDS[kind]).filter(name__in=names).exclude(arn__in=arns)
    return _receivers(rows.order_by("account__name", "name", "id")[:MAX_NAMESAKES])


def read_names(viewer: Viewer, kind: WhoKind, text: str, *, account_id: str = "") -> PastedReceivers:
    """Match a pasted list of names, email addresses or ARNs. A handful of queries."""
    rows = reach(viewer, KINDS[kind])
    if account_id:
        rows = rows.filter(account__account_id=account_id)
    return _pasted(match_list(text, among=rows))


def _pasted(pasted: PastedList) -> PastedReceivers:
    to_decide = pasted.to_decide
    offered = [match.entity for match in chain.from_iterable(line.matches for line in to_decide)]
    rows = {
        receiver.pk: receiver
        for receiver in _receivers({entity.pk: entity for entity in [*pasted.chosen, *offered]}.values())
    }
    several = {
        line.text: [replace(rows[match.entity.pk], basis=match.basis) for match in line.matches]
        for line in to_decide
    }
    chosen = [rows[entity.pk] for entity in pasted.chosen]
    return PastedReceivers(chosen, pasted.unknown, several, list(pasted.left_over))


def _receivers(entities: Iterable[Entity]) -> list[DraftReceiver]:
    rows = list(entities)
    users = [entity.pk for entity in rows if entity.kind == Kind.USER]
    facts = UserCredentials.objects.filter(valid_at(None), user__in=users) if users else []
    mfa: dict[Any, str] = {
        credentials.user_id: credentials.mfa for credentials in facts if credentials.has_password is not False
    }
    names = names_by_entity(rows)
    return [
        DraftReceiver(
            pk=entity.pk,
            arn=entity.arn,
            name=entity.name,
            shown=names[entity.pk],
            kind=entity.kind,
            account=entity.account,
            has_mfa=has_mfa(mfa.get(entity.pk)),
        )
        for entity in rows
    ]


def teams_to_choose(viewer: Viewer) -> list[Team]:
    """The teams that the viewer can request access for: all if they can in all accounts, else those they
    lead.
    """
    if viewer.asks.accounts is None:
        return list(Team.objects.order_by("name"))
    rules = TeamRule.objects.none()
    for account_id, group in viewer.asks.groups:
        rules |= TeamRule.objects.filter(kind="group", value=group, account_id__in=["", account_id])
    for account_id, path in viewer.asks.paths:
        rules |= TeamRule.objects.filter(kind="path", value=path, account_id__in=["", account_id])
    return list(Team.objects.filter(pk__in=rules.values("team")).order_by("name"))


def providers(viewer: Viewer, account_id: str = "") -> list[Entity]:
    """The identity providers of accounts in which the viewer can request access for federated principals."""
    kinds = (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)
    entities = Entity.objects.filter(
        kind__in=kinds, gone_at__isnull=True, account__in=whole_accounts(viewer).values("pk")
    ).select_related("account")
    if account_id:
        entities = entities.filter(account__account_id=account_id)
    return list(entities.order_by("account__name", "name", "id")[:200])
