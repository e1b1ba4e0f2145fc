"""Converts JSON with places to a policy with places. Everything that the policy grammar doesn't allow is a
finding.

Source: "Grammar of the IAM JSON policy language",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from iam.policy.document import CURRENT, ELEMENTS, VERSIONS
from iam.policy.json_places import JsonMember, JsonNode
from iam.policy.letter_case import fold
from iam.policy.lint.findings import LintReport, SourceSpot, preview, quoted
from iam.policy.lint.view import (
    ConditionTest,
    LintDocument,
    LintNames,
    LintPrincipals,
    LintStatement,
    SourceText,
)
from iam.policy.operators import IF_EXISTS, NULL, OPERATORS, QUANTIFIERS
from iam.policy.request import text_of

TOP: Final = frozenset({"Version", "Id", "Statement"})
KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
OPERATOR_NAMES: Final = (*(known.name for known in OPERATORS.values()), "Null")


def read_document(root: JsonNode, report: LintReport) -> LintDocument | None:
    """Return the policy, or None if the text isn't an object."""
    whole = SourceSpot(root.at, "", None)
    if not isinstance(root.value, tuple):
        report.add(
            "DATA_TYPE_MISMATCH",
            whole,
            f"A policy is a JSON object, and this is {kind_of(root)}.",
            "Start it with {, and give it Version and Statement.",
        )
        return None
    members = members_of(root, whole, report)
    refuse_others(members.values(), TOP, "a policy", whole, report)
    version = _version(members.get("Version"), report)
    if "Id" in members:
        text_in(members["Id"], "Id", None, report)
    return LintDocument(
        whole,
        version,
        _statements(members.get("Statement"), whole, report),
        version is not None and version.text == CURRENT,
    )


def kind_of(node: JsonNode) -> str:
    """Return the JSON type of a value in words."""
    value = node.value
    if isinstance(value, tuple):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, str):
        return "a string"
    return "true or false" if isinstance(value, bool) else "a number"


def members_of(node: JsonNode, spot: SourceSpot, report: LintReport) -> dict[str, JsonMember]:
    """Return the members of an object by name. For a repeated name it is the last one, as in JSON parsers."""
    members: dict[str, JsonMember] = {}
    for member in node.value if isinstance(node.value, tuple) else ():
        assert isinstance(member, JsonMember)
        if member.name in members:
            report.add(
                "DUPLICATE_KEYS",
                below(spot, member.name, member.at),
                f"{quoted(member.name)} is given twice, and AWS uses only one of them.",
                "Combine the two, or remove one.",
            )
        members[member.name] = member
    return members


def below(spot: SourceSpot, name: str, at: int) -> SourceSpot:
    """Return the place of a member of the object at `spot`."""
    return SourceSpot(at, f"{spot.path}.{name[:128]}".lstrip("."), spot.statement)


def refuse_others(
    members: Iterable[JsonMember], allowed: frozenset[str], where: str, spot: SourceSpot, report: LintReport
) -> None:
    """Report every name that isn't allowed here."""
    for member in members:
        if member.name not in allowed:
            close = report.closest(member.name, allowed)
            remedy = f"Did you mean {close}?" if close else "Remove it."
            report.add(
                "INVALID_POLICY_ELEMENT",
                below(spot, member.name, member.at),
                f"{quoted(member.name)} isn’t an element of {where}.",
                remedy,
            )


def _mismatch(node: JsonNode, spot: SourceSpot, wanted: str, report: LintReport) -> None:
    report.add(
        "DATA_TYPE_MISMATCH",
        SourceSpot(node.at, spot.path, spot.statement),
        f"{spot.path or 'The policy'} is {kind_of(node)}, and must be {wanted}.",
        f"Change it to {wanted}.",
    )


def text_in(member: JsonMember, path: str, statement: int | None, report: LintReport) -> SourceText | None:
    """Return the string of a member, and report any other type."""
    if isinstance(member.node.value, str):
        return SourceText(member.node.at, path, statement, member.node.value)
    _mismatch(member.node, SourceSpot(member.at, path, statement), "a string", report)
    return None


def _version(member: JsonMember | None, report: LintReport) -> SourceText | None:
    if member is None:
        return None
    word = text_in(member, "Version", None, report)
    if word is not None and word.text not in VERSIONS:
        report.add(
            "INVALID_VERSION",
            word,
            f"{quoted(word.text)} isn’t a version of the policy language.",
            f'Write "Version": "{CURRENT}".',
        )
    return word


def _statements(
    member: JsonMember | None, whole: SourceSpot, report: LintReport
) -> tuple[LintStatement, ...]:
    nodes = [] if member is None else member.node.value
    if isinstance(nodes, tuple) and member is not None:
        nodes = [member.node]
    if not isinstance(nodes, list):
        if member is not None:
            _mismatch(
                member.node,
                SourceSpot(member.at, "Statement", None),
                "an object or a list of objects",
                report,
            )
        return ()
    if not nodes:
        spot = whole if member is None else SourceSpot(member.at, "Statement", None)
        report.add("MISSING_STATEMENT", spot, "The policy has no statements.", "Add a statement.")
    statements = []
    for index, node in enumerate(nodes):
        spot = SourceSpot(node.at, f"Statement[{index}]", index)
        if isinstance(node.value, tuple):
            statements.append(_statement(node, index, spot, report))
        else:
            _mismatch(node, spot, "an object", report)
    return tuple(statements)


def _statement(node: JsonNode, index: int, spot: SourceSpot, report: LintReport) -> LintStatement:
    members = members_of(node, spot, report)
    refuse_others(members.values(), ELEMENTS, "a statement", spot, report)
    sid = members.get("Sid")
    actions = _element_or_opposite(members, "Action", spot, report)
    if actions is None:
        report.add(
            "MISSING_ACTION",
            spot,
            "The statement has neither Action nor NotAction.",
            "Add Action, with the actions of the statement.",
        )
    sid_text = None if sid is None else text_in(sid, f"{spot.path}.Sid", index, report)
    return LintStatement(
        spot=spot,
        index=index,
        sid=sid_text,
        effect=_effect(members.get("Effect"), spot, report),
        actions=actions,
        resources=_element_or_opposite(members, "Resource", spot, report),
        principals=_principals(members, spot, report),
        tests=_tests(members.get("Condition"), spot, report),
    )


def _effect(member: JsonMember | None, spot: SourceSpot, report: LintReport) -> SourceText | None:
    if member is None:
        report.add(
            "MISSING_EFFECT",
            spot,
            "The statement has no Effect.",
            'Add "Effect": "Allow" or "Effect": "Deny".',
        )
        return None
    word = text_in(member, f"{spot.path}.Effect", spot.statement, report)
    if word is not None and word.text not in {"Allow", "Deny"}:
        report.add(
            "INVALID_EFFECT",
            word,
            f"{quoted(word.text)} isn’t an Effect.",
            "Write Allow or Deny, with a capital first letter.",
        )
    return word


def _element_or_opposite(
    members: dict[str, JsonMember], name: str, spot: SourceSpot, report: LintReport
) -> LintNames | None:
    """Return the names of an element or its opposite."""
    opposite = f"Not{name}"
    _refuse_both(members, name, opposite, spot, report)
    for member_name, is_not in ((name, False), (opposite, True)):
        if member_name in members:
            place = below(spot, member_name, members[member_name].at)
            words = names_in(members[member_name].node, place, f"EMPTY_ARRAY_{name.upper()}", report)
            return LintNames(place, words, is_not)
    return None


def _refuse_both(
    members: dict[str, JsonMember], name: str, opposite: str, spot: SourceSpot, report: LintReport
) -> None:
    if name in members and opposite in members:
        report.add(
            "UNSUPPORTED_ELEMENT_COMBINATION",
            below(spot, opposite, members[opposite].at),
            f"The statement has both {name} and {opposite}, and can have only one of them.",
            "Split it into two statements.",
        )


def names_in(node: JsonNode, spot: SourceSpot, empty: str, report: LintReport) -> tuple[SourceText, ...]:
    """Return a string or a list of strings as a tuple. `empty` is the code for an empty list."""
    if not isinstance(node.value, list):
        if isinstance(node.value, str):
            return (SourceText(node.at, spot.path, spot.statement, node.value),)
        _mismatch(node, spot, "a string or a list of strings", report)
        return ()
    if not node.value:
        report.add(empty, spot, f"{spot.path} is an empty list.", "Add an entry, or remove the statement.")
    words = []
    for index, item in enumerate(node.value):
        path = f"{spot.path}[{index}]"
        if isinstance(item.value, str):
            words.append(SourceText(item.at, path, spot.statement, item.value))
        else:
            _mismatch(item, SourceSpot(item.at, path, spot.statement), "a string", report)
    return tuple(words)


def _principals(
    members: dict[str, JsonMember], spot: SourceSpot, report: LintReport
) -> LintPrincipals | None:
    _refuse_both(members, "Principal", "NotPrincipal", spot, report)
    name = "Principal" if "Principal" in members else "NotPrincipal"
    if name not in members:
        return None
    node, place = members[name].node, below(spot, name, members[name].at)
    is_not = name == "NotPrincipal"
    if node.value == "*":
        return LintPrincipals(place, {"AWS": (SourceText(node.at, place.path, spot.statement, "*"),)}, is_not)
    if not isinstance(node.value, tuple):
        _mismatch(node, place, '"*" or an object', report)
        return LintPrincipals(place, {}, is_not)
    kinds = members_of(node, place, report)
    if not kinds:
        report.add("EMPTY_OBJECT_PRINCIPAL", place, f"{name} is empty.", "Add a principal.")
    named = {}
    for kind, member in kinds.items():
        spot_of_kind = below(place, kind, member.at)
        if kind not in KINDS:
            close = report.closest(kind, KINDS)
            remedy = f"Did you mean {close}?" if close else "Use AWS, Service, Federated or CanonicalUser."
            report.add(
                "INVALID_PRINCIPAL_KEY",
                spot_of_kind,
                f"{quoted(kind)} isn’t a principal type.",
                remedy,
            )
        named[kind] = names_in(member.node, spot_of_kind, "EMPTY_ARRAY_PRINCIPAL", report)
    return LintPrincipals(place, named, is_not)


def _tests(member: JsonMember | None, spot: SourceSpot, report: LintReport) -> tuple[ConditionTest, ...]:
    if member is None:
        return ()
    place = below(spot, "Condition", member.at)
    if not isinstance(member.node.value, tuple):
        _mismatch(member.node, place, "an object of operators", report)
        return ()
    operators = members_of(member.node, place, report)
    if not operators:
        report.add("EMPTY_OBJECT_CONDITION", place, "Condition is empty and has no effect.", "Remove it.")
    _refuse_same_in_other_case(operators, place, report)
    tests: list[ConditionTest] = []
    for name, operator in operators.items():
        spot_of_operator = below(place, name, operator.at)
        if not isinstance(operator.node.value, tuple):
            _mismatch(operator.node, spot_of_operator, "an object of keys and values", report)
            continue
        keys = members_of(operator.node, spot_of_operator, report)
        if not keys:
            report.add(
                "EMPTY_OBJECT_CONDITION",
                spot_of_operator,
                f"{preview(name)} has no condition key.",
                "Add a key, or remove the operator.",
            )
        _refuse_same_in_other_case(keys, spot_of_operator, report)
        tests += [_test(name, spot_of_operator, key, report) for key in keys.values()]
    return tuple(tests)


def _refuse_same_in_other_case(members: dict[str, JsonMember], spot: SourceSpot, report: LintReport) -> None:
    seen: dict[str, str] = {}
    for name, member in members.items():
        other = seen.setdefault(fold(name), name)
        if other != name:
            report.add(
                "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
                below(spot, name, member.at),
                f"{quoted(name)} and {quoted(other)} are the same to AWS, which ignores upper and lower "
                "case here.",
                "Combine the two.",
            )


def _test(operator: str, spot: SourceSpot, key: JsonMember, report: LintReport) -> ConditionTest:
    place = below(spot, key.name, key.at)
    base, quantifier, if_exists = parse_operator(operator)
    return ConditionTest(
        SourceText(spot.at, spot.path, spot.statement, operator),
        SourceText(place.at, place.path, spot.statement, key.name),
        _values(key.node, place, report),
        base,
        quantifier,
        if_exists,
    )


def _values(node: JsonNode, spot: SourceSpot, report: LintReport) -> tuple[SourceText, ...]:
    is_list = isinstance(node.value, list)
    nodes = node.value if isinstance(node.value, list) else [node]
    if not nodes:
        report.add(
            "EMPTY_ARRAY_CONDITION",
            spot,
            f"{spot.path} is an empty list.",
            "Add a value, or remove the key.",
        )
    words = []
    for index, item in enumerate(nodes):
        path = f"{spot.path}[{index}]" if is_list else spot.path
        if isinstance(item.value, str | int | float | bool):
            words.append(SourceText(item.at, path, spot.statement, text_of(item.value)))
        else:
            _mismatch(item, SourceSpot(item.at, path, spot.statement), "a value or a list of values", report)
    return tuple(words)


def parse_operator(name: str) -> tuple[str, str, bool]:
    """Return (base, quantifier, whether IfExists) of an operator in lower case. The base is empty for an
    unknown operator.
    """
    quantifier, colon, base = fold(name).rpartition(":")
    if colon and quantifier not in QUANTIFIERS:
        return "", "", False
    if_exists = base.endswith(IF_EXISTS)
    base = base.removesuffix(IF_EXISTS)
    return (base if base in OPERATORS or base == NULL else ""), quantifier, if_exists
