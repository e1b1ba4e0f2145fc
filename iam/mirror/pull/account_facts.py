"""Facts about a whole account: settings, quotas, alias, organization, and the root user's credentials."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from iam.aws.reads import lists
from iam.aws.reads.credential_report import ReadReport
from iam.aws.session import Aws
from iam.mirror.models import Account
from iam.mirror.pull import temporal
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.temporal import FACTS
from iam.mirror.pull.transform.credentials import report_facts, report_use


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Counts and quotas, the alias ("" if there is none), and the password policy (None: AWS's
    default one).
    """

    summary: dict[str, int]
    alias: str
    password_policy: dict[str, Any] | None

    def facts(self) -> dict[str, Any]:
        """The facts by name, as the table stores them."""
        return {"summary": self.summary, "alias": self.alias, "password_policy": self.password_policy}


def read_settings(aws: Aws) -> AccountSettings:
    """Read the settings from AWS with three calls."""
    policy = lists.password_policy(aws)
    password_policy = asdict(policy) if policy else None
    return AccountSettings(
        summary=dict(lists.account_summary(aws)),
        alias=next(iter(lists.account_aliases(aws)), ""),
        password_policy=password_policy,
    )


def root_facts(report: ReadReport) -> dict[str, Any]:
    """The root user's line of the report, including last uses, since each use of it belongs in the
    history.
    """
    for row in report.rows:
        if row.is_root:
            return {"root_credentials": {**report_facts(row), **report_use(row).details}}
    return {}


def load_facts(account: Account, facts: dict[str, Any], *, seen: ObservationTimes) -> int:
    """Make the given facts the current ones; others stay unchanged. Returns the number of changed facts."""
    values: dict[temporal.Key, temporal.Values] = {(name,): (value,) for name, value in facts.items()}
    rows = temporal.current_rows(FACTS, owners=[account.pk]).get(account.pk, {})
    same_facts = {key: row for key, row in rows.items() if key in values}
    wanted = {account.pk: values}
    current = {account.pk: same_facts}
    change = temporal.difference(FACTS, wanted=wanted, current=current, at=seen.at)
    temporal.write(FACTS, change, account_id=account.pk, seen=seen)
    return len(change.inserts)
