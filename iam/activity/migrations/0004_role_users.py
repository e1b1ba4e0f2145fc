from django.db import migrations, models

COLUMNS = "role_arn, name, person, last_at"
SESSIONS = f"""
INSERT INTO activity_role_user ({COLUMNS})
SELECT caller.arn, lower(event.session_name), event.person, max(event.at)
FROM activity_event event JOIN activity_caller caller ON caller.id = event.caller_id
WHERE caller.kind = 'role' AND length(caller.arn) BETWEEN 1 AND 512 AND event.session_name <> ''
  AND (caller.arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%' OR event.session_name LIKE '%@%')
GROUP BY 1, 2, 3
"""
SIGN_INS = f"""
INSERT INTO activity_role_user ({COLUMNS})
SELECT event.resource, lower(caller.name), event.person, max(event.at)
FROM activity_event event JOIN activity_caller caller ON caller.id = event.caller_id
WHERE caller.kind = 'federated' AND event.action = 'AssumeRoleWithSAML' AND event.error_code = ''
  AND caller.name <> '' AND length(event.resource) BETWEEN 1 AND 512
GROUP BY 1, 2, 3
ON CONFLICT (role_arn, name, person) DO NOTHING
"""


def note_earlier_events(apps, schema_editor):
    """Users of roles whom events named before this table was there."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(SESSIONS)
        cursor.execute(SIGN_INS)


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0003_calls_by_action'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoleUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role_arn', models.CharField(blank=True, max_length=2048)),
                ('name', models.CharField(blank=True, max_length=256)),
                ('person', models.CharField(blank=True, max_length=256)),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'activity_role_user',
                'indexes': [models.Index(condition=models.Q(('name', ''), _negated=True), fields=['name'], name='role_user_by_name'), models.Index(condition=models.Q(('person', ''), _negated=True), fields=['person'], name='role_user_by_person')],
                'constraints': [models.UniqueConstraint(fields=('role_arn', 'name', 'person'), name='one_row_per_role_user')],
            },
        ),
        migrations.RunPython(note_earlier_events, migrations.RunPython.noop, elidable=True),
    ]
