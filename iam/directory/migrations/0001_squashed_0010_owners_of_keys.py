"""All of the migrations up to 0010_owners_of_keys at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether

text_search = import_module("iam.directory.migrations.0005_text_search")


class Migration(migrations.Migration):
    replaces = [
        ("directory", "0001_initial"),
        ("directory", "0002_appointments"),
        ("directory", "0003_ties"),
        ("directory", "0004_owned_users"),
        ("directory", "0005_text_search"),
        ("directory", "0006_was_approver"),
        ("directory", "0007_ends_of_auditors"),
        ("directory", "0008_named_owners"),
        ("directory", "0009_audit_scope"),
        ("directory", "0010_owners_of_keys"),
    ]

    initial = True

    dependencies = [
        ("journal", "0004_text_search"),
        ("mirror", "0005_search_index"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Person',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=128)),
                    ('email', models.EmailField(max_length=254, unique=True)),
                    ('is_active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('was_approver', models.BooleanField(default=False, editable=False)),
                ],
                options={
                    'verbose_name_plural': 'people',
                },
            ),
            migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(unique=True)),
                    ('name', models.CharField(max_length=128)),
                    ('description', models.CharField(blank=True, max_length=512)),
                ],
            ),
            migrations.CreateModel(
                name='Identity',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user_arn', models.CharField(max_length=2048, unique=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='directory.person')),
                    ('aws_id', models.CharField(blank=True, db_index=True, default='', max_length=128)),
                    ('linked_at', models.DateTimeField(auto_now_add=True, null=True)),
                    ('linked_by', models.CharField(blank=True, default='', max_length=128)),
                    ('tie', models.CharField(choices=[('hand', 'linked by hand'), ('confirmed', 'confirmed'), ('joined', 'made for them')], default='hand', max_length=12)),
                ],
                options={
                    'verbose_name_plural': 'identities',
                },
            ),
            migrations.CreateModel(
                name='RoleAssignment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('administrator', 'Administrator'), ('approver', 'Approver'), ('team-lead', 'Team lead'), ('member', 'Member'), ('auditor', 'Auditor')], max_length=16)),
                    ('account_id', models.CharField(blank=True, max_length=12)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='directory.person')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='directory.team')),
                    ('until', models.DateTimeField(help_text='When it ends without anyone’s doing (auditors only).', null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('team__isnull', True)), fields=('person', 'role', 'account_id'), name='role_once'), models.UniqueConstraint(condition=models.Q(('team__isnull', False)), fields=('person', 'role', 'account_id', 'team'), name='role_once_a_team'), models.CheckConstraint(condition=models.Q(models.Q(('role', 'team-lead'), ('team__isnull', False)), models.Q(models.Q(('role', 'team-lead'), _negated=True), ('team__isnull', True)), _connector='OR'), name='a_team_lead_leads_a_team'), models.CheckConstraint(condition=models.Q(('role', 'auditor'), ('until__isnull', True), _connector='OR'), name='an_auditor_alone_ends')],
                },
            ),
            migrations.CreateModel(
                name='TeamRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('group', 'is a member of the IAM group'), ('path', 'lies under the path')], max_length=8)),
                    ('account_id', models.CharField(blank=True, max_length=12)),
                    ('value', models.CharField(max_length=512)),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='directory.team')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'kind', 'account_id', 'value'), name='team_rule_once')],
                },
            ),
            migrations.CreateModel(
                name='Appointment',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('role', models.CharField(choices=[('administrator', 'Administrator'), ('approver', 'Approver'), ('team-lead', 'Team lead'), ('member', 'Member'), ('auditor', 'Auditor')], max_length=16)),
                    ('account_id', models.CharField(blank=True, max_length=12)),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='waiting', max_length=12)),
                    ('asked_by', models.UUIDField()),
                    ('asked_label', models.CharField(max_length=128)),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_label', models.CharField(blank=True, max_length=128)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='appointments', to='directory.person')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('person', 'role', 'account_id'), name='one_appointment_waits')],
                },
            ),
            migrations.CreateModel(
                name='OwnedUser',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account_id', models.CharField(max_length=12)),
                    ('aws_id', models.CharField(max_length=512, unique=True)),
                    ('user_arn', models.CharField(max_length=2048)),
                    ('set_by', models.CharField(max_length=128)),
                    ('set_at', models.DateTimeField(auto_now_add=True)),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='owned_users', to='directory.team')),
                ],
                options={
                    'verbose_name': 'machine user',
                },
            ),
            migrations.CreateModel(
                name='NamedOwner',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('identity', 'IAM user or role'), ('key', 'Access key'), ('grant', 'Grant')], max_length=8)),
                    ('subject', models.CharField(max_length=512)),
                    ('account_id', models.CharField(blank=True, max_length=12)),
                    ('name', models.CharField(max_length=512)),
                    ('set_by', models.CharField(max_length=128)),
                    ('set_at', models.DateTimeField(auto_now=True)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='named_for', to='directory.person')),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='named_for', to='directory.team')),
                ],
                options={
                    'verbose_name': 'owned identity or grant',
                    'verbose_name_plural': 'owned identities and grants',
                    'constraints': [models.UniqueConstraint(fields=('kind', 'subject'), name='one_named_owner'), models.CheckConstraint(condition=models.Q(models.Q(('person__isnull', True), ('team__isnull', False)), models.Q(('person__isnull', False), ('team__isnull', True)), _connector='OR'), name='a_person_or_a_team_owns')],
                },
            ),
            migrations.CreateModel(
                name='AuditScope',
                fields=[
                    ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='audit_scope', serialize=False, to='directory.person')),
                    ('frameworks', models.JSONField(default=list)),
                    ('packs', models.JSONField(default=list)),
                    ('since', models.DateTimeField(null=True)),
                    ('until', models.DateTimeField(null=True)),
                    ('set_by', models.CharField(max_length=128)),
                    ('set_at', models.DateTimeField()),
                ],
            ),
        ]),
        migrations.RunPython(text_search.create, text_search.drop),
    ]
