"""The permissions that an account's roles lack, from its last sync and its last examination, with the
statements to add.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from iam.aws.errors import ASSUME_ROLE
from iam.aws.permissions import WRITE, WRITTEN, resource_arn
from iam.mirror.doctor.checks import StoredExamination, is_explicit_denial, statement, why_denied
from iam.mirror.models import Account, Section, SectionState
from iam.mirror.models.setup import DoctorRun, JobState
from iam.mirror.pull.sections import LABELS

_TOLD_BEFORE = re.compile(r"AWS denied \S+\. ")
CHANGES = frozenset(chain.from_iterable(WRITE.values()))


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that AWS denied, with AWS's message."""

    action: str
    about: str
    why: str
    told: str
    code: str
    request_id: str
    at: datetime | None
    is_explicit: bool


@dataclass(frozen=True, slots=True)
class MissingPermissions:
    """What a role lacks. `statement` is JSON text, blank if no policy of the role can fix it."""

    purpose: str
    role: str
    actions: tuple[str, ...]
    statement: str
    refusals: tuple[RefusedCall, ...]

    @property
    def forbidden(self) -> tuple[RefusedCall, ...]:
        """The calls that another policy denies, so that adding a statement doesn't help."""
        return tuple(refusal for refusal in self.refusals if refusal.is_explicit)


def missing_of(
    account: Account, sections: Iterable[Section], run: DoctorRun | None
) -> list[MissingPermissions]:
    """Return what the read and the write role lack, or an empty list if nothing is known to be missing.

    If a section was synced completely after the examination, the examination is outdated and ignored.
    """
    known = list(sections)
    reads = [_of_section(section) for section in known if _is_mendable(section)]
    writes: list[RefusedCall] = []
    if run is not None and run.state == JobState.DONE and not _is_outdated(run, known):
        reads += _of_run(run, "read")
    if run is not None and run.state == JobState.DONE:
        writes = _of_run(run, "write")
    missing_permissions = [
        _missing("read", _name(account.role_arn), reads, account=account),
        _missing("write", _name(account.write_role_arn), writes, account=account),
    ]
    return [missing for missing in missing_permissions if missing.refusals]


def _is_mendable(section: Section) -> bool:
    """Return True if AWS denied a call that a policy of the role can allow, and not the assumption of the
    role itself.
    """
    return section.state == SectionState.DENIED and section.permission not in {"", ASSUME_ROLE}


def _is_outdated(run: DoctorRun, sections: list[Section]) -> bool:
    attempts = [section.attempted_at for section in sections if section.attempted_at]
    return bool(attempts and run.ended_at and max(attempts) > run.ended_at)


def _of_section(section: Section) -> RefusedCall:
    return RefusedCall(
        action=section.permission,
        about=LABELS.get(section.name, section.name),
        why=why_denied(section.message),
        told=_TOLD_BEFORE.sub("", section.message),
        code=section.error_code,
        request_id=section.request_id,
        at=section.bad_since,
        is_explicit=is_explicit_denial(section.message),
    )


def _of_run(run: DoctorRun, group: str) -> list[RefusedCall]:
    refusals = []
    for check in StoredExamination(tuple(run.checks)).failed_checks:
        if check["group"] != group:
            continue
        for action in check["missing"]:
            why = why_denied(check["told"]) if check["told"] else "AWS’s policy simulator denies it"
            refusal = RefusedCall(
                action=action,
                about=check["title"],
                why=why,
                told=check["told"],
                code=check["code"],
                request_id=check["request_id"],
                at=run.ended_at,
                is_explicit=check["is_explicit"],
            )
            refusals.append(refusal)
    return refusals


def _missing(purpose: str, role: str, refusals: list[RefusedCall], *, account: Account) -> MissingPermissions:
    first: dict[str, RefusedCall] = {}
    for refusal in refusals:
        first.setdefault(refusal.action, refusal)
    actions = tuple(sorted(refusal.action for refusal in first.values() if not refusal.is_explicit))
    statement = _statements(purpose, actions, account) if actions else ""
    return MissingPermissions(
        purpose=purpose,
        role=role,
        actions=actions,
        statement=statement,
        refusals=tuple(first.values()),
    )


def _statements(purpose: str, actions: tuple[str, ...], account: Account) -> str:
    """Return the statements to add. Reads need all resources; writes are limited to the account's groups or
    policies, as in the policy that Gatehouse suggests.
    """
    writes = frozenset(actions) & CHANGES if purpose == "write" else frozenset()
    reads = tuple(action for action in actions if action not in writes)
    statements = [statement(reads)] if reads else []
    for family, actions_of_family in WRITE.items():
        missing = tuple(action for action in actions if action in writes and action in actions_of_family)
        if not missing:
            continue
        name = family.title().replace("-", "")
        resource = resource_arn(account.partition, account.account_id, kind=WRITTEN[family])
        statements.append(statement(missing, sid=f"GatehouseMissing{name}", resources=(resource,)))
    return ",\n".join(statements)


def _name(role_arn: str) -> str:
    return role_arn.partition(":role")[2].lstrip("/") or "the worker’s own role"
