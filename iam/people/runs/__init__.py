"""The engine of runs: work on people that is drafted, requested, in progress and done.

Onboarding, offboarding, changes of team and key rotations are runs; whatever is requested for a list of
people can be one.

The contract, in the order of a run's life:

**A run is a row.** Its model inherits `AbstractRun` (who requested what, why, its state), or
`AbstractListRun` where it begins as a list (the file, the last refusal). Its rows are tables of their own,
with a foreign key to it. `reference` is how people name it.

**Draft** (`RunState.DRAFT`, `drafts`). Only its author sees, continues and discards it: every writer begins
with `lock_draft`. `discard` deletes it. A beat task of the run calls `delete_old_drafts`, a week later. A
run without a draft (one form, or a selection) is created as submitted.

**Submitted** (`SUBMITTING`, `requests`). The writer checks everything, calls `begin_submission`, saves, and
then `RunKind.submit`: at once for few, by a worker for many. `request_rows` of the kind requests what is
left, batch by batch (`batches` keeps what belongs together in one change set), each batch under an
idempotency key of the run and the batch. It can be called again at any time, by any process, and requests
nothing twice. Refused before anything was requested, the run is a draft again, and `trouble` says why. A
beat task calls `resume`: a run whose process was lost goes on after two minutes.

**Requested, in progress** (`reconcile`). The state follows from the changes: `progress_state` while one is
open, `end_state` afterwards, saved and recorded by `set_state`. A run whose rows have stages of their own
stays `REQUESTED`. A handler of ends calls the run's `reconcile`, and a beat task calls `reconcile_missed`
for the rows of which nobody was told: the sweep. Both are harmless at any time.

**Retry.** What was approved and failed is queued again under the same approval
(`iam.changes.services.accepted_changes`), with the trial in the key: once for each trial, however often it is
clicked.

**Done, partly, closed.** All applied, some, or none; `ended_at` is set.

**Pages** (`console.runs`). `RunPages` serves the draft: change, submit, discard. `render_run` is the live
page, which asks for itself until nothing more comes.

The kinds know the engine; it knows none of them (a contract of import-linter).
"""
