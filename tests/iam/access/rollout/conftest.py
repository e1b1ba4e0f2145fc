"""Grants of templates in the stand-in, as the tests of grants have them."""

from tests.iam.access.grants.conftest import nudges, office, scene, standin, standin_process

__all__ = ["nudges", "office", "scene", "standin", "standin_process"]
