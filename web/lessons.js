// What can be chosen in the playground, its lessons, and the numbers behind them. It knows nothing of the page.
(() => {
  "use strict";
  const { amplitudes, names, nudft, peaks, target } = window.fpExperiment;
  const { measure, reached, say } = window.fpMessages;
  const { number } = window.fpReplay;

  const { PI } = Math;
  const HEIGHTS = 12; // sines that have a slider
  const TALLEST = 1.5;
  const NODES = 101; // of a drawn target
  const THRESHOLD = 0.1;
  const BARS = 20;
  const FINE = 160; // points at which the output is drawn
  const [FEWEST, MOST] = [5, 61]; // points
  const FAR = 10; // what a label may be at most

  // ---- What can be chosen ----

  const SLOW = "more would be slow in a browser";
  // `short` is what stands beside an input where there is little room, a part of its name.
  const range = (label, low, high, step, why, short) => ({ label, low, high, step, why, short });
  const ACTIVATIONS = {
    tanh: "tanh",
    ReLU: "relu",
    sine: "sin",
    sigmoid: "sigmoid",
    GELU: "gelu",
    Ricker: "ricker",
  };
  const STARTS = {
    "PyTorch\u2019s default": "default",
    Xavier: "xavier",
    "normal, variance 1/width": "normal",
  };
  const OPTIMIZERS = { Adam: "adam", "gradient descent": "sgd", momentum: "momentum" };
  const CONTROLS = {
    Points: {
      points: range("number of points", FEWEST, MOST, 1, SLOW, "points"),
      anywhere: { label: "at random places", short: "at random" },
      noise: range("noise", 0, 2, "any"),
    },
    Network: {
      activation: { label: "activation", options: ACTIVATIONS },
      a: range("scale a of the Ricker", 0.05, 2, "any", "", "a"),
      width: range("width", 2, 60, 1, SLOW),
      depth: range("depth", 1, 4, 1, SLOW),
      factor: range("times a factor", 0.1, 5, "any", "", "factor"),
      start: { label: "initialization", options: STARTS },
      antisymmetric: { label: "start at zero (ASI)", short: "start at zero" },
      features: {
        ...range("Fourier features up to", 0, 20, 1, "", "features"),
        note: "Each Fourier feature has weights of its own, so other features begin a new run.",
      },
    },
    Training: {
      optimizer: { label: "optimizer", options: OPTIMIZERS },
      lr: range("learning rate", 1e-5, 1, "any", "", "rate"),
      steps: range("most steps", 10, 20000, 1, "", "steps"),
      stop: range("stop at a loss of", 0, 1, "any", "", "stop at"),
      seed: range("seed", 0, 2 ** 32 - 1, 1),
    },
  };
  const ALL = Object.assign({}, ...Object.values(CONTROLS));

  const FIRST = {
    ...{ sines: { 1: 1, 3: 1, 5: 1 }, drawn: null, own: null, points: 41, anywhere: false, noise: 0 },
    ...{ activation: "ricker", a: 0.3, width: 40, depth: 3, start: "normal", factor: 1 },
    ...{ antisymmetric: true, features: 0, optimizer: "adam", lr: 1e-3, steps: 3000, stop: 1e-3, seed: 0 },
  };

  // ---- Lessons: settings, a first run to compare with, what to look for, what happened (said, and whether it shows it) ----

  const time = (run, k) => measure(`t:k = ${k}`, run);
  const firstBelow = (run, k) => measure(`first:k = ${k}`, run);
  /** Whether something holds of the steps t and of the first crossings, so that a late jump of an error decides nothing. */
  const bothWays = (holds) => holds(time) && holds(firstBelow);
  const end = (run, name) => measure(`end:${name}`, run);
  const few = (v) => number(Number(v.toPrecision(2)));
  const followed = (run) => names(run.declared).filter((name) => name.startsWith("k = "));
  const steps = (run) =>
    followed(run)
      .map((name) => reached(name, run).replace("k = ", ""))
      .join(", ");
  const heightAt = (run, k) => height(run.frames.at(-1).h, k);

  const TANH = { activation: "tanh", depth: 2, start: "default", lr: 5e-3 };
  const LESSONS = {
    kept: {
      title: "Principle kept",
      values: {},
      look: "Three sines of the same height: which does the network learn first, and how many steps does the last one take?",
      next: "Next: \u201cPrinciple lost\u201d, where one number is changed.",
      said(run) {
        const text = `Frequencies below ${THRESHOLD}: ${steps(run)}; error on the whole interval ${few(end(run, "between"))}.`;
        const inOrder = (/** @type {number[]} */ [t1, t3, t5]) => t1 < t3 && t3 < t5 && t5 > 2 * t1;
        return [text, bothWays((step) => inOrder([1, 3, 5].map((k) => step(run, k))))];
      },
    },
    lost: {
      title: "Principle lost",
      values: { a: 0.1 },
      before: { a: 0.3 },
      look: "The same network, then one with a third of the activation\u2019s scale: are low frequencies still learned first, and what does the output do between the points?",
      next: "Next: change the seed, and see what the output does between the points.",
      said(run, before) {
        const [wrong, right] = [run, before].map((one) => end(one, "between"));
        const text = `Narrow activation: ${steps(run)}; broad activation: ${steps(before)}. Both fit the points; on the whole interval the error is ${few(wrong)} in place of ${few(right)}.`;
        const together = (times) => Math.max(...times) < 2 * Math.min(...times);
        return [text, bothWays((step) => together([1, 3, 5].map((k) => step(run, k)))) && wrong > 30 * right];
      },
    },
    aliasing: {
      title: "Aliasing",
      values: { sines: { 1: 1, 12: 1 }, points: 15, ...TANH },
      look: "The target has frequencies 1 and 12, and 15 points to show them: which frequency will the output have in place of 12?",
      next: "Next: set the number of points to 25, which can tell frequency 12 from 3.",
      said(run) {
        const [high, low] = [12, 3].map((k) => heightAt(run, k));
        const [points, whole] = ["training", "between"].map((name) => few(end(run, name)));
        const text = `The points are fitted to an error of ${points}, and yet on the whole interval the output has height ${few(high)} at frequency 12 and ${few(low)} at 3 = 15 \u2212 12; the error there is ${whole}.`;
        return [text, high < 0.2 && low > 0.8];
      },
    },
    noise: {
      title: "Noise and early stopping",
      values: { sines: { 1: 1 }, noise: 0.5, steps: 1000, stop: 0 },
      look: "The labels are a slow sine and noise: when is the error on the whole interval smallest, and what does further training do to it?",
      next: "Next: raise the sine to frequency 5, and see whether stopping still helps.",
      said(run) {
        const [low, best, last] = ["low", "best", "end"].map((kind) => measure(`${kind}:between`, run));
        const text = `The error on the whole interval was smallest, ${few(low)}, at step ${number(best)}; at the end it is ${few(last)}, while at the points it has fallen to ${few(end(run, "training"))}.`;
        return [text, last > 2 * low];
      },
    },
    remedy: {
      title: "Remedy and side effect",
      values: { sines: { 1: 1, 8: 1 }, points: 25, ...TANH, features: 20 },
      before: { features: 0 },
      look: "The first network receives x, the second its sines and cosines up to frequency 20: how much sooner is 8 learned, and what does the output do between the points?",
      next: "Next: set the features to 10, and see whether the error on the whole interval is still larger.",
      said(run, before) {
        const [soon, late] = [run, before].map((one) => reached("k = 8", one).replace("k = 8 ", ""));
        const [mine, bare] = [run, before].map((one) => end(one, "between"));
        const text = `With Fourier features frequency 8 is below ${THRESHOLD} ${soon}, without them ${late}. The side effect: the error on the whole interval is ${few(mine)} in place of ${few(bare)}.`;
        return [text, bothWays((step) => step(run, 8) < step(before, 8) / 5) && mine > 3 * bare];
      },
    },
    optimizer: {
      title: "The optimizer\u2019s share",
      values: { depth: 2, points: 25, lr: 5e-4, stop: 0.01 },
      before: { optimizer: "sgd", lr: 0.03 },
      look: "The same initial weights, trained by gradient descent and then by Adam: with which of them is the ratio of the steps for frequency 5 to those for frequency 1 larger?",
      next: "Next: choose momentum, and set the learning rate to 0.003.",
      said(run, before) {
        const ratios = (step) => [run, before].map((one) => step(one, 5) / step(one, 1));
        const [mine, its] = ratios(time);
        const text = `Gradient descent: ${steps(before)}, so 5 took ${few(its)} times the steps of 1. Adam: ${steps(run)}, so 5 took ${few(mine)} times the steps. The order is the same, the ratio is not.`;
        const larger = (/** @type {number[]} */ [adam, descent]) => descent > 2 * adam && adam > 1;
        return [text, bothWays((step) => larger(ratios(step)))];
      },
    },
  };

  // ---- Numbers of target and run ----

  const fine = Float64Array.from({ length: FINE }, (_, j) => -PI + (2 * PI * (j + 0.5)) / FINE);
  const height = (f, k) => (k ? 2 : 1) * Math.hypot(...nudft(fine, f, k));

  /** Frequencies of the sliders, or the strongest of what is drawn. */
  function follow({ sines, drawn }) {
    if (!drawn) return peaks({ sines });
    const f = fine.map(target({ sines, drawn, low: -PI, high: PI }));
    const sizes = [...amplitudes(fine, f, HEIGHTS)];
    const least = 0.15 * Math.max(...sizes, 0.05);
    const strong = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a]).slice(0, 4);
    return strong.filter((k) => sizes[k] > least).sort((a, b) => a - b);
  }

  /** The settings as an experiment. */
  function declared(now) {
    const { sines, drawn, own, points, anywhere, noise, width, optimizer, lr, steps, stop, seed } = now;
    const { activation, a, depth, start, factor, antisymmetric } = now;
    const features = Array.from({ length: now.features }, (_, i) => i + 1);
    const std = 1 / Math.sqrt(width);
    const momentum = optimizer === "momentum" ? 0.9 : 0;
    const name = optimizer === "momentum" ? "sgd" : optimizer;
    return {
      data: {
        points,
        low: -PI,
        high: PI,
        shift: 0.5,
        whole: true,
        fine: FINE,
        sines,
        drawn,
        own,
        anywhere,
        noise,
      },
      network: { width, depth, activation, a, start, std, factor, antisymmetric, seed, features },
      training: { name, momentum, lr, steps, stop },
      watch: {
        series: [...follow(now).map((k) => `k = ${k}`), "training", "between"],
        threshold: THRESHOLD,
        bars: BARS,
      },
    };
  }

  /** Of the pairs of frequencies whose rates differ by more than 2, how many were learned in that order. */
  function verdict({ eigenvalues, done }, times) {
    if (!done) return "";
    let pairs = 0;
    let right = 0;
    eigenvalues.forEach((q, i) =>
      eigenvalues.forEach((r, j) => {
        if (q < 2 * r || times[i] === times[j]) return;
        pairs++;
        if (times[i] < times[j]) right++;
      }),
    );
    if (!pairs) return "";
    const word = pairs > 1 ? "pairs" : "pair";
    return `: ${right} of ${pairs} ${word} whose rates differ by more than a factor of 2 learned in that order`;
  }

  /** Why points, [[x, y], ...] by increasing x, cannot be trained on; "" if they can. */
  function problemOfPoints(points) {
    const edge = PI + 1e-4;
    if (points.length < FEWEST || points.length > MOST)
      return `${FEWEST} to ${MOST} can be trained on here, not ${points.length}`;
    if (points.some(([x]) => !(Math.abs(x) < edge))) return "an x is no number from \u2212\u03c0 to \u03c0";
    if (points.some(([, y]) => !(Math.abs(y) <= FAR)))
      return `a y is no number from \u2212${FAR} to ${FAR}; please scale them`;
    const increase = points.every(([x], i) => !i || x > points[i - 1][0]);
    return increase ? "" : "two of them stand at the same x, or they are not in order";
  }

  // ---- What to try after a run of one's own ----

  /** @type {[(run: any) => boolean, string][]} */
  const NEXT = [
    [(run) => run.done === "lost", "Next: divide the learning rate by ten."],
    [
      (run) => run.now.features > 0 && end(run, "between") > 3 * end(run, "training") + 0.05,
      "Next: halve the number of features: does the error between the points fall?",
    ],
    [
      (run) => run.now.noise > 0 && end(run, "between") > 1.5 * measure("low:between", run),
      "Next: let it stop at a larger loss, before it learns the noise.",
    ],
    [
      (run) => followed(run).some((name) => measure(`first:${name}`, run) < measure(`t:${name}`, run)),
      "Next: a smaller learning rate: does an error still come back above 0.1?",
    ],
    [
      (run) =>
        run.done === "long" &&
        followed(run).some((name) => measure(`first:${name}`, run) === Number.POSITIVE_INFINITY),
      "Next: give it more steps: is the missing frequency learned then?",
    ],
    [
      (run) => end(run, "between") > 10 * end(run, "training") + 0.05,
      "Next: more points: does the error between them fall?",
    ],
    [
      (run) => run.now.optimizer === "adam",
      "Next: pin this run and train by gradient descent at a rate of 0.03: is the order the same?",
    ],
    [() => true, "Next: pin this run and change the seed: which step changes most?"],
  ];

  /** One sentence: what this run makes one want to see. */
  const tryNext = (run) => NEXT.find(([holds]) => holds(run))[1];

  /** What is said of a run that has ended, and whether it shows its lesson (undefined where it belongs to none). */
  function outcome(run, before) {
    if (run.done === "lost") return { text: `${say("lost")} ${tryNext(run)}` };
    const how = say(run.done === "fitted" ? "fitted" : "trained", { steps: number(run.step) });
    if (!run.lesson) {
      const all = followed(run).length ? `Frequencies below ${THRESHOLD}: ${steps(run)}. ` : "";
      const errors = `Error at the points ${few(end(run, "training"))}, on the whole interval ${few(end(run, "between"))}.`;
      return { text: `${how} ${all}${errors} ${tryNext(run)}` };
    }
    const { said, next } = LESSONS[run.lesson];
    const [what, shown] = said(run, before);
    const then = shown ? next : "This run does not show the lesson. Next: try other seeds.";
    return { text: `${how} ${what} ${then}`, shown };
  }

  const limits = { FAR, FEWEST, MOST, FINE, HEIGHTS, TALLEST, NODES, THRESHOLD, BARS };
  window.fpLessons = {
    ...limits,
    ALL,
    CONTROLS,
    FIRST,
    LESSONS,
    declared,
    few,
    followed,
    problemOfPoints,
    firstBelow,
    outcome,
    verdict,
  };
})();
