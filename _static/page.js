// The button that prints, a search that works from file://, and wide formulas that the keyboard can scroll.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // a summary would need the other page, which cannot be fetched from disk
}

function focusWideFormulas() {
  for (const formula of document.querySelectorAll("mjx-container[display], div.math")) {
    const scrolls = formula.scrollWidth > formula.clientWidth || formula.scrollHeight > formula.clientHeight;
    if (scrolls) formula.setAttribute("tabindex", "0");
    else formula.removeAttribute("tabindex");
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".btn-download-pdf-button")) button.addEventListener("click", () => window.print());
  if (window.MathJax && MathJax.startup) MathJax.startup.promise.then(focusWideFormulas);
  new ResizeObserver(focusWideFormulas).observe(document.querySelector("main"));
});
