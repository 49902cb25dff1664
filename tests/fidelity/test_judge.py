"""The judge and the baselines."""

from __future__ import annotations

import numpy as np
import pytest

from rnnscope.errors import DataError
from rnnscope.fidelity import BagOfWords, Majority, judge
from tests.rules.test_rule_list import rules_of

DOCUMENTS = [["good"], ["bad"], ["good", "film"], ["film"]] * 10
NETWORK = np.array([1, 0, 1, 0] * 10)


def test_agreement_accuracy_and_coverage_are_shares():
    rules = rules_of((("good",), 1), (("bad",), 1))
    labels = np.array([1, 1, 0, 0] * 10)
    fidelity = judge("rules", rules, DOCUMENTS, network=NETWORK, labels=labels)
    assert fidelity.agreement.value == 0.75
    assert fidelity.accuracy.value == 0.75
    assert fidelity.coverage == 0.75
    assert fidelity.size == 2
    assert judge("rules", rules, DOCUMENTS, network=NETWORK).accuracy is None
    assert fidelity.to_dict()["agreement"]["value"] == 0.75


def test_baselines():
    majority = Majority.fit(DOCUMENTS, np.array([0, 0, 1, 0] * 10))
    assert majority.predict(DOCUMENTS).tolist() == [0] * 40
    bag = BagOfWords.fit(DOCUMENTS, NETWORK)
    assert judge("bag", bag, DOCUMENTS, network=NETWORK).agreement.value == 1.0
    assert bag.predict([["zebra", "bad"]]).tolist() == [0]
    assert BagOfWords.fit(DOCUMENTS, np.zeros(40, dtype=int)) is None


def test_nothing_to_judge_on():
    with pytest.raises(DataError, match="at least one"):
        judge("rules", rules_of(), [], network=np.array([]))
