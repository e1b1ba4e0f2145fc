"""Describes who can assume a role through a SAML provider or an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iam.policy.letter_case import fold
from iam.policy.trust_conditions import TrustRequirement
from iam.policy.trust_principals import TrustPrincipal
from iam.policy.trust_sentence_parts import TrustSentence, condition_phrases
from iam.policy.trust_web import COGNITO, WebSubject, is_eks, issuer_words, read_subjects

SAML_SIGN_IN = ("https://signin.aws.amazon.com/saml", "https://*.signin.aws.amazon.com/saml")


def saml_sentence(principal: TrustPrincipal, tests: tuple[TrustRequirement, ...]) -> TrustSentence:
    """Return the sentence on the people of a SAML provider."""
    who = f"People who sign in through the SAML provider {principal.name}"
    how, rest, audience = [], [], False
    for test in tests:
        if test.name == "saml:aud" and test.asks_for:
            audience = True
            usual = set(test.values) <= set(SAML_SIGN_IN)
            place = "at the AWS sign-in page" if usual else f"at {', '.join(test.values)}"
            how.append(place)
        elif test.name.startswith("saml:") and test.asks_for:
            how.append(f"with {test.key[5:]} = {', '.join(test.values)}")
        else:
            rest.append(test)
    phrases, literal = condition_phrases(tuple(rest))
    notes = (
        ()
        if audience
        else ("There’s no audience condition: assertions made for other services are accepted too",)
    )
    tone = "ok" if audience else "warn"
    return TrustSentence(
        who=who,
        how=(*how, *phrases),
        notes=notes,
        literal=literal,
        tone=tone,
        badge="SAML",
        kind="saml",
        principal=principal.text,
        account_id=principal.account_id,
    )


def web_sentences(principal: TrustPrincipal, tests: tuple[TrustRequirement, ...]) -> Iterator[TrustSentence]:
    """Yield a sentence for each subject of an OpenID Connect provider."""
    issuer = principal.name
    subjects, explained = read_subjects(issuer, tests)
    rest, notes = [], []
    audience = False
    for test in tests:
        if test in explained:
            continue
        if test.name == fold(f"{issuer}:aud") and test.asks_for:
            audience = True
            if test.values != ("sts.amazonaws.com",):
                notes.append(f"For the audience {', '.join(test.values)}")
        elif test.name == f"{COGNITO}:amr" and set(test.values) <= {"authenticated", "unauthenticated"}:
            signed_in = "without signing in" if "unauthenticated" in test.values else "who signed in"
            subjects = [replace(subject, phrase=signed_in) for subject in subjects]
        else:
            rest.append(test)
    if not audience:
        notes.append("There’s no audience condition")
    phrases, literal = condition_phrases(tuple(rest))
    for subject in subjects:
        yield _web_sentence(subject, principal, phrases, tuple(notes), literal)


def _web_sentence(
    subject: WebSubject,
    principal: TrustPrincipal,
    phrases: tuple[str, ...],
    notes: tuple[str, ...],
    literal: tuple[str, ...],
) -> TrustSentence:
    name = issuer_words(principal.name)
    how = (subject.phrase, *phrases) if subject.phrase else phrases
    all_notes = (subject.note, *notes) if subject.note else notes
    badge = "Web identity"
    if is_eks(principal.name):
        badge = "EKS"
    elif name != principal.name:
        badge = name
    return TrustSentence(
        who=subject.who,
        how=how,
        notes=all_notes,
        literal=literal,
        tone=subject.tone,
        badge=badge,
        kind="web",
        principal=principal.text,
        account_id=principal.account_id,
    )
