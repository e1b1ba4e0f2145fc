"""The engine of runs: work on people that is drafted, requested, in progress and done.

Onboarding, offboarding, team changes and key rotations are runs; any request for a list of people can be one.
The contract, in the order of a run's life:

**A run is a row.** Its model inherits `AbstractRun` (who requested what, why, its state), or
`AbstractListRun` if it begins as a list (the file, the last refusal). Its rows are in separate tables, with a
foreign key to it. `reference` is its name for people.

**Draft** (`RunState.DRAFT`, `drafts`). Only its author can see, continue and discard it: every writer begins
with `lock_draft`. `discard` deletes it. A periodic task of the run calls `delete_old_drafts`, which deletes
drafts after a week. A run without a draft (one form, or a selection) is created as submitted.

**Submitted** (`SUBMITTING`, `requests`). The writer checks everything, calls `begin_submission`, saves, and
then calls `RunKind.submit`: at once for few rows, in a worker for many. The kind's `request_rows` requests
what is left, in batches (`batches` keeps what belongs together in one change set), each under an idempotency
key of the run and the batch. Any process can call it again at any time; nothing is requested twice. If the
first batch is refused, the run is a draft again, and `trouble` says why. A periodic task calls `resume`,
which continues runs of lost processes after two minutes.

**Requested, in progress** (`reconcile`). The state follows from the changes: `progress_state` while one is
open, `end_state` afterwards, saved and recorded by `set_state`. A run whose rows have their own stages stays
`REQUESTED`. When a change ends, a handler calls the run's `reconcile`. A periodic task calls
`reconcile_missed` for rows whose handler was lost. Both are safe at any time.

**Retry.** Approved changes that failed are queued again under the same approval
(`iam.changes.services.accepted_changes`), with the attempt in the idempotency key, so that repeated clicks
count once.

**Done, partly, closed.** All changes were applied, some, or none; `ended_at` is set.

**Pages** (`console.runs`). `RunPages` serves the draft: change, submit, discard. `render_run` is the live
page, which refreshes until the run is final.

The kinds know the engine; it knows none of them (an import-linter contract).
"""
