"""Write down the shipped pilot's findings and the report's document: ``make golden``, and nothing else, runs this."""

from __future__ import annotations

from tests.golden.lakeside import WRITTEN, recompute
from tests.report import snapshot

if __name__ == "__main__":
    recompute().to_csv(WRITTEN, index=False, float_format="%.14g", lineterminator="\n")
    snapshot.write()
