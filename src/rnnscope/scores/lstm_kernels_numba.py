"""The LSTM's elementwise arithmetic in one pass over the memory, compiled by numba.

Float32 on the CPU alone. tanh is the rational approximation of degree 13 over 6 that Eigen uses,
``tanh(x) = x p(x^2) / q(x^2)`` up to |x| = 8, where it is 1, right to a few units of the last
place; the logistic function is ``(1 + tanh(x / 2)) / 2``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_F = np.float32


def _compiled(function: Any) -> Any:
    # Division as the processor does it: a check for zero would keep loops from being vectorised.
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True}
    # What is no number must stay one, to be found at the end: no "nnan" here.
    options["fastmath"] = {"reassoc", "contract", "arcp", "nsz"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no directory that a cache could be written to
        return njit(**options)(function)


P0, P1, P2 = _F(4.89352455891786e-03), _F(6.37261928875436e-04), _F(1.48572235717979e-05)
P3, P4 = _F(5.12229709037114e-08), _F(-8.60467152213735e-11)
P5, P6 = _F(2.00018790482477e-13), _F(-2.76076847742355e-16)
Q0, Q1 = _F(4.89352518554385e-03), _F(2.26843463243900e-03)
Q2, Q3 = _F(1.18534705686654e-04), _F(1.19825839466702e-06)
# The argument at which p and q meet. A gate that saturates below 1 would forget: 1e-7 a word.
EDGE, ONE, HALF = _F(7.99881172180175781), _F(1), _F(0.5)


@_compiled
def above(x):  # pragma: no cover - compiled
    """The numerator of tanh(x)."""
    s = x * x
    return x * (P0 + s * (P1 + s * (P2 + s * (P3 + s * (P4 + s * (P5 + s * P6))))))


@_compiled
def below(x):  # pragma: no cover - compiled
    """The denominator of tanh(x)."""
    s = x * x
    return Q0 + s * (Q1 + s * (Q2 + s * Q3))


@_compiled
def clip(x):  # pragma: no cover - compiled
    low = -EDGE if x < -EDGE else x
    return EDGE if low > EDGE else low


@_compiled
def tanh(x):  # pragma: no cover - compiled
    y = clip(x)
    return above(y) / below(y)


@_compiled
def sigm(x):  # pragma: no cover - compiled
    return HALF + HALF * tanh(HALF * x)


@_compiled
def step_rows(pre, drive, doc, h, c):  # pragma: no cover - compiled
    """One step of rows that read the drive of their document; ``h`` and ``c`` in place."""
    n = h.shape[1]
    for r in range(h.shape[0]):
        d = drive[doc[r]]
        p, hr, cr = pre[r], h[r], c[r]
        for u in range(n):
            yi = clip(HALF * (p[u] + d[u]))
            yg = clip(p[2 * n + u] + d[2 * n + u])
            bi, bg = below(yi), below(yg)
            written = HALF * (bi + above(yi)) * above(yg) / (bi * bg)
            new = sigm(p[n + u] + d[n + u]) * cr[u] + written
            cr[u] = new
            yo, yc = clip(HALF * (p[3 * n + u] + d[3 * n + u])), clip(new)
            bo, bc = below(yo), below(yc)
            hr[u] = HALF * (bo + above(yo)) * above(yc) / (bo * bc)


@_compiled
def forward(pre, gates, before, c, tanh_c, h):  # pragma: no cover - compiled
    """One step with everything kept that the way back needs."""
    n = h.shape[1]
    for r in range(h.shape[0]):
        p, ga, b, cr, tr, hr = pre[r], gates[r], before[r], c[r], tanh_c[r], h[r]
        for u in range(2 * n):
            ga[u] = sigm(p[u])
        for u in range(2 * n, 3 * n):
            ga[u] = tanh(p[u])
        for u in range(3 * n, 4 * n):
            ga[u] = sigm(p[u])
        for u in range(n):
            cr[u] = ga[n + u] * b[u] + ga[u] * ga[2 * n + u]
        for u in range(n):
            tr[u] = tanh(cr[u])
            hr[u] = ga[3 * n + u] * tr[u]


@_compiled
def backward(gates, before, tanh_c, dh, dc, delta):  # pragma: no cover - compiled
    """One step back; ``dc`` in place."""
    n = dh.shape[2]
    for r in range(dh.shape[0]):
        ga, b, tr = gates[r], before[r], tanh_c[r]
        for k in range(dh.shape[1]):
            dhk, dck, out = dh[r, k], dc[r, k], delta[r, k]
            for u in range(n):
                i, f, g, o = ga[u], ga[n + u], ga[2 * n + u], ga[3 * n + u]
                t, push = tr[u], dhk[u]
                d = dck[u] + push * o * (ONE - t * t)
                out[u] = d * g * i * (ONE - i)
                out[n + u] = d * b[u] * f * (ONE - f)
                out[2 * n + u] = d * i * (ONE - g * g)
                out[3 * n + u] = push * t * o * (ONE - o)
                dck[u] = d * f


@_compiled
def dot_change(delta, table, rows, base, found):  # pragma: no cover - compiled
    """``<delta, table[row] - base>`` of each document's (points x classes) gradients."""
    for r in range(delta.shape[0]):
        word = table[rows[r]]
        for k in range(delta.shape[1]):
            d, total = delta[r, k], _F(0)
            for u in range(d.shape[0]):
                total += d[u] * (word[u] - base[u])
            found[r, k] = total


@_compiled
def activate(pre, gates):  # pragma: no cover - compiled
    """sigm, sigm, tanh of the three blocks of columns."""
    n = pre.shape[1] // 3
    for r in range(pre.shape[0]):
        p, ga = pre[r], gates[r]
        for u in range(2 * n):
            ga[u] = sigm(p[u])
        for u in range(2 * n, 3 * n):
            ga[u] = tanh(p[u])


@_compiled
def split_step(
    pre, total, gates, base, base_gates, known, written, doc, relevant_c, shown
):  # pragma: no cover - compiled
    """One step of contextual decomposition; ``relevant_c`` in place, ``shown`` is its tanh."""
    n = relevant_c.shape[1]
    for r in range(relevant_c.shape[0]):
        d = doc[r]
        p, t, a, c, rc, out = pre[r], total[d], gates[d], known[d], relevant_c[r], shown[r]
        both = written[r]
        for u in range(n):
            bi, bg = base_gates[u], base_gates[2 * n + u]
            ri, rf, rg = p[u], p[n + u], p[2 * n + u]
            Ri = HALF * (sigm(ri + base[u]) - bi + a[u] - sigm(t[u] - ri))
            Rg = HALF * (tanh(rg + base[2 * n + u]) - bg + a[2 * n + u] - tanh(t[2 * n + u] - rg))
            Bf = base_gates[n + u]
            Rf = HALF * (sigm(rf + base[n + u]) - Bf + a[n + u] - sigm(t[n + u] - rf))
            rc[u] = Ri * (Rg + bg) + bi * Rg + both * bi * bg + (Rf + Bf) * rc[u]
        for u in range(n):
            out[u] = HALF * (tanh(rc[u]) + c[n + u] - tanh(c[u] - rc[u]))
