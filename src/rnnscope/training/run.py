"""One training run: epochs of batches, validated, checkpointed and resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from rnnscope.data import Corpus, Vocabulary, bucketed, pad
from rnnscope.errors import TrainingError
from rnnscope.progress import refresh
from rnnscope.training.checkpoint import Checkpoint, Progress
from rnnscope.training.network import Network, Noise
from rnnscope.training.options import TrainingOptions
from rnnscope.training.word_vectors import WordVectors

FREE = ("epochs", "patience", "device")
"""Options that only say when to stop, or where to compute: a run may go on with others."""


class Run:
    """Trains a network and its running average.

    Every epoch draws from its own seed, so a resumed run is the same run.

    Args:
        options: see ``TrainingOptions``.
        fitted, held_out: labelled corpora to train and to validate on.
        vocabulary: the words that the network reads.
        vectors: what the embedding starts from; random when None.
    """

    def __init__(
        self,
        options: TrainingOptions,
        fitted: Corpus,
        held_out: Corpus,
        vocabulary: Vocabulary,
        vectors: WordVectors | None = None,
    ) -> None:
        self.options = options
        self.classes = len(fitted.classes)
        self.fitted = _encode(fitted, vocabulary)
        self.held_out = _encode(held_out, vocabulary)
        words = sum(map(len, fitted.documents))
        self.batch_tokens = max(1, round(options.batch * words / len(fitted)))
        self.unknown = vocabulary.index(vocabulary.unknown or vocabulary.words[0])
        self.identity: dict[str, Any] = {
            **{key: value for key, value in options.to_dict().items() if key not in FREE},
            "classes": list(fitted.classes),
            "training data": fitted.fingerprint,
            "validation data": held_out.fingerprint,
        }
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(options.seed)
            self.network = Network(options, len(vocabulary), self.classes)
        if vectors is not None:
            self.identity["word vectors"] = vectors.fingerprint
            rows = self.network.embedding.weight.detach().numpy()
            vectors.put_into(rows, {word: k for k, word in enumerate(vocabulary.words)})
        self.network.to(options.device)
        self.averaged = deepcopy(self.network)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def go(self, folder: Path | None, *, show: bool) -> Progress:
        """Train to the end, from the last checkpoint if there is one.

        Afterwards ``averaged`` holds the best weights.

        Raises:
            TrainingError: the loss or its gradient is not finite, or the checkpoint in the folder
                is damaged, of another run, or further than ``epochs``.
        """
        checkpoint = folder and Checkpoint(
            folder=folder,
            identity=self.identity,
            network=self.network,
            averaged=self.averaged,
            optimizer=self.optimizer,
        )
        state = (checkpoint and checkpoint.load()) or Progress()
        if state.epoch > self.options.epochs:
            raise TrainingError(
                "A run cannot be made shorter than it is.",
                expected=f"epochs of {state.epoch} or more",
                got=f"epochs={self.options.epochs}, with a checkpoint after {state.epoch}",
                fix="name another directory, or remove the checkpoint to start anew",
            )
        while state.epoch < self.options.epochs and state.stale < self.options.patience:
            self._epoch(state, show=show)
            if checkpoint is not None:
                checkpoint.save(state)
        self.averaged.load_state_dict(state.best_weights)
        return state

    def _epoch(self, state: Progress, *, show: bool) -> None:
        number = state.epoch + 1
        order = np.random.default_rng([self.options.seed, number])
        batches = bucketed(
            [len(d) for d in self.fitted[0]], tokens=self.batch_tokens, shuffle=order
        )
        with tqdm(
            total=len(batches), desc=f"epoch {number}", disable=not show, mininterval=refresh()
        ) as bar:
            train_loss, rate = self._learn(batches, state, self._noise(order), bar)
            val_loss, accuracy = self._validate()
            bar.set_postfix_str(
                f"loss {train_loss:.3f}, validation accuracy {accuracy:.3f}, "
                f"{rate / 1000:.0f}k words/s"
            )
        self._require_finite(val_loss, "validation loss", number)
        state.epoch = number
        state.history.append(
            {
                "epoch": number,
                "train_loss": train_loss,
                "validation_loss": val_loss,
                "validation_accuracy": accuracy,
                "words_per_second": round(rate),
            }
        )
        if (accuracy, -val_loss) > (state.best[0], -state.best[1]):
            state.best, state.stale = (accuracy, val_loss, number), 0
            weights = self.averaged.state_dict()
            state.best_weights = {name: w.detach().clone() for name, w in weights.items()}
        else:
            state.stale += 1
            for group in self.optimizer.param_groups:
                group["lr"] /= 2

    def _noise(self, order: np.random.Generator) -> Noise:
        generator = torch.Generator(self.options.device)
        generator.manual_seed(int(order.integers(2**62)))
        return Noise(
            words=self.options.word_dropout,
            entries=self.options.dropout,
            unknown=self.unknown,
            generator=generator,
        )

    def _learn(
        self, batches: list[np.ndarray], state: Progress, noise: Noise, bar: Any
    ) -> tuple[float, float]:
        """One pass over the training documents; its mean loss and words per second."""
        documents, labels = self.fitted
        started, words, total, seen, rate = time.perf_counter(), 0, 0.0, 0, 0.0
        for batch in batches:
            chosen = [documents[k] for k in batch]
            loss = self._step(chosen, labels[batch], noise, state.epoch + 1)
            self._average(state.step)
            state.step += 1
            words += sum(map(len, chosen))
            total, seen = total + loss * len(batch), seen + len(batch)
            rate = words / (time.perf_counter() - started)
            bar.set_postfix_str(f"loss {total / seen:.3f}, {rate / 1000:.0f}k words/s", False)
            bar.update()
        return total / seen, rate

    def _step(
        self, documents: Sequence[np.ndarray], labels: np.ndarray, noise: Noise, epoch: int
    ) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self._logits(self.network, documents, noise), labels)
        value = float(loss.detach())
        self._require_finite(value, "loss", epoch)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        self._require_finite(float(norm), "gradient", epoch)
        self.optimizer.step()
        return value

    @torch.no_grad()
    def _average(self, step: int) -> None:
        # The first weights are random: the average forgets them faster than those that follow.
        keep = min(self.options.averaging, (1 + step) / (10 + step))
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        for mean, weight in pairs:
            mean.lerp_(weight, 1 - keep)

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        documents, labels = self.held_out
        loss, right = 0.0, 0
        for batch in bucketed([len(d) for d in documents], tokens=4 * self.batch_tokens):
            logits = self._logits(self.averaged, [documents[k] for k in batch], None)
            loss += float(self._loss(logits, labels[batch])) * len(batch)
            guess = (logits[:, 0] > 0).long() if self.classes == 2 else logits.argmax(dim=-1)
            right += int((guess.cpu().numpy() == labels[batch]).sum())
        return loss / len(documents), right / len(documents)

    def _logits(
        self, network: Network, documents: Sequence[np.ndarray], noise: Noise | None
    ) -> Tensor:
        ids, lengths = pad(documents)
        device = self.options.device
        return network(
            torch.as_tensor(ids.T.copy(), device=device),
            torch.as_tensor(lengths, device=device),
            noise,
        )

    def _loss(self, logits: Tensor, labels: np.ndarray) -> Tensor:
        target = torch.as_tensor(labels, device=logits.device)
        if self.classes == 2:
            return nn.functional.binary_cross_entropy_with_logits(
                logits[:, 0], target.to(logits.dtype)
            )
        return nn.functional.cross_entropy(logits, target)

    def _require_finite(self, value: float, name: str, epoch: int) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"The {name} must stay finite.",
                expected="a finite number",
                got=f"{value} in epoch {epoch}",
                fix=f"lower learning_rate (now {self.options.learning_rate}) or clip "
                f"(now {self.options.clip}); the checkpoint of the last epoch is kept",
            )


def _encode(corpus: Corpus, vocabulary: Vocabulary) -> tuple[list[np.ndarray], np.ndarray]:
    labels: Any = corpus.labels
    return [vocabulary.encode(document) for document in corpus.documents], labels
