"""How the effect differs between sites, and who these sites are."""
