// Read by the search page behind Sphinx's own search and before the index (html_search_scorer).
// A search result shows the text of its page and nothing of the page's furniture; formulas as far as letters can write them.
const GREEK = {
  alpha: "α",
  delta: "δ",
  Delta: "Δ",
  lambda: "λ",
  omega: "ω",
  pi: "π",
  sigma: "σ",
  theta: "θ",
  xi: "ξ",
  cdot: "·",
  le: "≤",
  ge: "≥",
  approx: "≈",
  to: "→",
  infty: "∞",
};

function writtenOut(tex) {
  return tex
    .replace(/\\[()[\]]/g, "")
    .replace(/\\([a-zA-Z]+)/g, (_, name) => GREEK[name] ?? name)
    .replace(/[{}\\]/g, "");
}

function textOfResult(page, anchor) {
  const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
  if (!article) return "";
  const place = (anchor && article.querySelector(anchor)) || article;
  for (const node of place.querySelectorAll(
    "h1, .headerlink, script, style, template, div.math, .cell_input, details.hide, .toctree-wrapper",
  ))
    node.remove();
  for (const formula of place.querySelectorAll(".math"))
    formula.textContent = writtenOut(formula.textContent);
  return place.textContent;
}

const LISTS = /^chapters\/(glossary|notation|references|claims|api|status)$/; // they name everything, and explain little

Search.htmlToText = textOfResult;
Scorer.score = ([page, , , , score]) => (LISTS.test(page) ? score / 50 : score);
