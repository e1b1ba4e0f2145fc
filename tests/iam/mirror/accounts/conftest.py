"""Fixtures of the tests of accounts."""

from tests.iam.mirror.accounts.aws import cloud, standin_process

__all__ = ["cloud", "standin_process"]
