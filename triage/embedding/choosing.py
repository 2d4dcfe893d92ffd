"""By which means texts become vectors: a rule over what the machine has, never a race."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Converting a model, other than the packaged one, takes three seconds, once for each revision;
# running it saves that over some 300 reports, and six seconds of imports at every later start.
CONVERSION_PAYS_CHARACTERS = 20_000
_GPU_DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")


class Wanted(StrEnum):
    """What the setting ``TRIAGE_EMBEDDING_BACKEND`` may say."""

    AUTO = "auto"
    OPENVINO = "openvino"
    TORCH = "torch"
    TORCH_FP32 = "torch-fp32"


class Backend(StrEnum):
    """By what a model is run."""

    GPU = "PyTorch on a GPU"
    OPENVINO = "OpenVINO"
    TORCH = "PyTorch"
    TORCH_FP32 = "PyTorch in float32"


def choose_backend(
    wanted: Wanted,
    *,
    has_gpu: bool,
    openvino_blocker: str | None,
    is_ready: bool,
    characters: int,
) -> tuple[Backend, str]:
    """The backend for texts of so many characters in all, and why it is this one.

    A GPU is the fastest. On a CPU, long reports against plain sentence-transformers: OpenVINO 2.3
    times as fast where the processor knows bfloat16 (1.3 times elsewhere), PyTorch in bfloat16
    2.0 times. OpenVINO needs a converted model: where none ``is_ready``, a few texts do not wait
    for one to be made.
    What cannot be had falls back to PyTorch, with the reason.
    """
    if wanted is Wanted.TORCH_FP32:
        return Backend.TORCH_FP32, "as set"
    if wanted is Wanted.AUTO and has_gpu:
        return Backend.GPU, "there is one"
    reason = "as set"
    if wanted is not Wanted.TORCH:
        pays = is_ready or characters >= CONVERSION_PAYS_CHARACTERS
        if openvino_blocker is None and (pays or wanted is Wanted.OPENVINO):
            return Backend.OPENVINO, "as set" if wanted is Wanted.OPENVINO else "no GPU"
        reason = openvino_blocker or "too few texts to convert the model for"
        reason = f"not by OpenVINO: {reason}"
    return (Backend.GPU if has_gpu else Backend.TORCH), reason


def may_have_gpu() -> bool:
    """Whether it is worth asking PyTorch, whose import takes seconds, for a GPU."""
    try:
        if "+cpu" in version("torch"):
            return False
    except PackageNotFoundError:
        return False
    return sys.platform != "linux" or any(Path(name).exists() for name in _GPU_DEVICE_FILES)


def has_gpu() -> bool:
    """Whether PyTorch can compute on a CUDA or ROCm GPU."""
    if not may_have_gpu():
        return False
    import torch

    return bool(torch.cuda.is_available())


def has_bfloat16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 faster than those of float32."""
    import torch

    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))
