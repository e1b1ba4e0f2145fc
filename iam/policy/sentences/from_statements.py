"""Turns the statements of a policy into sentences: which actions, on which resources, under which conditions.
Without side effects.

A sentence only says what its statements say: conditions are never carried over to other statements, and
statements are only combined if their conditions are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from iam.policy.applicability import can_be_of_any_service
from iam.policy.catalogue import catalogue
from iam.policy.document import PolicyDocument, Statement, read
from iam.policy.lint.overlaps import can_mean
from iam.policy.sentences.clauses import SentenceClause, clauses_of, weight_of, wide_clause
from iam.policy.sentences.conditions import clause, split_end, start_of
from iam.policy.sentences.labels import service_name
from iam.policy.sentences.places import EVERYTHING, PhraseReader, join, places_in_words
from iam.policy.sentences.sentence import PolicySentence, SentenceClaim, capital
from iam.policy.sentences.warnings import warning_for

MANY_SERVICES: Final = 8
"""A statement on all resources with actions of more than this many services becomes one sentence."""
EVERYTHING_WEIGHT, WHOLE_WEIGHT, LAST = 0, 1, 9
DENY_WEIGHT: Final = 10
NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class SentenceFrame:
    """What sentences must share to be combined: the effect, the service, the conditions and the end."""

    allows: bool
    service: str
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    until: datetime | None


@dataclass(slots=True)
class SentenceUnit:
    """Actions of one service on the same resources, from one or several statements with the same frame."""

    actions: set[str] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)


Units = dict[SentenceFrame, dict[tuple[str, ...], SentenceUnit]]
Weighed = tuple[int, PolicySentence]


def sentences_of(source: str | Mapping[str, Any], *, account_id: str = "") -> tuple[PolicySentence, ...]:
    """Return the sentences of a policy, the most significant first, denies last. It never raises an error: a
    sentence says what can't be parsed.

    `account_id` is the policy's account; its resources are named without the account ID.
    """
    if isinstance(source, str):
        return _sentences(source, account_id)
    return _of_document(read(source), account_id)


@lru_cache(maxsize=2048)
def _sentences(text: str, account_id: str) -> tuple[PolicySentence, ...]:
    """Return the sentences of a text. They are cached, because pages and mails request the same ones
    repeatedly.
    """
    return _of_document(read(text), account_id)


def _of_document(document: PolicyDocument, account_id: str) -> tuple[PolicySentence, ...]:
    if document.problems or not document.statements:
        return (_unreadable((), "This policy can’t be read"),)
    unreadable = tuple(statement.index for statement in document.statements if statement.problems)
    weighed: list[Weighed] = []
    units: Units = {}
    for statement in document.statements:
        if not statement.problems:
            weighed += _statement(statement, units, account_id)
    for frame, by_resources in units.items():
        weighed += _of_frame(frame, by_resources, account_id)
    weighed.sort(key=lambda pair: pair[0])
    sentences = [sentence for _, sentence in weighed]
    if unreadable:
        noun = "statement" if len(unreadable) == 1 else "statements"
        sentences.append(_unreadable(unreadable, f"{len(unreadable):,} {noun} that can’t be read"))
    return tuple(sentences)


def _unreadable(statements: tuple[int, ...], words: str) -> PolicySentence:
    return PolicySentence(
        allows=True,
        service="",
        statements=statements,
        claims=(),
        conditions=(),
        until=None,
        head=words,
        plain_head=words,
        warning="What can’t be read can’t be checked.",
    )


def _statement(statement: Statement, units: Units, account_id: str) -> Iterator[Weighed]:
    """Yield the sentences of a statement that can't be combined, and add everything else to the units."""
    if statement.is_not_action or statement.is_not_resource:
        yield _exception(statement, account_id)
        return
    resources = statement.resources or ()
    if EVERYTHING in resources:
        resources = (EVERYTHING,)
    if any(not action.strip("*") for action in statement.actions):
        yield _everything(statement, resources, account_id)
        return
    by_service, unknown = _by_service(statement.actions)
    is_wide = resources == (EVERYTHING,) and len(by_service) > MANY_SERVICES
    if is_wide:
        names = tuple(chain.from_iterable(by_service.values()))
        yield _alone(statement, wide_clause(len(by_service), names), account_id)
        by_service = {}
    has_effect = is_wide
    for service, names in by_service.items():
        for sentence in _whole_service(statement, service, names, resources, account_id):
            has_effect = True
            yield sentence
            break
        else:
            has_effect = _add(statement, service, names, resources, units) or has_effect
    if unknown:
        yield _alone(statement, _unknown(unknown, resources), account_id)
    elif not has_effect:
        yield _without_effect(statement, resources)


def _by_service(patterns: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the published actions by service, and the patterns that match none."""
    known = catalogue()
    mask, unknown = 0, list[str]()
    for pattern in patterns:
        mask_meant = known.mask(pattern)
        mask |= mask_meant
        if not mask_meant:
            unknown.append(pattern)
    by_service: dict[str, list[str]] = {}
    for name in known.names(mask):
        by_service.setdefault(name.partition(":")[0], []).append(name)
    return {service: tuple(names) for service, names in by_service.items()}, unknown


def _frame(statement: Statement, service: str) -> SentenceFrame:
    conditions, until = split_end(statement.conditions)
    ordered = sorted((operator, key, tuple(sorted(values))) for operator, key, values in conditions)
    return SentenceFrame(statement.allows, service, tuple(ordered), until)


def _add(
    statement: Statement, service: str, names: Sequence[str], resources: tuple[str, ...], units: Units
) -> bool:
    """Add each action with the resources that it works on. Returns False if none works on any."""
    by_resources = units.setdefault(_frame(statement, service), {})
    has_effect = False
    for name in names:
        fitting = resources_for(name, resources)
        if fitting:
            unit = by_resources.setdefault(fitting, SentenceUnit())
            unit.actions.add(name)
            unit.statements.add(statement.index)
            has_effect = True
    return has_effect


def resources_for(action: str, resources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the resources of a statement that an action can work on."""
    if EVERYTHING in resources:
        return (EVERYTHING,)
    kinds = catalogue().resource_types(action)
    return tuple(
        arn for arn in resources if any(can_mean(arn, kind.arn, has_variables=True) for kind in kinds)
    )


def _of_frame(
    frame: SentenceFrame, by_resources: dict[tuple[str, ...], SentenceUnit], account_id: str
) -> Iterator[Weighed]:
    """Yield the sentences of one frame. Clauses that differ only in their verbs become one."""
    groups: dict[str, list[tuple[SentenceClause, SentenceUnit]]] = {}
    for resources, unit in by_resources.items():
        for frame_clause in clauses_of(frame.service, unit.actions, resources, account_id=account_id):
            alike = frame_clause.rest if frame_clause.verbs else f"\0{frame_clause.rest}"
            groups.setdefault(alike, []).append((frame_clause, unit))
    for group in groups.values():
        clauses = sorted(
            (frame_clause for frame_clause, _ in group), key=lambda frame_clause: frame_clause.order
        )
        statements = set(chain.from_iterable(unit.statements for _, unit in group))
        yield _sentence(frame, clauses, tuple(sorted(statements)), account_id)


def _sentence(
    frame: SentenceFrame, clauses: Sequence[SentenceClause], statements: tuple[int, ...], account_id: str
) -> Weighed:
    verbs = join(list(dict.fromkeys(chain.from_iterable(clause.verbs for clause in clauses))))
    heads = [" ".join(filter(None, (verbs, rest))) for rest in (clauses[0].rest, clauses[0].plain_rest)]
    claims = tuple(clause.claim for clause in clauses)
    actions = list(chain.from_iterable(claim.actions for claim in claims))
    resources = list(chain.from_iterable(claim.resources for claim in claims))
    warning = warning_for(frame.service, actions, resources, has_conditions=bool(frame.conditions))
    if not frame.allows:
        warning = ""
    return min(clause.weight for clause in clauses) + _deny(frame), PolicySentence(
        allows=frame.allows,
        service=frame.service,
        statements=statements,
        claims=claims,
        conditions=tuple(
            clause(condition, allows=frame.allows, account_id=account_id) for condition in frame.conditions
        ),
        until=frame.until,
        head=_with_effect(heads[0], allows=frame.allows),
        plain_head=_with_effect(heads[1], allows=frame.allows),
        warning=warning,
        since=start_of(frame.conditions),
    )


def _deny(frame: SentenceFrame) -> int:
    return 0 if frame.allows else DENY_WEIGHT


def _with_effect(words: str, *, allows: bool) -> str:
    return capital(words) if allows else f"Denies: {words}"


def _alone(statement: Statement, clause: SentenceClause, account_id: str, *, service: str = "") -> Weighed:
    return _sentence(_frame(statement, service), [clause], (statement.index,), account_id)


def _everything(statement: Statement, resources: tuple[str, ...], account_id: str) -> Weighed:
    of_any_service = can_be_of_any_service(resources)
    words = ("all actions in all services" if of_any_service else "all actions") + _on(resources, account_id)
    clause = SentenceClause((), words, words, SentenceClaim((EVERYTHING,), resources), EVERYTHING_WEIGHT)
    return _alone(statement, clause, account_id)


def _on(resources: tuple[str, ...], account_id: str) -> str:
    if EVERYTHING in resources:
        return " on all resources"
    words = places_in_words(resources, (), reader=PhraseReader(account_id))
    return f" on {words}" if words else ""


def _whole_service(
    statement: Statement, service: str, names: tuple[str, ...], resources: tuple[str, ...], account_id: str
) -> Iterator[Weighed]:
    """Yield a sentence for a whole service, if the statement allows all its actions."""
    known = catalogue()
    published = known.service(service) if len(names) == known.mask_of_service(service).bit_count() else None
    if published is None or len(names) < 2:
        return
    kinds = tuple(published.resource_types.values())
    used = resources
    if EVERYTHING not in resources:
        used = tuple(
            arn for arn in resources if any(can_mean(arn, kind.arn, has_variables=True) for kind in kinds)
        )
    if not used:
        return
    words = f"all actions in {service_name(service)}"
    heads = [
        words + _whole_place(used, kinds, PhraseReader(account_id, is_plain)) for is_plain in (False, True)
    ]
    claim = SentenceClaim(names, used)
    clause = SentenceClause((), heads[0], heads[1], claim, WHOLE_WEIGHT)
    yield _alone(statement, clause, account_id, service=service)


def _whole_place(resources: tuple[str, ...], kinds: Sequence[Any], reader: PhraseReader) -> str:
    if EVERYTHING in resources:
        return " on all resources"
    return f" on {places_in_words(resources, kinds, reader=reader)}"


def _unknown(patterns: Sequence[str], resources: tuple[str, ...]) -> SentenceClause:
    words = f"{join(patterns, most=NAMED)} (not in AWS’s published list of actions){_on(resources, '')}"
    return SentenceClause((), words, words, SentenceClaim(tuple(patterns), resources), weight_of(()))


def _without_effect(statement: Statement, resources: tuple[str, ...]) -> Weighed:
    patterns = join(statement.actions, most=NAMED)
    words = f"{patterns} has no effect on {join(resources, most=NAMED)}: it doesn’t work on such resources"
    frame = SentenceFrame(statement.allows, "", (), None)
    weight = LAST + _deny(frame)
    return weight, PolicySentence(
        statement.allows, "", (statement.index,), (), (), None, capital(words), capital(words)
    )


def _exception(statement: Statement, account_id: str) -> Weighed:
    """Return the sentence of a statement with NotAction or NotResource: everything except what it names."""
    resources = statement.resources or ()
    listed = join(statement.actions, most=NAMED)
    is_all = not statement.is_not_action and any(not action.strip("*") for action in statement.actions)
    words = "all actions" if is_all else listed
    if statement.is_not_action:
        words = f"all actions except {listed}"
    if statement.is_not_resource:
        words += f" on all resources except {places_in_words(resources, (), reader=PhraseReader(account_id))}"
    else:
        words += _on(resources, account_id)
    claim = SentenceClaim(
        statement.actions,
        resources,
        is_not_action=statement.is_not_action,
        is_not_resource=statement.is_not_resource,
    )
    return _alone(statement, SentenceClause((), words, words, claim, EVERYTHING_WEIGHT), account_id)
