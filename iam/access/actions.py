"""Which actions a question means: one by its name, all that a pattern means, or those of an access level of a
service.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from iam.policy.catalogue import AccessLevel, AwsCatalogue, catalogue
from iam.policy.lint.overlaps import can_mean

MAX_LENGTH: Final = 128
MAX_ACTIONS: Final = 1000
"""More actions than the largest service has are not asked about at once."""
FORM: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_.-]+")
SERVICE: Final = re.compile(r"[A-Za-z0-9-]+(:\*?)?")
LEVELS: Final = {
    "list": AccessLevel.LIST,
    "read": AccessLevel.READ,
    "write": AccessLevel.WRITE,
    "permissions": AccessLevel.PERMISSIONS,
    "tagging": AccessLevel.TAGGING,
}
"""As addresses and commands have them."""
SHAPE: Final = (
    "An action has a service, a colon and a name, such as s3:GetObject. s3 alone means the whole service."
)


class ActionsError(ValueError):
    """The words name no action that can be asked about; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ActionSelection:
    """What a question is about: at least one action, as AWS writes it, and what should be said of the way it
    was written.
    """

    actions: tuple[str, ...]
    pattern: str
    level: AccessLevel | None = None
    warning: str = ""

    @property
    def is_one(self) -> bool:
        """Whether it is one action by name."""
        return self.level is None and "*" not in self.pattern and "?" not in self.pattern

    @property
    def words(self) -> str:
        """What somebody can: 's3:GetObject', 'write in Amazon S3', 'anything in Amazon S3', 's3:Get*'."""
        if self.is_one:
            return self.actions[0]
        prefix, _, name = self.pattern.partition(":")
        kind = "" if self.level is None else str(self.level).lower()
        if name != "*":
            return f"{self.pattern}, {kind} only" if kind else self.pattern
        return f"{kind or 'anything'} in {catalogue().title(prefix)}"

    @property
    def title(self) -> str:
        """The same at the beginning of a line; names of actions stay as AWS writes them."""
        first = self.words.partition(" ")[0]
        return self.words if ":" in first else f"{self.words[:1].upper()}{self.words[1:]}"


def select_actions(text: str, *, level: str = "", resource: str = "*") -> ActionSelection:
    """The actions of a name, a pattern or a service, of one access level or all; of several, those that take
    such a resource.

    A single name that AWS does not publish is kept, with a warning. Raises ActionsError.
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
    """The ARNs of the resource types that an action takes, with AWS's placeholders, the shortest first."""
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
    """Actions to offer to anyone who has typed so much: by their beginning, else by what their names hold;
    services first.
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
