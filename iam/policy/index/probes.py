"""Generates concrete resources (probes) to evaluate: one for each way in which the patterns of some
statements overlap.

If the stars of a pattern are filled with a word that occurs in no pattern, the result matches only those
other patterns that cover the whole pattern. So the patterns, their overlaps in pairs, triples and so on, and
the types of resources of the action give one text for each combination that a resource can have.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.policy.arns import SEGMENTS, is_incomplete, missing_segments, resource_tokens
from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, Token, tokens
from iam.policy.index.overlap import Tokens, matcher_of, may_overlap, overlaps
from iam.policy.index.patterns import normal

MAX_PROBES: Final = 240
"""The maximum number of pattern combinations tried."""
ALIKE: Final = 3
"""The maximum number of probes that match the same patterns. They may differ in their overlaps with other
patterns.
"""
WORDS: Final = ("x", "example", "item7", "q7z9k")
ACCOUNTS: Final = ("444455556666", "123456789012", "210987654321", "777788889999")
"""Account IDs from examples in AWS's documentation."""
REGIONS: Final = ("eu-west-1", "us-east-1", "ap-southeast-2", "sa-east-1", "ca-west-1", "af-south-1")
PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
WITHOUT_SLASH: Final = frozenset({"BucketName", "TableName", "AccessPointName", "TableBucketName"})
"""Placeholders in AWS's ARN formats whose values contain no slash. Other types of resources have one
there.
"""
PARTITION, SERVICE, REGION, ACCOUNT = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class ProbePlace:
    """The assumed location of a resource where no policy specifies it."""

    partition: str
    account: str
    service: str


@lru_cache(maxsize=4096)
def pattern_tokens(text: str) -> Tokens:
    """Parse a Resource pattern without variables, completed and normalized."""
    parts: list[Token] = tokens(text)
    if is_incomplete(parts):
        parts += missing_segments(parts)
    return tuple(normal(resource_tokens(parts)))


@lru_cache(maxsize=4096)
def format_tokens(arn: str, partition: str, account: str) -> Tokens:
    """AWS's ARN format for a type of resource, as a pattern of such resources in the account."""
    known = {"Partition": partition, "Account": account}
    text = PLACEHOLDER.sub(lambda match: known.get(match.group(1), "*"), arn)
    return tuple(normal(resource_tokens(tokens(text))))


@lru_cache(maxsize=4096)
def format_matcher(arn: str) -> re.Pattern[str]:
    """An expression that matches ARNs of the format."""
    expression, at = "", 0
    for match in PLACEHOLDER.finditer(arn):
        expression += re.escape(arn[at : match.start()])
        name = match.group(1)
        segment = arn.count(":", 0, match.start())
        is_in_head = segment < SEGMENTS - 1
        if is_in_head:
            expression += "[^:/]*"
        elif name in WITHOUT_SLASH:
            expression += "[^/]+"
        else:
            expression += ".+"
        at = match.end()
    source = (expression + re.escape(arn[at:])).replace(r"\*", ".*")
    # Adjacent placeholders become one star.
    return re.compile(source.replace(".+.+", ".+"), re.DOTALL)


def probes(
    patterns: Mapping[Tokens, int],
    *,
    formats: tuple[str, ...] | None,
    place: ProbePlace,
    accounts: tuple[str, ...] | None = None,
) -> tuple[str, ...]:
    """Return resources of these formats (None means any), ordered by pattern. `patterns` gives for each
    pattern the lists that contain it, as bits.

    `accounts` are named by conditions on the resource's account; None if there are no such conditions.
    Resources of an account that is named nowhere come last: for "all except this account", they are the only
    ones.
    """
    if formats == ():
        return ("*",)
    items = tuple(patterns.items())
    texts_by_probe: dict[str, None] = {}
    later: dict[str, None] = {}
    for arn in formats or ("",):
        first, last = _of_format(items, arn, place)
        texts_by_probe.update(dict.fromkeys(first))
        later.update(dict.fromkeys(last))
    if accounts is not None or any(map(_names_account, patterns)):
        for arn in formats or ("",):
            for account in _other_accounts(items, place.account, accounts or ()):
                for texts in _of_format(items, arn, replace(place, account=account), is_other=True):
                    later.update(dict.fromkeys(texts))
    if formats is None:
        later["*"] = None
    return tuple({**texts_by_probe, **later})


@lru_cache(maxsize=4096)
def _names_account(pattern: Tokens) -> bool:
    """True if a pattern may distinguish resources of one account from those of another."""
    if pattern == (ANY,):
        return False
    segments = _split(pattern)
    return len(segments) != SEGMENTS or any(len(token) == 1 for token in segments[ACCOUNT])


@lru_cache(maxsize=1024)
def _other_accounts(
    patterns: tuple[tuple[Tokens, int], ...], own: str, named: tuple[str, ...]
) -> tuple[str, ...]:
    """The accounts that conditions name, apart from the principal's own, and one that is named nowhere."""
    texts = {own, *named}
    texts.update(_letters(pattern) for pattern, _ in patterns)
    others = [account_id for account_id in named if account_id != own]
    return (*others, _absent_from(texts, ACCOUNTS, otherwise=ACCOUNTS[-1]))


@lru_cache(maxsize=8192)
def _of_format(
    patterns: tuple[tuple[Tokens, int], ...], arn: str, place: ProbePlace, *, is_other: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Resources of one format ("" means any): first those with stars replaced by a word, then those with
    stars replaced by nothing.

    `is_other`: True gives only resources of the place's account, which isn't the principal's.
    """
    if is_other and arn and "${Account}" not in arn:
        return (), ()
    kind: Tokens = format_tokens(arn, place.partition, place.account) if arn else (ANY,)
    near = {
        pattern: lists
        for pattern, lists in patterns
        if _common(kind, pattern) or (not is_other and any(True for _ in _elsewhere(pattern, kind)))
    }
    word, region = _word(near), _region(near)
    is_right = format_matcher(arn).fullmatch if arn else None

    def begin(pattern: Tokens) -> tuple[Tokens, ...]:
        """The pattern itself if its texts have the format, otherwise its overlaps with the format."""
        if is_right is None or is_right(filled(pattern, word=word, region=region, place=place)):
            return (pattern,)
        return (*_common(kind, pattern), *_elsewhere(pattern, kind))

    starts = list(chain.from_iterable(map(begin, near)))
    texts: dict[str, None] = {}
    later: dict[str, None] = {}
    for cell in (*_cells(near, starts, word=word, region=region, place=place), kind):
        for kept, filler in ((texts, word), (later, "")):
            text = filled(cell, word=filler, region=region, place=place)
            if is_right is None or is_right(text):
                kept[text] = None
    return tuple(texts), tuple(text for text in later if text not in texts)


def _cells(
    patterns: Mapping[Tokens, int], starts: Iterable[Tokens], *, word: str, region: str, place: ProbePlace
) -> list[Tokens]:
    """Overlap patterns with each other, beginning with `starts`, until every existing combination of lists is
    found.

    A statement applies to whatever any pattern of its list matches. So a cell within a list needs no second
    pattern of that list: whatever their overlap shares with others, the cell shares with them too.
    """
    matchers = [matcher_of(tokens) for tokens in patterns]
    every = list(patterns.items())
    cells: dict[Tokens, int] = {}
    seen: Counter[int] = Counter()

    def add(cell: Tokens) -> bool:
        if cell in cells:
            return False
        text = filled(cell, word=word, region=region, place=place)
        of = sum(1 << number for number, matches in enumerate(matchers) if matches(text))
        seen[of] += 1
        if seen[of] > ALIKE:
            return False
        cells[cell] = of
        return True

    for start in starts:
        add(start)
    queue = deque(cells)
    while queue and len(cells) < MAX_PROBES:
        cell = queue.popleft()
        inside = 0
        for number, (_, lists) in enumerate(every):
            inside |= lists if cells[cell] >> number & 1 else 0
        for pattern, lists in every:
            if lists & ~inside:
                queue.extend(fresh for fresh in _common(cell, pattern) if add(fresh))
    return list(cells)


def _elsewhere(arn_of: Tokens, kind: Tokens) -> Iterator[Tokens]:
    """Match a pattern that names another account; the resource still has the format."""
    parts, named = _split(kind), _split(arn_of)
    if len(parts) != SEGMENTS or len(named) != SEGMENTS:
        return
    own_account, account = parts[ACCOUNT], named[ACCOUNT]
    if not own_account or not account or own_account == account:
        return
    if any(len(token) > 1 for token in account):
        return
    parts[ACCOUNT] = account
    yield from _common(_joined(parts), arn_of)


def _common(tokens: Tokens, other: Tokens) -> tuple[Tokens, ...]:
    return overlaps(tokens, other) if may_overlap(tokens, other) else ()


def filled(pattern: Iterable[Token], *, word: str, region: str, place: ProbePlace) -> str:
    """A text that matches a pattern. A star alone in a segment of the head is filled as AWS would, every
    other star with the word.
    """
    segments = _split(tuple(pattern))
    head = {PARTITION: place.partition, SERVICE: place.service, REGION: region, ACCOUNT: place.account}
    instead = {ANY: word, WITHIN: word, ONE: "0", ONE_WITHIN: "0"}
    filled_tokens = []
    for number, segment in enumerate(segments):
        is_alone = len(segment) == 1 and segment[0] in (ANY, WITHIN)
        if is_alone and number in head and len(segments) == SEGMENTS:
            filled_tokens.append(head[number])
            continue
        filled_tokens.append("".join([instead.get(token, token) for token in segment]))
    return ":".join(filled_tokens)


def _split(pattern: Tokens) -> list[list[Token]]:
    segments: list[list[Token]] = []
    begin = 0
    while len(segments) < SEGMENTS - 1 and ":" in pattern[begin:]:
        end = pattern.index(":", begin)
        segments.append(list(pattern[begin:end]))
        begin = end + 1
    return [*segments, list(pattern[begin:])]


def _joined(segments: Sequence[Sequence[Token]]) -> Tokens:
    joined: list[Token] = []
    for number, segment in enumerate(segments):
        if number:
            joined.append(":")
        joined += segment
    return tuple(joined)


def _word(patterns: Iterable[Tokens]) -> str:
    """A word that occurs in no pattern, so that only a star matches it."""
    texts = []
    for pattern in patterns:
        text = ""
        for token in pattern:
            text += token if len(token) == 1 else "\0"
        texts.append(text)
    has_singles = any(ONE in pattern or ONE_WITHIN in pattern for pattern in patterns)
    for word in WORDS[has_singles:]:
        if not any(word in text.rpartition(":")[2] for text in texts):
            return word
    return WORDS[-1]


def _region(patterns: Iterable[Tokens]) -> str:
    texts = [_letters(pattern) for pattern in patterns]
    return _absent_from(texts, REGIONS, otherwise=REGIONS[0])


def _letters(pattern: Tokens) -> str:
    """The characters of a pattern without its wildcards."""
    return "".join([token for token in pattern if len(token) == 1])


def _absent_from(texts: Collection[str], choices: Iterable[str], *, otherwise: str) -> str:
    """The first choice that occurs in none of the texts."""
    for choice in choices:
        if not any(choice in text for text in texts):
            return choice
    return otherwise
