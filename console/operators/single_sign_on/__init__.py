"""Single sign-on: what an identity provider says is validated here before anybody is signed in."""
