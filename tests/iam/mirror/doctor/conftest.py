"""Fixtures of the tests of the doctor."""

from tests.iam.mirror.accounts.aws import cloud, standin_process

__all__ = ["cloud", "standin_process"]
