"""A full examination of an account, step by step. Only workers and commands run it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from iam.aws.access import AccountAccess
from iam.mirror.doctor.checks import BAD, CheckVerdict, ExaminationCheck
from iam.mirror.doctor.connection_checks import assumed, belongs, opened, own_caller, without_external_id
from iam.mirror.doctor.reads import examine_reads
from iam.mirror.doctor.writes import examine_read_only, examine_writes
from iam.mirror.models.accounts import Account, AccountSource

OnCheck = Callable[[ExaminationCheck], None]


class AccountExamination:
    """Collects the checks of an account. Each role is assumed again, so that changes of its trust policy show
    at once.
    """

    def __init__(self, account: Account, *, on_check: OnCheck | None = None) -> None:
        self.account = account
        self.checks: list[ExaminationCheck] = []
        self._on_check = on_check
        self._session_name = f"gatehouse-doctor-{secrets.token_hex(4)}"

    def run(self) -> list[ExaminationCheck]:
        """Run all checks in order. If the account can't be reached, the later ones are left out."""
        reading, principal = self._way()
        if reading is None:
            return self.checks
        with opened(reading, attempts=3) as aws:
            for check in examine_reads(aws, self.account):
                self._add(check)
            if self.account.source != AccountSource.ENVIRONMENT:
                self._add(examine_read_only(aws, self.account, principal=self.account.role_arn))
            else:
                for check in examine_writes(aws, self.account, principal=principal):
                    self._add(optional(check))
        if self.account.write_role_arn:
            self._writing(principal)
        return self.checks

    def _way(self) -> tuple[AccountAccess | None, str]:
        own = AccountAccess(
            account_id=self.account.account_id,
            partition=self.account.partition,
            session_name=self._session_name,
        )
        caller, checks = own_caller(own)
        self._add(*checks)
        if caller is None:
            return None, ""
        if self.account.source == AccountSource.ENVIRONMENT:
            check = belongs(self.account, caller, key="account")
            self._add(check)
            return (own if check.verdict not in BAD else None), caller.principal
        return self._reading(caller.principal), caller.principal

    def _reading(self, principal: str) -> AccountAccess | None:
        access = self._role(self.account.role_arn)
        _, checks = assumed(
            self.account, access, principal=principal, key="assume", title="Assume the read role"
        )
        self._add(*checks)
        if any(check.verdict in BAD for check in checks):
            return None
        if access.external_id:
            self._add(
                without_external_id(self._role(self.account.role_arn, external_id=""), key="no-external-id")
            )
        return access

    def _writing(self, principal: str) -> None:
        access = self._role(self.account.write_role_arn)
        _, checks = assumed(
            self.account,
            access,
            principal=principal,
            key="assume-write",
            title="Assume the write role",
            group="write",
        )
        self._add(*checks)
        if any(check.verdict in BAD for check in checks):
            return
        if access.external_id:
            bare = self._role(self.account.write_role_arn, external_id="")
            self._add(without_external_id(bare, key="no-external-id-write", group="write"))
        with opened(access, attempts=3) as aws:
            for check in examine_writes(aws, self.account, principal=self.account.write_role_arn):
                self._add(check)

    def _role(self, role_arn: str, *, external_id: str | None = None) -> AccountAccess:
        chosen = self.account.external_id if external_id is None else external_id
        return AccountAccess(
            account_id=self.account.account_id,
            partition=self.account.partition,
            mode="role",
            role_arn=role_arn,
            external_id=chosen or None,
            session_name=self._session_name,
        )

    def _add(self, *checks: ExaminationCheck) -> None:
        for check in checks:
            self.checks.append(check)
            if self._on_check:
                self._on_check(check)


def optional(check: ExaminationCheck) -> ExaminationCheck:
    """Turn a denied check into a warning, because own credentials don't need write access: the account is
    then read-only.
    """
    if check.verdict is not CheckVerdict.DENIED:
        return check
    detail = f"{check.detail}. Until this is fixed, this account is read-only"
    return replace(check, verdict=CheckVerdict.WARNING, detail=detail)


def examine(account: Account, *, on_check: OnCheck | None = None) -> list[ExaminationCheck]:
    """Check the access to the account and the permissions of its roles. AWS errors become failed checks."""
    return AccountExamination(account, on_check=on_check).run()
