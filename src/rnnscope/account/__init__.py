"""The account: both halves of the story of a network, in one object."""

from rnnscope.account.account import Account
from rnnscope.account.comparison import AccountComparison, compare_accounts
from rnnscope.account.explain import explain
from rnnscope.account.options import ExplainOptions

__all__ = ["Account", "AccountComparison", "ExplainOptions", "compare_accounts", "explain"]
