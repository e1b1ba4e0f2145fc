"""Translates AWS calls into patches for Terraform and CloudFormation files.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs (aws_iam_…)

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iam.changes.iac import cloudformation, terraform
from iam.changes.iac.recognise import TERRAFORM


@dataclass(frozen=True, slots=True)
class ProgramPatch:
    """The lines to add (`+`) and to remove (`-`); `unsaid` are calls that the program can't express."""

    tool: str
    text: str
    unsaid: tuple[str, ...]


def patch_of(calls: Sequence[Mapping[str, Any]], *, tool: str) -> ProgramPatch:
    """The patch for the calls of a receipt."""
    blocks, unsaid = [], []
    speak = terraform.block if tool == TERRAFORM else cloudformation.block
    for call in calls:
        lines = speak(call["operation"], call["params"]) if call["service"] == "iam" else None
        if lines is None:
            unsaid.append(f"{call['service']}:{call['operation']}")
        else:
            blocks.append("\n".join(lines))
    return ProgramPatch(tool, "\n\n".join(_once(blocks)), tuple(dict.fromkeys(unsaid)))


def _once(blocks: Iterable[str]) -> list[str]:
    return [block for block in dict.fromkeys(blocks) if block]
