"""Converted models in a folder, one for each revision: checked before use, made complete or not."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from triage.embedding.openvino_encoder import OpenVinoEncoder, import_openvino
from triage.embedding.tokens import FastTokenizer

logger = logging.getLogger(__name__)

NETWORK, WEIGHTS, TOKENIZER, ABOUT = "model.xml", "model.bin", "tokenizer.json", "about.json"
_FILES = (NETWORK, WEIGHTS, TOKENIZER)
# Part of the folder's name: raised when what is written changes its meaning.
LAYOUT = 1


class Unconvertible(Exception):
    """A model cannot be converted, or not well enough; the message says why."""


@dataclass(frozen=True, slots=True)
class About:
    """What stands beside the files; ``blocker`` is why there are none."""

    inputs: tuple[str, ...] = ()
    max_tokens: int = 0
    padding: int = 0
    dimensions: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    blocker: str | None = None


def folder_of(cache: Path, model: str, revision: str) -> Path:
    """Where the converted model of this revision lies below ``cache``."""
    parts = (model, revision, version("openvino"), version("tokenizers"), str(LAYOUT))
    return cache / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def load_converted(folder: Path) -> OpenVinoEncoder | None:
    """The converted model in ``folder``; None where there is none, or a damaged one.

    Raises ``Unconvertible`` where it is noted that an earlier try failed.
    """
    if not folder.is_dir():
        return None
    try:
        return load_files(folder)
    except Unconvertible:
        raise
    except Exception as problem:  # the libraries raise plain exceptions for what they cannot read
        said = str(problem).strip().partition("\n")[0]
        logger.warning("The converted model in %s is damaged and not used: %s", folder, said)
        return None


def load_files(folder: Path) -> OpenVinoEncoder:
    """Open what lies in ``folder``; the bytes that are used are those that were checked.

    Raises ``ValueError`` or ``OSError`` for files that are missing or not as they were written.
    """
    from tokenizers import Tokenizer

    about = _read_about(folder)
    if about.blocker is not None:
        raise Unconvertible(about.blocker)
    content = {name: (folder / name).read_bytes() for name in _FILES}
    for name, data in content.items():
        if _digest(data) != about.digests[name]:
            raise ValueError(f"{name} is not as it was written")
    tokenizer = FastTokenizer(
        Tokenizer.from_str(content[TOKENIZER].decode()),
        inputs=about.inputs,
        max_tokens=about.max_tokens,
        padding=about.padding,
    )
    return OpenVinoEncoder(
        content[NETWORK], content[WEIGHTS], tokenizer, dimensions=about.dimensions
    )


def save_network(network: Any, tokenizer: FastTokenizer, dimensions: int, folder: Path) -> None:
    """Write a network of OpenVINO and what belongs to it into ``folder``, with its digests."""
    # Weights in half precision halve the file; the cosine to the full ones is 0.9999999.
    import_openvino().save_model(network, str(folder / NETWORK), compress_to_fp16=True)
    tokenizer.tokenizer.save(str(folder / TOKENIZER))
    digests = {name: _digest((folder / name).read_bytes()) for name in _FILES}
    about = About(
        inputs=tokenizer.inputs,
        max_tokens=tokenizer.max_tokens,
        padding=tokenizer.padding,
        dimensions=dimensions,
        digests=digests,
    )
    _write_about(folder, about)


def note_blocker(folder: Path, blocker: str) -> None:
    """Leave in ``folder`` only why a model cannot be converted, so that it is tried once."""
    for path in folder.iterdir():
        path.unlink()
    _write_about(folder, About(blocker=blocker))


def keep_converted(scratch: Path, folder: Path) -> None:
    """Put a complete folder into its place, whatever was there; a reader never sees half of it.

    A folder that cannot be written costs the next start some seconds, no more.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.copytree(scratch, fresh)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as problem:
        logger.warning("The converted model cannot be kept in %s: %s", folder, problem)


def _read_about(folder: Path) -> About:
    content = json.loads((folder / ABOUT).read_text("utf-8"))
    values: dict[str, Any] = content["about"]
    if _digest(_as_json(values).encode()) != content["digest"]:
        raise ValueError(f"{ABOUT} is not as it was written")
    return About(**{**values, "inputs": tuple(values["inputs"])})


def _write_about(folder: Path, about: About) -> None:
    values = json.loads(_as_json(asdict(about)))
    content = {"about": values, "digest": _digest(_as_json(values).encode())}
    (folder / ABOUT).write_text(json.dumps(content, indent=1), "utf-8")


def _as_json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
