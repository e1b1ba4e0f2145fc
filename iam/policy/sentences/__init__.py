"""Describes policies in sentences that claim nothing beyond the statements. Without side effects."""

from iam.policy.sentences.from_statements import sentences_of
from iam.policy.sentences.sentence import PolicySentence, SentenceClaim, in_short, riskiest_first

__all__ = ["PolicySentence", "SentenceClaim", "in_short", "riskiest_first", "sentences_of"]
