"""Tests every read action, one section at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iam.aws.calls import invoke
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.permissions import MANAGEMENT_ACCOUNT_ONLY, READ
from iam.aws.session import Aws
from iam.mirror.doctor.checks import CheckVerdict, ExaminationCheck, is_explicit_denial, why_denied
from iam.mirror.doctor.error_texts import READS
from iam.mirror.doctor.probes import KEY_IN_USE, PermissionProbe, probes
from iam.mirror.models import Account, Entity, Kind

_REGIONAL = frozenset({"ec2", "cloudtrail", "rolesanywhere", "eks"})
_USERS_ASKED = 30
_GIVES_UP = 3
"""Number of consecutive failed sections after which AWS is considered unreachable."""


def examine_reads(aws: Aws, account: Account) -> Iterator[ExaminationCheck]:
    """Yield one check per section of `iam.aws.permissions.READ`."""
    table = probes(
        account_id=account.account_id, partition=account.partition, access_key_id=_some_key(aws, account)
    )
    broken = 0
    for section, actions in READ.items():
        if section in MANAGEMENT_ACCOUNT_ONLY:
            check = _of_organization(aws, account, table, section)
        else:
            check = try_actions(aws, actions, table=table, key=section, title=READS.get(section, section))
        yield check
        broken = broken + 1 if check.verdict is CheckVerdict.FAILED else 0
        if broken == _GIVES_UP:
            return


Answers = dict[str, AwsError | None]
"""The error of each action that was tested, or None."""


def try_actions(
    aws: Aws,
    actions: Sequence[str],
    *,
    table: dict[str, PermissionProbe],
    key: str,
    title: str,
    group: str = "read",
    known: Answers | None = None,
) -> ExaminationCheck:
    """Return one check for several actions that lists all denied ones. Actions in `known` are not tested
    again.
    """
    answers: Answers = {} if known is None else known
    denied: list[AwsError] = []
    broken: list[AwsError] = []
    untried: list[str] = []
    for action in actions:
        probe = table.get(action)
        if probe is None:
            untried.append(action)
            continue
        if action not in answers:
            answers[action] = _error_of(aws, probe)
        error = answers[action]
        if error is not None:
            (denied if error.kind is ErrorKind.DENIED else broken).append(error)
        if error is not None and _is_hopeless(error):
            break
    if denied:
        return _denial(denied, key=key, group=group, title=title)
    if broken:
        first = broken[0]
        return ExaminationCheck(
            key, group, title, CheckVerdict.FAILED, f"{first.action} failed: {first.message}",
            told=first.message, code=first.code, request_id=first.request_id,
        )  # fmt: skip
    if untried:
        return ExaminationCheck(key, group, title, CheckVerdict.UNTESTED, _untried(untried, actions))
    return ExaminationCheck(key, group, title, CheckVerdict.OK, _count(len(actions)))


def _error_of(aws: Aws, probe: PermissionProbe) -> AwsError | None:
    """Return the error of the call, or None if it was allowed, whatever it returned."""
    region = aws.home_region if probe.service in _REGIONAL else None
    client = aws.client(probe.service, region=region)
    try:
        invoke(client, probe.operation, probe.params)
    except AwsError as error:
        return None if error.code in probe.answers or error.kind is ErrorKind.NOT_FOUND else error
    return None


def _is_hopeless(error: AwsError) -> bool:
    return error.kind in {ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.CREDENTIALS}


def _denial(errors: list[AwsError], *, key: str, group: str, title: str) -> ExaminationCheck:
    first = errors[0]
    missing = tuple(dict.fromkeys(error.permission or error.action for error in errors))
    return ExaminationCheck(
        key,
        group,
        title,
        CheckVerdict.DENIED,
        f"{', '.join(missing)}: {why_denied(first.message)}",
        missing=missing,
        is_explicit=is_explicit_denial(first.message),
        told=first.message,
        code=first.code,
        request_id=first.request_id,
    )


def _untried(untried: list[str], actions: Sequence[str]) -> str:
    rest = len(actions) - len(untried)
    others = f"{_count(rest)}. " if rest else ""
    if untried == [KEY_IN_USE]:
        return f"{others}{KEY_IN_USE} can only be tested with an existing access key, and there is none"
    return f"{others}Not tried: {', '.join(untried)}"


def _count(number: int) -> str:
    return "1 action works" if number == 1 else f"{number} actions work"


def _of_organization(
    aws: Aws, account: Account, table: dict[str, PermissionProbe], section: str
) -> ExaminationCheck:
    """Check the organization's section. The organization is read through its management account or a
    delegated administrator, so a member account needs nothing.
    """
    title = READS[section]
    try:
        answer = invoke(aws.organizations, "DescribeOrganization", {})
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return ExaminationCheck(
                section, "read", title, CheckVerdict.SKIPPED, "The account isn’t part of an organization"
            )
        if error.kind is ErrorKind.DENIED:
            return try_actions(aws, READ[section], table=table, key=section, title=title)
        return ExaminationCheck(
            section, "read", title, CheckVerdict.FAILED, f"{error.action} failed: {error.message}",
            told=error.message, code=error.code, request_id=error.request_id,
        )  # fmt: skip
    management = str(answer.get("Organization", {}).get("MasterAccountId", ""))
    if management != account.account_id and _error_of(aws, table["organizations:ListAccounts"]) is not None:
        detail = f"Not needed: the organization is synced through its management account {management}"
        return ExaminationCheck(section, "read", title, CheckVerdict.SKIPPED, detail)
    return try_actions(aws, READ[section], table=table, key=section, title=title)


def _some_key(aws: Aws, account: Account) -> str:
    """Return the ID of an access key of the account: one in the mirror, or else one of the first users with a
    key, or an empty string.
    """
    known = Entity.objects.filter(account=account, kind=Kind.ACCESS_KEY, gone_at__isnull=True)
    newest = known.order_by("-first_seen").values_list("aws_id", flat=True).first()
    if newest:
        return newest
    try:
        users = invoke(aws.iam, "ListUsers", {"MaxItems": _USERS_ASKED}).get("Users", ())
        for user in users:
            keys = invoke(aws.iam, "ListAccessKeys", {"UserName": user["UserName"]}).get(
                "AccessKeyMetadata", ()
            )
            for key in keys:
                return str(key["AccessKeyId"])
    except AwsError:
        # The checks of ListUsers and ListAccessKeys report this.
        return ""
    return ""
