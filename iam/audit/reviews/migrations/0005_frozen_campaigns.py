from django.db import migrations

from iam.audit.reviews import triggers


def create(apps, schema_editor):
    # The row of a review that was signed off is frozen as its rows are, and nothing is moved into one.
    triggers.create(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [("audit_reviews", "0004_updates_of_rows")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
