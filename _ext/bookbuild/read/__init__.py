"""What becomes of a page while it is read, and before it is written in any kind of book."""
