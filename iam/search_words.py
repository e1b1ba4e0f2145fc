"""How search texts are compared: in lower case, and with any apostrophe that a person, a keyboard, an AWS tag
or a word processor uses.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Replace

APOSTROPHES: Final = "'’‘ʼˈ`"
"""The straight apostrophe is first. ʼ and ˈ are letters, which an AWS tag can contain."""
SHOWN_END: Final = re.compile(r"(?:…|\.{3})(?P<marked>[A-Za-z0-9]{2,20})|(?P<bare>[A-Z0-9]{4})")
"""An ellipsis with the end of an ID, or four characters as AWS writes them."""
_STRAIGHT: Final = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def folded(text: str) -> str:
    """Return a text in the form in which it is stored for searches and compared: in lower case, with straight
    apostrophes.
    """
    return text.lower().translate(_STRAIGHT)


def words_of(text: str, *, most: int | None = None) -> list[str]:
    """Return the first words of a search, folded. The end of an ID is looked for without the ellipsis that
    pages show before it.
    """
    return [_without_ellipsis(word) for word in folded(text).split()[:most]]


def shown_end(text: str) -> str:
    """Return the end of an ID as pages show it: ABCD for “…ABCD”, “...abcd” or “ABCD”; "" for other texts."""
    match = SHOWN_END.fullmatch(text.strip())
    if match is None:
        return ""
    return str(match["marked"] or match["bare"]).upper()


def _without_ellipsis(word: str) -> str:
    return word.removeprefix("…").removeprefix("...") or word


def spellings(text: str) -> list[str]:
    """Return the text with each kind of apostrophe, or only the text if it has none."""
    straight = text.translate(_STRAIGHT)
    if "'" not in straight:
        return [text]
    return [straight.replace("'", sign) for sign in APOSTROPHES]


def matches(text: str, *columns: str, by: str = "icontains") -> Q:
    """Return the condition that one of the columns contains the text, with any apostrophe. `by`
    is a lookup.
    """
    condition = Q()
    for column in columns:
        for spelling in spellings(text):
            condition |= Q(**{f"{column}__{by}": spelling})
    return condition


def fold_kept(rows: QuerySet[Any, Any]) -> int:
    """Fold the `search` column of rows with other apostrophes, for migrations, and return how many."""
    has_other = Q()
    straight: F | Replace = F("search")
    for sign in APOSTROPHES[1:]:
        has_other |= Q(search__contains=sign)
        straight = Replace(straight, Value(sign), Value("'"))
    return rows.filter(has_other).update(search=straight)
