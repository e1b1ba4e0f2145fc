"""Derives the tool that made a call from the user agent in its event."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

CONSOLE: Final = "AWS console"
TOOLS: Final = (
    ("terraform", "Terraform"),
    ("opentofu", "OpenTofu"),
    ("pulumi", "Pulumi"),
    ("ansible", "Ansible"),
    ("cloudformation.amazonaws.com", "CloudFormation"),
    ("gatehouse", "Gatehouse"),
    ("aws-cli", "AWS CLI"),
    ("cloudshell", "CloudShell"),
    ("console", CONSOLE),
    ("signin.amazonaws.com", CONSOLE),
    ("aws internal", "AWS internal"),
    ("mozilla/", CONSOLE),
    ("boto", "Boto3"),
    ("aws-sdk-go", "AWS SDK for Go"),
    ("aws-sdk-js", "AWS SDK for JavaScript"),
    ("aws-sdk-nodejs", "AWS SDK for JavaScript"),
    ("aws-sdk-java", "AWS SDK for Java"),
    ("aws-sdk-dotnet", "AWS SDK for .NET"),
    ("aws-sdk-net", "AWS SDK for .NET"),
    ("aws-sdk-php", "AWS SDK for PHP"),
    ("aws-sdk-ruby", "AWS SDK for Ruby"),
    ("aws-sdk-rust", "AWS SDK for Rust"),
    ("aws-sdk-cpp", "AWS SDK for C++"),
    ("aws-sdk-swift", "AWS SDK for Swift"),
    ("aws-sdk-kotlin", "AWS SDK for Kotlin"),
    ("powershell", "Tools for PowerShell"),
)
"""Part of the user agent, in lower case, and the name of the tool. The first match counts."""
SERVICE_SUFFIX: Final = ".amazonaws.com"


@lru_cache(maxsize=1_000)
def tool_of(user_agent: str, *, from_console: bool = False) -> str:
    """Return the tool's name, the service that made the call for its caller, or the first product in the user
    agent.
    """
    if from_console:
        return CONSOLE
    agent = user_agent.lower()
    for part, name in TOOLS:
        if part in agent:
            return name
    if agent.endswith(SERVICE_SUFFIX) and " " not in agent:
        return user_agent.removesuffix(SERVICE_SUFFIX)
    return user_agent.strip("[] ").partition(" ")[0].partition("/")[0][:64]
