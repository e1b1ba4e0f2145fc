"""Actions on managed policies, instance profiles, instances, providers and certificates."""

from __future__ import annotations

from typing import Final

from console.changes.actions.action import ACCESS, END, ActAction
from console.changes.actions.fields import CHOICE, LINES, LONG, NAME, ActField
from console.changes.actions.on_principals import NAME_AND_PATH, TAG_FIELD
from iam.changes.acts import options
from iam.changes.acts.on_policies import roles_in
from iam.mirror.models import Kind


def _listed(name: str) -> ActField:
    """Return a function that lists a provider's values, one per line."""
    words = {"ClientIDList": "Audiences (client IDs)", "ThumbprintList": "Thumbprints"}
    field = "clients" if name == "ClientIDList" else "thumbprints"
    return ActField(
        field,
        words[name],
        LINES,
        hint="One per line.",
        is_needed=False,
        start=lambda subject: "\n".join(getattr(options.state_of(subject), "attrs", {}).get(name) or ()),
    )


VERSION = ActField("version", "Version", CHOICE, choices=options.spare_versions)

POLICY_ACTIONS: Final = (
    ActAction("set-default", "Set default version", "Set the default version of {}", (VERSION,), part=ACCESS),
    ActAction("delete-version", "Delete version", "Delete a version of {}", (VERSION,), is_danger=True),
    ActAction("tag-it", "Edit tags", "Edit tags of {}", (TAG_FIELD,)),
    ActAction(
        "add-role",
        "Add role",
        "Add a role to {}",
        (
            ActField(
                "role",
                "Role",
                NAME,
                hint="A role whose trust policy allows ec2.amazonaws.com.",
                choices=lambda subject: options.of_kind(subject.account, Kind.ROLE),
            ),
        ),
        part=ACCESS,
    ),
    ActAction(
        "remove-role",
        "Remove role",
        "Remove the role from {}",
        (
            ActField(
                "role",
                "Role",
                CHOICE,
                choices=roles_in,
                start=lambda subject: next((v for v, _ in roles_in(subject)), ""),
            ),
        ),
        is_danger=True,
        note="Instances with this profile lose their AWS credentials.",
        part=ACCESS,
    ),
    ActAction(
        "give-profile",
        "Attach instance profile",
        "Attach an instance profile to {}",
        (
            ActField(
                "profile",
                "Instance profile",
                NAME,
                hint="Its name. It replaces the current instance profile.",
                choices=lambda subject: options.of_kind(subject.account, Kind.INSTANCE_PROFILE),
            ),
        ),
        part=ACCESS,
    ),
    ActAction(
        "take-profile",
        "Detach instance profile",
        "Detach the instance profile of {}",
        is_danger=True,
        note="Applications on the instance lose their AWS credentials.",
        part=ACCESS,
    ),
    ActAction(
        "metadata",
        "Replace metadata",
        "Replace the metadata of {}",
        (ActField("metadata", "Metadata document", LONG, hint="The XML file from the identity provider."),),
    ),
    ActAction("clients", "Edit audiences", "Edit audiences of {}", (_listed("ClientIDList"),)),
    ActAction("thumbprints", "Edit thumbprints", "Edit thumbprints of {}", (_listed("ThumbprintList"),)),
    ActAction(
        "delete-provider",
        "Delete",
        "Delete {}",
        is_danger=True,
        note="No one can sign in to AWS with it any more.",
        part=END,
    ),
    ActAction(
        "rename-certificate",
        "Rename or move",
        "Rename or move {}",
        NAME_AND_PATH,
    ),
    ActAction(
        "delete-certificate",
        "Delete",
        "Delete {}",
        is_danger=True,
        note="A load balancer that still uses it can stop accepting traffic.",
        part=END,
    ),
    ActAction("delete-device", "Delete", "Delete the virtual MFA device {}", is_danger=True, part=END),
)
