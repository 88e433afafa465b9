"""The design: arms, blocks, known probabilities, clusters, folds, and drawing the assignment again."""
