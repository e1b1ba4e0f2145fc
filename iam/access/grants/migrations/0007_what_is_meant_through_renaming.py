"""What an entry of the ledger means, whatever its name is later: the group or the policy itself."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def find_targets(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was written before means what has the ARN by now."""
    entity = apps.get_model("mirror", "Entity").objects.filter(
        account=models.OuterRef("account"), arn=models.OuterRef("target"), gone_at__isnull=True
    )
    entries = apps.get_model("grants", "LedgerEntry").objects.filter(
        sort__in=["member", "attached"], until__isnull=True
    )
    entries = entries.exclude(target__contains=":iam::aws:")
    entries.update(target_entity=models.Subquery(entity.values("pk")[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ('grants', '0006_parts_that_end'),
        ('mirror', '0009_revisions'),
    ]

    operations = [
        migrations.AddField(
            model_name='ledgerentry',
            name='target_entity',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity'),
        ),
        migrations.RunPython(find_targets, migrations.RunPython.noop, elidable=True),
    ]
