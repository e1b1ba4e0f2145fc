"""`python -m tests.bench.peers`: our engine and two others on the same documents and requests, on AWS's own
examples, and on what the policy that demands MFA leaves.

Nothing is installed by this. A peer is used when its variable says where it is, and skipped with a line
otherwise:

    python -m venv pmapper && pmapper/bin/pip install principalmapper
    npm install --prefix simulate @cloud-copilot/iam-simulate
    PEER_PMAPPER=pmapper/bin/python PEER_IAM_SIMULATE=simulate/node_modules python -m tests.bench.peers

The others are run as programs of their own, for comparison only: both are under the AGPL, and nothing here is
made from them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from iam.policy.lines import answer
from iam.policy.request import Principal, account_of
from tests.bench.evaluate import Engine, check_distinct, check_mixed, fastest
from tests.bench.evaluate_requests import Data, heavy, principals, simple, worlds
from tests.iam.access.enforcement.table import cases as demanding_mfa
from tests.iam.policy.cases.notation import ALLOWED, CONDITIONAL, Case
from tests.iam.policy.test_cases import CASES as WRITTEN

CASES = [*WRITTEN, *demanding_mfa()]
FOLDER = Path(__file__).parent
ROUNDS, SIMPLE, HEAVY, PREVIEW_CASES = 3, 20_000, 6_000, 3
OURS = {"simple": "simple", "heavy": "heavy: 9 operators, boundary, 3 SCP levels, RCP, bucket policy"}


SPELLED = {
    name.lower(): name
    for name in (
        "aws:FederatedProvider",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalServiceName",
        "aws:PrincipalType",
        "kms:CallerAccount",
    )
}
"""Keys that follow from a principal, as AWS writes them: peers may tell upper and lower case apart."""


def peers() -> Iterator[tuple[str, list[str]]]:
    """Each peer that is there, and the command that asks it."""
    python, modules = os.environ.get("PEER_PMAPPER"), os.environ.get("PEER_IAM_SIMULATE")
    if python:
        yield "PMapper", [python, str(FOLDER / "pmapper.py")]
    else:
        print("skipped: Principal Mapper; PEER_PMAPPER does not say which Python has it")
    if modules:
        yield "iam-simulate", ["node", str(FOLDER / "iam_simulate.mjs"), str(Path(modules).resolve())]
    else:
        print("skipped: iam-simulate; PEER_IAM_SIMULATE does not say which node_modules has it")


def line_of(case: Case) -> Data:
    """A case with everything said that our engine would derive: who owns the resource, and what follows from
    the principal.
    """
    principal = case.line["principal"]
    source = {"arn": principal} if isinstance(principal, str) else dict(principal)
    who = Principal(
        source["arn"], source.get("account", ""), source.get("tags"), unique_id=source.get("unique_id", "")
    )
    context = case.line.get("context", {})
    keys_of_context = {key.lower() for key in context}
    tags = {f"aws:principaltag/{tag.lower()}": f"aws:PrincipalTag/{tag}" for tag in who.tags or ()}
    derived = {
        (SPELLED | tags).get(key, key): values[0]
        for key, values in who.derived.items()
        if values and key not in keys_of_context
    }
    return {
        "action": case.line["action"],
        "resource": case.line["resource"],
        "resource_account": case.line.get("resource_account")
        or account_of(case.line["resource"])
        or who.account,
        "principal": source,
        "context": derived | {key: _texts(value) for key, value in context.items() if value is not None},
        "policies": case.line["policies"],
    }


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return value if isinstance(value, str) else json.dumps(value)


def questions() -> Data:
    """What all peers are asked."""
    people = principals()
    requests = {"simple": list(simple(SIMPLE)), "heavy": list(heavy(HEAVY))}
    for each in requests.values():
        check_distinct(each)
        for row in each:
            row["resource_account"] = people[row["principal"]]["account"]
    return {
        "rounds": ROUNDS,
        "worlds": worlds(),
        "principals": people,
        "requests": requests,
        "cases": [line_of(case) for case in CASES],
    }


def ours(asked: Data) -> dict[str, list[str]]:
    """Our decisions, and how many of them a second."""
    engine, ours = Engine(), {}
    for name, requests in asked["requests"].items():
        seconds, decisions = fastest(engine, requests, rounds=ROUNDS)
        check_mixed(decisions)
        show("Gatehouse", name, len(requests) / seconds)
        ours[name] = [str(decision) for decision in decisions]
    return ours


def show(who: str, run: str, rate: float) -> None:
    """A line with a rate."""
    print(f"{who:<26} {OURS[run]:<66} {rate:>10,.0f} requests/s", flush=True)


def agrees(theirs: Any, wanted: str) -> bool:
    """Whether an answer, which may be a mere yes or no, is what is wanted."""
    return theirs is (wanted == ALLOWED) if isinstance(theirs, bool) else bool(theirs == wanted)


def is_answer(theirs: Any) -> bool:
    """Whether it is a decision, and not a reason why there is none."""
    return isinstance(theirs, bool) or theirs in {"allowed", "explicitly_denied", "implicitly_denied"}


def compare_runs(who: str, runs: Data, asked: Data, mine: dict[str, list[str]]) -> None:
    """Rates, and where the decisions about the measured requests are others than ours."""
    for name, run in runs.items():
        for way, rate in run["rates"].items():
            show(f"{who} {way}".strip(), name, rate)
        for way, answers in run["answers"].items():
            pairs = [
                (request, theirs, wanted)
                for request, theirs, wanted in zip(asked["requests"][name], answers, mine[name], strict=False)
                if not agrees(theirs, wanted)
            ]
            print(f"    {way or 'its'} decisions: {len(answers):,}, {len(pairs):,} other than ours")
            for request, theirs, wanted in pairs[:PREVIEW_CASES]:
                print(f"        {request['action']} on {request['resource']}: {theirs}, ours {wanted}")


def compare_cases(who: str, answers: list[Any]) -> None:
    """AWS's documentation says what is right: where the peer, which may not take everything, says something
    else.
    """
    decided = [
        (case, theirs)
        for case, theirs in zip(CASES, answers, strict=True)
        if is_answer(theirs) and case.strict != CONDITIONAL
    ]
    decidable = [case for case in CASES if case.strict != CONDITIONAL]
    wrong = [(case, theirs) for case, theirs in decided if not agrees(theirs, case.strict)]
    print(f"\n{who}: {len(decided)} of {len(decidable)} cases answered, {len(wrong)} not as AWS's page says")
    for reason, times in Counter(
        _reason(theirs) for theirs in answers if not is_answer(theirs)
    ).most_common():
        print(f"    not answered, {times}: {reason}")
    for page in dict.fromkeys(case.page for case, _ in wrong):
        print(f"    {page}")
        for case, theirs in wrong:
            if case.page == page:
                answer = {True: "allowed", False: "not allowed"}.get(theirs, theirs)
                print(f"        {case.name}: AWS {case.strict}, {who} {answer}")


def _reason(theirs: Any) -> str:
    """Why there is no answer, without what is only of this case."""
    return ": ".join(str(theirs).split(": ")[:2])[:90]


def main() -> int:
    """Ask everybody, and print."""
    asked = questions()
    mine = ours(asked)
    wrong = [case for case in CASES if _our_answer(case) != case.strict]
    print(f"    of {len(CASES)} cases, {len(wrong)} not as AWS's page says")
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(asked, file)
        file.flush()
        for who, command in peers():
            done = subprocess.run([*command, file.name], stdout=subprocess.PIPE, text=True, check=True)
            content = json.loads(done.stdout.splitlines()[-1])
            compare_runs(who, content["runs"], asked, mine)
            compare_cases(who, content["cases"])
    return 0


def _our_answer(case: Case) -> str:
    return str(answer(json.dumps(case.line), strict=True).get("decision"))


if __name__ == "__main__":
    sys.exit(main())
