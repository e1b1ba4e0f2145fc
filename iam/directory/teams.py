"""The only writer of teams and of the rules that assign IAM users to them."""

from __future__ import annotations

import re
from collections import Counter

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from iam.directory.models import RuleKind, Team, TeamRule
from iam.directory.rules import DirectoryRuleError, assert_administers
from iam.directory.services import ACCOUNT
from iam.journal.services import Actor, record

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
GROUP_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
PATH = re.compile(r"/|(/[\x21-\x2e\x30-\x7e]+)+/")


@transaction.atomic
def create_team(*, name: str, description: str = "", actor: Actor) -> Team:
    """Create a team, identified by its slug. Raises DirectoryRuleError if the name is taken."""
    assert_administers(actor)
    slug = slugify(name)[:50]
    if not slug:
        raise DirectoryRuleError("The name of a team needs a letter or a digit.")
    team, made = Team.objects.get_or_create(
        slug=slug, defaults={"name": name.strip(), "description": description.strip()}
    )
    if not made:
        raise DirectoryRuleError(f"A team named {team.name} already exists.")
    record(kind="team.create", actor=actor, subject=team.name)
    return team


@transaction.atomic
def delete_team(team: Team, *, actor: Actor) -> None:
    """Delete a team without leads."""
    assert_administers(actor)
    leads = [a.person.name for a in team.assignments.select_related("person")]
    if leads:
        raise DirectoryRuleError(f"{', '.join(leads)} still leads {team.name}. Remove that role first.")
    rules, name = [str(rule) for rule in team.rules.all()], team.name
    try:
        team.delete()
    except ProtectedError as error:
        raise DirectoryRuleError(
            f"You can’t delete {name}: {_kept_records(error)} belong to it, and their records are kept."
        ) from None
    record(kind="team.delete", actor=actor, subject=name, data={"rules": rules})


def _kept_records(error: ProtectedError) -> str:
    """Return what refers to the team, such as "1 blueprint and 2 campaigns"."""
    counts = Counter(type(row)._meta for row in error.protected_objects)
    texts = [
        f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"
        for meta, count in counts.items()
    ]
    return " and ".join(sorted(texts))


@transaction.atomic
def add_rule(team: Team, *, kind: RuleKind | str, value: str, account_id: str = "", actor: Actor) -> TeamRule:
    """Add a rule: IAM users in the group, or under the path, of an account (blank: of every account) belong
    to the team.
    """
    kind, text = RuleKind(kind), value.strip()
    if not ACCOUNT.fullmatch(account_id):
        raise DirectoryRuleError(f"“{account_id}” isn’t an account ID. Enter 12 digits.")
    assert_administers(actor, account_id=account_id)
    if kind is RuleKind.GROUP and not GROUP_NAME.fullmatch(text):
        raise DirectoryRuleError("Enter the name of an IAM group: letters, digits and + = , . @ _ -")
    if kind is RuleKind.PATH and not PATH.fullmatch(text):
        raise DirectoryRuleError("Enter a path that begins and ends with a slash, such as /payments/.")
    try:
        with transaction.atomic():
            rule = TeamRule.objects.create(team=team, kind=kind, value=text, account_id=account_id)
    except IntegrityError:
        raise DirectoryRuleError(f"{team.name} already has this rule.") from None
    record(
        kind="team.rule_add",
        actor=actor,
        subject=team.name,
        account_id=account_id,
        data={"rule": kind.value, "value": text},
    )
    return rule


@transaction.atomic
def remove_rule(rule: TeamRule, *, actor: Actor) -> None:
    """Remove a rule. Users that only it made part of the team leave the team; AWS isn't changed."""
    assert_administers(actor, account_id=rule.account_id)
    if TeamRule.objects.filter(pk=rule.pk).delete()[0]:
        record(
            kind="team.rule_remove",
            actor=actor,
            subject=rule.team.name,
            account_id=rule.account_id,
            data={"rule": rule.kind, "value": rule.value},
        )
