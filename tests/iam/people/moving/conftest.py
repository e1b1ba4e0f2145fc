"""The team of the tests of onboarding, whose people move."""

from tests.iam.people.onboarding.conftest import nudges, scene, squad, standin, standin_process

__all__ = ["nudges", "scene", "squad", "standin", "standin_process"]
