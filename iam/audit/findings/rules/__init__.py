"""The rules, one per file: every module of this package has one subclass of `FindingRule`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from iam.audit.findings.rule import FindingRule


@cache
def all_rules() -> dict[str, FindingRule]:
    """Return the rules by kind, sorted."""
    classes = set[type[FindingRule]]()
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        members = vars(import_module(module.name)).values()
        classes.update(member for member in members if _is_rule_of(member, module.name))
    return {rule.kind: rule() for rule in sorted(classes, key=lambda rule: rule.kind)}


def title_of(kind: str) -> str:
    """Return the title of a kind of finding; the kind itself if its rule no longer exists."""
    rule = all_rules().get(kind)
    return rule.title if rule else kind


def _is_rule_of(member: object, module: str) -> bool:
    return isinstance(member, type) and issubclass(member, FindingRule) and member.__module__ == module
