"""The sections of a report after its first page, one module each."""
