"""Which backend embeds, by what the machine has and what was set."""

import numpy as np
import pytest

from triage.embedding.choosing import CONVERSION_PAYS_CHARACTERS, Backend, Wanted, choose_backend
from triage.embedding.encoding import least_cosine

MISSING = "its package is not installed"


@pytest.mark.parametrize(
    ("wanted", "has_gpu", "blocker", "is_ready", "characters", "backend", "reason"),
    [
        # a GPU first, then OpenVINO where it pays, then PyTorch
        ("auto", True, None, True, 10**6, Backend.GPU, "there is one"),
        ("auto", False, None, True, 0, Backend.OPENVINO, "no GPU"),
        ("auto", False, None, False, CONVERSION_PAYS_CHARACTERS, Backend.OPENVINO, "no GPU"),
        ("auto", False, None, False, 100, Backend.TORCH, "too few texts"),
        ("auto", False, MISSING, False, 10**6, Backend.TORCH, MISSING),
        # what was set holds, where it can be had
        ("openvino", True, None, False, 0, Backend.OPENVINO, "as set"),
        ("openvino", False, MISSING, False, 0, Backend.TORCH, MISSING),
        ("openvino", True, MISSING, False, 0, Backend.GPU, MISSING),
        ("torch", False, None, True, 10**6, Backend.TORCH, "as set"),
        ("torch", True, None, True, 10**6, Backend.GPU, "as set"),
        ("torch-fp32", True, None, True, 10**6, Backend.TORCH_FP32, "as set"),
    ],
)
def test_the_backend_follows_the_machine_and_the_setting(
    wanted: str,
    has_gpu: bool,
    blocker: str | None,
    is_ready: bool,
    characters: int,
    backend: Backend,
    reason: str,
) -> None:
    chosen, said = choose_backend(
        Wanted(wanted),
        has_gpu=has_gpu,
        openvino_blocker=blocker,
        is_ready=is_ready,
        characters=characters,
    )
    assert chosen is backend
    assert reason in said


def test_the_least_cosine_sees_the_one_bad_row_and_what_is_no_number() -> None:
    good = np.eye(3, dtype=np.float32)
    assert least_cosine(good, 5 * good) == pytest.approx(1.0)
    bad = good.copy()
    bad[1] = [1.0, 1.0, 0.0]
    assert least_cosine(good, bad) == pytest.approx(0.7071, abs=1e-4)
    bad[1] = np.nan
    assert least_cosine(good, bad) == 0.0
