"""What a reader has to know before using a finding: derived by rules, never typed."""
