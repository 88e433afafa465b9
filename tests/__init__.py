"""The tests of whoworks, in folders named as the packages they hold."""
