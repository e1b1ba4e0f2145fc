from django.db import migrations

BEGINNING = "Named in the "
OPERATIONS = ("user.update", "user.delete", "role.delete")


def mark(apps, schema_editor):
    """Say of each stored receipt which of its notes only those may read who see the account whole."""
    changes = apps.get_model("changes", "Change").objects.filter(operation__in=OPERATIONS)
    for pk, receipt in changes.values_list("pk", "receipt").iterator():
        notes = receipt.get("effect", {}).get("notes", ())
        confidential = [note for note in notes if note.startswith(BEGINNING)]
        changes.filter(pk=pk).update(receipt=receipt | {"confidential": confidential})


class Migration(migrations.Migration):
    dependencies = [("changes", "0010_text_search")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
