"""The theorems of the book, one page each."""
