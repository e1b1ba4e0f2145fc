"""Describes a trust policy in plain sentences that say who can assume the role.

Semantics: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from iam.policy.letter_case import fold
from iam.policy.statements import as_list, statements_in
from iam.policy.trust_conditions import TrustRequirement, moment_of, read_conditions
from iam.policy.trust_federation import saml_sentence, web_sentences
from iam.policy.trust_principals import TrustPrincipal, read_principals, service_name
from iam.policy.trust_sentence_parts import TrustSentence, condition_phrases

CALLS = {
    "anybody": ("sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml"),
    "saml": ("sts:assumerolewithsaml",),
    "web": ("sts:assumerolewithwebidentity",),
}
AWS_CALL = ("sts:assumerole",)
ORGANIZATION = {"aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid"}
NARROWING = ORGANIZATION | {"aws:principalaccount", "aws:principalarn", "aws:sourceaccount", "aws:sourcearn"}


class UnreadableTrustError(ValueError):
    """The document isn't a valid trust policy."""


@dataclass(frozen=True, slots=True)
class TrustContext:
    """The context of the sentences besides the document: the role's account, the names of known accounts and
    the current time.
    """

    account_id: str
    names: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None

    def account(self, number: str) -> str:
        """Return the name of a known account, or its ID."""
        return self.names.get(number, number)


@dataclass(frozen=True, slots=True)
class StatementActions:
    """The Action or NotAction element of a statement, as written."""

    patterns: tuple[str, ...]
    is_not_action: bool = False

    def covers(self, call: str) -> bool:
        """Return True if the element covers a call, which is in lower case."""
        is_named = any(fnmatchcase(call, fold(pattern)) for pattern in self.patterns)
        return is_named != self.is_not_action

    def __str__(self) -> str:
        names = ", ".join(self.patterns) or "nothing"
        return f"every action except {names}" if self.is_not_action else names


def explain_trust(
    text: str, *, account_id: str, names: Mapping[str, str] | None = None, at: datetime | None = None
) -> list[TrustSentence]:
    """Return a sentence for each principal and statement, in the document's order. Raises
    UnreadableTrustError for an invalid document.

    `names` maps IDs of known accounts to names. `at` is the time to which end dates are compared.
    """
    reading = TrustContext(account_id, names or {}, at)
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise UnreadableTrustError("the document isn’t a JSON object")
        sentences: list[TrustSentence] = []
        for statement in statements_in(document):
            sentences += _statement(statement, reading)
        return sentences
    except UnreadableTrustError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableTrustError(str(error)) from error


def nobody_else(sentences: list[TrustSentence]) -> str:
    """Return the closing sentence, which names the kinds of principals without access. It is empty if
    a sentence admits everyone, or if no kind is missing.
    """
    kinds = {sentence.kind for sentence in sentences if sentence.kind != "refusal"}
    if "anybody" in kinds:
        return ""
    outside = any(sentence.is_outside for sentence in sentences)
    absent = [
        words
        for words, here in (
            ("no other account", outside),
            ("no AWS service", "service" in kinds),
            ("no web identity", "web" in kinds),
            ("no SAML sign-in", "saml" in kinds),
        )
        if not here
    ]
    text = ", ".join(absent)
    return text[:1].upper() + text[1:]


def _statement(statement: Any, reading: TrustContext) -> Iterator[TrustSentence]:
    if not isinstance(statement, dict):
        raise UnreadableTrustError("a statement isn’t a JSON object")
    tests = read_conditions(statement.get("Condition"))
    actions = _actions(statement)
    if statement.get("Effect") == "Deny":
        yield _refusal(statement, tests, actions, reading)
        return
    if "Principal" not in statement:
        yield _all_but(statement, tests)
        return
    for principal in read_principals(statement["Principal"]):
        if _can_assume(principal, actions):
            yield from (_end(sentence, tests, reading) for sentence in _allowed(principal, tests, reading))
        else:
            yield _cannot_assume(principal, tests, actions, reading)


def _actions(statement: dict[str, Any]) -> StatementActions:
    is_not_action = "NotAction" in statement
    element = statement["NotAction"] if is_not_action else statement.get("Action", [])
    return StatementActions(tuple(str(item) for item in as_list(element)), is_not_action)


def _can_assume(principal: TrustPrincipal, actions: StatementActions) -> bool:
    return any(actions.covers(call) for call in CALLS.get(principal.kind, AWS_CALL))


def _allowed(
    principal: TrustPrincipal, tests: tuple[TrustRequirement, ...], reading: TrustContext
) -> Iterator[TrustSentence]:
    if principal.kind == "web":
        yield from web_sentences(principal, tests)
    elif principal.kind == "saml":
        yield saml_sentence(principal, tests)
    elif principal.kind == "service":
        yield _service(principal, tests)
    elif principal.kind == "anybody":
        yield _anybody(tests)
    else:
        yield _inside_aws(principal, tests, reading)


def _required_keys(tests: tuple[TrustRequirement, ...]) -> set[str]:
    """Return the keys that a request must carry with specific values, so that not everyone passes."""
    return {test.name for test in tests if test.asks_for and "*" not in test.values}


def _inside_aws(
    principal: TrustPrincipal, tests: tuple[TrustRequirement, ...], reading: TrustContext
) -> TrustSentence:
    how, literal = condition_phrases(tests)
    here = principal.account_id == reading.account_id
    badge = "This account" if here else "Other account"
    sentence = TrustSentence(
        who=_who(principal, reading),
        how=how,
        literal=literal,
        kind=principal.kind,
        badge=badge,
        principal=principal.text,
        account_id=principal.account_id,
    )
    if principal.kind in {"deleted", "unknown"}:
        note = "AWS shows the unique ID of a deleted user or role. No one can use it any longer"
        notes = (note,) if principal.kind == "deleted" else ()
        return replace(sentence, tone="warn", badge="", notes=notes)
    if here:
        note = "Policies on users and roles of the account decide who can"
        notes = (note,) if principal.kind == "account" else ()
        return replace(sentence, notes=notes)
    outside = replace(sentence, is_outside=True)
    return _with_note_of_outside(outside, tests, known=principal.account_id in reading.names)


def _with_note_of_outside(
    sentence: TrustSentence, tests: tuple[TrustRequirement, ...], *, known: bool
) -> TrustSentence:
    names = _required_keys(tests)
    if names & (ORGANIZATION | {"sts:externalid"}):
        return sentence
    if known:
        return replace(sentence, notes=("Without an external ID. The account is connected to Gatehouse",))
    note = "Without an external ID and without an organization condition"
    if sentence.kind == "account":
        note += ": only that account decides who can assume the role"
    return replace(sentence, notes=(note,), tone="warn")


def _who(principal: TrustPrincipal, reading: TrustContext) -> str:
    account = reading.account(principal.account_id)
    here = principal.account_id == reading.account_id
    place = "" if here else f" of the account {account}"
    words = {
        "account": (
            f"Anyone in {'this account' if here else f'the account {account}'} whose own policies allow it"
        ),
        "user": f"The IAM user {principal.name}{place}",
        "role": f"The role {principal.name}{place}",
        "session": f"The role session {principal.name}{place}",
        "federated-user": f"The federated user {principal.name}{place}",
        "deleted": f"No one: {principal.name} no longer exists",
    }
    return words.get(principal.kind, principal.text)


def _anybody(tests: tuple[TrustRequirement, ...]) -> TrustSentence:
    how, literal = condition_phrases(tests)
    names = _required_keys(tests)
    tone = "warn" if tests else "bad"
    notes: tuple[str, ...] = ("This trusts every AWS account in the world",)
    if names & NARROWING:
        tone, notes = "ok", ()
    return TrustSentence(
        who="Anyone in any AWS account",
        how=how,
        notes=notes,
        literal=literal,
        tone=tone,
        badge="Anyone",
        kind="anybody",
        principal="*",
    )


def _service(principal: TrustPrincipal, tests: tuple[TrustRequirement, ...]) -> TrustSentence:
    name, purpose = service_name(principal.text)
    phrases, literal = condition_phrases(tests)
    how = (purpose, *phrases) if purpose else phrases
    return TrustSentence(
        who=name, how=how, literal=literal, badge="Service", kind="service", principal=principal.text
    )


def _end(
    sentence: TrustSentence, tests: tuple[TrustRequirement, ...], reading: TrustContext
) -> TrustSentence:
    """Mark a sentence whose end date has passed."""
    ends = [
        moment_of(t)
        for t in tests
        if t.name == "aws:currenttime" and t.bare_operator.startswith("datelessthan")
    ]
    if reading.at and any(end and end <= reading.at for end in ends):
        return replace(sentence, tone="", notes=("This has ended", *sentence.notes))
    return sentence


def _refusal(
    statement: dict[str, Any],
    tests: tuple[TrustRequirement, ...],
    actions: StatementActions,
    reading: TrustContext,
) -> TrustSentence:
    if "Principal" in statement:
        named = [_refused(principal, reading) for principal in read_principals(statement["Principal"])]
        who = f"Denied: {', '.join(named)}"
    else:
        who = f"Denied: everyone except {_texts(statement.get('NotPrincipal'))}"
    how, literal = [], []
    for test in tests:
        if (
            test.name == "aws:multifactorauthpresent"
            and test.bare_operator == "bool"
            and test.values == ("false",)
        ):
            how.append("when not signed in with MFA")
        else:
            literal.append(str(test))
    if literal:
        how.append("when all of these conditions are met")
    partly: tuple[str, ...] = ()
    if not _can_assume(TrustPrincipal("anybody", "*"), actions):
        partly = (f"Only for {actions}",)
    return TrustSentence(
        who=who,
        how=tuple(how),
        notes=partly,
        literal=tuple(literal),
        tone="",
        badge="Deny",
        kind="refusal",
    )


def _refused(principal: TrustPrincipal, reading: TrustContext) -> str:
    if principal.kind == "anybody":
        return "everyone"
    if principal.kind == "service":
        return service_name(principal.text)[0]
    if principal.kind == "account":
        return f"everyone in the account {reading.account(principal.account_id)}"
    return principal.text


def _all_but(statement: dict[str, Any], tests: tuple[TrustRequirement, ...]) -> TrustSentence:
    if "NotPrincipal" not in statement:
        raise UnreadableTrustError("a statement has no principal")
    how, literal = condition_phrases(tests)
    who = f"Everyone in the world except {_texts(statement['NotPrincipal'])}"
    return TrustSentence(
        who=who, how=how, literal=literal, tone="bad", badge="Anyone", kind="anybody", principal="*"
    )


def _texts(element: object) -> str:
    return ", ".join(principal.text for principal in read_principals(element)) or "no one"


def _cannot_assume(
    principal: TrustPrincipal,
    tests: tuple[TrustRequirement, ...],
    actions: StatementActions,
    reading: TrustContext,
) -> TrustSentence:
    """Describe a statement that only allows tags or a source identity for a session, or whose action doesn't
    fit the principal.
    """
    gives = {"sts:tagsession": "session tags", "sts:setsourceidentity": "a source identity"}
    known = [words for action, words in gives.items() if actions.covers(action)]
    literal = tuple(str(test) for test in tests)
    who = {
        "service": service_name(principal.text)[0],
        "anybody": "Anyone who can assume the role by another statement",
    }.get(principal.kind) or (
        _who(principal, reading) if principal.kind not in {"web", "saml"} else principal.name
    )
    if known:
        how: tuple[str, ...] = (f"can pass {' and '.join(known)}",)
        return TrustSentence(
            who=who,
            how=how,
            literal=literal,
            tone="",
            badge="Session",
            kind="tags",
            principal=principal.text,
            account_id=principal.account_id,
        )
    wanted = {"saml": "sts:AssumeRoleWithSAML", "web": "sts:AssumeRoleWithWebIdentity"}
    call = wanted.get(principal.kind, "sts:AssumeRole")
    note = f"The statement allows {actions}, but this principal needs {call}"
    return TrustSentence(
        who=who,
        how=("can’t assume the role",),
        notes=(note,),
        literal=literal,
        tone="warn",
        kind="tags",
        principal=principal.text,
    )
