"""whoworks: what works, for whom, in which circumstances."""

from __future__ import annotations

__version__ = "0.1.0"
