"""Let no version be altered, and take in the templates that come with Gatehouse.

When the files of `shipped/` change, a migration like 0004_ship_plain_words adds them to the databases that exist already.
"""

from django.db import migrations

from iam.access.templates import triggers
from iam.access.templates.shipped_files import ship


def protect(apps, schema_editor):
    triggers.create(schema_editor.connection)


def expose(apps, schema_editor):
    triggers.drop(schema_editor.connection)


def take_in(apps, schema_editor):
    ship(
        apps.get_model("access_templates", "Template"),
        apps.get_model("access_templates", "TemplateVersion"),
    )


class Migration(migrations.Migration):

    dependencies = [("access_templates", "0001_initial")]

    operations = [
        migrations.RunPython(protect, expose),
        migrations.RunPython(take_in, migrations.RunPython.noop),
    ]
