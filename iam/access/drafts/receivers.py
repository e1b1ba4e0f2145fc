"""Whom one may give access: found by typing, by a pasted list of names, or by ARN; within one's reach, in accounts that can be changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Q, QuerySet

from iam.access.grants.terms import WhoKind
from iam.directory.models import Team, TeamRule
from iam.guard import Viewer
from iam.linking.whose import arns_of
from iam.mirror.models import Account, Entity, Kind, UserCredentials, valid_at
from iam.mirror.naming import names_by_entity
from iam.mirror.queries.accounts import accounts_to_change, whole_accounts
from iam.mirror.queries.visibility import visible_entities

SHOWN: Final = 12
MOST_PASTED: Final = 200
MOST_NAMESAKES: Final = 100
KINDS: Final = {
    WhoKind.USERS: Kind.USER,
    WhoKind.GROUP: Kind.GROUP,
    WhoKind.ROLE: Kind.ROLE,
}
"""Those who are chosen in the mirror."""
SEPARATORS: Final = re.compile(r"[\n\r,;\t]+")
IN_BRACKETS: Final = re.compile(r"^.*<([^<>]+@[^<>]+)>$")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who may receive. `shown` is what people call them; `has_mfa` None: no user, or nobody knows."""

    pk: int
    arn: str
    name: str
    shown: str
    kind: str
    account: Account
    has_mfa: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The first that match, by name, and whether there are more."""

    rows: list[Receiver]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a list of names means: whom it names, which lines name nobody, and which name several, with these."""

    found: list[Receiver]
    unknown: list[str]
    several: dict[str, list[Receiver]]


def reach(viewer: Viewer, kind: Kind) -> QuerySet[Entity]:
    """Those of a kind for whom the viewer may ask, in accounts that can be changed."""
    asks = visible_entities(replace(viewer, scope=viewer.asks))
    found = asks.filter(kind=kind, gone_at__isnull=True, account__in=accounts_to_change(viewer).values("pk"))
    return found.select_related("account")


def search(viewer: Viewer, kind: WhoKind, *, text: str, account_id: str = "", most: int = SHOWN) -> Found:
    """Those whose ARN, name or unique id has every word; all when nothing is typed. Two queries."""
    rows = reach(viewer, KINDS[kind])
    if account_id:
        rows = rows.filter(account__account_id=account_id)
    for word in text.lower().split()[:8]:
        rows = rows.filter(search__contains=word)
    found = list(rows.order_by("name", "id")[: most + 1])
    return Found(_receivers(found[:most]), has_more=len(found) > most)


def chosen(viewer: Viewer, kind: WhoKind, arns: Sequence[str]) -> list[Receiver]:
    """The receivers of these ARNs whom the viewer may still choose, in the same order."""
    found = {one.arn: one for one in _receivers(reach(viewer, KINDS[kind]).filter(arn__in=arns))}
    return [found[arn] for arn in arns if arn in found]


def namesakes(viewer: Viewer, kind: WhoKind, receivers: Iterable[Receiver]) -> list[Receiver]:
    """Who is called as they are in other accounts: one person often has a user in each."""
    names = {one.name for one in receivers}
    arns = {one.arn for one in receivers}
    if not names:
        return []
    rows = reach(viewer, KINDS[kind]).filter(name__in=names).exclude(arn__in=arns)
    return _receivers(rows.order_by("account__name", "name", "id")[:MOST_NAMESAKES])


def read_names(viewer: Viewer, kind: WhoKind, text: str, *, account_id: str = "") -> Pasted:
    """Names, e-mail addresses or ARNs, one a line or with commas between: whom they mean. Four queries, however many there are."""
    lines = list(dict.fromkeys(_lines(text)))[:MOST_PASTED]
    rows = reach(viewer, KINDS[kind])
    if account_id:
        rows = rows.filter(account__account_id=account_id)
    mailed = _by_mail(lines) if kind is WhoKind.USERS else {}
    wanted = set(lines) | {_login(line) for line in lines}
    arns = {arn for found in mailed.values() for arn in found}
    candidates = _receivers(
        rows.filter(Q(name__in=wanted) | Q(arn__in=wanted | arns)).order_by("account__name", "id")
    )
    result = Pasted([], [], {})
    for line in lines:
        meant = [one for one in candidates if _means(line, one, mailed.get(line.lower(), frozenset()))]
        if not meant:
            result.unknown.append(line)
        elif len(meant) == 1:
            result.found.append(meant[0])
        else:
            result.several[line] = meant
    return result


def _lines(text: str) -> Iterable[str]:
    for part in SEPARATORS.split(text):
        line = part.strip().strip('"')
        bracketed = IN_BRACKETS.fullmatch(line)
        if line:
            yield (bracketed[1] if bracketed else line).strip()


def _login(line: str) -> str:
    """ "Maya Okafor" as a login, `maya.okafor`."""
    return ".".join(line.lower().split())


def _means(line: str, one: Receiver, arns: frozenset[str]) -> bool:
    return line in (one.arn, one.name) or one.arn in arns or (" " in line and one.name == _login(line))


def _by_mail(lines: list[str]) -> dict[str, frozenset[str]]:
    """The users that were linked by hand to people with these addresses: who writes a tag in AWS gets nothing by it."""
    addresses = {line.lower() for line in lines if "@" in line}
    return arns_of(addresses) if addresses else {}


def _receivers(entities: Iterable[Entity]) -> list[Receiver]:
    found = list(entities)
    users = [one.pk for one in found if one.kind == Kind.USER]
    facts = UserCredentials.objects.filter(valid_at(None), user__in=users) if users else []
    mfa: dict[Any, str] = {one.user_id: one.mfa for one in facts}
    names = names_by_entity(found)
    return [
        Receiver(
            pk=one.pk,
            arn=one.arn,
            name=one.name,
            shown=names[one.pk],
            kind=one.kind,
            account=one.account,
            has_mfa=_has_mfa(mfa.get(one.pk)),
        )
        for one in found
    ]


def _has_mfa(mfa: str | None) -> bool | None:
    return None if mfa in (None, "unread", "unknown") else mfa != "none"


def teams_to_choose(viewer: Viewer) -> list[Team]:
    """The teams whose people the viewer may ask for: all for who asks in all accounts, else those that are led."""
    if viewer.asks.accounts is None:
        return list(Team.objects.order_by("name"))
    rules = TeamRule.objects.none()
    for kind, pairs in (("group", viewer.asks.groups), ("path", viewer.asks.paths)):
        for account_id, value in pairs:
            rules = rules | TeamRule.objects.filter(kind=kind, value=value, account_id__in=["", account_id])
    return list(Team.objects.filter(pk__in=rules.values("team")).order_by("name"))


def providers(viewer: Viewer, account_id: str = "") -> list[Entity]:
    """The identity providers of the accounts that the viewer may let people into."""
    kinds = (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER)
    found = Entity.objects.filter(
        kind__in=kinds, gone_at__isnull=True, account__in=whole_accounts(viewer).values("pk")
    ).select_related("account")
    if account_id:
        found = found.filter(account__account_id=account_id)
    return list(found.order_by("account__name", "name", "id")[:200])
