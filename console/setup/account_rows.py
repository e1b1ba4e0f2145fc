"""An account as a row of the list: freshness by section, and its status."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from console.web.access import ViewerRequest
from console.web.alike_rows import AlikeRow
from console.web.templatetags.ui import keep, moment
from iam.mirror.models import Account
from iam.mirror.queries.freshness import FreshnessFacts, account_state, cells

ANY_NUMBER: Final = "000000000000"


@dataclass(frozen=True, slots=True)
class ListedAccount(AlikeRow):
    """A row of the list. `strip` has a mark per section; `removed` says since when it is disconnected, or is
    "".
    """

    TEXTS = frozenset({
        "name", "number", "display_id", "url", "alias", "removed", "strip", "words", "note", "unit", "source",
        "identities", "settings_url", "connect_url",
    })  # fmt: skip

    name: str
    number: str
    display_id: str
    url: str
    alias: str
    removed: str
    strip: str
    tone: str
    words: str
    note: str
    unit: str
    source: str
    identities: str
    mode: str
    settings_url: str
    connect_url: str
    is_active: bool

    def __getitem__(self, name: str) -> object:
        """Return the attribute; templates look up items first."""
        return getattr(self, name)


@dataclass(frozen=True, slots=True)
class RowAddresses:
    """Addresses for the rows of a page; `kept` is the part of the page's query that they keep."""

    page: str
    settings: str
    connect: str
    kept: str

    @classmethod
    def of(cls, request: ViewerRequest) -> RowAddresses:
        """Create for a page; reversing one URL per row would be slower than inserting the ID."""
        return cls(
            page=reverse("setup:account", args=[ANY_NUMBER]),
            settings=reverse("setup:settings", args=[ANY_NUMBER]),
            connect=reverse("setup:connect"),
            kept=keep({"request": request}, ""),
        )

    def page_of(self, number: str) -> str:
        """Return the address of an account's page."""
        return self.page.replace(ANY_NUMBER, number) + self.kept

    def settings_of(self, number: str) -> str:
        """Return the address of an account's settings."""
        return self.settings.replace(ANY_NUMBER, number)

    def connect_again(self, account: Account) -> str:
        """Return the address to connect an account again."""
        query = {"account_id": account.account_id, "name": account.name, "partition": account.partition}
        return f"{self.connect}?{urlencode(query)}"


def account_row(facts: FreshnessFacts, addresses: RowAddresses) -> ListedAccount:
    """Return the row of an account."""
    account, standing = facts.account, account_state(facts)
    number = account.account_id
    removed = moment(account.removed_at, only="date") if account.removed_at else ""
    identities = "Unknown" if facts.identities is None else f"{facts.identities:,}"
    connect_url = addresses.connect_again(account) if account.removed_at else ""
    return ListedAccount(
        name=account.name,
        number=number,
        display_id=account.display_id,
        url=addresses.page_of(number),
        alias=facts.alias,
        removed=removed,
        strip=_strip(facts),
        tone=standing.tone,
        words=standing.words,
        note=standing.note,
        unit=facts.unit,
        source=account.get_source_display(),
        identities=identities,
        mode=facts.mode,
        settings_url=addresses.settings_of(number),
        connect_url=connect_url,
        is_active=facts.pull is not None,
    )


def _strip(facts: FreshnessFacts) -> SafeString:
    """Render a mark per section; height and hatching repeat the tone for people who can’t distinguish the
    colors.
    """
    marks = "".join(_mark(cell.label, cell.tone, cell.words) for cell in cells(facts))
    return mark_safe(f'<ul class="strip">{marks}</ul>')  # noqa: S308


@lru_cache(maxsize=4096, typed=True)
def _mark(name: str, tone: str, age: str) -> SafeString:
    """Render a mark; cached, because a list has a thousand marks of only a few kinds."""
    return format_html(
        '<li data-tone="{}" title="{}: {}"><span class="sr">{}: {}</span></li>', tone, name, age, name, age
    )
