"""The two steps of matching, compiled by numba: words to numbers, then one walk of a trie.

Only ``matching`` imports this file, and only when it needs it: importing it imports numba.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numba
import numpy as np

NONE = np.iinfo(np.int32).max
"""A rank beyond all others."""

PADDING = "\0" * 24
"""After a text: ends its last word, and can be read past it."""

# A word is read eight bytes at a time; these find the zero byte that ends it (Mycroft 1987).
ONES, HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
MIX = np.uint64(0x9E3779B97F4A7C15)


class Trie:
    """The phrases of a matcher, for compiled search.

    Args:
        phrases: in order of rank, none twice.
        numbers: the number of each word, from 0, in order.
    """

    def __init__(self, phrases: Sequence[tuple[str, ...]], numbers: Mapping[str, int]) -> None:
        raw, eights, _ = _padded("\0".join(numbers))
        lengths = [len(word.encode("utf-8", "surrogatepass")) for word in numbers]
        starts = np.cumsum([0, *(length + 1 for length in lengths)])
        # A word that holds the separator is never asked for: such text is numbered elsewhere.
        free = np.array([k for k, word in enumerate(numbers) if "\0" not in word], dtype=np.int64)
        table = _hash_words(eights, starts, free, _power_of_two(len(lengths)))
        self._words = raw, starts, table

        nodes: dict[tuple[str, ...], int] = {(): 0}
        edges: list[tuple[int, int, int]] = []
        rank_at, lowest = [NONE], [NONE]
        # Shortest first: the nodes that every walk begins at lie side by side.
        for length in range(1, max(map(len, phrases), default=0) + 1):
            for rank, phrase in enumerate(phrases):
                if len(phrase) < length:
                    continue
                node = nodes.setdefault(phrase[:length], len(nodes))
                if node == len(rank_at):
                    edges.append((nodes[phrase[: length - 1]], numbers[phrase[length - 1]], node))
                    rank_at.append(NONE)
                    lowest.append(rank)
                if len(phrase) == length:
                    rank_at[node] = rank
        root = np.zeros(len(numbers), dtype=np.int32)
        for parent, word, node in edges:
            if parent == 0:
                root[word] = node
        deeper = np.array([e for e in edges if e[0]], dtype=np.int64).reshape(-1, 3)
        # For each node the last six bits of the words that lead on: most others stop there.
        onward = np.zeros(len(rank_at), dtype=np.uint64)
        np.bitwise_or.at(
            onward, deeper[:, 0], np.uint64(1) << (deeper[:, 1] & 63).astype(np.uint64)
        )
        lowest_rank = np.array(lowest, dtype=np.int32)
        keys, targets = _hash_edges(deeper, _power_of_two(len(deeper)))
        self._nodes = (
            root,
            lowest_rank[root],
            np.array(rank_at, dtype=np.int32),
            lowest_rank,
            onward,
            keys,
            targets,
        )

    def encode(self, text: str, words: int) -> np.ndarray | None:
        """The numbers of so many words, which stand in ``text`` with a zero between them.

        None where there are more zeros, because a word holds one.
        """
        raw, eights, size = _padded(text)
        ids = np.empty(words, dtype=np.int32)
        end = _number_words(raw, eights, *self._words, ids)
        return ids if end == size else None

    def first(self, ids: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lowest rank of each document and its first position."""
        ranks = np.empty(len(offsets) - 1, dtype=np.int64)
        positions = np.empty(len(offsets) - 1, dtype=np.int64)
        _first(ids, offsets, *self._nodes, ranks, positions)
        return ranks, positions

    def every(self, ids: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many occurrences each document has, and the rank of each, document by document."""
        counts = np.empty(len(offsets) - 1, dtype=np.int64)
        _every(ids, offsets, *self._nodes, counts, np.empty(0, np.int64))
        ranks = np.empty(int(counts.sum()), dtype=np.int64)
        _every(ids, offsets, *self._nodes, counts, ranks)
        return counts, ranks


def _padded(text: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Its bytes followed by zeros, the same memory eight bytes at a time, and their number."""
    data = (text + PADDING).encode("utf-8", "surrogatepass")
    raw = np.frombuffer(data, dtype=np.uint8)
    return raw, raw[: len(raw) & ~7].view(np.uint64), len(raw) - len(PADDING)


def _power_of_two(items: int) -> int:
    """Slots of a hash table that is at most half full."""
    return 1 << max(3, (2 * items).bit_length())


@numba.njit(cache=True)
def _load(eights, at):
    """The eight bytes from ``at`` on, wherever that is."""
    slot, shift = at >> 3, np.uint64((at & 7) << 3)
    # The second in two shifts: by 64 at once is undefined.
    return (eights[slot] >> shift) | ((eights[slot + 1] << (np.uint64(63) - shift)) << np.uint64(1))


@numba.njit(cache=True)
def _read_word(eights, start):
    """The hash of the word that begins at ``start``, and where it ends."""
    hashed, at = np.uint64(0), start
    eight = _load(eights, at)
    zeros = (eight - ONES) & ~eight & HIGHS
    while zeros == np.uint64(0):
        hashed = (hashed ^ eight) * MIX
        hashed ^= hashed >> np.uint64(29)
        at += 8
        eight = _load(eights, at)
        zeros = (eight - ONES) & ~eight & HIGHS
    before = ((zeros & (~zeros + np.uint64(1))) >> np.uint64(7)) - np.uint64(1)
    hashed = (hashed ^ (eight & before)) * MIX
    hashed = (hashed ^ (hashed >> np.uint64(32))) * MIX
    return hashed, at + np.int64(((before & ONES) * ONES) >> np.uint64(56))


@numba.njit(cache=True)
def _hash_words(eights, starts, numbers, slots):
    """A slot holds a word's hash, and its number from 1 with its length: 0 where it is free."""
    table = np.zeros((slots, 2), np.uint64)
    for number in numbers:
        hashed, end = _read_word(eights, starts[number])
        slot = np.int64(hashed >> np.uint64(32)) & (slots - 1)
        while table[slot, 1]:
            slot = (slot + 1) & (slots - 1)
        table[slot, 0] = hashed
        table[slot, 1] = np.uint64(((number + 1) << 32) | (end - starts[number]))
    return table


@numba.njit(cache=True)
def _number_words(raw, eights, words, starts, table, ids):
    """Numbers so many words, and returns where the last one ends."""
    start, last = 0, len(table) - 1
    for k in range(len(ids)):
        hashed, end = _read_word(eights, start)
        slot = np.int64(hashed >> np.uint64(32)) & last
        found = -1
        while table[slot, 1]:
            entry = np.int64(table[slot, 1])
            if table[slot, 0] == hashed and entry & 0xFFFFFFFF == end - start:
                same, number = True, (entry >> 32) - 1
                # The hash of up to seven bytes is one to one; only longer words can share one.
                if end - start > 7:
                    begin = starts[number]
                    for j in range(end - start):
                        same &= words[begin + j] == raw[start + j]
                if same:
                    found = number
                    break
            slot = (slot + 1) & last
        ids[k] = found
        start = end + 1
    return start - 1


@numba.njit(cache=True)
def _slot(node, word, last):
    mixed = ((np.uint64(node) << np.uint64(32)) | np.uint64(word)) * MIX
    return np.int64(mixed >> np.uint64(32)) & last


@numba.njit(cache=True)
def _hash_edges(edges, slots):
    keys, targets = np.full(slots, -1, np.int64), np.full(slots, -1, np.int32)
    for k in range(len(edges)):
        node, word = edges[k, 0], edges[k, 1]
        slot = _slot(node, word, slots - 1)
        while keys[slot] >= 0:
            slot = (slot + 1) & (slots - 1)
        keys[slot], targets[slot] = (node << 32) | word, edges[k, 2]
    return keys, targets


@numba.njit(cache=True)
def _child(node, word, keys, targets):
    """The node that the word leads to; -1 if none."""
    last = len(keys) - 1
    key = (np.int64(node) << 32) | np.int64(word)
    slot = _slot(node, word, last)
    while keys[slot] >= 0:
        if keys[slot] == key:
            return targets[slot]
        slot = (slot + 1) & last
    return np.int32(-1)


@numba.njit(cache=True)
def _leads_on(onward, word):
    return (onward >> np.uint64(word & 63)) & np.uint64(1)


@numba.njit(cache=True)
def _first(
    ids, offsets, root, root_lowest, rank_at, lowest, onward, keys, targets, ranks, positions
):
    for d in range(len(offsets) - 1):
        best, where, end = NONE, -1, offsets[d + 1]
        for start in range(offsets[d], end):
            word = ids[start]
            # Nothing below a node whose lowest rank is no better can decide.
            if word < 0 or root_lowest[word] >= best:
                continue
            node, at = root[word], start
            while True:
                if rank_at[node] < best:
                    best, where = rank_at[node], start - offsets[d]
                at += 1
                if at == end or ids[at] < 0 or not _leads_on(onward[node], ids[at]):
                    break
                node = _child(node, ids[at], keys, targets)
                if node < 0 or lowest[node] >= best:
                    break
        ranks[d] = best if where >= 0 else -1
        positions[d] = where


@numba.njit(cache=True)
def _every(ids, offsets, root, root_lowest, rank_at, lowest, onward, keys, targets, counts, ranks):
    """Counts the occurrences of each document; writes their ranks where there is room."""
    total = 0
    for d in range(len(offsets) - 1):
        before, end = total, offsets[d + 1]
        for start in range(offsets[d], end):
            node, at = np.int32(0), start
            if ids[start] >= 0:
                node = root[ids[start]]
            while node > 0:
                if rank_at[node] < NONE:
                    if total < len(ranks):
                        ranks[total] = rank_at[node]
                    total += 1
                at += 1
                if at == end or ids[at] < 0 or not _leads_on(onward[node], ids[at]):
                    break
                node = _child(node, ids[at], keys, targets)
        counts[d] = total - before
