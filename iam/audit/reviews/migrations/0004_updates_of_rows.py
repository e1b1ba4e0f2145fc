from django.db import migrations

from iam.audit.reviews import triggers


def create(apps, schema_editor):
    # On PostgreSQL the trigger for updates went on with the old row, so that nothing was saved.
    triggers.create(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [("audit_reviews", "0003_deciders")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
