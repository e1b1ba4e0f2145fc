"""All of the migrations up to 0005_order_of_critical at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("drift", "0001_initial"),
        ("drift", "0002_settings_of_accounts"),
        ("drift", "0003_effect"),
        ("drift", "0004_names_of_models"),
        ("drift", "0005_order_of_critical"),
    ]

    initial = True

    dependencies = [
        ("changes", "0005_stages_of_approval"),
        ("changes", "0006_notes_of_a_set"),
        ("changes", "0008_summary_of_a_set"),
        ("mirror", "0009_revisions"),
        ("mirror", "0010_counted_writes"),
        ("mirror", "0018_plain_apostrophes"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='DriftWatch',
                fields=[
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='drift_watch', serialize=False, to='mirror.account')),
                    ('since', models.DateTimeField()),
                    ('revision', models.PositiveBigIntegerField(default=0)),
                    ('looked_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'drift_watch',
                },
            ),
            migrations.CreateModel(
                name='Drift',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(help_text="The entity's, or account.", max_length=20)),
                    ('seen_at', models.DateTimeField()),
                    ('after', models.DateTimeField(null=True)),
                    ('state', models.CharField(choices=[('open', 'Needs a decision'), ('undoing', 'Undo requested'), ('adopted', 'Accepted'), ('undone', 'Undone'), ('explained', 'Made by a change')], default='open', max_length=10)),
                    ('found_at', models.DateTimeField(auto_now_add=True)),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_label', models.CharField(blank=True, max_length=128)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('remainder', models.CharField(blank=True, max_length=1024)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='mirror.account')),
                    ('change_set', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('entity', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='mirror.entity')),
                    ('fact', models.CharField(blank=True, default='', help_text='The setting of the account, where it is of no entity.', max_length=32)),
                    ('impact', models.JSONField(default=dict, help_text='Who can do what since then, as a receipt tells it.')),
                    ('weight', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Place of its risk, see effect.weight_of: from 2 on it is critical.')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('change_set__isnull', False)), fields=['change_set'], name='drift_undoing'), models.Index(condition=models.Q(('state', 'open')), fields=['-weight', '-seen_at', '-id', 'account', 'entity'], name='drift_open'), models.Index(condition=models.Q(('state', 'open')), fields=['account', '-weight', '-seen_at', '-id'], name='drift_open_account'), models.Index(condition=models.Q(('state', 'open')), fields=['kind', '-weight', '-seen_at', '-id'], name='drift_open_kind'), models.Index(fields=['state', '-weight', '-seen_at', '-id'], name='drift_by_state'), models.Index(fields=['account', 'state', '-weight', '-seen_at', '-id'], name='drift_by_account')],
                    'constraints': [models.UniqueConstraint(fields=('entity', 'seen_at'), name='one_drift_a_moment'), models.UniqueConstraint(condition=models.Q(('entity__isnull', True)), fields=('account', 'fact', 'seen_at'), name='one_drift_of_a_setting_a_moment')],
                },
            ),
        ]),
    ]
