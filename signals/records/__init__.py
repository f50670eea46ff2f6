"""The operational database: runs, leases, cases, and the awards ledger."""
