"""Cases of `privilege-escalation`."""

from __future__ import annotations

from iam.access.certainty import Certainty
from iam.access.escalation_calculation.path_records import (
    FindingAct,
    FindingPath,
    FindingPrincipal,
    FindingStep,
)
from iam.access.escalation_groups import AffectedByOpening, OpeningStatements
from iam.audit.findings.rule import RuleProblem
from iam.audit.findings.rules.privilege_escalation import PrivilegeEscalation
from iam.mirror.models import Kind
from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.request import PrincipalKind
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    NUMBER,
    TRUE,
    UNREAD,
    Site,
    allow,
    cases_of,
)


def opened(site: Site, certainty: Certainty, *unread: str, is_own: bool = False) -> None:
    user = site.user()
    policy = site.policy("Tune", allow("iam:CreatePolicyVersion"), to=(user,))
    arn = site.entities[policy].arn
    who = FindingPrincipal(user, site.entities[user].arn, PrincipalKind.USER)
    act = FindingAct("Creates a new version of policy {0}", "Tune", arn)
    step = FindingStep(who, None, frozenset(), (act,), is_sure=True)
    path = FindingPath(who, (step,), ends_sure=True, is_sure=True)
    affected = AffectedByOpening((NUMBER, user), who, path, certainty, unread)
    statement = HeldStatement(arn, "Tune", 0)
    counts = {(certainty, False): 1}
    site.openings = (OpeningStatements(frozenset({statement}), (affected,), counts, is_own=is_own),)


CASES = {
    "confirmed": (lambda site: opened(site, Certainty.CONFIRMED), TRUE),
    "with a condition": (lambda site: opened(site, Certainty.CONDITIONAL), CONDITIONAL),
    "SCPs not synced": (lambda site: opened(site, Certainty.UNCONFIRMED, "SCPs weren’t synced"), CONDITIONAL),
    "Gatehouse’s own roles": (lambda site: opened(site, Certainty.CONFIRMED, is_own=True), FALSE),
    "not calculated": (lambda site: setattr(site, "openings", None), UNREAD),
}
test_cases = cases_of(PrivilegeEscalation(), CASES)


def test_only_who_has_the_path_and_the_groups_that_give_it_are_related() -> None:
    site = Site()
    opened(site, Certainty.CONFIRMED)
    (opening,) = site.openings or ()
    (each,) = opening.affected
    user = each.start[1]
    policy = next(number for number, entity in site.entities.items() if entity.kind == Kind.POLICY)
    administrator = site.user()
    admins, deployers = site.group(), site.group()
    for holder in (administrator, admins, deployers):
        site.attached.setdefault(holder, []).append(policy)
    site.members |= {admins: [administrator], deployers: [user]}
    (problem,) = PrivilegeEscalation().find(site.facts())
    assert isinstance(problem, RuleProblem)
    assert problem.related == (site.entities[deployers].arn, site.entities[user].arn)
