"""The principals of an account by column. This takes about a hundred bytes per principal; objects would take
a thousand and have to be created one by one.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from iam.policy.index.documents import IndexedDocument
from iam.policy.index.rows import NO_TAGS, PolicyHoldings
from iam.policy.letter_case import fold

NUMBERS: Final = "I"
IDS: Final = "q"
BETWEEN: Final = "\n"
"""A separator that occurs in no name."""


class PackedTexts:
    """Concatenated texts with the end position of each."""

    __slots__ = ("ends", "text")

    def __init__(self, text: str, ends: array[int]) -> None:
        self.text, self.ends = text, ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> PackedTexts:
        """Pack these texts."""
        every = list(texts)
        ends, end = array(NUMBERS), 0
        for text in every:
            end += len(text)
            ends.append(end)
        return cls("".join(every), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, place: int) -> str:
        ends = self.ends
        return self.text[ends[place - 1] if place else 0 : ends[place]]

    def __iter__(self) -> Iterator[str]:
        first, text = 0, self.text
        for end in self.ends:
            yield text[first:end]
            first = end


def grants_in(numbers: Sequence[Any], digests: Sequence[str]) -> PolicyHoldings:
    """Decode the holdings of an image, in which documents are numbers."""
    inline, attached, groups, boundary = numbers
    named = tuple([(name, digests[doc]) for name, doc in inline])
    return PolicyHoldings(named, tuple(attached), tuple(groups), boundary)


def held_in(shared_part: str) -> tuple[Sequence[int], Sequence[int]]:
    """The numbers of the attached policies and of the groups in a text from
    `PrincipalColumns.shared_part`.
    """
    attached, groups, _ = json.loads(f"[{shared_part.removeprefix('],')}")
    return attached, groups


class PrincipalColumns:
    """The attributes of principals that don't change while the account is in an index, by row. The rows of a
    class are consecutive.

    `arns` omit `prefix`. `starts` has the first row of each class, and finally the number of rows. `grants`
    and `tags` are positions in `kinds_of_grants` and `kinds_of_tags`, which are parsed on access. `digests`
    are those of the documents that grants refer to by number. `trusts` are numbers of trust policies, counted
    from 1; 0 means none.
    """

    __slots__ = (
        "_by_id",
        "_names",
        "_tags_read",
        "_trust",
        "_trusts_read",
        "arns",
        "digests",
        "grants",
        "ids",
        "kinds_of_grants",
        "kinds_of_tags",
        "prefix",
        "starts",
        "tags",
        "trusts",
        "unique_ids",
    )

    def __init__(
        self,
        prefix: str,
        *,
        ids: array[int],
        arns: PackedTexts,
        unique_ids: PackedTexts,
        grants: array[int],
        kinds_of_grants: PackedTexts,
        tags: array[int],
        kinds_of_tags: PackedTexts,
        trusts: array[int],
        trust: Callable[[int], IndexedDocument],
        starts: array[int],
        digests: Sequence[str],
    ) -> None:
        self.prefix = prefix
        self.ids = ids
        self.arns = arns
        self.unique_ids = unique_ids
        self.grants = grants
        self.kinds_of_grants = kinds_of_grants
        self.tags = tags
        self.kinds_of_tags = kinds_of_tags
        self.trusts = trusts
        self._trust = trust
        self.starts = starts
        self.digests = digests
        self._by_id = array(NUMBERS, sorted(range(len(ids)), key=ids.__getitem__))
        self._names: str | None = None
        self._tags_read: dict[int, Mapping[str, str] | None] = {}
        self._trusts_read: dict[int, IndexedDocument] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, number: int) -> int | None:
        """The row of a principal, by its number."""
        by_id, ids = self._by_id, self.ids
        place = bisect_left(by_id, number, key=ids.__getitem__)
        if place < len(by_id) and ids[by_id[place]] == number:
            return by_id[place]
        return None

    def arn_of(self, row: int) -> str:
        """The ARN of a row's principal."""
        return self.prefix + self.arns[row]

    def grants_of(self, row: int) -> PolicyHoldings:
        """The policies and groups of the principal. Parsed on each access: cached, they would take as much
        memory as all columns.
        """
        return grants_in(json.loads(self.kinds_of_grants[self.grants[row]]), self.digests)

    def shared_part(self, row: int) -> str:
        """The part of the holdings that many others share, as text: everything but the inline policies, whose
        names contain no brackets.
        """
        text, ends = self.kinds_of_grants.text, self.kinds_of_grants.ends
        number = self.grants[row]
        first, last = ends[number - 1] if number else 0, ends[number]
        after_attached = text.rindex("],[", first, last)
        return text[text.rindex("],[", first, after_attached) : last]

    def tags_of(self, row: int) -> Mapping[str, str] | None:
        """The tags; None if unknown."""
        number = self.tags[row]
        if number not in self._tags_read:
            read = json.loads(self.kinds_of_tags[number])
            tags = NO_TAGS if read == {} else read
            self._tags_read.setdefault(number, tags)
        return self._tags_read[number]

    def trust_of(self, row: int) -> IndexedDocument | None:
        """The trust policy of a role."""
        number = self.trusts[row] - 1
        if number < 0:
            return None
        if number not in self._trusts_read:
            self._trusts_read.setdefault(number, self._trust(number))
        return self._trusts_read[number]

    @property
    def names(self) -> list[str]:
        """The lowercase name of each user, by row; "" for other principals."""
        if self._names is None:
            names = []
            for arn in self.arns:
                name = arn.rpartition("/")[2] if ":user/" in f":{arn}" else ""
                names.append(name.replace(BETWEEN, " "))
            self._names = fold(BETWEEN.join(names))
        return self._names.split(BETWEEN)

    def rows_named(self, arn: str) -> Iterator[int]:
        """The rows with this ARN, which is given without `prefix`."""
        text, ends, at = self.arns.text, self.arns.ends, -1
        while (at := text.find(arn, at + 1)) >= 0:
            row = bisect_right(ends, at)
            if row < len(self) and self.arns[row] == arn:
                yield row

    def rows_with(self, is_meant: Callable[[PolicyHoldings], bool]) -> list[int]:
        """The rows of the principals whose holdings satisfy the predicate."""
        numbers = set()
        for number in range(len(self.kinds_of_grants)):
            if is_meant(grants_in(json.loads(self.kinds_of_grants[number]), self.digests)):
                numbers.add(number)
        return [row for row, number in enumerate(self.grants) if number in numbers] if numbers else []
