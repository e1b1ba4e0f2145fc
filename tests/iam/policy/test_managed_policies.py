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
from iam.policy.document import Document, read
from iam.policy.evaluate import decide
from iam.policy.lines import question
from tests.iam.policy import naive
from tests.iam.policy.cases.writing import ROLE, SESSION, USER
from tests.iam.policy.naive_matching import listed, text_of

POLICIES: dict[str, Any] = {
    name: found["Document"] for name, found in json.loads(aws_managed_policies_data).items()
}
REQUESTS = 1


@cache
def _read(name: str) -> Document:
    return read(json.dumps(POLICIES[name]))


def test_there_are_all_of_them() -> None:
    assert len(POLICIES) >= 1500


def test_each_is_read_without_a_problem() -> None:
    problems = {
        name: [*_read(name).problems, *(p for one in _read(name).statements for p in one.problems)]
        for name in POLICIES
    }
    assert {name: found for name, found in problems.items() if found} == {}


def test_each_compiles_without_anything_unknown() -> None:
    unknown = {}
    for name in POLICIES:
        compiled = compile_set([(name, _read(name))], kind=PolicyKind.IDENTITY)
        assert len(compiled.statements) == len(listed(POLICIES[name]["Statement"]))
        unknown |= {f"{name} {one.name}": one.unknown for one in compiled.statements if one.unknown}
    assert unknown == {}


def _normal(document: Any) -> Any:
    """A document whose lists are lists and whose values are texts."""
    return {
        "Version": document["Version"],
        "Statement": [
            {
                "Effect": one["Effect"],
                **({"Sid": one["Sid"]} if one.get("Sid") else {}),
                **{
                    element: listed(one[element])
                    for element in ("Action", "NotAction", "Resource", "NotResource")
                    if element in one
                },
                "Condition": sorted(
                    [operator, key, [text_of(value) for value in listed(values)]]
                    for operator, keys in one.get("Condition", {}).items()
                    for key, values in keys.items()
                ),
            }
            for one in listed(document["Statement"])
        ],
    }


def _written_back(document: Document) -> Any:
    return {
        "Version": document.version,
        "Statement": [
            {
                "Effect": "Allow" if one.allows else "Deny",
                **({"Sid": one.sid} if one.sid else {}),
                "NotAction" if one.is_not_action else "Action": list(one.actions),
                "NotResource" if one.is_not_resource else "Resource": list(one.resources or ()),
                "Condition": sorted(
                    [operator, key, list(values)] for operator, key, values in one.conditions
                ),
            }
            for one in document.statements
        ],
    }


def test_each_is_read_whole() -> None:
    lost = [name for name in POLICIES if _written_back(_read(name)) != _normal(POLICIES[name])]
    assert lost == []


def _filled(pattern: str, chance: Random, values: dict[str, str]) -> str:
    """A name that a pattern fits, or nearly."""
    text = re.sub(r"\$\{([^}]*)\}", lambda found: values.get(found[1].lower(), "ana"), pattern)
    text = re.sub(r"\*", lambda found: chance.choice(("", "x", "a/b", "eu-west-1", "x:y")), text)
    text = text.replace("?", chance.choice(("q", "q", "")))
    return text if chance.random() < 0.8 else text + "z"


def _request(statement: Any, chance: Random) -> dict[str, Any]:
    """A request that a statement speaks of, if all goes well."""
    values = {"aws:username": "ana"}
    context: dict[str, Any] = {}
    for keys in statement.get("Condition", {}).values():
        for key, wanted in keys.items():
            if chance.random() < 0.8:
                given = [_filled(text_of(one), chance, values) for one in listed(wanted)]
                context[key] = given if chance.random() < 0.2 else chance.choice(given)
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
            found = str(decide(*question(line, strict=True)))
            assert found == naive.decide(line), json.dumps(line)[:2000]
            decided[found] += 1
    assert min(decided.values()) >= 10, decided
