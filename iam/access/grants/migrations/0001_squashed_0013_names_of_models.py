"""All of the migrations up to 0013_names_of_models at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether

text_search = import_module("iam.access.grants.migrations.0012_text_search")


class Migration(migrations.Migration):
    replaces = [
        ("grants", "0001_initial"),
        ("grants", "0002_trouble_at_the_end"),
        ("grants", "0003_later_ends_and_trials"),
        ("grants", "0004_followed_acts"),
        ("grants", "0005_what_takes_away"),
        ("grants", "0006_parts_that_end"),
        ("grants", "0007_what_is_meant_through_renaming"),
        ("grants", "0008_large_grants_are_prepared"),
        ("grants", "0009_an_end_that_is_undone"),
        ("grants", "0010_withdrawn_while_it_is_prepared"),
        ("grants", "0011_plain_labels"),
        ("grants", "0012_text_search"),
        ("grants", "0013_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("changes", "0004_lanes_of_a_set"),
        ("changes", "0005_stages_of_approval"),
        ("changes", "0006_notes_of_a_set"),
        ("mirror", "0005_search_index"),
        ("mirror", "0009_revisions"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Grant',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('title', models.CharField(max_length=512)),
                    ('terms', models.JSONField()),
                    ('who_kind', models.CharField(max_length=16)),
                    ('what_kind', models.CharField(max_length=16)),
                    ('template', models.CharField(blank=True, max_length=64)),
                    ('template_version', models.PositiveIntegerField(default=0)),
                    ('state', models.CharField(choices=[('preparing', 'Preparing'), ('waiting', 'Waiting for approval'), ('applying', 'Setting up'), ('active', 'Active'), ('partly', 'Partly active'), ('ending', 'Ending'), ('ended', 'Ended'), ('failed', 'Failed'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired'), ('refused', 'Not submitted')], default='waiting', max_length=16)),
                    ('idempotency_key', models.CharField(max_length=128, unique=True)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('begins_at', models.DateTimeField(null=True)),
                    ('ends_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('warned_for', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('extends_to', models.DateTimeField(help_text='The later end that is asked for.', null=True)),
                    ('planned_end', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['-created_at', '-id'], name='grant_newest'), models.Index(fields=['state', '-created_at', '-id'], name='grant_newest_state'), models.Index(fields=['requested_by', '-created_at'], name='grant_by_requester'), models.Index(condition=models.Q(('state__in', ['active', 'partly'])), fields=['ends_at'], name='grant_ending'), models.Index(condition=models.Q(('template', ''), _negated=True), fields=['template', 'template_version'], name='grant_by_template')],
                },
            ),
            migrations.CreateModel(
                name='GrantPart',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('lane', models.PositiveSmallIntegerField(default=0)),
                    ('way', models.CharField(max_length=24)),
                    ('plan', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('preparing', 'Preparing'), ('waiting', 'Waiting for approval'), ('applying', 'Setting up'), ('active', 'Active'), ('partly', 'Partly active'), ('ending', 'Ending'), ('ended', 'Ended'), ('failed', 'Failed'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired'), ('refused', 'Not submitted')], default='waiting', max_length=16)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.account')),
                    ('change_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('ending_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='grants.grant')),
                    ('trouble', models.CharField(blank=True, help_text='Why its end could not even be begun, when that was last tried.', max_length=1024)),
                    ('extending_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('retry_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'ending')), fields=['grant'], name='part_ending')],
                    'constraints': [models.UniqueConstraint(fields=('grant', 'account'), name='one_part_per_account')],
                },
            ),
            migrations.CreateModel(
                name='GrantVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveSmallIntegerField()),
                    ('act', models.CharField(choices=[('asked', 'Requested'), ('reduced', 'Reduced'), ('extended', 'Extension requested'), ('renewed', 'Extended'), ('shortened', 'Shortened'), ('retried', 'Retried'), ('ended', 'Ended early'), ('ran_out', 'Ran out'), ('returned', 'Restored'), ('followed', 'Updated to a template version'), ('withdrawn', 'Withdrawn')], max_length=16)),
                    ('terms', models.JSONField()),
                    ('by_id', models.UUIDField(null=True)),
                    ('by_label', models.CharField(max_length=128)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='grants.grant')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('grant', 'number'), name='one_version_per_number')],
                },
            ),
            migrations.CreateModel(
                name='LedgerEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('holder_arn', models.CharField(max_length=2048)),
                    ('sort', models.CharField(choices=[('member', 'Membership of a group'), ('attached', 'Attached policy'), ('inline', 'Inline policy'), ('trust', 'Statement of a trust policy'), ('policy', 'Policy created for the grant'), ('role', 'Role created for the grant')], max_length=12)),
                    ('target', models.CharField(max_length=2048)),
                    ('stood_before', models.BooleanField(default=False)),
                    ('since', models.DateTimeField(null=True)),
                    ('until', models.DateTimeField(null=True)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.account')),
                    ('change', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('entity', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='grants.grantpart')),
                    ('ended_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('target_entity', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                ],
                options={
                    'indexes': [models.Index(fields=['account', 'holder_arn', 'sort', 'target'], name='entry_by_permission'), models.Index(fields=['entity', 'since'], name='entry_by_entity'), models.Index(fields=['change'], name='entry_by_change')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('until__isnull', True)), fields=('part', 'account', 'holder_arn', 'sort', 'target'), name='one_open_reason')],
                },
            ),
            migrations.CreateModel(
                name='GrantPreparation',
                fields=[
                    ('grant', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='preparation', serialize=False, to='grants.grant')),
                    ('accepts_end', models.BooleanField(default=False)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('problems', models.JSONField(default=list)),
                ],
                options={
                    'db_table': 'grants_preparation',
                },
            ),
        ]),
        migrations.RunPython(text_search.create, text_search.drop),
    ]
