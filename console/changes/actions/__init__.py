"""The actions that pages offer on an object: labels and questions. The operations are in
`iam.changes.acts`.
"""

from typing import Final

from console.changes.actions.action import PARTS, ActAction
from console.changes.actions.certificates import CERTIFICATE_ACTIONS
from console.changes.actions.creation import MAKING_ACTIONS
from console.changes.actions.on_policies import POLICY_ACTIONS
from console.changes.actions.on_principals import PRINCIPAL_ACTIONS
from iam.changes.acts import Subject, acts_on

ACTIONS: Final[dict[str, ActAction]] = {
    action.slug: action
    for action in (*PRINCIPAL_ACTIONS, *POLICY_ACTIONS, *MAKING_ACTIONS, *CERTIFICATE_ACTIONS)
}


def actions_on(subject: Subject) -> list[ActAction]:
    """Return the actions that can be requested for a subject now, in menu order; destructive ones are last in
    each part.
    """
    actions = [ACTIONS[act.slug] for act in acts_on(subject)]
    return sorted(actions, key=lambda action: (PARTS.index(action.part), action.is_danger))


__all__ = ["ACTIONS", "ActAction", "actions_on"]
