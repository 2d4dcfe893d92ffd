"""Inference by PyTorch: on a GPU in half precision, else in bfloat16 or float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from triage.embedding.choosing import Backend, has_bfloat16
from triage.embedding.encoding import CHECKS, LEAST_COSINE, Floats, least_cosine
from triage.embedding.tokens import TOKENS_PER_BATCH, FastTokenizer, Integers

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

# A GPU wants more at once than a processor's caches hold.
GPU_TOKENS_PER_BATCH = 65_536
# For a model with a way of its own to read texts, which batches by rows.
ROWS_PER_BATCH = 32


class TorchEncoder:
    """A sentence-transformers model, its transformer in ``dtype``.

    Pooling, and whatever comes behind it, computes in float32.
    """

    def __init__(self, model: SentenceTransformer, *, device: str, dtype: torch.dtype) -> None:
        self._model: Any = model.to(device).eval()
        self._device = device
        self._tokenizer = fast_tokenizer(model)
        if self._tokenizer is not None:
            self._model[0].to(dtype)

    @property
    def dimensions(self) -> int:
        """Length of a vector; 0 where the model does not state it."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def description(self) -> str:
        """By what it runs, in which precision."""
        precision = str(next(self._model.parameters()).dtype).removeprefix("torch.")
        return f"PyTorch on {self._device}, {precision}"

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Encoder``."""
        import torch

        if self._tokenizer is None:
            own = self._model.encode(
                list(texts),
                batch_size=ROWS_PER_BATCH,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
            return np.asarray(own, dtype=np.float32)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        budget = TOKENS_PER_BATCH if self._device == "cpu" else GPU_TOKENS_PER_BATCH
        with torch.inference_mode():
            for batch in self._tokenizer.batches(texts, tokens_per_batch=budget):
                vectors[batch.rows] = self._run(batch.features)
        return vectors

    def _run(self, features: Mapping[str, Integers]) -> Floats:
        import torch

        state = {name: torch.from_numpy(values) for name, values in features.items()}
        state = {name: values.to(self._device) for name, values in state.items()}
        transformer, *rest = self._model
        state = transformer(state)
        state["token_embeddings"] = state["token_embeddings"].float()
        for module in rest:
            state = module(state)
        return np.asarray(state["sentence_embedding"].float().cpu().numpy(), dtype=np.float32)


def open_torch(
    load: Callable[[], SentenceTransformer], backend: Backend
) -> tuple[TorchEncoder, str | None]:
    """The model that ``load`` gives, in the fastest precision that will do.

    Half precision on a GPU, bfloat16 where the processor has it, else float32. A model whose
    vectors of the check texts change by that stays in float32; the second value then says so.
    """
    import torch

    device = "cuda" if backend is Backend.GPU else "cpu"
    exact = TorchEncoder(load(), device=device, dtype=torch.float32)
    if backend is Backend.TORCH_FP32 or (backend is Backend.TORCH and not has_bfloat16()):
        return exact, None
    is_old = backend is Backend.GPU and not torch.cuda.is_bf16_supported()
    expected = exact.encode(CHECKS)
    fast = TorchEncoder(exact._model, device=device, dtype=torch.half if is_old else torch.bfloat16)
    likeness = least_cosine(fast.encode(CHECKS), expected)
    if likeness >= LEAST_COSINE:
        return fast, None
    exact = TorchEncoder(load(), device=device, dtype=torch.float32)
    return exact, f"in half precision its vectors are only {likeness:.4f} like those of float32"


def fast_tokenizer(model: SentenceTransformer) -> FastTokenizer | None:
    """The model's tokenizer without its detours; None where it reads texts in its own way.

    Whether it does is seen from the check texts: every feature must come out the same.
    """
    plain: Any = model
    backend = getattr(plain.tokenizer, "backend_tokenizer", None)
    limit = plain.max_seq_length
    if backend is None or not limit or plain.default_prompt_name is not None:
        return None
    expected = {
        name: values.numpy()
        for name, values in plain.preprocess(list(CHECKS)).items()
        if hasattr(values, "numpy")
    }
    # a copy: the limit that is set here must not reach whoever else uses the model
    copy = type(backend).from_str(backend.to_str())
    tokenizer = FastTokenizer(
        copy, inputs=list(expected), max_tokens=limit, padding=plain.tokenizer.pad_token_id or 0
    )
    if set(expected) != set(tokenizer.inputs) or "attention_mask" not in expected:
        return None
    everything = len(CHECKS) * expected["input_ids"].shape[1]
    (batch,) = tokenizer.batches(CHECKS, tokens_per_batch=everything)
    same = all(np.array_equal(batch.features[n], expected[n][batch.rows]) for n in tokenizer.inputs)
    return tokenizer if same else None
