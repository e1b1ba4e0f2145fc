"""Reviews of break-glass are reminded of until they are done; what waits for one already, from now on."""

from typing import Any

from django.db import migrations, models


def remind_of_what_waits(apps: Any, schema_editor: Any) -> None:
    """What nobody has reviewed yet is due at once."""
    waiting = apps.get_model("approval", "BreakGlass").objects.filter(reviewed_at__isnull=True)
    waiting.update(remind_at=models.F("at"))


class Migration(migrations.Migration):
    dependencies = [("approval", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="breakglass",
            name="remind_at",
            field=models.DateTimeField(
                help_text="When those who have to review it are told of it again.", null=True
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="reminded",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.RunPython(remind_of_what_waits, migrations.RunPython.noop),
    ]
