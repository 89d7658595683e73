"""Tells the words in 16-bit samples on standard input, for the venv that has pocketsphinx: python ears.py RATE GRAMMAR.

GRAMMAR is a file of JSGF: nothing else is heard.
"""

import sys
from pathlib import Path


def main(rate: int, grammar: Path) -> None:
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=rate, lm=None, loglevel="FATAL")
    decoder.add_jsgf_string("grammar", grammar.read_text(encoding="utf-8"))
    decoder.activate_search("grammar")
    decoder.start_utt()
    decoder.process_raw(sys.stdin.buffer.read(), full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    sys.stdout.write(heard.hypstr if heard else "")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
