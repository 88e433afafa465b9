"""Several tests together: the families, and what each test costs the others."""
