"""Who has ever been an approver becomes a fact of the person; it was looked for in the text of the journal."""

from __future__ import annotations

from django.db import migrations, models


def remember(apps, schema_editor):
    """From who has the role, and from the entries of everyone to whom it was given."""
    person, assignment = (apps.get_model("directory", name) for name in ("Person", "RoleAssignment"))
    entry = apps.get_model("journal", "Entry")
    given = entry.objects.filter(kind="role.assign", data_json__contains='"role":"approver"')
    emails = set(given.values_list("subject", flat=True))
    people = set(assignment.objects.filter(role="approver").values_list("person_id", flat=True))
    person.objects.filter(email__in=emails).update(was_approver=True)
    person.objects.filter(pk__in=people).update(was_approver=True)


class Migration(migrations.Migration):
    dependencies = [("directory", "0005_text_search"), ("journal", "0004_text_search")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="was_approver",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
