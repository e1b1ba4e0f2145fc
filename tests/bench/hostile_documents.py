"""Five megabytes of statements in the shapes that cost most: read, compiled, linted, put into an index, asked
and explained.

Times are those of the processor, so that other work on the machine counts less.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import RequestPolicies, decide
from iam.policy.explain import explain
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow
from iam.policy.lint import lint
from iam.policy.request import Principal, Request
from tests.bench.floor import figure

SIZE: Final = 5_000_000
LIMIT: Final = 2.0
"""Seconds for each step."""
ACCOUNT: Final = "111111111111"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/ana"
Statement = dict[str, Any]


def allow(actions: Any, resources: Any, conditions: Any = None) -> Statement:
    """A statement."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement if conditions is None else {**statement, "Condition": conditions}


SHAPES: Final[dict[str, Callable[[int], Statement]]] = {
    "many statements": lambda n: allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::bucket-{n}/*"),
    "many patterns": lambda n: allow(
        [f"s3:Get{n}*", "ec2:*", "iam:*Role*"],
        f"arn:aws:s3:::bucket-{n}/*",
        {"StringEquals": {"aws:PrincipalTag/a": str(n)}},
    ),
    "many actions": lambda n: allow([f"svc{k}:Action{n}x{k}" for k in range(5000)], "*"),
    "many wildcards in an action": lambda n: allow([f"s3:{'*a' * 20}*b{k}" for k in range(1000)], "*"),
    "many wildcards in a resource": lambda n: allow("s3:*", f"arn:aws:s3:::{'a*?' * 300}{n}"),
    "one pattern of millions": lambda n: allow("s3:*", f"arn:aws:s3:::b/{'*x' * (SIZE // 2)}{n}"),
    "long ARNs": lambda n: allow("s3:*", f"arn:aws:s3:::b/{'x' * 500_000}{n}"),
    "100,000 conditions": lambda n: allow(
        "s3:*",
        "*",
        {"StringLike": {f"aws:RequestTag/{n}x{k}": ["v*", "w?"] for k in range(1000)}},
    ),
    "many values": lambda n: allow(
        "s3:*", "*", {"IpAddress": {"aws:SourceIp": [f"10.{k % 250}.{n % 250}.0/24" for k in range(20_000)]}}
    ),
    "many variables": lambda n: allow(
        "s3:*", [f"arn:aws:s3:::b/${{aws:username}}/${{aws:PrincipalTag/a}}/{n}x{k}/*" for k in range(2000)]
    ),
}


def text_of(make: Callable[[int], Statement], *, size: int) -> str:
    """A document of at least so many characters."""
    statements: list[str] = []
    length = 0
    while length < size:
        statements.append(json.dumps(make(len(statements))))
        length += len(statements[-1])
    return f'{{"Version": "2012-10-17", "Statement": [{", ".join(statements)}]}}'


def steps(text: str) -> Iterator[tuple[str, float]]:
    """Each step with its seconds; what was measured before leaves no garbage to this one."""
    gc.collect()
    began = time.process_time()

    def passed() -> float:
        nonlocal began
        before, began = began, time.process_time()
        return began - before

    document = read(text)
    yield "parse", passed()
    policies = RequestPolicies(identity=compile_set([("p", document)], kind=PolicyKind.IDENTITY))
    yield "compile", passed()
    request = Request("s3:GetObject", f"arn:aws:s3:::b/{'x' * 200}", Principal(USER, tags={"a": "1"}))
    decide(request, policies)
    explain(request, policies)
    yield "explain", passed()
    lint(text, kind="identity", quota=None)
    yield "lint", passed()
    store = SharedDocuments()
    stored = store.add("x", text)
    index = PolicyIndex(store)
    row = PrincipalRow(1, USER, "AIDA", PolicyHoldings(inline=(("own", "x"),)), tags={})
    index.enter_account(AccountRows([row], [], [], (), ACCOUNT, "aws"))
    del stored
    yield "index", passed()
    index.who_can(AccessQuestion("s3:GetObject", "arn:aws:s3:::b/x"))
    yield "who-can", passed()


def run() -> list[dict[str, Any]]:
    """The slowest step of each shape."""
    run = []
    for name, make in SHAPES.items():
        step, seconds = max(steps(text_of(make, size=SIZE)), key=lambda each: each[1])
        run.append(
            figure(f"5 MB, {name}: {step}", seconds, "s", floor="2 s a step", ratio=seconds / LIMIT, limit=1)
        )
    deep = '{"Statement": ' + "[" * (SIZE // 2) + "]" * (SIZE // 2) + "}"
    step, seconds = max(steps(deep), key=lambda each: each[1])
    run.append(
        figure(
            f"5 MB, deep nesting: {step}", seconds, "s", floor="2 s a step", ratio=seconds / LIMIT, limit=1
        )
    )
    return run
