"""Pruning: fewer rules that still agree with the network."""

from __future__ import annotations

import heapq

import numpy as np
from scipy.sparse import csr_matrix


def kept_by_pruning(
    matches: Any,
    labels: np.ndarray,
    default: int,
    network: np.ndarray,
    *,
    max_rules: int | None = None,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Backward elimination: which rules of a first-match list to keep.

    Without a rule its documents fall to the next rule that matches, so the cost of dropping it is
    the number of them that this moves away from the network's class. The cheapest rule goes
    first, as long as it costs nothing; then, while there are more than ``max_rules``, the cheapest
    in any case. Of equally cheap rules the one that matches the fewest documents goes first, and
    then the later one.

    Args:
        matches: (documents, rules), not zero where a rule's phrase occurs; the columns in the
            order of the list.
        labels: (rules,), the class of each.
        default: the class where none matches.
        network: (documents,), the network's class of each.
        max_rules: keep at most so many; as many as pay for themselves when None.
        weights: (documents,), how much each counts; 1 when None.

    Returns:
        The columns kept, in order.
    """
    state = _Elimination(matches, np.append(labels, default), network, weights)
    alive = matches.shape[1]
    while state.heap:
        cost, _, _, rule = heapq.heappop(state.heap)
        if not state.alive[rule] or cost != state.cost[rule]:
            continue
        if cost > 0 and (max_rules is None or alive <= max_rules):
            break
        state.drop(rule)
        alive -= 1
    return np.flatnonzero(state.alive[:-1])


class _Elimination:
    """Each document's first and second matching rule, and what dropping each rule would cost."""

    def __init__(
        self,
        matches: Any,
        labels: np.ndarray,
        network: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        matches = csr_matrix(matches)
        matches.sort_indices()
        rules = len(labels) - 1
        # The default stands behind every list and is never dropped: twice, as its own successor.
        columns, ends = matches.indices.tolist(), matches.indptr.tolist()
        self.lists = [[*columns[start:end], rules, rules] for start, end in pairwise(ends)]
        self.right = (labels[None, :] == np.arange(labels.max(initial=0) + 2)[:, None]).tolist()
        self.network = network.tolist()
        self.weights = [1.0] * documents if weights is None else weights.tolist()
        self.alive = np.ones(rules + 1, dtype=bool)
        self.cost = [0.0] * (rules + 1)
        self.first: list[set[int]] = [set() for _ in range(rules + 1)]
        self.second: list[set[int]] = [set() for _ in range(rules + 1)]
        self.count = np.bincount(matches.indices, minlength=rules + 1).tolist()
        for document, ranks in enumerate(self.lists):
            self._count(document, ranks, 1)
            self.first[ranks[0]].add(document)
            self.second[ranks[1]].add(document)
        self.heap: list[tuple[float, int, int, int]] = []
        for rule in range(rules):
            self._push(rule)

    def drop(self, rule: int) -> None:
        self.alive[rule] = False
        touched = set()
        for document in self.first[rule] | self.second[rule]:
            ranks = self.lists[document]
            self._count(document, ranks, -1)
            self.first[ranks[0]].discard(document)
            self.second[ranks[1]].discard(document)
            ranks = self.lists[document] = [r for r in ranks if self.alive[r]]
            self._count(document, ranks, 1)
            self.first[ranks[0]].add(document)
            self.second[ranks[1]].add(document)
            touched.add(ranks[0])
        for other in touched:
            self._push(other)

    def _count(self, document: int, ranks: list[int], sign: int) -> None:
        right = self.right[self.network[document]]
        worth = self.weights[document] * (right[ranks[0]] - right[ranks[1]])
        self.cost[ranks[0]] += sign * worth

    def _push(self, rule: int) -> None:
        if rule < len(self.count) - 1:
            heapq.heappush(self.heap, (self.cost[rule], self.count[rule], -rule, rule))
