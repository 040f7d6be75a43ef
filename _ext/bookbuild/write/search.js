// Read by the search page behind Sphinx's own search and before the index (html_search_scorer).
// A search result shows the text of its page and nothing of the page's furniture.
function textOfResult(page, anchor) {
  const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
  if (!article) return "";
  const place = (anchor && article.querySelector(anchor)) || article;
  for (const node of place.querySelectorAll(
    "h1, .headerlink, script, style, template, div.math, .cell_input, details.hide, .toctree-wrapper",
  ))
    node.remove();
  return place.textContent;
}

const LISTS = /^chapters\/(glossary|notation|references|claims|api|status)$/; // they name everything, and explain little

Search.htmlToText = textOfResult;
Scorer.score = ([page, , , , score]) => (LISTS.test(page) ? score / 50 : score);
