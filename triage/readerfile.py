"""Readers as files: the shipped one, and what a team trained; a broken one is named, not used."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from triage.errors import ReaderError
from triage.reading import FORMAT, Calibration, Linear, Reader, Trust

SHIPPED = "reader-2.npz"
ARRAYS = (
    "centre",
    "rarity",
    "layer_weights",
    "layer_bias",
    "map_weights",
    "map_bias",
    "model_shares",
    "given",
    "failures",
)
MAX_BYTES = 50_000_000
RETRAIN = "Train it anew with `triage train-reader`, or unset TRIAGE_READER for the shipped one."


def load_shipped_reader() -> Reader:
    """The reader that comes with the package. Raises ``ReaderError``."""
    content = (files("triage.reading") / SHIPPED).read_bytes()
    return parse_reader(content, "the shipped reader")


def load_reader(path: Path) -> Reader:
    """The reader in a file. Raises ``ReaderError`` where it is missing, broken or too old."""
    try:
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReaderError(f"Reading {path}", error.strerror or str(error), RETRAIN) from error
    return parse_reader(content, str(path))


def save_reader(reader: Reader, path: Path) -> None:
    """Write a reader in half precision; the file says what it is and carries its own checksum."""
    arrays = {
        "centre": reader.centre,
        "rarity": reader.rarity,
        "layer_weights": reader.layers.weights,
        "layer_bias": reader.layers.bias,
        "map_weights": reader.capabilities.weights,
        "map_bias": reader.capabilities.bias,
        "model_shares": reader.model_shares,
        "given": reader.map_given_layer,
        "failures": reader.failures,
    }
    half = {name: np.asarray(array, dtype=np.float16) for name, array in arrays.items()}
    facts = {
        "format": FORMAT,
        "embedding": reader.embedding,
        "trained_on": reader.trained_on,
        "capability_ids": list(reader.capability_ids),
        "calibration": asdict(reader.calibration),
        "figures": reader.figures,
        "checksum": _checksum(half),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **half)  # type: ignore[arg-type]
    path.write_bytes(buffer.getvalue())


def parse_reader(content: bytes, name: str) -> Reader:
    """The reader in the bytes of a file; ``name`` is how errors call it. Nothing is executed."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            if facts["format"] != FORMAT:
                problem = f"it has format {facts['format']!r}, and {FORMAT} is read here"
                raise ReaderError(f"Reading {name}", problem, RETRAIN)
            half = {one: stored[one] for one in ARRAYS}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        problem = f"it is no whole reader ({type(error).__name__})"
        raise ReaderError(f"Reading {name}", problem, RETRAIN) from error
    if facts.get("checksum") != _checksum(half):
        raise ReaderError(f"Reading {name}", "its numbers are not those that were written", RETRAIN)
    return _reader(facts, {one: array.astype(np.float32) for one, array in half.items()})


def _reader(facts: dict[str, Any], arrays: dict[str, Any]) -> Reader:
    return Reader(
        embedding=facts["embedding"],
        trained_on=facts["trained_on"],
        capability_ids=tuple(facts["capability_ids"]),
        centre=arrays["centre"],
        rarity=arrays["rarity"],
        layers=Linear(arrays["layer_weights"], arrays["layer_bias"]),
        capabilities=Linear(arrays["map_weights"], arrays["map_bias"]),
        model_shares=arrays["model_shares"],
        map_given_layer=arrays["given"],
        failures=arrays["failures"],
        calibration=_calibration(facts["calibration"]),
        figures=facts["figures"],
    )


def _calibration(values: dict[str, Any]) -> Calibration:
    trusts = {
        name: Trust(**(values[name] | {"offsets": tuple(values[name]["offsets"])}))
        for name in ("trust", "theme_trust")
    }
    return Calibration(**(values | trusts))


def _checksum(arrays: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in ARRAYS:
        digest.update(name.encode() + str(arrays[name].shape).encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]
