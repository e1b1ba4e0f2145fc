"""How the text of a search is compared: in lower case, and whichever apostrophe someone typed or a keyboard,
a tag of AWS or a word processor wrote.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Replace

APOSTROPHES: Final = "'’‘ʼˈ`"
"""The straight one comes first. ʼ and ˈ are letters, which a tag of AWS can hold."""
_STRAIGHT: Final = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def folded(text: str) -> str:
    """A text as it is kept to be searched, and as what is looked for in it: in lower case, with the straight
    apostrophe for every other.
    """
    return text.lower().translate(_STRAIGHT)


def words_of(text: str, *, most: int | None = None) -> list[str]:
    """The first words that someone looks for, folded."""
    return folded(text).split()[:most]


def spellings(text: str) -> list[str]:
    """The text with each apostrophe; the text alone where it has none."""
    straight = text.translate(_STRAIGHT)
    if "'" not in straight:
        return [text]
    return [straight.replace("'", sign) for sign in APOSTROPHES]


def matches(text: str, *columns: str, by: str = "icontains") -> Q:
    """A condition: one of the columns, which keep what was written, has the text with any apostrophe. `by` is
    a lookup.
    """
    condition = Q()
    for column in columns:
        for spelling in spellings(text):
            condition |= Q(**{f"{column}__{by}": spelling})
    return condition


def fold_kept(rows: QuerySet[Any, Any]) -> int:
    """Fold what rows keep in `search`, of those that have another apostrophe; how many. For migrations."""
    has_other = Q()
    straight: F | Replace = F("search")
    for sign in APOSTROPHES[1:]:
        has_other |= Q(search__contains=sign)
        straight = Replace(straight, Value(sign), Value("'"))
    return rows.filter(has_other).update(search=straight)
