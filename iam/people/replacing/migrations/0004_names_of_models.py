"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people_replacing", "0003_words_of_channels")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Replacement", "DeviceReplacement"),
                migrations.AlterModelTable("devicereplacement", "people_replacing_replacement"),
            ]
        )
    ]
