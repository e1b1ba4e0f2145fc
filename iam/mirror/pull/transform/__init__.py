"""Turn what iam.aws reads into what the loader compares; nothing here touches the database."""
