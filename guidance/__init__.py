"""Which support to offer, within budgets and quotas."""
