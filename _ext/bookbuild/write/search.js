// Read by the search page behind Sphinx's own search and before the index (html_search_scorer).
// A search result shows the text of its page and nothing of the page's furniture.
function textOfResult(page, anchor) {
  const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
  if (!article) return "";
  const found = (anchor && article.querySelector(anchor)) || article;
  const place = found.matches("dt") ? found.parentElement : found; // of a word of the glossary its entry
  for (const node of place.querySelectorAll(
    "h1, .headerlink, script, style, template, div.math, .cell_input, details.hide, .toctree-wrapper",
  ))
    node.remove();
  for (const node of place.querySelectorAll("dt, dd, p, li, td, th")) node.append(" ");
  return found === place ? place.textContent : entryText(found);
}

/** The text of the entry that a term of the glossary heads. */
function entryText(term) {
  let node = term;
  while (node && !node.matches("dd")) node = node.nextElementSibling;
  return `${term.textContent}: ${node?.textContent ?? ""}`;
}

const LISTS = /^chapters\/(glossary|notation|references|claims|api|status)$/; // they name everything, and explain little
const BRITISH = /(\w(?:al|ar|er|et|il|im|nt|or|rd|tr|random))is(?=(?:e[drs]?|ers|ing|ations?)\b)/gi;

Search.htmlToText = textOfResult;
Scorer.score = ([page, , , , score]) => (LISTS.test(page) ? score / 50 : score);

// What was searched before is not marked on this page.
try {
  localStorage.removeItem("sphinx_highlight_terms");
} catch {} // nothing may be kept here

// Words are looked for as the pages spell them, and a word of the glossary leads first to the page that its entry names.
const findWords = Search.performTermsSearch;
const ask = Search.query;
let asked = "";

Search.query = (query) => {
  asked = query.replace(BRITISH, "$1iz");
  ask(asked);
};

Search.performTermsSearch = (words, excluded) => {
  const { docnames, titles, filenames } = Search._index;
  const term = asked
    .toLowerCase()
    .replace(/[-\s]+/g, " ")
    .trim();
  const first = typeof FIRST_PAGES === "undefined" ? {} : FIRST_PAGES;
  const at = docnames.indexOf([term, term.replace(/s$/, "")].map((one) => first[one]).find(Boolean));
  const found = findWords(words, excluded);
  if (at < 0) return found;
  return [...found, [docnames[at], titles[at], "", null, 1000, filenames[at]]];
};
