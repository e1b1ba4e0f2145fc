"""Several people share an IAM user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from iam.audit.findings.credential_fixes import delete_password
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import USERS

NAMES: Final = re.compile(
    r"(^|[^a-z])(shared|generic|team|common|everyone|admins?|users?)([^a-z]|$)", re.IGNORECASE
)
NOT_PEOPLE: Final = frozenset({"machine", "shared", "service", "bot"})


class SharedUser(FindingRule):
    """Covers users with a console password whose name or tag says that they don't belong to one person."""

    kind = "shared-user"
    severity = FindingSeverity.MEDIUM
    title = "Shared user with a console password"
    sentence = "A user that several people share, or that is a machine’s, has a console password."
    risk = "No one can tell who did something, and the password leaves with everyone who leaves."
    remedy = "Give each person a user or role of their own, then remove the password."
    fix_request = FixRequest("Remove password", delete_password, is_plain=True)
    sections = (USERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            if not credential.has_password:
                continue
            tags = {name.lower(): value.lower() for name, value in facts.tags.get(user.id, {}).items()}
            is_shared = tags.get("kind", tags.get("type", "")) in NOT_PEOPLE or NAMES.search(user.name)
            if is_shared:
                fix = FindingFix(page="credentials", on=user.id)
                yield RuleProblem(user, {"name": user.name, "kind": tags.get("kind")}, fix=fix)
