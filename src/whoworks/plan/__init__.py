"""The study plan: what was asked, how arms were given out, what is compared, written before outcomes are seen."""
