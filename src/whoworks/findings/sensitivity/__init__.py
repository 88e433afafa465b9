"""What becomes of a claim on other scales, without a site, and on other deals of the folds."""
