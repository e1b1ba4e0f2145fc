"""The actions that pages offer on one thing of an account: their words, and the few questions that each asks.
What they come to is in `iam.changes.acts`.
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
    """What can be requested about a subject as it is now, in the order of the menu, within each part what
    destroys last.
    """
    actions = [ACTIONS[act.slug] for act in acts_on(subject)]
    return sorted(actions, key=lambda action: (PARTS.index(action.part), action.is_danger))


__all__ = ["ACTIONS", "ActAction", "actions_on"]
