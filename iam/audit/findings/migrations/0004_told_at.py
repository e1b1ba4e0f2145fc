"""Until when people were told of new findings: all that is calculated so far."""

from django.db import migrations, models


def told_until_now(apps, schema_editor):
    runs = apps.get_model("audit_findings", "FindingRun").objects
    runs.update(told_at=models.F("calculated_at"))


class Migration(migrations.Migration):
    dependencies = [("audit_findings", "0003_changes_since")]

    operations = [
        migrations.AddField("findingrun", "told_at", models.DateTimeField(null=True)),
        migrations.RunPython(told_until_now, migrations.RunPython.noop),
    ]
