"""Parses the action of a question: one action, a pattern, or an access level of a service."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from iam.policy.catalogue import AccessLevel, AwsCatalogue, catalogue
from iam.policy.lint.overlaps import can_mean

MAX_LENGTH: Final = 128
MAX_ACTIONS: Final = 1000
"""The maximum number of actions in one question, more than the largest service has."""
FORM: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_.-]+")
SERVICE: Final = re.compile(r"[A-Za-z0-9-]+(:\*?)?")
LEVELS: Final = {
    "list": AccessLevel.LIST,
    "read": AccessLevel.READ,
    "write": AccessLevel.WRITE,
    "permissions": AccessLevel.PERMISSIONS,
    "tagging": AccessLevel.TAGGING,
}
"""Access levels by their word in URLs and commands."""
SHAPE: Final = (
    "An action has a service, a colon and a name, such as s3:GetObject. s3 alone means the whole service."
)


class ActionsError(ValueError):
    """Raised if the text names no valid action; the message says why and what to enter."""


@dataclass(frozen=True, slots=True)
class ActionSelection:
    """The actions of a question, at least one, as AWS spells them.

    `warning` is a remark on what was entered.
    """

    actions: tuple[str, ...]
    pattern: str
    level: AccessLevel | None = None
    warning: str = ""

    @property
    def is_one(self) -> bool:
        """True if this is a single action by name."""
        return self.level is None and "*" not in self.pattern and "?" not in self.pattern

    @property
    def words(self) -> str:
        """The selection in words: 's3:GetObject', 'write in Amazon S3', 'anything in Amazon S3',
        's3:Get*'.
        """
        if self.is_one:
            return self.actions[0]
        prefix, _, name = self.pattern.partition(":")
        kind = "" if self.level is None else str(self.level).lower()
        if name != "*":
            return f"{self.pattern}, {kind} only" if kind else self.pattern
        return f"{kind or 'anything'} in {catalogue().title(prefix)}"

    @property
    def title(self) -> str:
        """The words with an initial capital; action names stay as AWS spells them."""
        first = self.words.partition(" ")[0]
        return self.words if ":" in first else f"{self.words[:1].upper()}{self.words[1:]}"


def select_actions(text: str, *, level: str = "", resource: str = "*") -> ActionSelection:
    """Parse an action, a pattern or a service, optionally limited to an access level. Raises ActionsError.

    A pattern selects only actions that work on such a resource. A single name that AWS does not publish is
    kept, with a warning.
    """
    known = catalogue()
    text = text.strip()
    if level and level not in LEVELS:
        raise ActionsError(f"“{level[:40]}” isn’t an access level. Use one of {', '.join(LEVELS)}.")
    if not text:
        raise ActionsError("Enter an action, or a service and an access level.")
    if len(text) > MAX_LENGTH:
        raise ActionsError(f"This is too long. An action has at most {MAX_LENGTH} characters.")
    pattern = f"{text.partition(':')[0]}:*" if SERVICE.fullmatch(text) else text
    if FORM.fullmatch(pattern) is None:
        raise ActionsError(SHAPE)
    if not level and "*" not in pattern and "?" not in pattern:
        return _known_action(pattern, resource, known)
    return ActionSelection(_several(pattern, level, resource, known), pattern, LEVELS.get(level))


def _known_action(name: str, resource: str, known: AwsCatalogue) -> ActionSelection:
    action = known.action(name)
    if action is None:
        return ActionSelection((name,), name, warning=_unknown(name, known))
    types = known.resource_types(name)
    written = known.names(known.mask(name))[0]
    if resource == "*" or any(
        can_mean(resource, resource_type.arn, has_variables=False) for resource_type in types
    ):
        return ActionSelection((written,), written)
    return ActionSelection((written,), written, warning=_unfit(written, known))


def _unknown(name: str, known: AwsCatalogue) -> str:
    prefix, _, rest = name.partition(":")
    if known.has_service(prefix):
        problem = f"{known.title(prefix)} has no action {rest}."
        names = [action.partition(":")[2] for action in known.expand(f"{prefix}:*")]
        close_name = _closest(rest, names)
        proposal = f"{prefix.lower()}:{close_name}" if close_name else ""
    else:
        problem = f"AWS has no service with the prefix {prefix}."
        close_prefix = _closest(prefix, known.prefixes)
        proposal = f"{close_prefix}:{rest}" if close_prefix else ""
    if proposal:
        problem += f" Did you mean {proposal}?"
    return f"{problem} The answer uses it as entered."


def _unfit(name: str, known: AwsCatalogue) -> str:
    arns = resources_of(name)
    if not arns:
        return f"{name} doesn’t work on specific resources. Use * as the resource."
    others = " and others" if len(arns) > 1 else ""
    return f"{name} works on {arns[0]}{others}, not on this resource."


def resources_of(name: str) -> tuple[str, ...]:
    """The ARN formats of the resource types that an action works on, with AWS's placeholders,
    shortest first.
    """
    arns = {
        resource_type.arn.replace("${Partition}", "aws") for resource_type in catalogue().resource_types(name)
    }
    return tuple(sorted(arns, key=lambda arn: (len(arn), arn)))


def _several(pattern: str, level: str, resource: str, known: AwsCatalogue) -> tuple[str, ...]:
    prefix = pattern.partition(":")[0]
    if not known.has_service(prefix):
        close = _closest(prefix, known.prefixes)
        raise ActionsError(
            f"AWS has no service with the prefix {prefix}.{f' Did you mean {close}?' if close else ''}"
        )
    mask = known.mask(pattern)
    if level:
        mask &= known.mask_of_level(LEVELS[level])
    names = known.names(mask)
    kind = f" {LEVELS[level].lower()}" if level else ""
    if not names:
        raise ActionsError(f"{known.title(prefix)} has no{kind} action that matches {pattern}.")
    if len(names) > MAX_ACTIONS:
        raise ActionsError(f"{pattern} means {len(names):,} actions. Ask about fewer.")
    fitting = tuple(name for name in names if _takes(name, resource, known))
    if not fitting:
        raise ActionsError(f"No{kind} action of {known.title(prefix)} works on this resource.")
    return fitting


def _takes(name: str, resource: str, known: AwsCatalogue) -> bool:
    if resource == "*":
        return True
    return any(
        can_mean(resource, resource_type.arn, has_variables=False)
        for resource_type in known.resource_types(name)
    )


def _closest(name: str, known: tuple[str, ...] | list[str]) -> str:
    spelled = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.75)
    return spelled[matches[0]] if matches else ""


def action_names(text: str, *, size: int) -> list[str]:
    """Suggestions for what was typed so far: services first, then actions.

    With a service prefix, names that start with the text come before names that contain it.
    """
    typed = text.strip().lower()[:MAX_LENGTH]
    known = catalogue()
    if ":" in typed:
        prefix, _, rest = typed.partition(":")
        every = known.expand(f"{prefix}:*") if known.has_service(prefix) else ()
        inner = [name for name in every if rest in name.partition(":")[2].lower()]
        return sorted(inner, key=lambda name: not name.lower().startswith(typed))[:size]
    services = [prefix for prefix in known.prefixes if prefix.startswith(typed)]
    if len(typed) < 2:
        return services[:size] if typed else []
    return [*services, *(action for action in known.actions if typed in action.partition(":")[2].lower())][
        :size
    ]
