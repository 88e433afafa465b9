"""Our own numbers, held still: a change that moves one says so in CHANGELOG under *Numbers*."""
