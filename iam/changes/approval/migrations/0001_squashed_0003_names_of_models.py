"""All of the migrations up to 0003_names_of_models at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("approval", "0001_initial"),
        ("approval", "0002_reviews_are_reminded_of"),
        ("approval", "0003_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("changes", "0005_stages_of_approval"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='BreakGlass',
                fields=[
                    ('change_set', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='broken_glass', serialize=False, to='changes.changeset')),
                    ('used_by', models.UUIDField()),
                    ('used_label', models.CharField(max_length=128)),
                    ('reason', models.CharField(max_length=1024)),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('reviewed_by', models.UUIDField(null=True)),
                    ('reviewed_label', models.CharField(blank=True, max_length=128)),
                    ('reviewed_at', models.DateTimeField(null=True)),
                    ('verdict', models.CharField(blank=True, choices=[('accept', 'Accepted'), ('undo', 'To be undone')], max_length=8)),
                    ('comment', models.CharField(blank=True, max_length=1024)),
                    ('is_alone', models.BooleanField(default=False, help_text='Single-operator mode: reviewed by who used it.')),
                    ('remind_at', models.DateTimeField(help_text='When those who have to review it are told of it again.', null=True)),
                    ('reminded', models.PositiveSmallIntegerField(default=0)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('reviewed_at__isnull', True)), fields=['at'], name='glass_not_reviewed')],
                },
            ),
            migrations.CreateModel(
                name='Requirement',
                fields=[
                    ('change_set', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='requirement', serialize=False, to='changes.changeset')),
                    ('digest', models.CharField(max_length=64)),
                    ('version', models.PositiveIntegerField(default=0)),
                    ('stages', models.JSONField()),
                    ('because', models.JSONField(default=list)),
                    ('notes', models.JSONField(default=list)),
                    ('stage', models.PositiveSmallIntegerField(default=0)),
                    ('wait_hours', models.PositiveIntegerField()),
                    ('remind_hours', models.PositiveIntegerField(default=0)),
                    ('escalate_to', models.JSONField(default=list)),
                    ('break_glass', models.JSONField(default=list)),
                    ('remind_at', models.DateTimeField(null=True)),
                    ('escalate_at', models.DateTimeField(null=True)),
                    ('reminded', models.PositiveSmallIntegerField(default=0)),
                    ('escalated_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('remind_at__isnull', False)), fields=['remind_at'], name='approval_remind'), models.Index(condition=models.Q(('escalate_at__isnull', False)), fields=['escalate_at'], name='approval_escalate')],
                },
            ),
            migrations.CreateModel(
                name='RuleSet',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(default=0)),
                    ('base', models.PositiveIntegerField(default=0)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('proposed', 'Waiting for approval'), ('active', 'In force'), ('superseded', 'Replaced'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='draft', max_length=12)),
                    ('body', models.JSONField()),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('author_id', models.UUIDField()),
                    ('author_label', models.CharField(max_length=128)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('proposed_at', models.DateTimeField(null=True)),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_label', models.CharField(blank=True, max_length=128)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('comment', models.CharField(blank=True, max_length=1024)),
                    ('is_alone', models.BooleanField(default=False)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('state',), name='one_version_of_the_rules_in_force'), models.UniqueConstraint(condition=models.Q(('number__gt', 0)), fields=('number',), name='one_version_of_the_rules_per_number'), models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('author_id',), name='one_draft_of_the_rules_per_author')],
                },
            ),
            migrations.CreateModel(
                name='StageDecider',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=8)),
                    ('value', models.CharField(max_length=64)),
                    ('requirement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ballots', to='approval.requirement')),
                ],
                options={
                    'indexes': [models.Index(fields=['kind', 'value'], name='ballot_of_whom')],
                    'constraints': [models.UniqueConstraint(fields=('requirement', 'kind', 'value'), name='one_ballot_each')],
                    'db_table': 'approval_ballot',
                },
            ),
        ]),
    ]
