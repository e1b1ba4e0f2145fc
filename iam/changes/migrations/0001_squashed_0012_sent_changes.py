"""All of the migrations up to 0012_sent_changes at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether

text_search = import_module("iam.changes.migrations.0010_text_search")


class Migration(migrations.Migration):
    replaces = [
        ("changes", "0001_initial"),
        ("changes", "0002_newest_and_undoing"),
        ("changes", "0003_sets_as_a_whole"),
        ("changes", "0004_lanes_of_a_set"),
        ("changes", "0005_stages_of_approval"),
        ("changes", "0006_notes_of_a_set"),
        ("changes", "0007_waiting_of_a_subject"),
        ("changes", "0008_summary_of_a_set"),
        ("changes", "0009_words_of_states"),
        ("changes", "0010_text_search"),
        ("changes", "0011_confidential_notes"),
        ("changes", "0012_sent_changes"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0001_initial"),
        ("mirror", "0005_search_index"),
        ("mirror", "0008_teams_by_path"),
        ("mirror", "0009_revisions"),
        ("mirror", "0018_plain_apostrophes"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='ChangeSet',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('cause_id', models.UUIDField(null=True)),
                    ('cause_kind', models.CharField(blank=True, default='', max_length=32)),
                    ('receipt', models.JSONField(default=dict)),
                    ('title', models.CharField(blank=True, default='', max_length=512)),
                    ('notes', models.JSONField(default=list)),
                    ('summary', models.JSONField(default=list)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('cause_kind', ''), _negated=True), fields=['cause_kind', 'cause_id'], name='change_set_by_cause')],
                },
            ),
            migrations.CreateModel(
                name='Change',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('position', models.PositiveSmallIntegerField(default=0)),
                    ('operation', models.CharField(max_length=64)),
                    ('title', models.CharField(max_length=512)),
                    ('subject_kind', models.CharField(max_length=20)),
                    ('subject_id', models.CharField(help_text='The unique id that AWS gave the subject.', max_length=512)),
                    ('subject_arn', models.CharField(max_length=2048)),
                    ('params', models.JSONField()),
                    ('before', models.JSONField()),
                    ('after', models.JSONField()),
                    ('receipt', models.JSONField()),
                    ('receipt_digest', models.CharField(max_length=64)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('awaiting_approval', 'Waiting for approval'), ('queued', 'In progress'), ('applying', 'In progress'), ('confirming', 'In progress'), ('applied', 'Done'), ('failed', 'Failed'), ('unknown', 'Unknown'), ('rejected', 'Rejected'), ('cancelled', 'Withdrawn'), ('expired', 'Expired')], default='draft', max_length=20)),
                    ('idempotency_key', models.CharField(max_length=128, unique=True)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('reason', models.CharField(max_length=1024)),
                    ('not_before', models.DateTimeField(null=True)),
                    ('expires_at', models.DateTimeField(help_text='When an unanswered or unbegun change ends by itself.', null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('reads', models.PositiveSmallIntegerField(default=0, help_text='Observations since AWS accepted the calls.')),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('already_so', models.BooleanField(default=False, help_text='AWS was as wanted before anything was called.')),
                    ('calls', models.JSONField(default=list)),
                    ('request_ids', models.JSONField(default=list)),
                    ('error_kind', models.CharField(blank=True, max_length=16)),
                    ('error_message', models.CharField(blank=True, max_length=2048)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('requested_at', models.DateTimeField(null=True)),
                    ('queued_at', models.DateTimeField(null=True)),
                    ('applying_at', models.DateTimeField(null=True)),
                    ('confirming_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='mirror.account')),
                    ('entity', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('reverts', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reverted_by', to='changes.change')),
                    ('change_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='changes.changeset')),
                    ('results', models.JSONField(default=dict, help_text="What of AWS's answers is kept, such as ids; never a secret.")),
                    ('branch', models.PositiveSmallIntegerField(default=0)),
                    ('lane', models.PositiveSmallIntegerField(default=0)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'confirming'])), fields=['due_at'], name='change_due'), models.Index(condition=models.Q(('state', 'applying')), fields=['lease_until'], name='change_leased'), models.Index(condition=models.Q(('state__in', ['awaiting_approval', 'queued'])), fields=['expires_at'], name='change_expiring'), models.Index(fields=['account', '-created_at', '-id'], name='change_newest_account'), models.Index(fields=['state', '-created_at', '-id'], name='change_newest_state'), models.Index(fields=['requested_by', '-created_at'], name='change_by_requester'), models.Index(fields=['entity', '-created_at'], name='change_by_subject'), models.Index(fields=['-created_at', '-id', 'state', 'requested_by', 'entity'], name='change_newest'), models.Index(condition=models.Q(('reverts__isnull', False)), fields=['reverts'], name='change_undoing'), models.Index(condition=models.Q(('state', 'queued')), fields=['account', 'subject_id'], name='change_of_same_subject'), models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['account', 'sent_at', 'created_at'], name='change_sent')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['applying', 'confirming'])), fields=('account', 'subject_id'), name='one_change_in_flight_per_subject'), models.UniqueConstraint(fields=('change_set', 'position'), name='one_change_per_position')],
                },
            ),
            migrations.CreateModel(
                name='Approval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('approver_id', models.UUIDField()),
                    ('approver_label', models.CharField(max_length=128)),
                    ('decision', models.CharField(choices=[('approve', 'Approved'), ('reject', 'Rejected')], max_length=8)),
                    ('comment', models.CharField(blank=True, max_length=1024)),
                    ('receipt_digest', models.CharField(max_length=64)),
                    ('is_own_request', models.BooleanField(default=False, help_text='Single-operator mode: requester and approver are one.')),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('change_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='changes.changeset')),
                    ('stage', models.PositiveSmallIntegerField(default=0, help_text='The place of the stage that it was given in.')),
                ],
                options={
                    'indexes': [models.Index(fields=['approver_id', '-at'], name='approval_by_approver')],
                    'constraints': [models.UniqueConstraint(fields=('change_set', 'approver_id', 'decision', 'receipt_digest'), name='one_decision_each')],
                },
            ),
            migrations.CreateModel(
                name='ChangeEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(max_length=32)),
                    ('actor_id', models.UUIDField(null=True)),
                    ('actor_label', models.CharField(max_length=128)),
                    ('note', models.CharField(blank=True, max_length=2048)),
                    ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='changes.change')),
                ],
                options={
                    'indexes': [models.Index(fields=['change', 'id'], name='event_of_change')],
                },
            ),
        ]),
        migrations.RunPython(text_search.create, text_search.drop),
    ]
