"""Inference by OpenVINO on the CPU, from a converted model; needs no PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from triage.embedding.encoding import Floats
from triage.embedding.tokens import FastTokenizer

NOT_INSTALLED = "its package is not installed"
# Each batch is one core's work, so a part of short texts should make many of them: 512 utterances
# in batches of 2,048 tokens are three, which two cores cannot share evenly. Utterances by these
# budgets, on two cores: 320 tokens 446 a second, 1,024 407, 2,048 some 350. Of long texts there are
# as many a second, one at a time.
TOKENS_PER_BATCH = 320


def import_openvino() -> Any:
    """The package ``openvino``, kept from reporting its import over the network.

    Where its companion ``openvino_telemetry`` cannot be imported, it uses a stub of its own that
    sends nothing. Raises ``ImportError``.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def find_openvino_blocker() -> str | None:
    """Why OpenVINO cannot be used, None where it can."""
    if "openvino" not in sys.modules and find_spec("openvino") is None:
        return NOT_INSTALLED
    try:
        import_openvino()
    except (ImportError, OSError) as error:
        return f"it cannot be loaded ({str(error).partition(chr(10))[0]})"
    return None


class OpenVinoEncoder:
    """A converted model, compiled for this processor: bfloat16 where it has it, else float32.

    As many requests run at once as the processor has streams for, each on its own cores: an
    eighth faster than one request on all cores.
    """

    def __init__(
        self, network: bytes, weights: bytes, tokenizer: FastTokenizer, *, dimensions: int
    ) -> None:
        openvino = import_openvino()
        core = openvino.Core()
        knows_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if knows_bfloat16 else "f32"
        options = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": self._precision,
        }
        model = core.read_model(model=network, weights=weights)
        self._compiled = core.compile_model(model, "CPU", options)
        self._requests = openvino.AsyncInferQueue(self._compiled)
        self._tokenizer = tokenizer
        self._dimensions = dimensions

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    @property
    def description(self) -> str:
        """The backend in words."""
        return f"OpenVINO on cpu, {'bfloat16' if self._precision == 'bf16' else 'float32'}"

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Encoder``. Raises ``RuntimeError`` when a request fails."""
        vectors = np.zeros((len(texts), self._dimensions), dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        self._requests.set_callback(keep)
        for batch in self._tokenizer.batches(texts, tokens_per_batch=TOKENS_PER_BATCH):
            inputs = [batch.features[name] for name in self._tokenizer.inputs]
            self._requests.start_async(inputs, batch.rows)
        self._requests.wait_all()
        return vectors
