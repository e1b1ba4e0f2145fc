"""Since when a section is known: as of a moment before, nothing is said of it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def add_first_observations(apps: Any, schema_editor: Any) -> None:
    """Take the first complete sync of which a row is kept; else the last one, so that no claim is made about what was before."""
    section, pull_section = apps.get_model("mirror", "Section"), apps.get_model("mirror", "PullSection")
    first: dict[tuple[int, str], Any] = {}
    rows = pull_section.objects.filter(state="complete", ended_at__isnull=False, observed_at__isnull=False)
    columns = ("pull__account_id", "name", "pull__trigger", "observed_at", "ended_at")
    for account, name, trigger, observed_at, ended_at in rows.values_list(*columns).iterator():
        moment = observed_at if trigger == "upload" else ended_at
        key = (account, name)
        first[key] = min(first.get(key, moment), moment)
    for row in section.objects.filter(observed_at__isnull=False).iterator():
        row.known_since = min(first.get((row.account_id, row.name), row.observed_at), row.observed_at)
        row.save(update_fields=["known_since"])


class Migration(migrations.Migration):
    dependencies = [("mirror", "0013_search_names_in_tags")]
    operations = [
        migrations.AddField(
            model_name="section",
            name="known_since",
            field=models.DateTimeField(
                help_text="The first complete observation; nothing is known from before.", null=True
            ),
        ),
        migrations.RunPython(add_first_observations, migrations.RunPython.noop, elidable=True),
    ]
