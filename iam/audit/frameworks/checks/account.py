"""Checks if an account is synced, recorded, and changed only with approval."""

from __future__ import annotations

from datetime import timedelta

from iam.audit.frameworks.checks.case import (
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    for_person,
    passed,
    unknown,
)
from iam.aws.reads.organization import ROOT_CREDENTIALS
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION, CREDENTIAL_REPORT, INSTANCES, LABELS, MFA_DEVICES
from iam.phrases import counted

NEEDED = (*AUTHORIZATION, CREDENTIAL_REPORT, MFA_DEVICES)
FRESH = timedelta(hours=24)


@account_check("accounts-synced", "The account is synced and fresh")
def _accounts_synced(case: AccountCase) -> CheckAnswer:
    missing = [LABELS[name] for name in NEEDED if name not in case.facts.complete]
    if missing:
        return unknown(f"Not synced: {', '.join(missing)}.")
    if case.is_past:
        return passed("The account had been synced by then.")
    times = [case.records.synced_at[name] for name in NEEDED if name in case.records.synced_at]
    if len(times) < len(NEEDED):
        return unknown("When the account was synced isn’t known.")
    oldest = min(times)
    if case.facts.now - oldest > FRESH:
        return unknown("The account wasn’t synced for a day.", synced_at=oldest.isoformat())
    return passed("The account is synced.", synced_at=oldest.isoformat())


@account_check("accounts-connected", "Every account of the organization is connected")
def _accounts_connected(case: AccountCase) -> CheckAnswer:
    missing = [number for number in case.records.unconnected if case.terms.covers_account(number)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        words = f"{counted(len(missing), 'account')} of the organization {verb} not connected to Gatehouse."
        return failed(words, failing=tuple(missing))
    if not case.facts.is_organization_known:
        return unknown("Which accounts belong to the organization wasn’t synced.")
    return passed("Every known account of the organization is connected.")


@account_check("events-recorded", "Events arrive with who, what, when and from where")
def _events_recorded(case: AccountCase) -> CheckAnswer:
    events, denied = case.records.events, case.records.denied_events
    if not events:
        return unknown("Gatehouse has no CloudTrail events of the 30 days before.")
    words = f"CloudTrail events were recorded in the 30 days before, {denied or 'none'} of them denied."
    return passed(words, denied_events=denied)


@account_check("changes-approved", "Changes through Gatehouse were approved")
def _changes_approved(case: AccountCase) -> CheckAnswer:
    changes, unapproved = case.records.changes, case.records.unapproved
    if changes is None or unapproved is None:
        return unknown("Changes of the account aren’t known.")
    if unapproved:
        words = f"{unapproved:,} of {counted(changes, 'change')} in 12 months have no approval."
        return failed(words, changes=changes, unapproved=unapproved)
    return passed(f"{counted(changes, 'change')} in 12 months, each with its approval.", changes=changes)


@account_check("drift-decided", "Changes outside of Gatehouse are decided")
def _drift_decided(case: AccountCase) -> CheckAnswer:
    drifts = case.records.open_drifts
    if drifts is None:
        return unknown("Changes outside of Gatehouse aren’t known.")
    if drifts:
        words = f"{counted(drifts, 'change')} outside of Gatehouse without a decision."
        return failed(words, open_drifts=drifts)
    return passed("Nothing was changed outside of Gatehouse without a decision.")


@account_check("management-workloads", "No workloads in the management account", INSTANCES)
def _management_workloads(case: AccountCase) -> CheckAnswer:
    index = case.facts.index
    shard = index.accounts.get(case.facts.number) if index else None
    if shard is None or not shard.standing.is_known:
        return unknown("Which account is the management account wasn’t synced.")
    if not shard.standing.is_management:
        return passed("Not the management account.", settles=True)
    instances = tuple(instance.arn for instance in case.facts.of_kind(Kind.INSTANCE))
    if instances:
        return failed(
            f"{counted(len(instances), 'EC2 instance')} in the management account.", failing=instances
        )
    return for_person("No EC2 instances in the management account.")


@account_check("central-root-access", "Root credentials are managed centrally")
def _central_root_access(case: AccountCase) -> CheckAnswer:
    values = case.facts.values
    if "organization" not in values:
        return unknown("Which organization the account belongs to wasn’t synced.")
    if values["organization"] is None:
        return failed("The account is in no organization, so that no one manages its root user centrally.")
    features = case.records.root_features
    if features is None:
        return unknown("Whether root access is managed centrally wasn’t synced from the management account.")
    if ROOT_CREDENTIALS not in features:
        words = "The organization doesn’t manage the root credentials of its member accounts centrally."
        return failed(words, features=list(features))
    words = "The organization manages the root credentials of its member accounts centrally."
    return passed(words, settles=True, features=list(features))
