"""Changes the approval rules: an administrator drafts and proposes them, and another one approves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.approval.needs import rules_in_force
from iam.changes.approval.rules import ApprovalRule, as_json, problems_of
from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.directory.rules import DirectoryRuleError, assert_administers
from iam.directory.second_approvers import seconds_for, why_alone
from iam.guard import Viewer
from iam.journal.services import record
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify

MAX_REASON = 1000
S = RulesState


def draft_of(actor: Viewer) -> RuleSet:
    """This administrator's draft: the existing one, or a new copy of the rules in force. Raises
    RefusedError.
    """
    _check_administers(actor)
    number, rules = rules_in_force()
    try:
        with transaction.atomic():
            made, _ = RuleSet.objects.get_or_create(
                author_id=actor.person_id,
                state=S.DRAFT,
                defaults={"base": number, "body": as_json(rules), "author_label": actor.name[:128]},
            )
    except IntegrityError:
        made = RuleSet.objects.get(author_id=actor.person_id, state=S.DRAFT)
    return made


def save_draft(draft: RuleSet, rules: Sequence[ApprovalRule], *, actor: Viewer) -> None:
    """Store rules in one's draft; they are validated when proposed. Raises RefusedError."""
    _check_own_draft(draft, actor=actor)
    if not RuleSet.objects.filter(pk=draft.pk, state=S.DRAFT).update(body=as_json(rules)):
        raise RefusedError("This draft has been proposed or discarded in the meantime.")
    draft.body = as_json(rules)


def throw_away(draft: RuleSet, *, actor: Viewer) -> None:
    """Delete one's draft. Raises RefusedError."""
    _check_own_draft(draft, actor=actor)
    RuleSet.objects.filter(pk=draft.pk, state=S.DRAFT).delete()


def propose(draft: RuleSet, *, actor: Viewer, reason: str) -> None:
    """Propose the draft. If one person is enough (first run, single operator), it takes effect at once.
    Raises RefusedError.
    """
    _check_own_draft(draft, actor=actor)
    reason = reason.strip()
    if not reason:
        raise RefusedError("Enter a reason. The approver and auditors see it.")
    if len(reason) > MAX_REASON:
        raise RefusedError(f"The reason has {len(reason)} characters, and the limit is {MAX_REASON}.")
    if problems := problems_of(draft.rules):
        raise RefusedError(problems[0])
    number, rules = rules_in_force()
    _check_base(draft, number=number)
    if as_json(rules) == as_json(draft.rules):
        raise RefusedError("The proposed rules are the same as the current ones.")
    alone = why_alone()
    seconds = seconds_for(but={actor.person_id})
    if not alone and not seconds:
        raise RefusedError("No one else can approve this. Appoint another administrator first.")
    with transaction.atomic():
        # The draft can have been saved again meanwhile: what was checked is what is proposed.
        _move(draft, S.DRAFT, S.PROPOSED, body=draft.body, reason=reason, proposed_at=datetime.now(tz=UTC))
        _record(draft, "propose", actor=actor, data={"reason": reason})
        if alone:
            _put_in_force(draft, actor=actor, comment="", alone=alone)
        else:
            _notify(draft, seconds)


def _notify(proposal: RuleSet, seconds: list[Person]) -> None:
    notify(
        NotifyEvent.WAITING,
        people=seconds,
        subject=f"{proposal.author_label} proposes new approval rules",
        text=proposal.reason,
        path=path_of(MessagePage.RULES_PROPOSAL, proposal.pk),
        key=f"rules:{proposal.pk}",
    )


def why_not_decide(proposal: RuleSet, *, viewer: Viewer) -> str:
    """Why this viewer can't decide on the proposal; "" if they can."""
    if proposal.state != S.PROPOSED:
        return f"This proposal was already decided. Its status is {proposal.get_state_display().lower()}."
    if proposal.author_id == viewer.person_id:
        return "You proposed this, so someone else decides."
    able = {person.pk for person in seconds_for(but={proposal.author_id})}
    return "" if viewer.person_id in able else "Another administrator must decide this."


def agree(proposal: RuleSet, *, actor: Viewer, comment: str = "") -> None:
    """Approve the proposal, as an administrator other than its author. Raises RefusedError."""
    comment = _decider(proposal, actor=actor, comment=comment)
    number, _ = rules_in_force()
    _check_base(proposal, number=number)
    try:
        with transaction.atomic():
            _put_in_force(proposal, actor=actor, comment=comment)
    except IntegrityError:
        raise RefusedError(
            "The rules have changed in the meantime. Propose your change again, based on the new rules."
        ) from None


def refuse(proposal: RuleSet, *, actor: Viewer, comment: str) -> None:
    """Reject the proposal with a reason. Raises RefusedError."""
    comment = _decider(proposal, actor=actor, comment=comment)
    if not comment:
        raise RefusedError("Enter a comment that says why you reject it. The author sees it.")
    with transaction.atomic():
        _move(proposal, S.PROPOSED, S.REJECTED, **_decided(actor, comment))
        _record(proposal, "reject", actor=actor, data={"comment": comment})


def take_back(proposal: RuleSet, *, actor: Viewer) -> None:
    """Withdraw one's own proposal. Raises RefusedError."""
    if proposal.author_id != actor.person_id:
        raise RefusedError("Only the person who proposed it can withdraw it.")
    with transaction.atomic():
        _move(proposal, S.PROPOSED, S.WITHDRAWN, **_decided(actor, ""))
        _record(proposal, "withdraw", actor=actor)


def _put_in_force(proposal: RuleSet, *, actor: Viewer, comment: str, alone: str = "") -> None:
    last = RuleSet.objects.order_by("-number").values_list("number", flat=True).first() or 0
    RuleSet.objects.filter(state=S.ACTIVE).update(state=S.SUPERSEDED)
    decided = _decided(actor, comment)
    _move(proposal, S.PROPOSED, S.ACTIVE, **decided, number=last + 1, is_alone=bool(alone))
    data: dict[str, Any] = {"comment": comment, "author": proposal.author_label, "rules": proposal.body}
    if alone:
        data[alone] = True
    _record(proposal, "approve", actor=actor, data=data)


def _decider(proposal: RuleSet, *, actor: Viewer, comment: str) -> str:
    if why := why_not_decide(proposal, viewer=actor):
        raise RefusedError(why)
    comment = comment.strip()
    if len(comment) > MAX_REASON:
        raise RefusedError(f"The comment has {len(comment)} characters, and the limit is {MAX_REASON}.")
    return comment


def _check_administers(actor: Viewer) -> None:
    try:
        assert_administers(actor)
    except DirectoryRuleError as error:
        raise RefusedError(str(error)) from None


def _check_own_draft(draft: RuleSet, *, actor: Viewer) -> None:
    _check_administers(actor)
    if draft.author_id != actor.person_id:
        raise RefusedError("This draft belongs to someone else.")
    if draft.state != S.DRAFT:
        raise RefusedError("This is no longer a draft.")


def _check_base(rules: RuleSet, *, number: int) -> None:
    if rules.base != number:
        raise RefusedError(
            f"These changes were made to version {rules.base} of the rules, and version {number} is now in "
            "effect. Make your changes again, based on it."
        )


def _decided(actor: Viewer, comment: str) -> dict[str, Any]:
    return {
        "decided_by": actor.person_id,
        "decided_label": actor.name[:128],
        "decided_at": datetime.now(tz=UTC),
        "comment": comment,
    }


def _move(rules: RuleSet, was: RulesState, to: RulesState, **fields: Any) -> None:
    if not RuleSet.objects.filter(pk=rules.pk, state=was).update(state=to, **fields):
        raise RefusedError("Someone has already decided this.")
    rules.refresh_from_db()


def _record(rules: RuleSet, act: str, *, actor: Viewer, data: dict[str, Any] | None = None) -> None:
    known = {"proposal": rules.pk, "version": rules.number or "", "base": rules.base}
    record(kind=f"approval_rules.{act}", actor=actor, subject="Approval rules", data=known | (data or {}))
