"""The packaged model as a network for OpenVINO, straight from its weights: no import of PyTorch.

Any other model is converted by PyTorch and compared with it. This one's architecture (BERT, Devlin
et al. 2019, mean over tokens) is known, and a test compares it with PyTorch: seven seconds less at
the first use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.embedding.adapter import adapter_files
from triage.embedding.openvino_encoder import import_openvino
from triage.embedding.tokens import FEATURES, FastTokenizer

Weights = dict[str, NDArray[np.float32]]
# Added to the likeness of tokens that are padding.
NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Shape:
    """What the weights alone do not say."""

    layers: int
    heads: int
    epsilon: float


def build_packaged(folder: Path, adapter: Path | None) -> tuple[Any, FastTokenizer, int]:
    """Network, tokenizer and dimensions of the model in ``folder``, an adapter merged in.

    Raises ``OSError``, ``ValueError`` or ``KeyError`` for files that are not as they should be.
    """
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    config = json.loads((folder / "config.json").read_text("utf-8"))
    weights: Weights = load_file(folder / "model.safetensors")
    if adapter is not None:
        _merge(weights, adapter)
    shape = Shape(
        config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"]
    )
    limits = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
    tokenizer = FastTokenizer(
        Tokenizer.from_file(str(folder / "tokenizer.json")),
        inputs=FEATURES,
        max_tokens=limits["max_seq_length"],
        padding=config["pad_token_id"],
    )
    return _network(weights, shape), tokenizer, config["hidden_size"]


def _merge(weights: Weights, adapter: Path) -> None:
    """Add the low-rank updates to the weights; see ``merge_adapter``, which checks them."""
    from safetensors.numpy import load_file

    config_path, weights_path = adapter_files(adapter)
    config = json.loads(config_path.read_text("utf-8"))
    scaling = float(config["lora_alpha"]) / int(config["r"])
    updates = load_file(weights_path)
    downs = [name for name in updates if name.endswith(".lora_A.weight")]
    for name in downs:
        up = updates[name.replace(".lora_A.", ".lora_B.")].astype(np.float32)
        target = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
        weights[target] = weights[target] + scaling * (up @ updates[name].astype(np.float32))
    if not downs:
        raise ValueError(f"{weights_path} changes nothing")


def _network(weights: Weights, shape: Shape) -> Any:
    openvino = import_openvino()
    from openvino import opset13 as ops

    inputs = [ops.parameter([-1, -1], np.int64, name=name) for name in FEATURES]
    for name, node in zip(FEATURES, inputs, strict=True):
        node.output(0).get_tensor().set_names({name})
    ids, attention, types = inputs
    mask = ops.convert(attention, "f32")
    is_padding = ops.constant(1.0, np.float32) - mask
    bias = ops.unsqueeze(is_padding * ops.constant(NEVER, np.float32), np.array([1, 2]))
    layers = _Layers(ops, weights, shape)
    hidden = layers.embed(ids, types)
    for number in range(shape.layers):
        hidden = layers.encode(hidden, bias, f"encoder.layer.{number}.")
    weight = ops.unsqueeze(mask, np.array([2]))
    total = ops.reduce_sum(hidden * weight, np.array([1]))
    return openvino.Model([total / ops.reduce_sum(weight, np.array([1]))], inputs, "packaged")


class _Layers:
    """Parts of the network, by the names that their weights have."""

    def __init__(self, ops: Any, weights: Weights, shape: Shape) -> None:
        self._ops = ops
        self._weights = weights
        self._shape = shape

    def embed(self, ids: Any, types: Any) -> Any:
        """Word, place and kind of each token, summed and normalised: (b, n, d)."""
        ops, axis = self._ops, np.int64(0)
        count = ops.gather(ops.shape_of(ids), np.int64(1), axis)
        places = ops.range(np.int64(0), count, np.int64(1), "i64")
        parts = {"word": ids, "position": places, "token_type": types}
        word, place, kind = (
            ops.gather(self._weight(f"embeddings.{name}_embeddings.weight"), rows, axis)
            for name, rows in parts.items()
        )
        return self._normalised(word + place + kind, "embeddings.LayerNorm")

    def encode(self, hidden: Any, bias: Any, prefix: str) -> Any:
        """One layer: every token looks at all others, then thinks for itself."""
        ops = self._ops
        query, key, value = (
            self._by_head(self._linear(hidden, f"{prefix}attention.self.{name}"))
            for name in ("query", "key", "value")
        )
        looked = ops.scaled_dot_product_attention(query, key, value, bias)
        looked = ops.transpose(looked, np.array([0, 2, 1, 3]))
        looked = ops.reshape(looked, np.array([0, 0, -1]), special_zero=True)
        looked = self._linear(looked, f"{prefix}attention.output.dense")
        hidden = self._normalised(looked + hidden, f"{prefix}attention.output.LayerNorm")
        thought = ops.gelu(self._linear(hidden, f"{prefix}intermediate.dense"), "erf")
        thought = self._linear(thought, f"{prefix}output.dense")
        return self._normalised(thought + hidden, f"{prefix}output.LayerNorm")

    def _by_head(self, states: Any) -> Any:
        shape = np.array([0, 0, self._shape.heads, -1])
        split = self._ops.reshape(states, shape, special_zero=True)
        return self._ops.transpose(split, np.array([0, 2, 1, 3]))

    def _linear(self, states: Any, name: str) -> Any:
        product = self._ops.matmul(states, self._weight(f"{name}.weight"), False, True)
        return product + self._weights[f"{name}.bias"]

    def _weight(self, name: str) -> Any:
        """A matrix as a node; given as it is, it would be made of a list of its numbers."""
        return self._ops.constant(self._weights[name], np.float32)

    def _normalised(self, states: Any, name: str) -> Any:
        plain = self._ops.mvn(
            states, np.array([-1]), True, float(self._shape.epsilon), "inside_sqrt"
        )
        return plain * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
