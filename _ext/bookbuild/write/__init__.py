"""What becomes of the HTML pages and of the site around them."""
