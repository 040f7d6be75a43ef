// What is said of a run, and whether a guess was right: sentences from fpbook/lab/words.js, measures as in fpbook.lab.experiment.
(() => {
  "use strict";
  const { WATCHED, names, numbers } = window.fpExperiment;
  const { crossings, number } = window.fpReplay;
  const WORDS = window.fpWords;

  /** The sentence of this name with its {places} filled. */
  function say(name, values = {}) {
    return WORDS[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
  }

  /** Values of one watched quantity at all recorded steps; null if it was not watched. */
  function column(name, run) {
    const at = names(run.declared).indexOf(name) + 1;
    return at ? run.rows.map((row) => row[at]) : null;
  }

  const lastStep = ({ rows }) => rows[rows.length - 1][0];

  /**
   * A number of a run by its name: "t:NAME" the first step at which NAME is below the threshold, "back:NAME" the step at
   * which it was above it again, "end:", "low:" and "best:NAME" its last value, its smallest and the step of that;
   * "steps" the steps until the tolerance was met; with "recorded " before it, of the recorded run.
   */
  function measure(text, run, recorded) {
    if (text.startsWith("recorded ")) return measure(text.slice(9), recorded);
    if (text === "steps") return run.done === "fitted" ? lastStep(run) : Number.POSITIVE_INFINITY;
    const kind = text.slice(0, text.indexOf(":"));
    const name = text.slice(kind.length + 1);
    const values = column(name, run);
    if (!values) return kind === "end" ? atTheEnd(name, run) : Number.NaN;
    const stepAt = (i) => (i < 0 ? Number.POSITIVE_INFINITY : run.rows[i][0]);
    const { first, back } = crossings(values, run.declared.watch.threshold);
    const best = values.indexOf(Math.min(...values));
    return {
      t: stepAt(first),
      back: stepAt(back),
      end: values.at(-1),
      low: values[best],
      best: stepAt(best),
    }[kind];
  }

  /** What was not watched is measured once, from the last outputs. */
  function atTheEnd(name, run) {
    const last = run.frames.at(-1);
    if (!last?.h || !Object.hasOwn(WATCHED, name)) return Number.NaN;
    return WATCHED[name](last.h, last.at, numbers(run.declared.data, run.declared.network.seed));
  }

  function reached(name, run) {
    const step = measure(`t:${name}`, run);
    const back = measure(`back:${name}`, run);
    if (!Number.isFinite(step)) return say("not reached", { name });
    const values = { name, step: number(step), back: number(back), threshold: run.declared.watch.threshold };
    return say(Number.isFinite(back) ? "reached and left" : "reached", values);
  }

  function howItEnded({ done, declared, rows }) {
    const steps = number(lastStep({ rows }));
    const long = declared.training.stop ? "not fitted" : "trained";
    return say({ fitted: "fitted", long, lost: "lost" }[done] ?? "stopped", { steps });
  }

  /** What is said of a run: how it ended, then the sentence of its lab with the measures in its braces. */
  function words(run, recorded) {
    if (run.done === "lost") return say("lost");
    const each = names(run.declared).filter((name) => name.startsWith("k = "));
    const said = run.declared.says
      .replace("{each}", () => each.map((name) => reached(name, run)).join(", "))
      .replace(/\{(%?)(.*?)\}/g, (_, share, text) => {
        const value = measure(text, run, recorded);
        if (share) return `${Math.round(100 * value)} %`;
        return Number.isFinite(value) ? number(value) : say("never");
      });
    return `${howItEnded(run)} ${said.replaceAll("at step never", "never")}`;
  }

  /** The index of the right answer; null where the run does not decide the question. */
  function verdict({ by, edges }, run, recorded) {
    const [a, b] = by.map((text) => measure(text, run, recorded));
    const ratio = b === undefined ? a : a / b;
    return Number.isNaN(ratio) ? null : edges.filter((edge) => ratio >= edge).length;
  }

  function reply(question, guess, right) {
    if (right === null) return say("undecided");
    const [said, answer] = [question.answers[guess], question.answers[right]];
    return say(guess === right ? "right" : "wrong", { guess: said, answer });
  }

  window.fpMessages = { column, measure, reached, reply, say, verdict, words };
})();
