"""What a policy says, in words: sentences that claim nothing that its statements do not say. Pure."""

from iam.policy.sentences.from_statements import sentences_of
from iam.policy.sentences.sentence import PolicySentence, SentenceClaim, in_short

__all__ = ["PolicySentence", "SentenceClaim", "in_short", "sentences_of"]
