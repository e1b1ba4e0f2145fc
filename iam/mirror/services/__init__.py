"""The operations on pulls for people, schedules and commands."""

from iam.mirror.services.pulls import cancel_pull, free_lost_pulls, pull_due_accounts, request_pull, run_pull

__all__ = ["cancel_pull", "free_lost_pulls", "pull_due_accounts", "request_pull", "run_pull"]
