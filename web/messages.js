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

  /**
   * Values of one watched quantity at all recorded steps; null if it was not watched.
   * @param {string} name
   * @param {RunLike} run
   */
  function column(name, run) {
    const at = names(run.declared).indexOf(name) + 1;
    return at ? run.rows.map((row) => row[at]) : null;
  }

  const lastStep = ({ rows }) => rows[rows.length - 1][0];

  /**
   * A number of a run by its name: "t:NAME" the step from which NAME stays below the threshold, "first:NAME" the first at
   * which it is below it, "back:NAME" the first after that at which it is not, "end:", "low:" and "best:NAME" its last value,
   * its smallest and the step of that; "steps" the steps until the tolerance was met; with "recorded " before it, of the
   * recorded run.
   * @param {string} text
   * @param {RunLike} run
   * @param {RunLike} [recorded]
   * @returns {number}
   */
  function measure(text, run, recorded) {
    if (text.startsWith("recorded ")) return measure(text.slice(9), recorded);
    if (text === "steps") return run.done === "fitted" ? lastStep(run) : Number.POSITIVE_INFINITY;
    const kind = text.slice(0, text.indexOf(":"));
    const name = text.slice(kind.length + 1);
    const values = column(name, run);
    if (!values) return kind === "end" ? atTheEnd(name, run) : Number.NaN;
    const stepAt = (i) => (i < 0 ? Number.POSITIVE_INFINITY : run.rows[i][0]);
    const { first, stays } = crossings(values, run.declared.watch.threshold);
    const back = values.findIndex((v, i) => first >= 0 && i > first && !(v < run.declared.watch.threshold));
    const best = values.indexOf(Math.min(...values));
    return {
      t: stepAt(stays),
      first: stepAt(first),
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

  /**
   * From which step on a frequency is below the threshold.
   * @param {string} name
   * @param {RunLike} run
   */
  function reached(name, run) {
    const told = when(`t:${name}`, run);
    return told === say("never") ? say("not reached", { name }) : say("reached", { name, when: told });
  }

  /** The step of a measure "t:NAME"; if the error came back above the threshold, its first crossing and return too. */
  function when(text, run, recorded) {
    const kinds = ["t", "first", "back"].map((kind) => text.replace("t:", `${kind}:`));
    const [step, first, back] = kinds.map((kind) => measure(kind, run, recorded));
    if (!Number.isFinite(first)) return say("never");
    if (first === step) return number(step);
    const { threshold } = run.declared.watch;
    const steps = { first: number(first), back: number(back), step: number(step) };
    return say(Number.isFinite(step) ? "came back" : "left", { threshold, ...steps });
  }

  const frequencies = ({ declared }) => names(declared).filter((name) => name.startsWith("k = "));

  /**
   * In which order the frequencies were learned, if first crossings and the steps t_k agree about it; else nothing.
   * @param {RunLike} run
   */
  function order(run) {
    const all = frequencies(run);
    const [kind, other] = ["t", "first"].map((of) =>
      orderOf(all.map((name) => measure(`${of}:${name}`, run))),
    );
    return kind && kind === other && run.done !== "lost" ? say(kind) : "";
  }

  function orderOf(steps) {
    if (steps.length < 2 || !steps.every(Number.isFinite)) return "";
    if (Math.max(...steps) < 2 * Math.min(...steps)) return "together";
    const grows = (list) => list.every((step, i) => !i || step > list[i - 1]) && list.at(-1) > 2 * list[0];
    return grows(steps) ? "in order" : grows([...steps].reverse()) ? "reversed" : "";
  }

  function howItEnded({ done, declared, rows }) {
    const steps = number(lastStep({ rows }));
    const long = declared.training.stop ? "not fitted" : "trained";
    return say({ fitted: "fitted", long, lost: "lost" }[done] ?? "stopped", { steps });
  }

  /**
   * What is said of a run: how it ended, then the sentence of its lab with the measures in its braces. A list of texts, those
   * about one curve as [text, its name].
   * @param {RunLike} run
   * @param {RunLike} [recorded]
   * @returns {(string | [string, string | null])[]}
   */
  function parts(run, recorded) {
    if (run.done === "lost") return [say("lost")];
    const { says = "" } = run.declared;
    /** @type {(string | [string, string | null])[]} */
    const said = [`${howItEnded(run)} `];
    let at = 0;
    for (const match of says.matchAll(/\{(%?)(.*?)\}/g)) {
      const filled = match[2] === "each" ? everyFrequency(run) : [value(match, run, recorded)];
      const before = says.slice(at, match.index);
      const never = filled[0][0] === say("never");
      said.push(never ? before.replace(/at step $/, "") : before, ...filled);
      at = match.index + match[0].length;
    }
    return [...said, says.slice(at)];
  }

  /** @returns {[string, string | null]} */
  function value(/** @type {string[]} */ [, share, text], run, recorded) {
    const name = text.startsWith("recorded ") ? null : text.slice(text.indexOf(":") + 1);
    if (/^(recorded )?t:/.test(text)) return [when(text, run, recorded), name];
    const found = measure(text, run, recorded);
    if (share) return [`${Math.round(100 * found)} %`, name];
    return [Number.isFinite(found) ? number(found) : say("never"), name];
  }

  /** @returns {(string | [string, string])[]} */
  function everyFrequency(run) {
    const mark = "\u0000";
    const [before, after] = say("each", { threshold: run.declared.watch.threshold, list: mark }).split(mark);
    const list = frequencies(run).flatMap((name, i) => [
      i ? ", " : before,
      /** @type {[string, string]} */ ([reached(name, run), name]),
    ]);
    return [...list, after];
  }

  const words = (run, recorded) =>
    parts(run, recorded)
      .map((part) => (Array.isArray(part) ? part[0] : part))
      .join("");

  /**
   * The index of the right answer; null where the run does not decide the question. Steps t are asked for as first crossings
   * too, so that an error that comes back for a moment does not decide.
   * @param {Question} question
   * @param {RunLike} run
   * @param {RunLike} [recorded]
   */
  function verdict({ by, edges }, run, recorded) {
    const answerOf = (texts) => {
      const [a, b] = texts.map((text) => measure(text, run, recorded));
      const ratio = b === undefined ? a : a / b;
      return Number.isNaN(ratio) ? null : edges.filter((edge) => ratio >= edge).length;
    };
    const [stays, first] = [by, by.map((text) => text.replace(/\bt:/, "first:"))].map(answerOf);
    return stays === first ? stays : null;
  }

  function reply(question, guess, right) {
    if (right === null) return say("undecided");
    const [said, answer] = [question.answers[guess], question.answers[right]];
    return say(guess === right ? "right" : "wrong", { guess: said, answer });
  }

  /** The answer to the question of a lab with other settings than it asks about; "" where a run does not decide it. */
  function answer(question, run, recorded) {
    const right = ["fitted", "long"].includes(run.done) ? verdict(question, run, recorded) : null;
    return right === null ? "" : say("elsewhere", { answer: question.answers[right] });
  }

  window.fpMessages = { answer, column, measure, order, parts, reached, reply, say, verdict, words };
})();
