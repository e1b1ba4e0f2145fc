"""All of the migrations up to 0003_past_assessments at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("audit_frameworks", "0001_initial"),
        ("audit_frameworks", "0002_assessment_mark"),
        ("audit_frameworks", "0003_past_assessments"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0016_trails"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='ComplianceScope',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(unique=True)),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('terms', models.JSONField()),
                    ('changed_by', models.CharField(max_length=200)),
                    ('changed_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='FrameworkAssessment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=32, unique=True)),
                    ('framework', models.CharField(max_length=40)),
                    ('inputs', models.CharField(max_length=32)),
                    ('evaluated_at', models.DateTimeField()),
                    ('parts', models.JSONField(default=dict)),
                    ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                    ('scope', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audit_frameworks.compliancescope')),
                    ('moment', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['framework', 'scope', 'account'], name='assessment_of_framework'), models.Index(condition=models.Q(('moment__isnull', False)), fields=['moment'], name='past_assessment')],
                },
            ),
            migrations.CreateModel(
                name='FrameworkSummary',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=32, unique=True)),
                    ('framework', models.CharField(max_length=40)),
                    ('moment', models.DateTimeField(null=True)),
                    ('requested_at', models.DateTimeField(null=True)),
                    ('updated_at', models.DateTimeField(null=True)),
                    ('results', models.JSONField(default=dict)),
                    ('scope', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audit_frameworks.compliancescope')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('updated_at__isnull', True)), fields=['requested_at'], name='summary_waits')],
                },
            ),
            migrations.CreateModel(
                name='RequirementChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('framework', models.CharField(max_length=40)),
                    ('requirement', models.CharField(max_length=16)),
                    ('at', models.DateTimeField()),
                    ('before', models.CharField(blank=True, max_length=16)),
                    ('state', models.CharField(max_length=16)),
                    ('reason', models.CharField(blank=True, max_length=1000)),
                    ('scope', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audit_frameworks.compliancescope')),
                ],
                options={
                    'indexes': [models.Index(fields=['framework', 'requirement', 'at'], name='requirement_history'), models.Index(fields=['framework', 'at'], name='framework_history')],
                },
            ),
            migrations.CreateModel(
                name='RequirementDecision',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('framework', models.CharField(max_length=40)),
                    ('requirement', models.CharField(max_length=16)),
                    ('kind', models.CharField(max_length=16)),
                    ('state', models.CharField(choices=[('requested', 'Waiting for approval'), ('in-force', 'In force'), ('declined', 'Declined'), ('ended', 'Ended')], max_length=10)),
                    ('reason', models.CharField(max_length=1000)),
                    ('covers', models.JSONField(default=list)),
                    ('until', models.DateTimeField()),
                    ('requested_by', models.UUIDField()),
                    ('requested_name', models.CharField(max_length=200)),
                    ('requested_at', models.DateTimeField()),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_name', models.CharField(blank=True, max_length=200)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('from_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('ended_name', models.CharField(blank=True, max_length=200)),
                    ('scope', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit_frameworks.compliancescope')),
                ],
                options={
                    'indexes': [models.Index(fields=['framework', 'requirement'], name='decision_of_requirement')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('scope__isnull', False), ('state', 'requested')), fields=('framework', 'requirement', 'kind', 'scope'), name='one_requested_decision'), models.UniqueConstraint(condition=models.Q(('scope__isnull', True), ('state', 'requested')), fields=('framework', 'requirement', 'kind'), name='one_requested_decision_of_all')],
                },
            ),
            migrations.CreateModel(
                name='AssessmentMark',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('framework', models.CharField(max_length=40)),
                    ('at', models.DateTimeField()),
                    ('by', models.UUIDField()),
                    ('by_name', models.CharField(max_length=200)),
                    ('counts', models.JSONField(default=dict, help_text='How many requirements were in each state.')),
                    ('scope', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audit_frameworks.compliancescope')),
                ],
                options={
                    'indexes': [models.Index(fields=['framework', '-at'], name='last_assessment')],
                },
            ),
        ]),
    ]
