"""Imports an uploaded export into the mirror, as one observation of its account at the time when it was
created.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from iam.aws.export import AuthorizationExport, ExportError, read_export
from iam.aws.reads import credential_report
from iam.aws.reads.credential_report import ReadReport
from iam.journal.services import record
from iam.mirror.accounts import uploads
from iam.mirror.accounts.actors import Actor, must_manage, person_of
from iam.mirror.accounts.names import checked_own_name
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models.accounts import Account, AccountSource, Pull, PullState, Section, SectionState
from iam.mirror.pull.upload import load_export
from iam.moments import second_words

OnPhase = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files of an import. `observed_at` None uses the newest date in the files."""

    export: Path
    report: Path | None = None
    name: str = ""
    observed_at: datetime | None = None
    accept_loss: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import: the account, its date, the number of entities per kind, and warnings about the
    files.
    """

    account: Account
    observed_at: datetime
    counts: dict[str, int]
    warnings: tuple[str, ...]
    is_new: bool
    held: str = ""

    def as_result(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "account_id": self.account.account_id,
            "name": self.account.name,
            "observed_at": self.observed_at.isoformat(),
            "counts": self.counts,
            "warnings": list(self.warnings),
            "is_new": self.is_new,
            "held": self.held,
        }


def import_export(
    parts: ExportFiles, *, actor: Actor, on_phase: OnPhase = lambda phase: None
) -> ImportResult:
    """Parse the files, find or create their account, and add the observation.

    Raises SetupError with a sentence on what is wrong in the file or with the account. Nothing is stored
    then.
    """
    on_phase("Reading the file")
    export = _read(parts.export)
    report = _read_report(parts.report, export) if parts.report else None
    observed_at = parts.observed_at or newest(export, report)
    _check_actor(actor, export)
    with transaction.atomic():
        account, is_new = _account(export, name=parts.name, observed_at=observed_at)
    on_phase("Loading")
    try:
        pull = load_export(
            account,
            export,
            observed_at=observed_at,
            credential_report=report,
            accept_loss=parts.accept_loss,
        )
    except BaseException:
        if is_new:
            account.delete()
        raise
    Pull.objects.filter(pk=pull.pk).update(requested_by=person_of(actor))
    counts = dict(Counter(item.kind for item in export.items))
    record(
        kind="account.import",
        actor=actor,
        subject=account.name,
        account_id=account.account_id,
        data={"observed_at": observed_at, "counts": counts, "is_new": is_new},
    )
    reason_held = pull.message if pull.state == PullState.HELD else ""
    return ImportResult(account, observed_at, counts, export.warnings, is_new, reason_held)


def _read(path: Path) -> AuthorizationExport:
    limit = uploads.limit_bytes()
    try:
        with path.open("rb") as file:
            return read_export(file, max_bytes=limit)
    except ExportError as error:
        raise SetupError(str(error), field="export") from error
    except OSError as error:
        raise SetupError(f"We can’t read this file: {error.strerror}.", field="export") from error


def _read_report(path: Path, export: AuthorizationExport) -> ReadReport:
    try:
        with path.open("rb") as file:
            content = file.read(uploads.limit_bytes() + 1)
        if len(content) > uploads.limit_bytes():
            raise SetupError("The credential report is larger than any that AWS makes.", field="report")
        report = credential_report.parse_credential_report(content, generated_at=datetime.now(tz=UTC))
    except ValueError as error:
        raise SetupError(str(error), field="report") from error
    except OSError as error:
        raise SetupError(f"We can’t read the credential report: {error.strerror}.", field="report") from error
    for row in report.rows:
        owner = row.arn.split(":")[4] if row.arn.count(":") >= 5 else ""
        if owner != export.account_id:
            raise SetupError(
                f"The credential report is of account {owner or 'unknown'}, the export of "
                f"{export.account_id}.",
                field="report",
            )
    return report


def newest(export: AuthorizationExport, report: ReadReport | None) -> datetime:
    """Return the newest date in the files, which is the earliest time at which they can have been created. It
    is never in the future.
    """
    now = datetime.now(tz=UTC)
    dates = [date for date in _dates(export, report) if date <= now]
    return max(dates, default=now)


def _dates(export: AuthorizationExport, report: ReadReport | None) -> Iterator[datetime]:
    for item in export.items:
        rec = item.record
        yield from _known(
            getattr(rec, "created_at", None),
            getattr(rec, "updated_at", None),
            getattr(rec, "last_used_at", None),
            *(version.created_at for version in getattr(rec, "versions", ())),
        )
    for row in report.rows if report else ():
        yield from _known(
            row.created_at,
            row.password_last_used,
            row.password_last_changed,
        )
        for key in row.keys:
            yield from _known(key.last_rotated, key.last_used_at)


def _known(*dates: datetime | None) -> Iterable[datetime]:
    return (date for date in dates if date is not None)


def _check_actor(actor: Actor, export: AuthorizationExport) -> None:
    try:
        must_manage(actor, account_id=export.account_id)
    except PermissionDenied:
        raise SetupError(
            f"Account {export.account_id} can’t be managed with your permissions.", field="export"
        ) from None


def _account(export: AuthorizationExport, *, name: str, observed_at: datetime) -> tuple[Account, bool]:
    """Return the account of the export: new, known from an earlier upload, or disconnected and
    now restored.
    """
    account = Account.objects.select_for_update().filter(account_id=export.account_id).first()
    if account is None:
        default = f"account {export.account_id}"
        made = Account.objects.create(
            account_id=export.account_id,
            name=checked_own_name(name, account_id=export.account_id, default=default),
            partition=export.partition,
            source=AccountSource.EXPORT,
        )
        return made, True
    if account.removed_at is None and account.source != AccountSource.EXPORT:
        raise SetupError(
            f"Account {account.account_id} is connected already, as {account.name}, and synced from AWS. "
            "An upload can’t add anything. To use the upload instead, disconnect the account first.",
            field="export",
        )
    if account.partition != export.partition:
        raise SetupError(
            f"The export is of the partition {export.partition}; {account.name} is in {account.partition}.",
            field="export",
        )
    _refuse_older(account, observed_at)
    account.source, account.removed_at = AccountSource.EXPORT, None
    if name.strip():
        account.name = checked_own_name(name, account_id=account.account_id)
    account.save(update_fields=["source", "removed_at", "name"])
    return account, False


def _refuse_older(account: Account, observed_at: datetime) -> None:
    """Raise SetupError for an export that isn't newer. The same export can be uploaded again if a part of it
    was held back, to confirm the deletions.
    """
    known = Section.objects.filter(account=account)
    last = known.aggregate(last=Max("observed_at"))["last"]
    again = observed_at == last and known.filter(state=SectionState.HELD).exists()
    if last is not None and observed_at <= last and not again:
        raise SetupError(
            f"{account.name} was last updated as of {second_words(last)}, and this export is of "
            f"{second_words(observed_at)}. Upload a later export. If this one is later, enter "
            "when it was created.",
            field="observed_at",
        )
