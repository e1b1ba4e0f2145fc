"""What says nothing new: names that others take in, statements that others repeat, and what a Deny takes away
altogether.

Only what follows from the texts alone is reported, whatever actions AWS adds: that one pattern takes in
another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from iam.policy.glob import Matcher, compile_glob
from iam.policy.letter_case import fold
from iam.policy.lint.findings import quoted
from iam.policy.lint.view import Names, Statement, Subject, Word

MOST_STATEMENTS: Final = 120
MOST_INNER: Final = 60
"""Patterns with wildcards within: only so many of an element are compared with all its names."""
STAR: Final = "\x00"
ONE: Final = "\x01"


def check_redundancy(subject: Subject) -> None:
    """Within each statement, then each statement against the others."""
    for statement in subject.document.statements:
        _check_within(statement.actions, "REDUNDANT_ACTION", str.lower, subject)
        _check_within(statement.resources, "REDUNDANT_RESOURCE", str, subject)
    statements = subject.document.statements
    if 1 < len(statements) <= MOST_STATEMENTS:
        _Statements(statements, subject).check()


class Cover:
    """Names and patterns, asked whether they take in another one."""

    def __init__(self, words: Sequence[Word], spell: Callable[[str], str]) -> None:
        self.spell = spell
        self.texts: dict[str, Word] = {}
        self.beginnings: dict[str, Word] = {}
        self.inner: list[tuple[Matcher, str, Word]] = []
        for word in words:
            text = spell(word.text)
            self.texts.setdefault(text, word)
            start = literal_start(text)
            if text == f"{start}*":
                self.beginnings.setdefault(start, word)
            elif start != text and "${" not in text and len(self.inner) < MOST_INNER:
                self.inner.append((compile_glob(text), text, word))
        self.sizes = sorted({len(start) for start in self.beginnings})

    def of(self, word: Word) -> Word | None:
        """A word that takes this one in; never the word itself, and of equal ones the first."""
        text = self.spell(word.text)
        same = self.texts.get(text)
        if same is not None and same is not word:
            return same
        start = literal_start(text)
        for size in self.sizes:
            if size > len(start):
                break
            found = self.beginnings.get(start[:size])
            if found is not None and found is not word:
                return found
        return self._of_inner(text, word)

    def _of_inner(self, text: str, word: Word) -> Word | None:
        if "${" in text:
            return None
        marked = text.replace("*", STAR).replace("?", ONE)
        for matches, pattern, found in self.inner:
            if found is not word and not (STAR in marked and "?" in pattern) and matches(marked):
                return found
        return None

    def takes_in(self, words: Sequence[Word]) -> bool:
        """Whether every one of them is taken in, or stands here itself."""
        return all(self.spell(word.text) in self.texts or self.of(word) is not None for word in words)


def literal_start(text: str) -> str:
    """What stands before the first wildcard or variable."""
    ends = [place for place in (text.find("*"), text.find("?"), text.find("${")) if place >= 0]
    return text[: min(ends)] if ends else text


def _check_within(names: Names | None, code: str, spell: Callable[[str], str], subject: Subject) -> None:
    if names is None or len(names.words) < 2:
        return
    cover = Cover(names.words, spell)
    for word in names.words:
        found = cover.of(word)
        if found is not None:
            message = f"{quoted(word.text)} is already covered by {quoted(found.text)}."
            if spell(found.text) == spell(word.text):
                message = f"{quoted(word.text)} is listed twice."
            subject.report.add(
                code,
                word,
                message,
                "Remove it.",
            )


class _Statements:
    """Statements that can be compared: with Action, and with Resource or neither."""

    def __init__(self, statements: Sequence[Statement], subject: Subject) -> None:
        self.subject = subject
        self.comparable = [one for one in statements if _is_comparable(one)]
        self.meanings = {one.index: frozenset(test.meaning for test in one.tests) for one in self.comparable}
        self.actions = {
            one.index: Cover(one.actions.words, str.lower) for one in self.comparable if one.actions
        }
        self.resources = {
            one.index: Cover(one.resources.words, str) for one in self.comparable if one.resources
        }

    def check(self) -> None:
        repeated = {one.index for one in self.comparable if self._is_repeated(one)}
        for one in self.comparable:
            if one.index not in repeated:
                self._check_actions(one)

    def _covers(self, wide: Statement, narrow: Statement) -> bool:
        """Whether `wide` speaks whenever `narrow` does, actions aside."""
        if wide.tests and self.meanings[wide.index] != self.meanings[narrow.index]:
            return False
        return _takes_in_principals(wide, narrow) and self._takes_in_resources(wide, narrow)

    def _takes_in_resources(self, wide: Statement, narrow: Statement) -> bool:
        if wide.resources is None or narrow.resources is None:
            return wide.resources is None and narrow.resources is None
        return wide.resources.has_star or self.resources[wide.index].takes_in(narrow.resources.words)

    def _is_repeated(self, narrow: Statement) -> bool:
        """Report a statement that another one makes needless, or that a Deny undoes."""
        words = narrow.actions.words if narrow.actions else ()
        for wide in self.comparable:
            if (
                wide is narrow
                or not self._covers(wide, narrow)
                or not self.actions[wide.index].takes_in(words)
            ):
                continue
            if _same_effect(wide, narrow) and not (
                wide.index > narrow.index and self._are_equal(wide, narrow)
            ):
                self.subject.report.add(
                    "REDUNDANT_STATEMENT",
                    narrow.spot,
                    f"{wide.name} already covers the whole statement.",
                    "Remove it.",
                )
                return True
            if wide.denies and narrow.allows:
                self.subject.report.add(
                    "ALLOW_FULLY_DENIED",
                    narrow.spot,
                    f"{wide.name} denies everything that this statement allows.",
                    "Remove one of the two.",
                )
                return True
        return False

    def _are_equal(self, one: Statement, other: Statement) -> bool:
        words = one.actions.words if one.actions else ()
        return self._covers(other, one) and self.actions[other.index].takes_in(words)

    def _check_actions(self, narrow: Statement) -> None:
        for wide in self.comparable:
            is_same = _same_effect(wide, narrow)
            if (
                wide is narrow
                or not (is_same or (wide.denies and narrow.allows))
                or not self._covers(wide, narrow)
            ):
                continue
            is_mutual = self._covers(narrow, wide)
            for word in narrow.actions.words if narrow.actions else ():
                found = self._taker(wide, word)
                if found is None or (
                    is_same and is_mutual and wide.index > narrow.index and _is_equal(found, word)
                ):
                    continue
                self._report(word, found, wide, is_same=is_same)

    def _taker(self, wide: Statement, word: Word) -> Word | None:
        cover = self.actions[wide.index]
        return cover.texts.get(fold(word.text)) or cover.of(word)

    def _report(self, word: Word, found: Word, wide: Statement, *, is_same: bool) -> None:
        how = "" if _is_equal(found, word) else f", with {quoted(found.text)}"
        if is_same:
            message = f"{wide.name} already covers {quoted(word.text)}{how}."
            self.subject.report.add("REDUNDANT_ACTION", word, message, "Remove it.")
        else:
            message = f"{wide.name} always denies {quoted(word.text)}."
            self.subject.report.add(
                "ACTION_DENIED", word, message, "Remove it from one of the two statements."
            )


def _is_equal(one: Word, other: Word) -> bool:
    return fold(one.text) == fold(other.text)


def _is_comparable(one: Statement) -> bool:
    if one.actions is None or one.actions.is_not or not one.actions.words or not (one.allows or one.denies):
        return False
    return (one.resources is None or not one.resources.is_not) and (
        one.principals is None or not one.principals.is_not
    )


def _same_effect(one: Statement, other: Statement) -> bool:
    return one.allows == other.allows


def _takes_in_principals(wide: Statement, narrow: Statement) -> bool:
    if wide.principals is None or narrow.principals is None:
        return wide.principals is None and narrow.principals is None
    named = {(kind, word.text) for kind, word in wide.principals.words()}
    return wide.principals.is_everybody or all(
        (kind, word.text) in named for kind, word in narrow.principals.words()
    )
