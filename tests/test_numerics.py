import threading

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from rnnscope import numerics
from rnnscope.numerics import (
    denormals_are_flushed,
    flushed_denormals,
    full_precision,
    products_are_full,
    single_thread,
)

TINY = 1e-40


@pytest.fixture(params=[False, True], ids=["kept before", "flushed before"])
def before(request):
    found = denormals_are_flushed()
    torch.set_flush_denormal(request.param)
    yield request.param
    torch.set_flush_denormal(found)


def half(value):
    return (torch.full((64,), value) * 0.5).max().item()


def test_denormals_are_zero_inside_and_as_before_after(before):
    assert denormals_are_flushed() == before
    assert (half(TINY) == 0) == before
    with flushed_denormals():
        assert denormals_are_flushed()
        assert half(TINY) == 0
        assert half(1e-30) > 0
    assert denormals_are_flushed() == before
    assert (half(TINY) == 0) == before


def test_denormals_are_zero_in_the_backward_pass():
    with flushed_denormals(), single_thread():
        x = torch.full((64,), 1e-30, requires_grad=True)
        (x * 1e-20).sum().backward(torch.tensor(1e-20))
        assert x.grad is not None
        assert (x.grad == 0).all()


def test_the_flag_is_put_back_after_an_error(before):
    with pytest.raises(ZeroDivisionError), flushed_denormals():
        _ = 1 / 0
    assert denormals_are_flushed() == before


def test_nested(before):
    with flushed_denormals():
        with flushed_denormals():
            pass
        assert denormals_are_flushed()
    assert denormals_are_flushed() == before


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_single_thread_inside_and_as_many_as_before_after(threads):
    found = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with single_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == threads
        with pytest.raises(ZeroDivisionError), single_thread():
            _ = 1 / 0
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(found)


def test_the_threads_of_blas_are_put_back():
    def counts():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(2):
        before = counts()
        with numerics.single_blas_thread():
            assert set(counts()) == {1}
        assert counts() == before


@pytest.fixture
def precisions():
    """The switches of this version of torch, as they were again afterwards."""
    switches = numerics._switches()
    before = torch.get_float32_matmul_precision()
    yield switches
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("chosen", ["highest", "high", "medium"])
def test_products_are_full_inside_and_as_the_user_chose_after(precisions, chosen):
    torch.set_float32_matmul_precision(chosen)
    assert products_are_full() == (chosen == "highest")
    before = [switch.fp32_precision for switch in precisions]
    with full_precision(torch.device("cpu")):
        assert products_are_full()
    assert [switch.fp32_precision for switch in precisions] == before
    assert torch.get_float32_matmul_precision() == chosen


def test_a_precision_chosen_for_one_backend_is_no_error(precisions):
    """Bug: torch's older question raises once the newer switches were used."""
    for switch in precisions:
        before = switch.fp32_precision
        switch.fp32_precision = "tf32"
        try:
            assert not products_are_full()
            with full_precision(torch.device("cpu")):
                assert switch.fp32_precision == "ieee"
            assert switch.fp32_precision == "tf32"
        finally:
            switch.fp32_precision = before


def test_threads_that_leave_in_any_order_put_the_precision_back(precisions):
    """Bug: a thread that came in while another was inside took what that had set for the user's."""
    torch.set_float32_matmul_precision("high")
    first, second = (full_precision(torch.device("cpu")) for _ in range(2))
    first.__enter__()
    entering = threading.Thread(target=second.__enter__)
    entering.start()
    entering.join()
    first.__exit__(None, None, None)
    assert products_are_full()
    leaving = threading.Thread(target=second.__exit__, args=(None, None, None))
    leaving.start()
    leaving.join()
    assert torch.get_float32_matmul_precision() == "high"
    assert not products_are_full()


def test_mixed_precision_is_off_inside():
    a = torch.full((4, 4), 1.001)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (a @ a).dtype == torch.bfloat16
        with full_precision(torch.device("cpu")):
            assert (a @ a).dtype == torch.float32
        assert (a @ a).dtype == torch.bfloat16
