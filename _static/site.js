// What every page does for itself: print, search from file://, formulas in slices, keyboard scrolling, previews of references.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // a summary would need the other page, which cannot be fetched from disk
}

// Formulas are drawn by the browser until the reader does anything: MathJax, large and slow, is fetched then, and draws first what
// the reader has before him or her. The page names it in a script that does not run by itself. A few at a time, so that the page
// answers in between, and none while a lab trains.
let mathjax = null;
let drawing = Promise.resolve();

function loadMathJax() {
  return (mathjax ??= new Promise((resolve) => {
    window.MathJax.startup = { typeset: false, pageReady: async () => resolve() };
    const script = document.createElement("script");
    Object.assign(script, { src: document.querySelector("script[type='text/mathjax']").src, defer: true });
    document.head.append(script);
  }));
}

async function untilNothingTrains() {
  do await new Promise((resume) => setTimeout(resume, 150));
  while (document.documentElement.hasAttribute("data-training"));
}

const undrawn = (within) =>
  [...within.querySelectorAll(".math")].filter((formula) => !formula.querySelector("mjx-container"));

// A page holds each formula as MathML, which every browser draws at once and prints; MathJax draws it more finely from its TeX.
function backToTeX(formula) {
  formula.querySelector("math")?.replaceWith(formula.dataset.tex);
}

// All formulas, or those that are asked for; a promise.
function drawFormulas(wanted = () => undrawn(document)) {
  drawing = drawing.then(async () => {
    const formulas = wanted().filter((formula) => !formula.querySelector("mjx-container"));
    if (formulas.length && !mathjax) await untilNothingTrains();
    if (formulas.length) await loadMathJax();
    while (formulas.length) {
      if (document.documentElement.hasAttribute("data-training")) await untilNothingTrains();
      const some = formulas.splice(0, 4);
      some.forEach(backToTeX);
      await MathJax.typesetPromise(some);
      some.forEach(watchWhatScrolls);
      await new Promise((resume) => setTimeout(resume));
    }
  });
  return drawing;
}

function waitForReader() {
  const begin = () => {
    for (const kind of ACTS) removeEventListener(kind, begin);
    const above = (formula) => formula.getBoundingClientRect().bottom < 0;
    drawFormulas(() => undrawn(document).sort((a, b) => above(a) - above(b)));
  };
  for (const kind of ACTS) addEventListener(kind, begin, { passive: true });
}

const ACTS = ["scroll", "pointermove", "pointerdown", "keydown"];

const SCROLLING =
  "mjx-container[display], div.math, article figure, article pre, .cell_output > .output, .pst-scrollable-table-container";

// A box is measured when it is first laid out, which is when its section comes near the screen, and whenever its size changes.
const sizes = new ResizeObserver((changes) => {
  const boxes = changes.map(({ target }) => target);
  const scrolls = boxes.map(
    (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight,
  );
  boxes.forEach((box, i) =>
    scrolls[i] ? box.setAttribute("tabindex", "0") : box.removeAttribute("tabindex"),
  );
});

function watchWhatScrolls(within) {
  if (within.matches(SCROLLING)) sizes.observe(within);
  for (const box of within.querySelectorAll(SCROLLING)) sizes.observe(box);
}

// Paper is white: print in the light theme and with every picture. What is folded is left out, solutions are not.
let themeOnScreen = "";

addEventListener("beforeprint", () => {
  themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  for (const image of document.images) image.loading = "eager";
});

addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = themeOnScreen;
});

async function printWhole() {
  for (const image of document.images) image.loading = "eager";
  if (window.MathJax) await drawFormulas();
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  window.print();
}

// A preview shows what a reference points to, while the pointer or the keyboard is on it. Escape hides it.
const preview = { box: null, link: null, timer: 0 };

// A figure that waits for a guess.
const isCovered = (target) =>
  target.firstElementChild && getComputedStyle(target.firstElementChild).visibility === "hidden";

function previewed(link) {
  const stored = document.querySelector(
    `template.preview[data-for="${CSS.escape(link.getAttribute("href"))}"]`,
  );
  if (stored) return stored.content.cloneNode(true);
  const target =
    link.getAttribute("href").startsWith("#") &&
    document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target || !target.matches("figure, div.math, div.proof") || isCovered(target)) return null;
  if (undrawn(target).length || (target.matches(".math") && !target.querySelector("mjx-container"))) {
    drawFormulas().then(() => {
      if (link.matches(":hover, :focus-visible")) showPreview(link);
    });
    return null;
  }
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
  const [above, below] = [at.top - 14, innerHeight - at.bottom - 14]; // pixels of room
  const goesUp = box.offsetHeight > below && above > below;
  box.style.maxHeight = `${Math.min(0.6 * innerHeight, goesUp ? above : below)}px`;
  box.style.top = `${scrollY + (goesUp ? at.top - box.offsetHeight - 6 : at.bottom + 6)}px`;
  box.style.left = `${scrollX + Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8))}px`;
}

function offerPreviews(article) {
  const soon = (act, delay) => {
    clearTimeout(preview.timer);
    preview.timer = setTimeout(act, delay);
  };
  const linkOf = (event) => event.target.closest("a.reference.internal[href*='#']");
  article.addEventListener("pointerover", (event) => {
    const link = event.pointerType === "mouse" && linkOf(event);
    if (link) soon(() => showPreview(link), 200);
  });
  article.addEventListener("pointerout", (event) => {
    if (linkOf(event)) soon(hidePreview, 200);
  });
  article.addEventListener("focusin", (event) => {
    const link = linkOf(event);
    if (link?.matches(":focus-visible")) showPreview(link);
  });
  article.addEventListener("focusout", hidePreview);
  document.body.addEventListener("pointerover", (event) => {
    if (event.target.closest("#preview")) clearTimeout(preview.timer);
  });
  document.body.addEventListener("pointerout", (event) => {
    if (event.target.closest("#preview")) soon(hidePreview, 200);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hidePreview();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".btn-download-pdf-button"))
    button.addEventListener("click", printWhole);
  const article = document.querySelector("article");
  if (article) offerPreviews(article);
  if (window.MathJax) waitForReader();
  watchWhatScrolls(document.body);
});
