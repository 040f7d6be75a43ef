// What every page does for itself: print, search from file://, formulas in slices, keyboard scrolling, previews of references.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // a summary would need the other page, which cannot be fetched from disk
}

// Formulas are drawn a few at a time, so that the page answers in between. MathJax, loaded next, reads this.
async function drawFormulas() {
  const formulas = [...document.querySelectorAll(".math")];
  while (formulas.length) {
    await MathJax.typesetPromise(formulas.splice(0, 8));
    focusWhatScrolls();
    await new Promise((resume) => setTimeout(resume));
  }
  focusWhatScrolls();
}
if (window.MathJax) MathJax.startup = { typeset: false, pageReady: drawFormulas };

function focusWhatScrolls() {
  const boxes = [...document.querySelectorAll("mjx-container[display], div.math, article figure, article pre, .pst-scrollable-table-container")];
  const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
  boxes.forEach((box, i) => (scrolls[i] ? box.setAttribute("tabindex", "0") : box.removeAttribute("tabindex")));
}

// Paper is white: print in the light theme and with every picture. What is folded is left out, solutions are not.
let themeOnScreen = "";

addEventListener("beforeprint", () => {
  themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  for (const image of document.images) image.loading = "eager";
});

addEventListener("afterprint", () => { document.documentElement.dataset.theme = themeOnScreen; });

async function printWhole() {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  window.print();
}

// A preview shows what a reference points to, while the pointer or the keyboard is on it. Escape hides it.
const preview = { box: null, link: null, timer: 0 };

function previewed(link) {
  const stored = document.querySelector(`template.preview[data-for="${CSS.escape(link.getAttribute("href"))}"]`);
  if (stored) return stored.content.cloneNode(true);
  const target = link.getAttribute("href").startsWith("#") && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target || !target.matches("figure, div.math, div.proof")) return null;
  const copy = target.cloneNode(true);
  for (const node of copy.querySelectorAll("script, .headerlink, .replay")) node.remove();
  for (const node of copy.querySelectorAll("[hidden]")) node.hidden = false; // the still picture of a replay
  for (const node of [copy, ...copy.querySelectorAll("[id], [tabindex], img")]) {
    for (const name of ["id", "tabindex", "loading"]) node.removeAttribute(name);
  }
  for (const node of copy.querySelectorAll("a")) node.replaceWith(...node.childNodes); // a preview is read, not clicked
  return copy;
}

function hidePreview() {
  clearTimeout(preview.timer);
  if (!preview.box) return;
  preview.link.removeAttribute("aria-describedby");
  preview.box.remove();
  preview.box = preview.link = null;
}

function showPreview(link) {
  if (preview.link === link) return clearTimeout(preview.timer);
  hidePreview();
  const content = previewed(link);
  if (!content) return;
  const box = document.createElement("div");
  Object.assign(box, { id: "preview", className: "preview", role: "tooltip" });
  box.append(content);
  document.body.append(box);
  link.removeAttribute("title"); // the browser's own tip would lie above
  link.setAttribute("aria-describedby", "preview");
  Object.assign(preview, { box, link });
  const at = link.getClientRects()[0];
  const above = at.bottom + box.offsetHeight + 8 > innerHeight && at.top > box.offsetHeight + 8;
  box.style.top = `${scrollY + (above ? at.top - box.offsetHeight - 6 : at.bottom + 6)}px`;
  box.style.left = `${scrollX + Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8))}px`;
}

function offerPreviews(article) {
  const soon = (act, delay) => { clearTimeout(preview.timer); preview.timer = setTimeout(act, delay); };
  const linkOf = (event) => event.target.closest("a.reference.internal[href*='#']");
  article.addEventListener("pointerover", (event) => {
    const link = event.pointerType === "mouse" && linkOf(event);
    if (link) soon(() => showPreview(link), 200);
  });
  article.addEventListener("pointerout", (event) => { if (linkOf(event)) soon(hidePreview, 200); });
  article.addEventListener("focusin", (event) => { const link = linkOf(event); if (link && link.matches(":focus-visible")) showPreview(link); });
  article.addEventListener("focusout", hidePreview);
  document.body.addEventListener("pointerover", (event) => { if (event.target.closest("#preview")) clearTimeout(preview.timer); });
  document.body.addEventListener("pointerout", (event) => { if (event.target.closest("#preview")) soon(hidePreview, 200); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hidePreview(); });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".btn-download-pdf-button")) button.addEventListener("click", printWhole);
  const article = document.querySelector("article");
  if (article) offerPreviews(article);
  new ResizeObserver(focusWhatScrolls).observe(document.querySelector("main"));
});
