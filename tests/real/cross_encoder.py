"""Writes an untrained cross-encoder, seeded, for the venv that has torch: python cross_encoder.py TOKENIZER FOLDER.

TOKENIZER is a folder with a BERT tokenizer's files. It ranks always alike, and by no sense.
"""

import shutil
import sys
from pathlib import Path

FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


def main(tokenizer: Path, folder: Path) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertForSequenceClassification(BertConfig(vocab_size=30_522, num_labels=1, **size)).save_pretrained(folder)
    for file in FILES:
        shutil.copy(tokenizer / file, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
