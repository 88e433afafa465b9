"""What is looked for without having been asked: any difference, predicted groups, rankings, and candidates."""
