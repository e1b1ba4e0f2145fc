"""Rotations that were begun together belong to a run: one is written for each batch, with its id."""

import uuid
from itertools import groupby, islice

from django.db import migrations, models

STATES = [
    ("draft", "Draft"),
    ("asking", "Submitting"),
    ("asked", "Requested"),
    ("waiting", "Waiting for approval"),
    ("running", "In progress"),
    ("done", "Done"),
    ("partly", "Done in part"),
    ("closed", "Cancelled"),
]
AT_ONCE = 1000


def write_runs(apps, schema_editor):
    """A batch of which some keys still wait is being submitted; a worker goes on with it."""
    Rotation = apps.get_model("people_rotation", "Rotation")
    RotationRun = apps.get_model("people_rotation", "RotationRun")
    rows = Rotation.objects.order_by("batch", "begun_at").select_related("begun_by")
    batches = groupby(rows.only("batch", "reason", "begun_at", "stage", "begun_by__name").iterator(), _batch)
    runs = (_run(RotationRun, batch, list(rotations)) for batch, rotations in batches)
    while part := list(islice(runs, AT_ONCE)):
        begun = {run.pk: run.asked_at for run in part}
        RotationRun.objects.bulk_create(part)
        for run in part:
            # Writing a row sets it to now.
            run.created_at = begun[run.pk]
        RotationRun.objects.bulk_update(part, ["created_at"])


def _batch(rotation):
    return rotation.batch


def _run(model, batch, rotations):
    first = rotations[0]
    waits = any(rotation.stage == "waiting" for rotation in rotations)
    return model(
        id=batch,
        state="asking" if waits else "asked",
        reason=first.reason,
        requested_by=first.begun_by_id,
        requested_label=first.begun_by.name[:128],
        asked_at=first.begun_at,
    )


class Migration(migrations.Migration):
    dependencies = [("people_rotation", "0005_stages_that_wait")]

    operations = [
        migrations.CreateModel(
            name="RotationRun",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("state", models.CharField(choices=STATES, default="draft", max_length=8)),
                ("reason", models.CharField(blank=True, max_length=1024)),
                ("requested_by", models.UUIDField()),
                ("requested_label", models.CharField(max_length=128)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("source", models.CharField(blank=True, max_length=128)),
                ("trouble", models.CharField(blank=True, max_length=1024)),
                ("asked_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["state", "created_at"], name="rotation_run_by_state")]
            },
        ),
        migrations.RunPython(write_runs, migrations.RunPython.noop),
    ]
