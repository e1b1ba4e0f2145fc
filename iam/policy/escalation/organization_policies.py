"""SCPs that limit an account, and who can remove them: by detaching, rewriting or turning them off, or by
leaving the organization.

Sources: "Actions, resources, and condition keys for AWS Organizations"; "Delegated administrator for AWS
Organizations"; the API reference of DetachPolicy (the last policy of a root, unit or account stays attached),
LeaveOrganization and RemoveAccountFromOrganization (what a standalone account needs). DeletePolicy only
deletes policies that are attached nowhere, and CloseAccount leaves no account to act in, so neither is of
use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from iam.policy.escalation.account_graph import (
    AccountGraph,
    ActingPrincipal,
    Call,
    StepOption,
    who_has_any,
)
from iam.policy.escalation.cross_account import AccountCrossing, node_source
from iam.policy.escalation.found_paths import FoundPaths
from iam.policy.escalation.management import account_subject
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.methods import (
    DELEGATED,
    DELEGATED_FREEING,
    LEAVING,
    MANAGEMENT_FREEING,
)
from iam.policy.escalation.names import NOBODY as NO_NAME
from iam.policy.escalation.names import names_for
from iam.policy.escalation.permission_checks import (
    EVERYBODY,
    NOBODY,
    SCP_CONTEXT,
    CheckTarget,
    PermissionAsker,
    PrincipalBits,
)
from iam.policy.escalation.states import FREED
from iam.policy.escalation.targets import EscalationTargets
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard

WHICH: Final = "The SCP that denies access is the one that may be changed"
UNKNOWN_MANAGER: Final = "000000000000"
FULL_ACCESS: Final = "arn:{}:organizations::aws:policy/service_control_policy/p-FullAWSAccess"


@dataclass(frozen=True, slots=True)
class LimitingLevel:
    """A root, unit or account with SCPs that limit what is below. `keeps_all` means that its other SCPs allow
    everything.
    """

    place: int
    keeps_all: bool


class LimitedAccount:
    """An account and the organization levels above it, as requests to Organizations name them."""

    def __init__(self, shard: AccountShard, manager: str) -> None:
        """`manager` is the ID of the management account, or empty if it is unknown."""
        self.shard = shard
        self.standing = shard.standing
        self._arn = f"arn:{shard.partition}:organizations::{manager or UNKNOWN_MANAGER}:"
        self.limiting = [] if self.standing.is_management else list(_limiting(shard))
        steps: list[str] = []
        if self.standing.paths:
            steps = self.standing.paths[0].strip("/").split("/")[1:]
        self._steps = [self._step(step) for step in steps]
        self._own = self._named("account", shard.number)
        self._is_placed = len(shard.levels.scps) == len(steps) + 1

    def _step(self, step: str) -> str:
        kind = "root" if step.startswith("r-") else "ou"
        return self._named(kind, step)

    def _named(self, kind: str, name: str) -> str:
        return f"{self._arn}{kind}/{self.standing.organization_id}/{name}"

    def policy(self, name: str) -> str:
        """Return the ARN of one of the organization's SCPs."""
        return self._named("policy", f"service_control_policy/{name}")

    def calls(self, method: EscalationMethod, policy: str) -> tuple[Call, ...]:
        """Return all requests that a method needs with a policy, or none if the method doesn't help."""
        by_action = {need.action.partition(":")[2]: need.action for need in method.needs}
        detach = by_action.get("DetachPolicy")
        if detach is not None:
            attach = by_action.get("AttachPolicy")
            if (attach is not None) is all(level.keeps_all for level in self.limiting):
                return ()
            return tuple(self._exchange(detach, attach, policy))
        ((name, action),) = by_action.items()
        resources: list[str]
        if name == "UpdatePolicy":
            resources = [policy]
        elif name == "DisablePolicyType":
            resources = self._steps[:1]
        elif name == "MoveAccount":
            resources = [self._own, self._steps[-1], self._steps[0]] if self._limits_units_only else []
        else:
            resources = [self._own] if name == "RemoveAccountFromOrganization" else ["*"]
        return tuple((action, resource) for resource in resources)

    def _exchange(self, detach: str, attach: str | None, policy: str) -> Iterator[Call]:
        targets = [self._target(level) for level in self.limiting]
        if attach is not None:
            yield attach, FULL_ACCESS.format(self.shard.partition)
            yield from ((attach, target) for target in targets)
        yield detach, policy
        yield from ((detach, target) for target in targets)

    def _target(self, level: LimitingLevel) -> str:
        is_step = self._is_placed and level.place < len(self._steps)
        return self._steps[level.place] if is_step else self._own

    @property
    def _limits_units_only(self) -> bool:
        """True if neither the root nor the account itself has one of the limiting SCPs."""
        units = range(1, len(self._steps))
        return self._is_placed and all(level.place in units for level in self.limiting)

    @property
    def is_certain(self) -> bool:
        """True if all SCPs above the account were synced."""
        return self.standing.is_known and self._is_placed


def delegation(method: EscalationMethod, shard: AccountShard) -> str | None:
    """Return the organization's resource policy that a method needs for an account, or None."""
    if method.assumes != DELEGATED:
        return None
    account = f"arn:{shard.partition}:iam::{shard.number}:root"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": "organizations:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _limiting(shard: AccountShard) -> Iterator[LimitingLevel]:
    for place, level in enumerate(shard.levels.scps):
        docs = [doc for _, doc in level]
        without_denies = [doc for doc in docs if not _has_deny(doc)]
        has_deny = len(without_denies) < len(docs)
        allows_all = any(map(_is_full, docs))
        if has_deny or not allows_all:
            keeps_all = any(map(_is_full, without_denies))
            yield LimitingLevel(place, keeps_all=keeps_all)


def _has_deny(doc: IndexedDocument) -> bool:
    return any(not clause.allows for clause in doc.clauses)


def _is_full(doc: IndexedDocument) -> bool:
    return any(map(_allows_all, doc.clauses))


def _allows_all(clause: IndexedStatement) -> bool:
    source = clause.source
    is_everything = source.actions == ("*",) and not source.is_not_action
    is_everywhere = source.resources == ("*",) and not source.is_not_resource
    return source.allows and is_everything and is_everywhere and not source.conditions


def who_can_free(
    asker: PermissionAsker, account: LimitedAccount, methods: Iterable[EscalationMethod], everybody: int
) -> tuple[StepOption, ...]:
    """Return which principals can remove all SCPs from an account, by method."""
    subject = account_subject(account.shard.number, account.shard.partition)
    alternatives = []
    for method in methods:
        if not all(asker.has_allowing(need.action) for need in method.needs):
            continue
        for policy, is_any in _policies(asker, account, method):
            calls = account.calls(method, policy)
            bits = _who_can_call(asker, calls, policy=delegation(method, account.shard))
            bits = bits.limited_to(everybody)
            if not bits.any:
                continue
            if method.assumes or not is_any or not account.is_certain:
                bits = bits.as_unsure
            assumed = method if is_any else replace(method, assumes=WHICH)
            alternatives.append(StepOption(assumed, subject, bits, calls=calls))
    return tuple(alternatives)


def _policies(
    asker: PermissionAsker, account: LimitedAccount, method: EscalationMethod
) -> Iterator[tuple[str, bool]]:
    """Yield (ARN, whether it represents any policy). Statements can name the specific policy, whose ID is
    unknown.
    """
    yield account.policy(f"p-{NO_NAME}"), True
    need = method.needs[-1]
    if need.on == "policy":
        named = names_for(asker.clauses(need.action), account.policy("?*"))
        yield from ((name, False) for name in named[1:])


def _who_can_call(asker: PermissionAsker, calls: tuple[Call, ...], *, policy: str | None) -> PrincipalBits:
    if not calls:
        return NOBODY
    able = EVERYBODY
    for action, resource in calls:
        (bits,) = asker.on_targets(action, [CheckTarget(resource)], SCP_CONTEXT, policy=policy)
        able &= bits
    return able


def find_freeing(
    reachable: FoundPaths,
    act: ActingPrincipal,
    *,
    asker: PermissionAsker,
    account: LimitedAccount,
    targets: EscalationTargets,
) -> None:
    """Add the principals of an account that can remove its SCPs, by leaving the organization or as a
    delegated administrator.
    """
    # These ways are never certain, so they don't help conditional administrators.
    everybody = act.everybody & ~act.doubtful
    alternatives = who_can_free(asker, account, (*LEAVING, *DELEGATED_FREEING), everybody)
    if alternatives:
        for aim in (*targets.users, *targets.roles):
            reachable.edits[aim.subject.number].freed.extend(alternatives)


def freed_crossings(
    index: PolicyIndex, account_graphs: Mapping[str, AccountGraph], crossings: Iterable[AccountCrossing]
) -> Iterator[AccountCrossing]:
    """Yield crossings into roles that principals of the management account assume after they have removed the
    SCPs.
    """
    by_accounts: dict[tuple[str, str], list[tuple[AccountCrossing, int]]] = {}
    for crossing in crossings:
        account_graph = account_graphs[crossing.to_account]
        member = account_graph.nodes[crossing.to_node].member
        freed_node = None if member is None else account_graph.place.get((member.id, FREED))
        manager = index.accounts[crossing.account].standing
        limited = index.accounts[crossing.to_account].standing
        is_of_one = manager.organization_id == limited.organization_id
        if freed_node is not None and manager.is_management and is_of_one:
            accounts = (crossing.account, crossing.to_account)
            by_accounts.setdefault(accounts, []).append((crossing, freed_node))
    askers: dict[str, PermissionAsker] = {}
    for (number, to_account), freed in by_accounts.items():
        asker = askers.get(number)
        if asker is None:
            asker = askers[number] = PermissionAsker()
            asker.use([node_source(index, index.accounts[number], account_graphs[number])])
        account = LimitedAccount(index.accounts[to_account], number)
        part = who_can_free(asker, account, MANAGEMENT_FREEING, -1)
        for crossing, node in freed:
            bits = who_has_any(part) & crossing.bits
            if part and bits.any:
                yield AccountCrossing(number, to_account, node, (part, *crossing.parts), bits)
