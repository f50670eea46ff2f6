"""What we compute about each borrower."""
