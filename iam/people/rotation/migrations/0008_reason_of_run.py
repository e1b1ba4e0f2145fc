"""The reason of a rotation is that of its run: where only the rotation says it, the run takes it over."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def give_reasons_to_runs(apps, schema_editor):
    Rotation = apps.get_model("people_rotation", "Rotation")
    RotationRun = apps.get_model("people_rotation", "RotationRun")
    of_run = Rotation.objects.filter(run=OuterRef("pk")).order_by("begun_at", "pk")
    without = RotationRun.objects.filter(reason="", rotations__isnull=False)
    RotationRun.objects.filter(pk__in=without.values("pk")).update(
        reason=Subquery(of_run.values("reason")[:1])
    )


def give_reasons_to_rotations(apps, schema_editor):
    Rotation = apps.get_model("people_rotation", "Rotation")
    RotationRun = apps.get_model("people_rotation", "RotationRun")
    run = RotationRun.objects.filter(pk=OuterRef("run"))
    Rotation.objects.update(reason=Subquery(run.values("reason")[:1]))


class Migration(migrations.Migration):
    dependencies = [("people_rotation", "0007_run_of_rotation")]

    operations = [
        migrations.RunPython(give_reasons_to_runs, give_reasons_to_rotations),
        # With a default, the column can come back when the migration is reversed.
        migrations.AlterField("Rotation", "reason", models.CharField(max_length=1000, default="")),
        migrations.RemoveField("Rotation", "reason"),
    ]
