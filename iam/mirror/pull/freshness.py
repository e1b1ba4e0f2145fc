"""Records how fresh each section is: the row that pages show with its facts, and what one pull did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce

from iam.aws.errors import AwsError, ErrorKind
from iam.mirror.models import Account, Pull, PullSection, Section, SectionState
from iam.mirror.models.accounts import UPLOAD
from iam.mirror.pull.facts import PartOutcome
from iam.mirror.pull.sections import ALL


@dataclass(slots=True)
class SectionVerdict:
    """The result of reading a section. `observed_at` is set only for a complete observation."""

    section: str
    state: str
    began_at: datetime
    calls: int = 0
    observed_at: datetime | None = None
    message: str = ""
    permission: str = ""
    code: str = ""
    request_id: str = ""


def verdict_of(
    section: str, error: AwsError, *, began_at: datetime, calls: int, is_partial: bool
) -> SectionVerdict:
    """The result of a section that ended with an error."""
    if error.kind is ErrorKind.DENIED:
        state, message = (
            SectionState.DENIED,
            f"AWS denied {error.permission or error.action}. {error.message}",
        )
    elif is_partial:
        state, message = SectionState.PARTIAL, f"Synced in part, then {error.action} failed: {error.message}"
    else:
        state, message = SectionState.FAILED, f"{error.action} failed: {error.message}"
    return SectionVerdict(
        section=section,
        state=state.value,
        began_at=began_at,
        calls=calls,
        message=message,
        permission=_permission_of(error),
        code=error.code,
        request_id=error.request_id,
    )


def _permission_of(error: AwsError) -> str:
    """The action that a policy of the role must allow; "" if the role itself could not be assumed."""
    return "" if error.is_role_refused else error.permission or ""


def begin_sections(accounts: Collection[Account]) -> None:
    """Create a row for each section of the accounts, so that sections that were never synced are found like
    those that failed.
    """
    rows = [Section(account=account, name=name) for account, name in product(accounts, ALL)]
    Section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class SectionFreshness:
    """The section rows of one account during one pull."""

    def __init__(self, account: Account, pull: Pull | None) -> None:
        self._account = account
        self._pull = pull
        self.sections = {row.name: row for row in Section.objects.filter(account=account)}
        if pull is not None and len(self.sections) < len(ALL):
            begin_sections([account])

    def observed_at(self, section: str) -> datetime | None:
        """The time of the last complete observation; None if there is none."""
        row = self.sections.get(section)
        return row.observed_at if row else None

    def begin(self, section: str, *, at: datetime) -> None:
        """Show that the section is being read."""
        if self._pull is not None:
            PullSection.objects.update_or_create(
                pull=self._pull, name=section, defaults={"state": SectionState.READING, "began_at": at}
            )

    def end(self, verdict: SectionVerdict, *, outcome: PartOutcome | None, now: datetime) -> None:
        """Store the result. A section that is not complete keeps its last complete observation."""
        if self._pull is not None:
            self._end_in_pull(verdict, outcome, now)
        row = self.sections.get(verdict.section)
        values = _fields(row, verdict, outcome)
        if verdict.observed_at is not None:
            is_upload = self._pull is not None and self._pull.trigger == UPLOAD
            # A sync takes a while, and the whole section is known only at its end. A file shows the state
            # when it was made.
            known_at = verdict.observed_at if is_upload else now
            values["known_since"] = _known_since(row, known_at)
        self.sections[verdict.section], _ = Section.objects.update_or_create(
            account=self._account, name=verdict.section, defaults=values
        )

    def end_all(self, error: AwsError, *, at: datetime, message: str) -> None:
        """Mark all sections that were ever synced as failed, because the account could not be accessed."""
        state = SectionState.DENIED if error.kind is ErrorKind.DENIED else SectionState.FAILED
        synced = Section.objects.filter(account=self._account).exclude(state=SectionState.NEVER)
        synced.update(
            state=state,
            attempted_at=at,
            bad_since=Coalesce("bad_since", Value(at)),
            permission=_permission_of(error)[:128],
            message=message[:1024],
            error_code=error.code[:128],
            request_id=error.request_id[:64],
        )

    def _end_in_pull(self, verdict: SectionVerdict, outcome: PartOutcome | None, now: datetime) -> None:
        values: dict[str, Any] = {
            "state": verdict.state,
            "began_at": verdict.began_at,
            "ended_at": now,
            "observed_at": verdict.observed_at,
            "calls": verdict.calls,
            "permission": verdict.permission[:128],
            "message": verdict.message[:1024],
        }
        if outcome is not None:
            values |= {
                "count": outcome.count,
                "added": outcome.added,
                "changed": len(outcome.changed),
                "ended": outcome.ended,
            }
        PullSection.objects.update_or_create(pull=self._pull, name=verdict.section, defaults=values)


def _known_since(row: Section | None, moment: datetime) -> datetime:
    """The first time from which the section is known. A file that is uploaded later can describe an earlier
    one.
    """
    before = (row.known_since or row.observed_at) if row else None
    return moment if before is None else min(before, moment)


def _fields(row: Section | None, verdict: SectionVerdict, outcome: PartOutcome | None) -> dict[str, Any]:
    is_complete = verdict.state == SectionState.COMPLETE
    bad_since = (row.bad_since if row else None) or verdict.began_at
    values: dict[str, Any] = {
        "state": verdict.state,
        "attempted_at": verdict.began_at,
        "bad_since": None if is_complete else bad_since,
        "permission": verdict.permission[:128],
        "message": verdict.message[:1024],
        "error_code": verdict.code[:128],
        "request_id": verdict.request_id[:64],
    }
    if verdict.observed_at is not None:
        values["observed_at"] = verdict.observed_at
    if outcome is not None:
        values["count"] = outcome.count
    return values
