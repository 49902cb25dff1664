"""Rules: phrases that decide, in order."""

from rnnscope.rules.matching import Matcher
from rnnscope.rules.rule_list import Firing, Rule, RuleList

__all__ = ["Firing", "Matcher", "Rule", "RuleList"]
