"""Batched linear algebra in float64, guarded where the CPU build of torch needs it.

Batched LU factorisations (``solve``, ``inv``, ``lu_factor``) of matrices of about 192 rows or more
never return in torch 2.13 on the CPU with two threads, so they run on one here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

from rnnscope.numerics import flushed_denormals, single_thread
from rnnscope.progress import told_rows

EPS = torch.finfo(torch.float64).eps


@contextmanager
def heavy() -> Iterator[None]:
    """Around work on batches of matrices: denormals flushed, on one thread. A second one gains
    little on an idle machine and costs many times the work on a busy one."""
    with flushed_denormals(), single_thread():
        yield


Result = TypeVar("Result")


def in_threads(work: Callable[[slice], Result], items: Sequence[slice], what: str) -> list[Result]:
    """``work`` on every chunk of points, on as many threads as torch would use, each chunk on one.

    Points are independent of each other, so whole chunks of them share a machine better than the
    products inside one chunk do. To be called outside ``heavy``, which it enters on each thread.
    The results do not depend on the number of threads. A bar says ``what`` is done.
    """
    count = min(torch.get_num_threads(), len(items))

    def run(item: slice) -> Result:
        with heavy():
            return work(item)

    bar = told_rows(items, what)
    if count < 2:
        return [run(item) for item in bar]
    with single_thread(), ThreadPoolExecutor(count) as pool:
        results = pool.map(run, items)
        return [next(results) for _ in bar]


def solve(A: Tensor, b: Tensor) -> Tensor:
    """``A^-1 b`` by LU: (..., N, N), (..., N) -> (..., N). Not finite where A is singular."""
    with single_thread():
        solution, info = torch.linalg.solve_ex(A, b.unsqueeze(-1))
    singular = (info != 0)[..., None]
    return torch.where(singular, torch.nan, solution.squeeze(-1))


def inverse(A: Tensor) -> Tensor:
    """``A^-1`` by LU, (..., N, N). Not finite where A is singular."""
    with single_thread():
        result, info = torch.linalg.inv_ex(A)
    return torch.where((info != 0)[..., None, None], torch.nan, result)


def eigenvectors(A: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., N) and unit right eigenvectors (..., N, N), complex.

    On one thread: LAPACK gains nothing from a second one, and loses much where cores are shared;
    and on the CPU wherever A is: a GPU takes the matrices of a batch one by one.
    """
    with single_thread():
        values, vectors = torch.linalg.eig(A.cpu())
    return values.to(A.device), vectors.to(A.device)


def singular_values(A: Tensor) -> Tensor:
    """Singular values, largest first, (..., N)."""
    with single_thread():
        return torch.linalg.svdvals(A)


def solve_positive(M: Tensor, shift: Tensor, b: Tensor) -> Tensor:
    """``(M + shift I)^-1 b`` by Cholesky: (S, N, N), (S), (S, N) -> (S, N).

    Not finite where ``M + shift I`` is not positive definite in floating point.
    """
    shifted = M.clone()
    shifted.diagonal(dim1=-2, dim2=-1).add_(shift[:, None])
    factor, info = torch.linalg.cholesky_ex(shifted)
    solution = torch.cholesky_solve(b.unsqueeze(-1), factor).squeeze(-1)
    return torch.where((info != 0)[:, None], torch.nan, solution)


def apply(M: Tensor, v: Tensor) -> Tensor:
    """``M v`` for a batch of vectors: (..., N, N), (..., N) -> (..., N)."""
    return (M @ v.unsqueeze(-1)).squeeze(-1)


def norm(v: Tensor) -> Tensor:
    """The Euclidean length along the last axis."""
    return torch.linalg.vector_norm(v, dim=-1)
