"""All of the migrations up to 0006_returned_sign_offs at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether

first = import_module("iam.audit.reviews.migrations.0001_initial")


class Migration(migrations.Migration):
    replaces = [
        ("audit_reviews", "0001_initial"),
        ("audit_reviews", "0002_decided"),
        ("audit_reviews", "0003_deciders"),
        ("audit_reviews", "0004_updates_of_rows"),
        ("audit_reviews", "0005_frozen_campaigns"),
        ("audit_reviews", "0006_returned_sign_offs"),
    ]

    initial = True

    dependencies = [
        ("changes", "0011_confidential_notes"),
        ("mirror", "0016_trails"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='ReviewItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('subject_kind', models.CharField(choices=[('person', 'Person'), ('machine', 'Machine user'), ('workload', 'Service role'), ('third', 'Third party'), ('role', 'Role')], max_length=8)),
                    ('subject', models.CharField(max_length=512)),
                    ('person_id', models.UUIDField(null=True)),
                    ('person_name', models.CharField(blank=True, max_length=128)),
                    ('is_administrator', models.BooleanField(default=False)),
                    ('sort', models.CharField(choices=[('member', 'Group'), ('attached', 'Managed policy'), ('inline', 'Inline policy')], max_length=8)),
                    ('target', models.CharField(max_length=2048)),
                    ('target_name', models.CharField(max_length=512)),
                    ('since', models.DateTimeField(null=True)),
                    ('use', models.CharField(choices=[('used', 'Used'), ('unused', 'No use recorded'), ('unknown', 'Unknown')], max_length=8)),
                    ('last_used_at', models.DateTimeField(null=True)),
                    ('why', models.JSONField(default=list)),
                    ('peers_of', models.CharField(blank=True, max_length=128)),
                    ('peers', models.PositiveIntegerField(default=0)),
                    ('peers_with', models.PositiveIntegerField(default=0)),
                    ('sod', models.JSONField(default=list)),
                    ('replay', models.JSONField(default=dict)),
                    ('reviewer_id', models.UUIDField(null=True)),
                    ('reviewer_name', models.CharField(blank=True, max_length=128)),
                    ('decision', models.CharField(blank=True, choices=[('', 'Not decided'), ('keep', 'Keep'), ('revoke', 'Revoke'), ('reduce', 'Reduce to what was used')], default='', max_length=8)),
                    ('decision_reason', models.CharField(blank=True, max_length=1000)),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_name', models.CharField(blank=True, max_length=128)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('version', models.PositiveIntegerField(default=0)),
                    ('is_requested', models.BooleanField(default=False)),
                    ('trouble', models.CharField(blank=True, max_length=500)),
                    ('access', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audit_reviews.reviewaccess')),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.account')),
                    ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='audit_reviews.reviewcampaign')),
                    ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('target_entity', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                ],
                options={
                    'indexes': [models.Index(fields=['campaign', 'subject', 'id'], name='review_rows'), models.Index(fields=['campaign', 'decision', 'subject', 'id'], name='review_rows_decided'), models.Index(fields=['campaign', 'reviewer_id', 'subject', 'id'], name='review_rows_of_reviewer'), models.Index(fields=['entity', 'campaign'], name='review_rows_of_entity'), models.Index(fields=['reviewer_id', 'decision'], name='review_rows_waiting'), models.Index(fields=['campaign', 'decided_by'], name='review_rows_of_decider')],
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'entity', 'sort', 'target'), name='one_review_row_of_an_access')],
                },
            ),
            migrations.CreateModel(
                name='ReviewCampaign',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('asking', 'Submitting'), ('asked', 'Requested'), ('waiting', 'Waiting for approval'), ('running', 'In progress'), ('done', 'Done'), ('partly', 'Done in part'), ('closed', 'Cancelled')], default='draft', max_length=8)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('source', models.CharField(blank=True, max_length=128)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('asked_at', models.DateTimeField(null=True)),
                    ('name', models.CharField(max_length=120)),
                    ('terms', models.JSONField()),
                    ('owner_id', models.UUIDField()),
                    ('reviewer_id', models.UUIDField()),
                    ('second_reviewer_id', models.UUIDField()),
                    ('due_at', models.DateTimeField()),
                    ('next_at', models.DateTimeField(null=True)),
                    ('series', models.UUIDField(default=uuid.uuid4)),
                    ('cursor', models.BigIntegerField(default=0)),
                    ('is_complete', models.BooleanField(default=False)),
                    ('facts', models.JSONField(default=dict)),
                    ('opened_at', models.DateTimeField(null=True)),
                    ('overdue_at', models.DateTimeField(null=True)),
                    ('signed_by', models.UUIDField(null=True)),
                    ('signed_name', models.CharField(blank=True, max_length=128)),
                    ('signed_at', models.DateTimeField(null=True)),
                    ('signed_note', models.CharField(blank=True, max_length=1000)),
                    ('acknowledged_by', models.UUIDField(null=True)),
                    ('acknowledged_name', models.CharField(blank=True, max_length=128)),
                    ('acknowledged_at', models.DateTimeField(null=True)),
                    ('acknowledged_note', models.CharField(blank=True, max_length=1000)),
                    ('digest', models.CharField(blank=True, help_text='SHA-256 of its rows when it was frozen.', max_length=64)),
                    ('decided', models.PositiveIntegerField(default=0, help_text='How many of its rows are decided.')),
                    ('returned_by', models.UUIDField(help_text='Who sent it back last, instead of acknowledging it.', null=True)),
                    ('returned_name', models.CharField(blank=True, max_length=128)),
                    ('returned_at', models.DateTimeField(null=True)),
                    ('returned_note', models.CharField(blank=True, max_length=1000)),
                ],
                options={
                    'indexes': [models.Index(fields=['-created_at', '-id'], name='review_newest'), models.Index(fields=['state', 'due_at'], name='review_due'), models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='review_next')],
                },
            ),
            migrations.CreateModel(
                name='ReviewAccess',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=32)),
                    ('lines', models.JSONField(default=list)),
                    ('more', models.PositiveIntegerField(default=0)),
                    ('warning', models.CharField(blank=True, max_length=300)),
                    ('unread', models.PositiveIntegerField(default=0)),
                    ('texts', models.JSONField(default=list)),
                    ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='accesses', to='audit_reviews.reviewcampaign')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('campaign', 'key'), name='one_access_of_a_key')],
                },
            ),
            migrations.CreateModel(
                name='ReviewTrial',
                fields=[
                    ('row', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='trial', serialize=False, to='audit_reviews.reviewitem')),
                    ('began_at', models.DateTimeField()),
                    ('until', models.DateTimeField()),
                    ('checked_at', models.DateTimeField(null=True)),
                    ('returned_at', models.DateTimeField(null=True)),
                    ('returned_name', models.CharField(blank=True, max_length=128)),
                    ('denied', models.CharField(blank=True, max_length=300)),
                    ('trouble', models.CharField(blank=True, max_length=500)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('returned_at__isnull', True)), fields=['until'], name='review_trial_open')],
                },
            ),
            migrations.CreateModel(
                name='ReviewChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('is_return', models.BooleanField(default=False)),
                    ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('row', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='audit_reviews.reviewitem')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('row', 'change'), name='one_change_of_a_row')],
                },
            ),
            migrations.CreateModel(
                name='SodRule',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=120)),
                    ('reason', models.CharField(max_length=1000)),
                    ('terms', models.JSONField()),
                    ('status', models.CharField(choices=[('requested', 'Waiting for approval'), ('active', 'Active'), ('retired', 'Retired'), ('declined', 'Declined')], default='requested', max_length=10)),
                    ('requested_by', models.UUIDField()),
                    ('requested_name', models.CharField(max_length=128)),
                    ('requested_at', models.DateTimeField()),
                    ('retirement_reason', models.CharField(blank=True, max_length=1000)),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_name', models.CharField(blank=True, max_length=128)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ('requested', 'active'))), fields=('name',), name='one_sod_rule_of_a_name')],
                },
            ),
        ]),
        migrations.RunPython(first.protect, first.expose),
    ]
