"""The messages of changes that did not succeed: what happened, whether AWS changed, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from iam.aws.errors import AwsError, ErrorKind

NOTHING_CHANGED = "Nothing was changed in AWS."
LOOK = "Refresh it, or check in the AWS console, before you submit it again."

_HAPPENED = {
    ErrorKind.DENIED: "AWS denied {permission} to Gatehouse’s write role.",
    ErrorKind.CREDENTIALS: "Gatehouse couldn’t sign in to the account with its write role ({code}).",
    ErrorKind.NOT_FOUND: "It no longer exists in AWS.",
    ErrorKind.CONFLICT: "AWS reports a conflict with another change.",
    ErrorKind.LIMIT: "An AWS quota is reached.",
    ErrorKind.INVALID: "AWS rejected the call.",
    ErrorKind.THROTTLED: "AWS is throttling requests.",
    ErrorKind.UNAVAILABLE: "AWS couldn’t be reached or had an internal error.",
    ErrorKind.TIMEOUT: "AWS didn’t answer in time.",
    ErrorKind.UNEXPECTED: "AWS gave an unexpected answer.",
}
_NEXT = {
    ErrorKind.DENIED: "Add the permission to the write role, then submit the request again.",
    ErrorKind.CREDENTIALS: "Check the account’s connection, then submit the request again.",
    ErrorKind.NOT_FOUND: "Sync the account to see how it is now.",
    ErrorKind.CONFLICT: "Check the account, then submit the request again.",
    ErrorKind.LIMIT: "Remove what isn’t needed or ask AWS to raise the quota, then submit the request again.",
    ErrorKind.INVALID: "Please report this: Gatehouse should have noticed before it sent the call.",
    ErrorKind.THROTTLED: "Submit the request again later.",
    ErrorKind.UNAVAILABLE: "Submit the request again later.",
    ErrorKind.TIMEOUT: "Submit the request again later.",
    ErrorKind.UNEXPECTED: "Check AWS’s message, then submit the request again.",
}
_CODES = ("InvalidAuthenticationCode", "InvalidAuthenticationCodeException")
_CODES_REFUSED = "AWS didn’t accept the two codes."
_CODES_NEXT = "Wait until the device shows a new code, then enter that code and the next one."


_ROLE_REFUSED = "AWS doesn’t let Gatehouse assume the write role of this account."
_ROLE_REFUSED_NEXT = "Check the permissions of the account under Settings, then submit the request again."


def error_sentence(error: AwsError) -> str:
    """The error in one sentence of our own."""
    if error.code in _CODES:
        return _CODES_REFUSED
    if error.is_role_refused:
        return _ROLE_REFUSED
    return _HAPPENED[error.kind].format(
        permission=error.permission or error.action, code=error.code or "no code"
    )


def aws_says(error: AwsError) -> str:
    """AWS's own message, if there is one."""
    if not error.message:
        return ""
    end = "" if error.message.endswith((".", "!", "?")) else "."
    return f" AWS says: {error.message}{end}"


def failed(error: AwsError, *, attempts: int = 1, done: Sequence[str] = ()) -> str:
    """For a change that ended without effect; `done` are the sentences of calls that AWS has carried out
    before.
    """
    tried = f"Tried {attempts} times. " if attempts > 1 else ""
    following = _NEXT[error.kind]
    if error.code in _CODES:
        following = _CODES_NEXT
    elif error.is_role_refused:
        following = _ROLE_REFUSED_NEXT
    return f"{tried}{error_sentence(error)} {_changed(done)} {following}{aws_says(error)}"


def refused(why: str, *, done: Sequence[str] = ()) -> str:
    """For a change with a call that Gatehouse could not send."""
    return f"{why} {_changed(done)}"


def _changed(done: Sequence[str]) -> str:
    if not done:
        return NOTHING_CHANGED
    return f"Done before that: {'; '.join(done)}. The rest was not done."


def retried(error: AwsError, *, seconds: float) -> str:
    """For a change that is queued again."""
    return f"{error_sentence(error)} Gatehouse tries again in {seconds:.0f} s.{aws_says(error)}"


def in_doubt(error: AwsError) -> str:
    """For a change that AWS may or may not have carried out."""
    return f"{error_sentence(error)} It is unknown whether AWS completed the call. {LOOK}{aws_says(error)}"


def unreadable(error: AwsError) -> str:
    """For a change that was sent, but could not be read back."""
    return (
        f"AWS accepted the call, but the check afterwards failed: {error_sentence(error)} "
        f"Fix that, then refresh.{aws_says(error)}"
    )


def not_seen(reads: int) -> str:
    """For a change that AWS accepted but does not show."""
    return (
        f"AWS accepted the call, but {reads} checks since then don’t show it. Someone may have reverted it. "
        f"{LOOK}"
    )


def drifted(what: str, *, is_read_back: bool) -> str:
    """For a change whose planned state is outdated."""
    following = _SYNCED if is_read_back else _PULLED
    return f"AWS is no longer as it was when this was requested. {what} {NOTHING_CHANGED} {following}"


def drifted_in_doubt(what: str) -> str:
    """The same if a call may have been sent before."""
    return f"A call may have reached AWS, and AWS is neither as before nor as wanted. {what} {LOOK}"


_SYNCED = "Gatehouse has synced it. Check how it is now, then submit it again."
_PULLED = "A sync of the account has started. Check how it is afterwards, then submit it again."
DIFFERS = "It differs from both before and after."
NOT_REPEATED = (
    "A worker stopped and may already have called AWS. Gatehouse never repeats this call without checking. "
    f"{LOOK}"
)
OWN_ROLE = f"This is a role that Gatehouse itself uses. {NOTHING_CHANGED}"
INTERNAL_BEFORE = (
    f"Gatehouse had an internal error before it called AWS (see the worker’s log). {NOTHING_CHANGED} Submit "
    "the request again."
)
INTERNAL_AFTER = f"Gatehouse had an internal error after it called AWS (see the worker’s log). {LOOK}"
LOST_BEFORE = (
    f"Several workers stopped while they worked on this. {NOTHING_CHANGED} Submit the request again."
)
LOST_AFTER = f"Several workers stopped while they worked on this, and one may have called AWS. {LOOK}"
