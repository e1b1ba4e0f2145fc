"""A user is in no group."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import GROUPS, USERS


class UserInNoGroup(FindingRule):
    """Covers users with a console password. A machine user often needs no group."""

    kind = "user-in-no-group"
    severity = FindingSeverity.LOW
    title = "User in no group"
    sentence = "An IAM user with a console password is in no group."
    risk = "Rights of single users are overlooked when someone changes their job."
    remedy = "Add the user to the group of their team, or delete the user if no one needs it."
    sections = (USERS, GROUPS)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            if not facts.groups_of.get(user.id) and credential.has_password is not False:
                fix = FindingFix(page="group", on=user.id)
                is_unknown = credential.has_password is None
                yield NotRead(user) if is_unknown else RuleProblem(user, {"groups": []}, fix=fix)
