"""Train an adapter on reports whose failure modes are known, so that likeness means one fix."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from triage.embedding.adapter import prepend_adapter
from triage.embedding.embedder import Embedder
from triage.errors import TrainingError

# Chosen by training on four fifths of 320 invented failure modes and looking at the other fifth.
RANK = 16
LEARNING_RATE = 2.5e-4
WARM_UP = 0.1
TEMPERATURE = 0.06
FIRST_LAYER = 1  # the lowest layers know words, not failures; leaving one alone saves a tenth
LONGEST_TOKENS = 128
REPORTS_PER_MODE = 2
# Share of steps whose modes come from one area, so that look-alikes meet.
AREA_SHARE = 0.3
WORD_DROP = 0.1
LENGTH_GROUPS = 4  # texts of like length are padded together
# What is learnt is added at this share: halfway models generalise better (Wortsman et al. 2022).
# ARI of kept-back reports and of their phrases: 0.4 0.32 0.57, 0.7 0.34 0.60, 1.0 0.33 0.55.
BLEND = 0.7
TARGETS = ["query", "key", "value", "dense"]
REMEDY = "Give at least 20 modes of two reports each, as JSONL with title, body, failure and mode."


@dataclass(frozen=True, slots=True)
class Sample:
    """One report as it would be embedded, its failure in few words, and the name of its mode.

    What stands before the first colon of ``mode`` is its area: modes of one area look alike.
    """

    text: str
    failure: str
    mode: str


def train_adapter(
    samples: Sequence[Sample],
    folder: Path,
    *,
    embedder: Embedder,
    steps: int = 260,
    modes_per_step: int = 40,
    seed: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> None:
    """Train low-rank updates of the model and write them to ``folder`` in PEFT's layout.

    Supervised contrastive loss (Khosla et al. 2020): two reports of a mode and their phrases are
    drawn together, and away from those of the step's other modes. The embedder's own adapter, if
    it has one, is where training starts, and is part of what is written. ``progress`` gets the
    step, all steps and the loss. Raises ``TrainingError`` for too few modes.
    """
    by_mode: dict[str, list[Sample]] = {}
    for sample in samples:
        by_mode.setdefault(sample.mode, []).append(sample)
    by_mode = {m: found for m, found in by_mode.items() if len(found) >= REPORTS_PER_MODE}
    if len(by_mode) < min(20, modes_per_step):
        raise TrainingError(
            "Training an adapter", f"only {len(by_mode)} modes have two reports", REMEDY
        )
    import torch

    torch.manual_seed(seed)
    chance = random.Random(seed)
    trained = _Trainee(embedder)
    rates = [p for p in trained.network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(rates, lr=LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / (steps * WARM_UP)) * max(0.02, 1 - step / steps),
    )
    for step in range(steps):
        names = _choose_modes(by_mode, min(modes_per_step, len(by_mode)), chance)
        loss = trained.loss(
            [chance.sample(by_mode[name], REPORTS_PER_MODE) for name in names], chance
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(rates, 1.0)
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, float(loss))
    trained.save(folder)


class _Trainee:
    """The model with trainable low-rank updates beside its frozen weights."""

    def __init__(self, embedder: Embedder) -> None:
        from peft import LoraConfig, get_peft_model

        self._earlier = embedder.adapter
        transformer: Any = embedder.load_transformer()
        layers = transformer[0].auto_model.config.num_hidden_layers
        config = LoraConfig(
            r=RANK,
            lora_alpha=RANK,
            target_modules=TARGETS,
            layers_to_transform=list(range(FIRST_LAYER, layers)),
        )
        self.tokenizer = transformer.tokenizer
        # evaluation mode: dropout costs half of a step on a CPU, and low rank regularises enough
        self.network: Any = get_peft_model(transformer[0].auto_model.float(), config).eval()

    def loss(self, groups: Sequence[Sequence[Sample]], chance: random.Random) -> Any:
        """Supervised contrastive loss over the reports and phrases of some modes."""
        import torch

        samples = list(chain.from_iterable(groups))
        modes = [place for place, group in enumerate(groups) for _ in group]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            texts = [_varied(sample.text, chance) for sample in samples]
            units = torch.cat([self._embed(texts), self._embed([s.failure for s in samples])])
        numbers = torch.tensor(modes + modes)
        itself = torch.eye(len(numbers), dtype=torch.bool)
        is_same = (numbers[:, None] == numbers[None, :]) & ~itself
        similarity = (units @ units.T / TEMPERATURE).masked_fill(itself, -1e4)
        likelihood = similarity - torch.logsumexp(similarity, 1, keepdim=True)
        return (-(likelihood * is_same).sum(1) / is_same.sum(1)).mean()

    def _embed(self, texts: Sequence[str]) -> Any:
        """Mean-pooled unit vectors, in order."""
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        width = -(-len(order) // LENGTH_GROUPS)
        parts = []
        for start in range(0, len(order), width):
            tokens = self.tokenizer(
                [texts[place] for place in order[start : start + width]],
                padding=True,
                truncation=True,
                max_length=LONGEST_TOKENS,
                return_tensors="pt",
            )
            hidden = self.network(**tokens).last_hidden_state.float()
            mask = tokens["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            parts.append(torch.nn.functional.normalize(mean, dim=-1))
        return torch.cat(parts)[torch.tensor(order).argsort()]

    def save(self, folder: Path) -> None:
        """Half precision halves the file; the vectors' cosine to full precision is 0.999999."""
        import torch

        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                if ".lora_B." in name:
                    weight *= BLEND
        self.network.half().save_pretrained(str(folder))
        (folder / "README.md").unlink(missing_ok=True)  # a form that nobody filled in
        if self._earlier is not None:
            prepend_adapter(self._earlier, folder)


def _choose_modes(by_mode: dict[str, list[Sample]], count: int, chance: random.Random) -> list[str]:
    """Modes of a step: any, or for some steps first those of one area."""
    names = sorted(by_mode)
    chosen: list[str] = []
    if chance.random() < AREA_SHARE:
        area = chance.choice(names).partition(":")[0]
        own = [name for name in names if name.partition(":")[0] == area]
        chosen = chance.sample(own, min(count, len(own)))
    taken = set(chosen)
    rest = [name for name in names if name not in taken]
    return chosen + chance.sample(rest, count - len(chosen))


def _varied(text: str, chance: random.Random) -> str:
    """The text with some words missing, or a part of it: no single word may decide."""
    words = text.split(" ")
    if len(words) > 12 and chance.random() < 0.5:
        words = [word for word in words if chance.random() > WORD_DROP]
    if len(words) > 20 and chance.random() < 0.25:
        start = chance.randrange(len(words) // 2)
        words = words[start : start + max(10, len(words) // 2)]
    return " ".join(words)
