"""Checks whether the actions and resources of a statement fit each other.

Source: "Actions, resources, and condition keys for AWS services", the column Resource types: an action
without any works only with Resource `*`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.policy.catalogue import AwsCatalogue, CatalogueAction, ResourceType
from iam.policy.letter_case import fold
from iam.policy.lint.findings import quoted
from iam.policy.lint.overlaps import can_mean
from iam.policy.lint.view import LintStatement, LintSubject, SourceText

WIDE: Final = 1200
"""A pattern that matches more actions than any service has isn't checked action by action."""


def check_fit(subject: LintSubject, hopeless: set[SourceText]) -> None:
    """Check for actions that fit no resource, and resources that fit no action. `hopeless` resources were
    reported already.
    """
    for statement in subject.document.statements:
        if statement.actions is None or statement.resources is None:
            continue
        if statement.actions.is_not or statement.resources.is_not or statement.resources.has_star:
            continue
        resources = [word for word in statement.resources.words if word not in hopeless]
        if resources and subject.report.may_look(len(resources)):
            _StatementFit(statement, resources, subject).check()


class _StatementFit:
    def __init__(self, statement: LintStatement, resources: list[SourceText], subject: LintSubject) -> None:
        self.statement = statement
        self.resources = resources
        self.subject = subject
        self.reached: dict[str, bool] = {}
        """By the ARN format of a resource type: True if one of the resources can be of that type."""

    def check(self) -> None:
        actions = self.statement.actions.words if self.statement.actions else ()
        is_known = True
        for word in {fold(word.text): word for word in reversed(actions)}.values():
            expanded = known_actions(self.subject.catalogue, word.text)
            if not expanded:
                is_known = False
            elif not any(self._fits(action) for action in expanded):
                self._report(word, expanded)
        if is_known and actions:
            self._check_resources()

    def _fits(self, action: CatalogueAction) -> bool:
        return any(self._reaches(resource_type.arn) for resource_type in action.resource_types)

    def _reaches(self, arn: str) -> bool:
        reaches = self.reached.get(arn)
        if reaches is None:
            reaches = self.reached[arn] = any(self._means(word, arn) for word in self.resources)
        return reaches

    def _means(self, word: SourceText, arn: str) -> bool:
        has_variables = self.subject.document.has_variables
        return can_mean(_of_one_service(word.text), _of_one_service(arn), has_variables=has_variables)

    def _report(self, word: SourceText, expanded: Sequence[CatalogueAction]) -> None:
        verb = "allow" if self.statement.allows else "deny"
        if not any(action.targets for action in expanded):
            self.subject.report.add(
                "ACTION_WITHOUT_RESOURCE_LEVEL_PERMISSIONS",
                word,
                f"{quoted(word.text)} works only with all resources, so this statement doesn’t {verb} it.",
                'Move it to its own statement, with "Resource": "*".',
            )
            return
        kinds = chain.from_iterable(action.resource_types for action in expanded)
        arns = sorted({kind.arn for kind in kinds})
        self.subject.report.add(
            "ACTION_MATCHES_NO_RESOURCE",
            word,
            f"{quoted(word.text)} doesn’t apply to any of the resources of the statement.",
            f"Add a resource like {arns[0]}, or remove the action.",
        )

    def _check_resources(self) -> None:
        """Check for resources that no action of the statement works on. It needs all actions to be known."""
        actions = self.statement.actions.words if self.statement.actions else ()
        types: dict[str, ResourceType] = {}
        for word in {fold(word.text): word for word in actions}.values():
            for action in known_actions(self.subject.catalogue, word.text):
                types |= {resource_type.arn: resource_type for resource_type in action.resource_types}
        if not types:
            return
        for word in self.resources:
            if not any(self._means(word, arn) for arn in types):
                self.subject.report.add(
                    "RESOURCE_MATCHES_NO_ACTION",
                    word,
                    f"No action of the statement applies to {quoted(word.text)}.",
                    "Add an action that applies to it, or remove the resource.",
                )


def _of_one_service(arn: str) -> str:
    """Return the ARN under one service name: connections have ARNs of two services, because theirs was
    renamed, and the actions of both work on them.
    """
    return arn.replace(":codeconnections:", ":codestar-connections:", 1)


@lru_cache(maxsize=512)
def known_actions(catalogue: AwsCatalogue, pattern: str) -> tuple[CatalogueAction, ...]:
    """Return the actions that a name or pattern matches, or none if it is unknown or matches more than a
    service.
    """
    names = catalogue.expand(pattern)
    if len(names) > WIDE:
        return ()
    return tuple(action for action in map(catalogue.action, names) if action is not None)
