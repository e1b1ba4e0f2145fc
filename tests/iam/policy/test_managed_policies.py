"""Every managed policy of AWS that moto knows: read whole, compiled, and decided as the plain engine decides
it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import PolicyDocument, read
from iam.policy.evaluate import decide
from iam.policy.lines import question
from tests.iam.policy import naive
from tests.iam.policy.cases.notation import ROLE, SESSION, USER
from tests.iam.policy.naive_matching import listed, text_of

POLICIES: dict[str, Any] = {
    name: content["Document"] for name, content in json.loads(aws_managed_policies_data).items()
}
REQUESTS = 1


@cache
def _read(name: str) -> PolicyDocument:
    return read(json.dumps(POLICIES[name]))


def test_there_are_all_of_them() -> None:
    assert len(POLICIES) >= 1500


def test_each_is_read_without_a_problem() -> None:
    problems = {
        name: [
            *_read(name).problems,
            *(p for statement in _read(name).statements for p in statement.problems),
        ]
        for name in POLICIES
    }
    assert {name: problems for name, problems in problems.items() if problems} == {}


def test_each_compiles_without_anything_unknown() -> None:
    unknown = {}
    for name in POLICIES:
        compiled = compile_set([(name, _read(name))], kind=PolicyKind.IDENTITY)
        assert len(compiled.statements) == len(listed(POLICIES[name]["Statement"]))
        unknown |= {
            f"{name} {compiled.name}": compiled.unknown
            for compiled in compiled.statements
            if compiled.unknown
        }
    assert unknown == {}


def _normal(document: Any) -> Any:
    """A document whose lists are lists and whose values are texts."""
    return {
        "Version": document["Version"],
        "Statement": [
            {
                "Effect": statement["Effect"],
                **({"Sid": statement["Sid"]} if statement.get("Sid") else {}),
                **{
                    element: listed(statement[element])
                    for element in ("Action", "NotAction", "Resource", "NotResource")
                    if element in statement
                },
                "Condition": sorted(
                    [operator, key, [text_of(value) for value in listed(values)]]
                    for operator, keys in statement.get("Condition", {}).items()
                    for key, values in keys.items()
                ),
            }
            for statement in listed(document["Statement"])
        ],
    }


def _written_back(document: PolicyDocument) -> Any:
    return {
        "Version": document.version,
        "Statement": [
            {
                "Effect": "Allow" if statement.allows else "Deny",
                **({"Sid": statement.sid} if statement.sid else {}),
                "NotAction" if statement.is_not_action else "Action": list(statement.actions),
                "NotResource" if statement.is_not_resource else "Resource": list(statement.resources or ()),
                "Condition": sorted(
                    [operator, key, list(values)] for operator, key, values in statement.conditions
                ),
            }
            for statement in document.statements
        ],
    }


def test_each_is_read_whole() -> None:
    lost = [name for name in POLICIES if _written_back(_read(name)) != _normal(POLICIES[name])]
    assert lost == []


def _filled(pattern: str, chance: Random, values: dict[str, str]) -> str:
    """A name that a pattern fits, or nearly."""
    text = re.sub(r"\$\{([^}]*)\}", lambda match: values.get(match[1].lower(), "ana"), pattern)
    text = re.sub(r"\*", lambda match: chance.choice(("", "x", "a/b", "eu-west-1", "x:y")), text)
    text = text.replace("?", chance.choice(("q", "q", "")))
    return text if chance.random() < 0.8 else text + "z"


def _request(statement: Any, chance: Random) -> dict[str, Any]:
    """A request that a statement speaks of, if all goes well."""
    values = {"aws:username": "ana"}
    context: dict[str, Any] = {}
    for keys in statement.get("Condition", {}).values():
        for key, wanted in keys.items():
            if chance.random() < 0.8:
                values_filled = [_filled(text_of(item), chance, values) for item in listed(wanted)]
                context[key] = values_filled if chance.random() < 0.2 else chance.choice(values_filled)
    pattern = chance.choice(listed(statement.get("Action", statement.get("NotAction"))))
    action = _filled("s3:GetObject" if pattern == "*" else pattern, chance, values)
    service, _, verb = action.partition(":")
    resource = chance.choice(listed(statement.get("Resource", statement.get("NotResource"))))
    return {
        "id": 1,
        "action": f"{service}:{re.sub('[^A-Za-z]', '', verb) or 'Do'}",
        "resource": _filled("arn:aws:x:::y" if resource == "*" else resource, chance, values) or "*",
        "principal": chance.choice((USER, ROLE, SESSION)),
        "context": context,
    }


def test_each_is_decided_as_the_plain_engine_decides_it() -> None:
    decided = {"allowed": 0, "explicitly_denied": 0, "implicitly_denied": 0}
    for name, document in POLICIES.items():
        chance = Random(name)
        for statement in chance.choices(listed(document["Statement"]), k=REQUESTS):
            line = _request(statement, chance) | {"policies": {"identity": [document]}}
            decision = str(decide(*question(line, strict=True)))
            assert decision == naive.decide(line), json.dumps(line)[:2000]
            decided[decision] += 1
    assert min(decided.values()) >= 10, decided
