"""Checks the permissions of the write role without writing anything."""

from __future__ import annotations

from collections.abc import Iterator

from iam.aws.actions import TITLES
from iam.aws.calls import invoke
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.permissions import OBSERVE, WRITE, WRITTEN, resource_arn
from iam.aws.session import Aws
from iam.mirror.doctor.checks import CheckVerdict, ExaminationCheck, failed
from iam.mirror.doctor.probes import NOBODY, probes
from iam.mirror.doctor.reads import Answers, try_actions
from iam.mirror.models import Account

SIMULATE = "iam:SimulatePrincipalPolicy"
_UNTESTED = (
    f"Not tested, because a test would write. With {SIMULATE} the role could simulate it; this permission "
    "is optional."
)

_UNASKED = frozenset({ErrorKind.DENIED, ErrorKind.INVALID, ErrorKind.NOT_FOUND})
_SOMETHING = f"something-{NOBODY}"
"""A name that no account has and that lacks Gatehouse's own prefix, which Gatehouse can't change."""

_PLURALS = {
    "user": "users",
    "group": "groups",
    "role": "roles",
    "policy": "managed policies",
    "instance-profile": "instance profiles",
    "mfa": "MFA devices",
    "server-certificate": "server certificates",
    "saml-provider": "SAML providers",
    "oidc-provider": "OpenID Connect providers",
    "instance": "EC2 instances",
    "account": "the account itself",
}


def examine_writes(aws: Aws, account: Account, *, principal: str) -> Iterator[ExaminationCheck]:
    """Yield the checks of the write role. The reads around a write are tested; AWS simulates the writes, if
    it is allowed to.
    """
    table = probes(account_id=account.account_id, partition=account.partition)
    known: Answers = {}
    may_ask = True
    for family in WRITE:
        title = TITLES.get(family, family)
        if OBSERVE[family]:
            yield try_actions(
                aws,
                OBSERVE[family],
                table=table,
                key=f"{family}-observe",
                title=f"{title}: read",
                group="write",
                known=known,
            )
        check = (
            _simulated(aws, account=account, principal=principal, family=family, title=f"{title}: write")
            if may_ask
            else ExaminationCheck(family, "write", f"{title}: write", CheckVerdict.UNTESTED, _UNTESTED)
        )
        may_ask = check.verdict is not CheckVerdict.UNTESTED
        yield check


def examine_read_only(aws: Aws, account: Account, *, principal: str) -> ExaminationCheck:
    """Check with AWS's simulator, if allowed, that the read role can't write."""
    key, title = "read-only", "Write actions with the read role"
    decisions: dict[str, str] = {}
    try:
        for family, actions in WRITE.items():
            decisions |= _decisions(aws, actions, account=account, principal=principal, family=family)
    except AwsError as error:
        if error.kind in _UNASKED:
            return ExaminationCheck(key, "read", title, CheckVerdict.UNTESTED, _UNTESTED)
        return failed(key, "read", title, error)
    allowed = [action for action, decision in decisions.items() if decision == "allowed"]
    if allowed:
        detail = (
            f"The role may also call {', '.join(allowed)}. Remove these permissions: the read role must not "
            "be able to write."
        )
        return ExaminationCheck(key, "read", title, CheckVerdict.WARNING, detail)
    return ExaminationCheck(key, "read", title, CheckVerdict.OK, "Denied, as expected")


def _simulated(aws: Aws, *, account: Account, principal: str, family: str, title: str) -> ExaminationCheck:
    actions = WRITE[family]
    try:
        decisions = _decisions(aws, actions, account=account, principal=principal, family=family)
    except AwsError as error:
        if error.kind in _UNASKED:
            return ExaminationCheck(family, "write", title, CheckVerdict.UNTESTED, _UNTESTED)
        return failed(family, "write", title, error)
    missing = tuple(action for action in actions if decisions.get(action) != "allowed")
    if missing:
        explicit = any(decisions.get(action) == "explicitDeny" for action in missing)
        detail = f"AWS’s policy simulator denies {', '.join(missing)} on {_PLURALS[WRITTEN[family]]}"
        return ExaminationCheck(
            family, "write", title, CheckVerdict.DENIED, detail, missing=missing, is_explicit=explicit
        )
    return ExaminationCheck(family, "write", title, CheckVerdict.OK, "AWS’s policy simulator allows it")


def _decisions(
    aws: Aws, actions: tuple[str, ...], *, account: Account, principal: str, family: str
) -> dict[str, str]:
    """Return allowed, implicitDeny or explicitDeny for each action, on a resource of the type that the family
    writes.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    pattern = resource_arn(account.partition, account.account_id, kind=WRITTEN[family])
    resource = pattern if pattern == "*" else pattern.replace(":*:", ":us-east-1:")[:-1] + _SOMETHING
    answer = invoke(
        aws.iam,
        "SimulatePrincipalPolicy",
        {"PolicySourceArn": principal, "ActionNames": list(actions), "ResourceArns": [resource]},
    )
    return {
        result["EvalActionName"]: result["EvalDecision"] for result in answer.get("EvaluationResults", ())
    }
