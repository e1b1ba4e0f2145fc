"""Actions on managed policies, instance profiles, instances, providers and certificates."""

from __future__ import annotations

from typing import Final

from console.changes.actions.action import ACCESS, END, Action
from console.changes.actions.fields import CHOICE, LINES, LONG, NAME, Field
from console.changes.actions.on_principals import TAG_FIELD
from iam.changes.acts import options
from iam.changes.acts.on_policies import roles_in
from iam.mirror.models import Kind


def _listed(name: str) -> Field:
    """What a provider has in a list, a line each."""
    words = {"ClientIDList": "Audiences (client IDs)", "ThumbprintList": "Thumbprints"}
    field = "clients" if name == "ClientIDList" else "thumbprints"
    return Field(
        field,
        words[name],
        LINES,
        hint="One per line.",
        is_needed=False,
        start=lambda subject: "\n".join(getattr(options.state_of(subject), "attrs", {}).get(name) or ()),
    )


VERSION = Field("version", "Version", CHOICE, choices=options.spare_versions)

POLICY_ACTIONS: Final = (
    Action("set-default", "Set default version", "Set the default version of {}", (VERSION,), part=ACCESS),
    Action("delete-version", "Delete version", "Delete a version of {}", (VERSION,), is_danger=True),
    Action("tag-it", "Edit tags", "Edit tags of {}", (TAG_FIELD,)),
    Action(
        "add-role",
        "Add role",
        "Add a role to {}",
        (
            Field(
                "role",
                "Role",
                NAME,
                hint="A role whose trust policy allows ec2.amazonaws.com.",
                choices=lambda subject: options.of_kind(subject.account, Kind.ROLE),
            ),
        ),
        part=ACCESS,
    ),
    Action(
        "remove-role",
        "Remove role",
        "Remove the role from {}",
        (
            Field(
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
    Action(
        "give-profile",
        "Attach instance profile",
        "Attach an instance profile to {}",
        (
            Field(
                "profile",
                "Instance profile",
                NAME,
                hint="Its name. It replaces the current instance profile.",
                choices=lambda subject: options.of_kind(subject.account, Kind.INSTANCE_PROFILE),
            ),
        ),
        part=ACCESS,
    ),
    Action(
        "take-profile",
        "Detach instance profile",
        "Detach the instance profile of {}",
        is_danger=True,
        note="Applications on the instance lose their AWS credentials.",
        part=ACCESS,
    ),
    Action(
        "metadata",
        "Replace metadata",
        "Replace the metadata of {}",
        (Field("metadata", "Metadata document", LONG, hint="The XML file from the identity provider."),),
    ),
    Action("clients", "Edit audiences", "Edit audiences of {}", (_listed("ClientIDList"),)),
    Action("thumbprints", "Edit thumbprints", "Edit thumbprints of {}", (_listed("ThumbprintList"),)),
    Action(
        "delete-provider",
        "Delete",
        "Delete {}",
        is_danger=True,
        note="No one can sign in to AWS with it any more.",
        part=END,
    ),
    Action(
        "rename-certificate",
        "Rename or move",
        "Rename or move {}",
        (
            Field("name", "Name", start=lambda subject: subject.name),
            Field("path", "Path", start=lambda subject: getattr(options.state_of(subject), "path", "/")),
        ),
    ),
    Action(
        "delete-certificate",
        "Delete",
        "Delete {}",
        is_danger=True,
        note="A load balancer that still uses it can stop accepting traffic.",
        part=END,
    ),
    Action("delete-device", "Delete", "Delete the virtual MFA device {}", is_danger=True, part=END),
)
