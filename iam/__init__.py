"""The domain of IAM: the mirror, the changes and the people. It knows no HTTP requests and no templates."""
