"""A low-rank adapter (LoRA, Hu et al. 2021), merged into a model's weights when it is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from triage.errors import EmbeddingError

PACKAGED_ADAPTER = Path(__file__).parent / "failure-modes-1"
_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_REMEDY = (
    "Point TRIAGE_EMBEDDING_ADAPTER to a folder made by `triage train` for this model, or set it "
    "to `none`."
)


def adapter_files(folder: Path) -> tuple[Path, Path]:
    """The configuration and the weights of an adapter in PEFT's layout.

    Raises ``EmbeddingError`` when one is missing.
    """
    files = folder / _CONFIG, folder / _WEIGHTS
    for path in files:
        if not path.is_file():
            raise EmbeddingError("Loading an adapter", f"{path} is not there", _REMEDY)
    return files


def prepend_adapter(earlier: Path, folder: Path) -> None:
    """Make the adapter in ``folder``, trained on top of ``earlier``, hold both.

    Low-rank updates add up when their factors are stacked; both are then at scale 1.
    """
    import torch
    from safetensors.torch import load_file, save_file

    parts: list[dict[str, Any]] = []
    for source in (earlier, folder):
        config_path, weights_path = adapter_files(source)
        config = json.loads(config_path.read_text("utf-8"))
        scaling = float(config["lora_alpha"]) / int(config["r"])
        parts.append(
            {
                key: tensor.float() * (scaling if ".lora_B." in key else 1.0)
                for key, tensor in load_file(weights_path).items()
            }
        )
    stacked = {
        key: torch.cat(
            [part[key] for part in parts if key in part], dim=0 if ".lora_A." in key else 1
        )
        for key in sorted(parts[0].keys() | parts[1].keys())
    }
    save_file({key: value.half().contiguous() for key, value in stacked.items()}, weights_path)
    config["r"] = config["lora_alpha"] = max(
        value.shape[0] for key, value in stacked.items() if ".lora_A." in key
    )
    config_path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


def merge_adapter(network: Any, folder: Path) -> int:
    """Add the adapter's low-rank updates to the weights of ``network`` (a torch module).

    Inference then costs what it did before. Returns how many weights were changed; raises
    ``EmbeddingError`` for files that cannot be read or were made for another model.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config_path, weights_path = adapter_files(folder)
    attempted = f"Loading the adapter {folder}"
    try:
        config = json.loads(config_path.read_text("utf-8"))
        scaling = float(config["lora_alpha"]) / int(config["r"])
        tensors = load_file(weights_path)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, SafetensorError) as error:
        raise EmbeddingError(attempted, str(error).partition("\n")[0], _REMEDY) from error
    weights = dict(network.named_parameters())
    changed = 0
    with torch.no_grad():
        for key, down in tensors.items():
            if not key.endswith(".lora_A.weight"):
                continue
            name = key.removeprefix(_PREFIX).removesuffix(".lora_A.weight")
            up = tensors.get(key.replace(".lora_A.", ".lora_B."))
            target = weights.get(f"{name}.weight")
            if up is None or target is None or target.shape != (up.shape[0], down.shape[1]):
                raise EmbeddingError(attempted, f"its part {name} does not fit the model", _REMEDY)
            target += scaling * (up.float() @ down.float()).to(target.dtype)
            changed += 1
    if not changed:
        raise EmbeddingError(attempted, "it changes nothing", _REMEDY)
    return changed
