"""What is true about IAM: the mirror, the changes, the people; knows no HTTP request and no template."""
