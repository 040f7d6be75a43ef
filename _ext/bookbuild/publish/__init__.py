"""What is published beside the pages: notebooks, EPUB, PDF; and one page alone for its writer."""
