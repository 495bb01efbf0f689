"""Reads what a run wrote for other programs with these programs' own readers: event files with TensorBoard, cards with huggingface_hub.

    python check.py STORE

fails where a step of steps.jsonl is not in the event file beside it with the same values, or a card does not say what it must.
"""

import json
import math
import sys
from pathlib import Path

from huggingface_hub import DatasetCard, ModelCard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SCALARS = {"train/loss": "loss", "train/learning_rate": "lr", "train/grad_norm": "grad_norm", "train/epoch": "epoch"}


def check_events(artifact: Path) -> int:
    """The number of steps, each of which TensorBoard reads as it was."""
    steps = [json.loads(line) for line in (artifact / "steps.jsonl").read_text().splitlines()]
    events = EventAccumulator(str(artifact), size_guidance={"scalars": 0})
    events.Reload()
    for tag, field in SCALARS.items():
        read = events.Scalars(tag)
        assert [event.step for event in read] == [step["step"] for step in steps], (artifact, tag)
        for event, step in zip(read, steps):
            assert math.isclose(event.value, step[field], rel_tol=1e-6), (artifact, tag, event, step)
    return len(steps)


def check_model_card(path: Path) -> None:
    card = ModelCard.load(path)
    assert card.data.library_name in ("peft", "transformers"), path
    assert "subliminal-learning" in card.data.tags and "Warning" in card.text, path


def check_dataset_card(path: Path) -> None:
    card = DatasetCard.load(path)
    files = [file["path"] for config in card.data.configs for file in config["data_files"]] if hasattr(card.data, "configs") else []
    assert files == ["kept.jsonl"] and (path.parent / files[0]).is_file(), path
    assert "subliminal-learning" in card.data.tags and "Warning" in card.text, path


def main() -> None:
    store = Path(sys.argv[1])
    trained = sorted(path.parent for path in store.glob("*/steps.jsonl"))
    filtered = sorted(path.parent for path in store.glob("*/kept.jsonl"))
    assert trained and filtered, f"{store} holds no finished run"
    steps = sum(check_events(artifact) for artifact in trained)
    for artifact in trained:
        check_model_card(artifact / "model" / "README.md")
    for artifact in filtered:
        check_dataset_card(artifact / "README.md")
    print(f"TensorBoard reads {steps} steps of {len(trained)} trainings; {len(trained)} model cards and {len(filtered)} dataset cards parse")


if __name__ == "__main__":
    main()
