"""Sub-commands of `deungdae`, a module for each."""
