"""Hand-built networks whose rules and attractors are known exactly."""

from rnnscope.synthetic.lexicon import lexicon_network

__all__ = ["lexicon_network"]
