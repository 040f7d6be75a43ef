// The playground's table: in which order the tangent kernel expects the frequencies, and in which order they were learned.
(() => {
  "use strict";
  const { element, number } = window.fpReplay;
  const { frequencyOf } = window.fpExperiment;
  const { THRESHOLD, few, firstBelow, followed, verdict } = window.fpLessons;
  // It scrolls on a phone, so the keyboard must reach it.
  const BOX = { class: "play-forecast", tabindex: 0, role: "region", "aria-label": "Forecast and result" };
  const TITLE = "What the tangent kernel forecasts before the first step, and what happened";
  const NONE = "\u2013";

  /** The place of one value among all, the largest first if `sign` is 1. */
  const rank = (values, i, sign) => `${1 + values.filter((v) => sign * v > sign * values[i]).length}.`;

  class Forecast {
    constructor(parent) {
      this.box = element("div", parent, BOX);
      this.table = element("table", this.box);
    }

    /** The table is made anew only where it says something else. */
    show(run) {
      const { eigenvalues, done } = run;
      const ks = followed(run).map(frequencyOf);
      const times = ks.map((k) => (run.rows.length ? firstBelow(run, k) : Number.POSITIVE_INFINITY));
      const shown = JSON.stringify([eigenvalues, done, ks, times]);
      if (shown === this.shown) return;
      this.shown = shown;
      this.fill(run, ks, times);
    }

    fill(run, ks, times) {
      const { eigenvalues } = run;
      this.table.replaceChildren();
      element("caption", this.table).textContent = TITLE + (eigenvalues ? verdict(run, times) : "");
      this.row(["frequency k", "rate, of the largest", "forecast", `first below ${THRESHOLD}`, "rank"], "th");
      const top = Math.max(...(eigenvalues ?? [1]));
      ks.forEach((k, i) => {
        const forecast = eigenvalues ? [few(eigenvalues[i] / top), rank(eigenvalues, i, 1)] : [NONE, NONE];
        const came = Number.isFinite(times[i])
          ? [`step ${number(times[i])}`, rank(times, i, -1)]
          : [NONE, NONE];
        this.row([k, ...forecast, ...came], "td");
      });
    }

    row(cells, tag) {
      const line = element("tr", this.table);
      cells.forEach((cell, i) => {
        const scope = tag === "th" ? { scope: "col" } : i ? {} : { scope: "row" };
        element(i ? tag : "th", line, scope).textContent = cell;
      });
    }
  }

  window.fpForecast = { Forecast };
})();
