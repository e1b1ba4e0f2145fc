"""Users are found by the names and email addresses in their tags."""

from __future__ import annotations

from typing import Any

from django.db import migrations

NAMES = frozenset({"displayname", "fullname", "name", "email", "emailaddress", "mail", "owner"})


def add_names(apps: Any, schema_editor: Any) -> None:
    """Add the tags to what is searched."""
    entity, tag_set = apps.get_model("mirror", "Entity"), apps.get_model("mirror", "TagSet")
    rows = tag_set.objects.filter(valid_to__isnull=True, entity__kind="user").select_related("entity")
    for row in rows.iterator(chunk_size=2000):
        wanted = [
            value.replace("\u02bc", "'").strip().lower()
            for key, value in row.tags.items()
            if key.replace("-", "").replace("_", "").lower() in NAMES
        ]
        if wanted:
            words = f"{row.entity.search} {' '.join(wanted)}"
            entity.objects.filter(pk=row.entity_id).update(search=words)


class Migration(migrations.Migration):
    dependencies = [("mirror", "0012_plain_words")]
    operations = [migrations.RunPython(add_names, migrations.RunPython.noop, elidable=True)]
