"""Recurrent products with a fixed matrix, done many times over."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnnscope.numerics import products_are_full

Product = Callable[[Tensor, Tensor | None], Tensor]
"""``product(x, add) = x @ M.T + add``, for ``x`` (rows, columns of M)."""


def product_with(matrix: Tensor, bias: Tensor | None = None) -> Product:
    """``x -> x @ matrix.T (+ bias) (+ add)``, with the matrix laid out once for all the products.

    On the CPU in float32, torch's oneDNN kernels take a matrix packed beforehand, which is about
    twice as quick as an ordinary product; where they are missing, or the user chose another
    precision for torch's products, the ordinary one is used.
    """
    packed = _packed(matrix, bias)
    if packed is not None:
        return packed
    transposed = matrix.mT

    def product(x: Tensor, add: Tensor | None = None) -> Tensor:
        found = x @ transposed if add is None else torch.addmm(add, x, transposed)
        return found if bias is None else found.add_(bias)

    return product


def _packed(matrix: Tensor, bias: Tensor | None) -> Product | None:
    if matrix.device.type != "cpu" or matrix.dtype != torch.float32:
        return None
    if not products_are_full():
        return None
    if not torch.backends.mkldnn.is_available() or min(matrix.shape) < 16:
        return None
    # The kernel reads a bias as if it lay in one piece, whatever its strides are.
    bias = None if bias is None else bias.detach().contiguous()
    try:
        operations = torch.ops.mkldnn
        weight = operations._reorder_linear_weight(matrix.detach().contiguous(), 256)
        plain, adding = operations._linear_pointwise, operations._linear_pointwise.binary
        probe = matrix.new_zeros(1, matrix.shape[1])
        adding(probe, plain(probe, weight, bias, "none", [], ""), weight, bias, "add")
    except (AttributeError, RuntimeError, TypeError):
        return None

    def product(x: Tensor, add: Tensor | None = None) -> Tensor:
        if add is None:
            return plain(x, weight, bias, "none", [], "")
        return adding(x, add, weight, bias, "add")

    return product
