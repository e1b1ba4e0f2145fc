"""What a person reads when a change did not go well: what happened, whether AWS changed, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from iam.aws.errors import AwsError, ErrorKind

NOTHING_CHANGED = "Nothing was changed in AWS."
LOOK = "Refresh it, or check in the AWS console, before you submit it again."

_HAPPENED = {
    ErrorKind.DENIED: "AWS denied {permission} to the role by which Gatehouse writes.",
    ErrorKind.CREDENTIALS: "Gatehouse could not sign in to the account to write ({code}).",
    ErrorKind.NOT_FOUND: "AWS does not know what this is about any more.",
    ErrorKind.CONFLICT: "AWS reports a conflict with another change.",
    ErrorKind.LIMIT: "A quota of AWS is reached.",
    ErrorKind.INVALID: "AWS would not take the call.",
    ErrorKind.THROTTLED: "AWS is throttling requests.",
    ErrorKind.UNAVAILABLE: "AWS could not be reached, or had a fault of its own.",
    ErrorKind.TIMEOUT: "AWS did not answer in time.",
    ErrorKind.UNEXPECTED: "AWS answered something that Gatehouse does not know.",
}
_NEXT = {
    ErrorKind.DENIED: "Add the permission to the write role, then ask again.",
    ErrorKind.CREDENTIALS: "Run the doctor on the account, then ask again.",
    ErrorKind.NOT_FOUND: "Sync the account to see how it is now.",
    ErrorKind.CONFLICT: "Look at the account, then ask again.",
    ErrorKind.LIMIT: "Make room, or have AWS raise the quota, then ask again.",
    ErrorKind.INVALID: "Please report this: the call had been checked before it was sent.",
    ErrorKind.THROTTLED: "Ask again when the account is quieter.",
    ErrorKind.UNAVAILABLE: "Ask again when AWS answers.",
    ErrorKind.TIMEOUT: "Ask again when AWS answers.",
    ErrorKind.UNEXPECTED: "Read what AWS says, then ask again.",
}
_CODES = ("InvalidAuthenticationCode", "InvalidAuthenticationCodeException")
_CODES_REFUSED = "AWS did not take the two codes."
_CODES_NEXT = "Wait until the device shows another code, and type that and the next one."


def happened(error: AwsError) -> str:
    """One sentence in our words."""
    if error.code in _CODES:
        return _CODES_REFUSED
    return _HAPPENED[error.kind].format(
        permission=error.permission or error.action, code=error.code or "no code"
    )


def aws_says(error: AwsError) -> str:
    """AWS's own words, where there are any."""
    return f" AWS says: {error.message}" if error.message else ""


def failed(error: AwsError, *, attempts: int = 1, done: Sequence[str] = ()) -> str:
    """For a change that ended without its effect; `done` are sentences of what AWS had carried out before."""
    tried = f"Tried {attempts} times. " if attempts > 1 else ""
    following = _CODES_NEXT if error.code in _CODES else _NEXT[error.kind]
    return f"{tried}{happened(error)} {_changed(done)} {following}{aws_says(error)}"


def refused(why: str, *, done: Sequence[str] = ()) -> str:
    """For a call that was not sent, since Gatehouse could not."""
    return f"{why} {_changed(done)}"


def _changed(done: Sequence[str]) -> str:
    if not done:
        return NOTHING_CHANGED
    return f"Done before that: {'; '.join(done)}. The rest was not done."


def retried(error: AwsError, *, seconds: float) -> str:
    """For a change that goes back into the queue."""
    return f"{happened(error)} Gatehouse tries again in {seconds:.0f} s.{aws_says(error)}"


def in_doubt(error: AwsError) -> str:
    """For a change of which nobody knows whether AWS carried it out."""
    return f"{happened(error)} It is not known whether AWS carried the call out. {LOOK}{aws_says(error)}"


def unreadable(error: AwsError) -> str:
    """For a change that was called, and could not be read back."""
    return (
        f"AWS accepted the call, but reading it back failed: {happened(error)} "
        f"Have Gatehouse look again when that is mended.{aws_says(error)}"
    )


def not_seen(reads: int) -> str:
    """For a change that AWS accepted and did not show."""
    return f"AWS accepted the call, but {reads} readings since don’t show it. Someone may have reverted it. {LOOK}"


def drifted(what: str, *, is_read_back: bool) -> str:
    """For a change that was planned on a state that is gone."""
    following = _SHOWN if is_read_back else _PULLED
    return f"AWS is no longer as it was when this was requested. {what} {NOTHING_CHANGED} {following}"


def drifted_in_doubt(what: str) -> str:
    """The same, where a call may have left before."""
    return f"A call may have reached AWS, and AWS is neither as before nor as wanted. {what} {LOOK}"


_SHOWN = "Gatehouse has synced it. Check how it is now, then submit it again."
_PULLED = "A sync of the account has started. Check how it is afterwards, then submit it again."
DIFFERS = "It shows something else than both before and after."
NOT_REPEATED = (
    f"A worker was lost after it may have called AWS, and this call is never repeated blindly. {LOOK}"
)
OWN_ROLE = f"This is a role by which Gatehouse itself works. {NOTHING_CHANGED}"
INTERNAL_BEFORE = (
    f"Gatehouse itself failed before it called AWS; the worker’s log says why. {NOTHING_CHANGED} Ask again."
)
INTERNAL_AFTER = f"Gatehouse itself failed after it had called AWS; the worker’s log says why. {LOOK}"
LOST_BEFORE = f"The workers that took this were lost, time and again. {NOTHING_CHANGED} Ask again."
LOST_AFTER = f"The workers that took this were lost, time and again, and one may have called AWS. {LOOK}"
