"""Finds redundancy: names that others include, statements that others repeat, and permissions that a Deny
removes completely.

Only inclusion of one pattern in another is reported, which is true whatever actions AWS adds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from iam.policy.glob import Matcher, compile_glob
from iam.policy.letter_case import fold
from iam.policy.lint.findings import quoted
from iam.policy.lint.view import LintNames, LintStatement, LintSubject, SourceText

MAX_STATEMENTS: Final = 120
MAX_INNER: Final = 60
"""Maximum number of patterns per element with inner wildcards that are compared with all its names."""
STAR: Final = "\x00"
ONE: Final = "\x01"


def check_redundancy(subject: LintSubject) -> None:
    """Check within each statement, then each statement against the others."""
    for statement in subject.document.statements:
        _check_within(statement.actions, "REDUNDANT_ACTION", fold, subject)
        _check_within(statement.resources, "REDUNDANT_RESOURCE", str, subject)
    statements = subject.document.statements
    if 1 < len(statements) <= MAX_STATEMENTS:
        _Statements(statements, subject).check()


class NameCover:
    """Names and patterns, to test whether they include another one."""

    def __init__(self, words: Sequence[SourceText], spell: Callable[[str], str]) -> None:
        self.spell = spell
        self.texts: dict[str, SourceText] = {}
        self.beginnings: dict[str, SourceText] = {}
        self.inner: list[tuple[Matcher, str, SourceText]] = []
        for word in words:
            text = spell(word.text)
            self.texts.setdefault(text, word)
            start = literal_start(text)
            if text == f"{start}*":
                self.beginnings.setdefault(start, word)
            elif start != text and "${" not in text and len(self.inner) < MAX_INNER:
                self.inner.append((compile_glob(text), text, word))
        self.sizes = sorted({len(start) for start in self.beginnings})

    def covering_word(self, word: SourceText) -> SourceText | None:
        """Return a word that includes this one, or None. It is never the word itself, and the first of equal
        ones.
        """
        text = self.spell(word.text)
        same = self.texts.get(text)
        if same is not None and same is not word:
            return same
        start = literal_start(text)
        for size in self.sizes:
            if size > len(start):
                break
            covering = self.beginnings.get(start[:size])
            if covering is not None and covering is not word:
                return covering
        return self._of_inner(text, word)

    def _of_inner(self, text: str, word: SourceText) -> SourceText | None:
        if "${" in text:
            return None
        marked = text.replace("*", STAR).replace("?", ONE)
        for matches, pattern, inner_word in self.inner:
            if inner_word is not word and not (STAR in marked and "?" in pattern) and matches(marked):
                return inner_word
        return None

    def takes_in(self, words: Sequence[SourceText]) -> bool:
        """Return True if each of the words is included or listed here."""
        return all(
            self.spell(word.text) in self.texts or self.covering_word(word) is not None for word in words
        )


def literal_start(text: str) -> str:
    """Return the text before the first wildcard or variable."""
    ends = [place for place in (text.find("*"), text.find("?"), text.find("${")) if place >= 0]
    return text[: min(ends)] if ends else text


def _check_within(
    names: LintNames | None, code: str, spell: Callable[[str], str], subject: LintSubject
) -> None:
    if names is None or len(names.words) < 2:
        return
    cover = NameCover(names.words, spell)
    for word in names.words:
        covering = cover.covering_word(word)
        if covering is not None:
            message = f"{quoted(word.text)} is already covered by {quoted(covering.text)}."
            if spell(covering.text) == spell(word.text):
                message = f"{quoted(word.text)} is listed twice."
            subject.report.add(
                code,
                word,
                message,
                "Remove it.",
            )


class _Statements:
    """Statements that can be compared: those with Action, and with Resource or neither."""

    def __init__(self, statements: Sequence[LintStatement], subject: LintSubject) -> None:
        self.subject = subject
        self.comparable = [statement for statement in statements if _is_comparable(statement)]
        self.meanings = {
            statement.index: frozenset(test.equality_key for test in statement.tests)
            for statement in self.comparable
        }
        self.actions = {
            statement.index: NameCover(statement.actions.words, fold)
            for statement in self.comparable
            if statement.actions
        }
        self.resources = {
            statement.index: NameCover(statement.resources.words, str)
            for statement in self.comparable
            if statement.resources
        }

    def check(self) -> None:
        repeated = {statement.index for statement in self.comparable if self._is_repeated(statement)}
        for statement in self.comparable:
            if statement.index not in repeated:
                self._check_actions(statement)

    def _covers(self, wide: LintStatement, narrow: LintStatement) -> bool:
        """Return True if `wide` applies whenever `narrow` does, apart from the actions."""
        if wide.tests and self.meanings[wide.index] != self.meanings[narrow.index]:
            return False
        return _takes_in_principals(wide, narrow) and self._takes_in_resources(wide, narrow)

    def _takes_in_resources(self, wide: LintStatement, narrow: LintStatement) -> bool:
        if wide.resources is None or narrow.resources is None:
            return wide.resources is None and narrow.resources is None
        return wide.resources.has_star or self.resources[wide.index].takes_in(narrow.resources.words)

    def _is_repeated(self, narrow: LintStatement) -> bool:
        """Report a statement that another one makes redundant, or that a Deny cancels."""
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

    def _are_equal(self, statement: LintStatement, other: LintStatement) -> bool:
        words = statement.actions.words if statement.actions else ()
        return self._covers(other, statement) and self.actions[other.index].takes_in(words)

    def _check_actions(self, narrow: LintStatement) -> None:
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
                taker = self._taker(wide, word)
                if taker is None or (
                    is_same and is_mutual and wide.index > narrow.index and _is_equal(taker, word)
                ):
                    continue
                self._report(word, taker, wide, is_same=is_same)

    def _taker(self, wide: LintStatement, word: SourceText) -> SourceText | None:
        cover = self.actions[wide.index]
        return cover.texts.get(fold(word.text)) or cover.covering_word(word)

    def _report(self, word: SourceText, covering: SourceText, wide: LintStatement, *, is_same: bool) -> None:
        how = "" if _is_equal(covering, word) else f", with {quoted(covering.text)}"
        if is_same:
            message = f"{wide.name} already covers {quoted(word.text)}{how}."
            self.subject.report.add("REDUNDANT_ACTION", word, message, "Remove it.")
        else:
            message = f"{wide.name} always denies {quoted(word.text)}."
            self.subject.report.add(
                "ACTION_DENIED", word, message, "Remove it from one of the two statements."
            )


def _is_equal(word: SourceText, other: SourceText) -> bool:
    return fold(word.text) == fold(other.text)


def _is_comparable(statement: LintStatement) -> bool:
    if (
        statement.actions is None
        or statement.actions.is_not
        or not statement.actions.words
        or not (statement.allows or statement.denies)
    ):
        return False
    return (statement.resources is None or not statement.resources.is_not) and (
        statement.principals is None or not statement.principals.is_not
    )


def _same_effect(statement: LintStatement, other: LintStatement) -> bool:
    return statement.allows == other.allows


def _takes_in_principals(wide: LintStatement, narrow: LintStatement) -> bool:
    if wide.principals is None or narrow.principals is None:
        return wide.principals is narrow.principals
    if wide.principals.is_everybody:
        return True
    wide_names = {(kind, word.text) for kind, word in wide.principals.words()}
    narrow_names = {(kind, word.text) for kind, word in narrow.principals.words()}
    return narrow_names <= wide_names
