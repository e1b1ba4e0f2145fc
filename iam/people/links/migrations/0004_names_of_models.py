"""Models are called by what they hold; their tables keep their names.

Other applications refer to the model by its former name while their tables are made, so they come first.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("people_enrolment", "0001_initial"),
        ("people_links", "0003_rotation_links"),
        ("people_replacing", "0003_words_of_channels"),
        ("people_rotation", "0008_reason_of_run"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Link", "OneTimeLink"),
                migrations.AlterModelTable("onetimelink", "people_links_link"),
            ]
        )
    ]
