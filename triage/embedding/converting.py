"""From a sentence-transformers model to files that OpenVINO and ``tokenizers`` read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.embedding.converted import Unconvertible, load_files, save_network
from triage.embedding.encoding import CHECKS, LEAST_COSINE, least_cosine
from triage.embedding.openvino_encoder import OpenVinoEncoder
from triage.embedding.tokens import FastTokenizer
from triage.embedding.torch_encoder import TorchEncoder, fast_tokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def convert(model: SentenceTransformer, scratch: Path) -> OpenVinoEncoder:
    """Write the model, its adapter merged in, to the folder ``scratch`` and open it from there.

    Raises ``Unconvertible`` when that cannot be done, or when the vectors of the check texts then
    differ from the model's own.
    """
    import torch

    tokenizer = fast_tokenizer(model)
    if tokenizer is None:
        raise Unconvertible("the model reads texts in a way of its own")
    exact = TorchEncoder(model, device="cpu", dtype=torch.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's, about every shape that it sees
            network = _traced(model, tokenizer)
        save_network(network, tokenizer, exact.dimensions, scratch)
        encoder = load_files(scratch)
        likeness = least_cosine(encoder.encode(CHECKS), exact.encode(CHECKS))
    except Exception as problem:  # whatever the code of a foreign model, or a library, raises
        said = str(problem).strip().partition("\n")[0]
        raise Unconvertible(f"the model cannot be converted ({said})") from problem
    if likeness < LEAST_COSINE:
        raise Unconvertible(f"converted, its vectors are only {likeness:.4f} like those of PyTorch")
    return encoder


def _traced(model: Any, tokenizer: FastTokenizer) -> Any:
    """The whole of the model, pooling included, as a network with the features as inputs.

    By the front end itself: ``openvino.convert_model`` would report its use over the network.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    names = tokenizer.inputs

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *features: torch.Tensor) -> torch.Tensor:
            state = self.model(dict(zip(names, features, strict=True)))
            return torch.as_tensor(state["sentence_embedding"])

    # of unlike length: with nothing to pad, the mask would be left out
    (batch,) = tokenizer.batches(CHECKS[:4], tokens_per_batch=10_000)
    example = tuple(torch.from_numpy(batch.features[name]) for name in names)
    with torch.no_grad():
        # unchecked, for the vectors are checked in the end: four seconds less
        decoder = TorchScriptPythonDecoder(
            Whole().eval(), example_input=example, trace_kwargs={"check_trace": False}
        )
    front_end = FrontEndManager().load_by_framework("pytorch")
    return front_end.convert(front_end.load(decoder))
