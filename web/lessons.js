// What can be chosen in the playground, its lessons, and the numbers behind them. It knows nothing of the page.
((scope) => {
  "use strict";
  const trainer = scope.fpTrainer,
    { number, settled } = scope.fpReplay;
  const PI = Math.PI,
    HEIGHTS = 12,
    NODES = 101,
    THRESHOLD = 0.1;
  const FINE = Float64Array.from({ length: 160 }, (_, j) => -PI + (2 * PI * (j + 0.5)) / 160);

  // ---- What can be chosen ----

  const any = (label, low, high, step, why) => ({ label, low, high, step, why });
  const SLOW = "more would be slow in a browser";
  const CONTROLS = {
    Points: {
      points: any("number of points", 5, 61, 1, SLOW),
      anywhere: { label: "at random places" },
      noise: any("noise", 0, 2, "any"),
    },
    Network: {
      activation: {
        label: "activation",
        options: {
          tanh: "tanh",
          ReLU: "relu",
          sine: "sin",
          sigmoid: "sigmoid",
          GELU: "gelu",
          Ricker: "ricker",
        },
      },
      a: any("width a of the Ricker", 0.05, 2, "any"),
      width: any("width", 2, 60, 1, SLOW),
      depth: any("depth", 1, 4, 1, SLOW),
      start: {
        label: "first weights",
        options: {
          "PyTorch\u2019s default": "default",
          Xavier: "xavier",
          "normal, variance 1/width": "normal",
        },
      },
      factor: any("times a factor", 0.1, 5, "any"),
      antisymmetric: { label: "start at zero (ASI)" },
      features: any("Fourier features up to", 0, 20, 1),
    },
    Training: {
      optimizer: {
        label: "optimiser",
        options: { Adam: "adam", "gradient descent": "sgd", momentum: "momentum" },
      },
      lr: any("learning rate", 1e-5, 1, "any"),
      steps: any("most steps", 10, 20000, 1),
      stop: any("stop at a loss of", 0, 1, "any"),
      seed: any("seed", 0, 2 ** 32 - 1, 1),
    },
  };
  const ALL = Object.assign({}, ...Object.values(CONTROLS));

  const KEPT = {
    sines: { 1: 1, 3: 1, 5: 1 },
    drawn: null,
    points: 41,
    anywhere: false,
    noise: 0,
    activation: "ricker",
    a: 0.3,
    width: 40,
    depth: 3,
    start: "normal",
    factor: 1,
    antisymmetric: true,
    features: 0,
    optimizer: "adam",
    lr: 1e-3,
    steps: 3000,
    stop: 1e-3,
    seed: 0,
  };

  // ---- The lessons: settings, a first run to compare with, what to look for, what happened (the sentence, and whether it shows the lesson) ----

  const t = (run, k) => run.times[run.follow.indexOf(k)],
    end = (run, what) => column(run, what).at(-1);
  const step = (v) => (Number.isFinite(v) ? `at step ${number(v)}` : "never"),
    few = (v) => number(Number(v.toPrecision(2)));
  const steps = (run) => run.follow.map((k) => `${k} ${step(t(run, k))}`).join(", ");
  const LESSONS = {
    kept: {
      title: "Principle kept",
      values: {},
      look: "Three sines of the same height: which does the network find first, and how long does the last one take?",
      said: (run) => [
        `Frequencies fitted: ${steps(run)}; error on the whole interval ${few(end(run, "between"))}.`,
        t(run, 1) < t(run, 3) && t(run, 3) < t(run, 5) && t(run, 5) > 2 * t(run, 1),
      ],
    },
    lost: {
      title: "Principle lost",
      values: { a: 0.1 },
      before: { a: 0.3 },
      look: "The same network, then one with a third of the activation\u2019s width: does the order stay, and what comes between the points?",
      said: (run, before) => [
        `Narrow: ${steps(run)}; wide: ${steps(before)}. Both fit the points; on the whole interval the error is ${few(end(run, "between"))} in place of ${few(end(before, "between"))}.`,
        Math.max(...run.times) < 2 * Math.min(...run.times) &&
          end(run, "between") > 30 * end(before, "between"),
      ],
    },
    aliasing: {
      title: "Aliasing",
      values: {
        sines: { 1: 1, 12: 1 },
        points: 15,
        activation: "tanh",
        depth: 2,
        start: "default",
        lr: 5e-3,
      },
      look: "The target has frequencies 1 and 12, and 15 points to show them: which frequency will the spectrum hold in place of 12?",
      said: (run) => [
        `The points are fitted to an error of ${few(end(run, "training"))}, and yet the output has height ${few(height(run.h, 12))} at 12 and ${few(height(run.h, 3))} at 3 = 15 \u2212 12; on the whole interval the error is ${few(end(run, "between"))}.`,
        height(run.h, 12) < 0.2 && height(run.h, 3) > 0.8,
      ],
    },
    noise: {
      title: "Noise and early stopping",
      values: { sines: { 1: 1 }, noise: 0.5, steps: 1000, stop: 0 },
      look: "The labels are a slow sine and noise: when is the error on the whole interval smallest, and what does training on do to it?",
      said: (run) => {
        const all = column(run, "between"),
          low = Math.min(...all);
        return [
          `The error on the whole interval was smallest, ${few(low)}, at step ${number(run.rows[all.indexOf(low)][0])}; at the end it is ${few(all.at(-1))}, while at the points it has fallen to ${few(end(run, "training"))}.`,
          all.at(-1) > 2 * low,
        ];
      },
    },
    remedy: {
      title: "A remedy and its price",
      before: { features: 0 },
      values: {
        sines: { 1: 1, 8: 1 },
        points: 25,
        activation: "tanh",
        depth: 2,
        start: "default",
        lr: 5e-3,
        features: 20,
      },
      look: "First x goes in, then its sines and cosines up to frequency 20: how much sooner comes 8, and what stands between the points?",
      said: (run, before) => [
        `With Fourier features 8 is fitted ${step(t(run, 8))}, without ${step(t(before, 8))}. The price: the error on the whole interval is ${few(end(run, "between"))} in place of ${few(end(before, "between"))}.`,
        t(run, 8) < t(before, 8) / 5 && end(run, "between") > 3 * end(before, "between"),
      ],
    },
    optimiser: {
      title: "The optimiser\u2019s share",
      values: { depth: 2, points: 25, lr: 5e-4, stop: 0.01 },
      before: { optimizer: "sgd", lr: 0.03 },
      look: "The same first weights, trained by gradient descent and then by Adam: who has the larger gap between 1 and 5?",
      said: (run, before) => {
        const [mine, its] = [run, before].map((one) => t(one, 5) / t(one, 1));
        return [
          `Gradient descent: ${steps(before)}, a ratio of ${few(its)}. Adam: ${steps(run)}, a ratio of ${few(mine)}. The order is the network\u2019s, most of the gap the optimiser\u2019s.`,
          its > 2 * mine,
        ];
      },
    },
  };

  // ---- Numbers of target and run ----

  const goal = ({ sines, drawn }) =>
    FINE.map((x) =>
      Object.entries(sines).reduce(
        (sum, [k, size]) => sum + size * Math.sin(k * x),
        drawn ? between(drawn, x) : 0,
      ),
    );
  function between(drawn, x) {
    const at = ((x + PI) / (2 * PI)) * (NODES - 1),
      i = Math.min(NODES - 2, Math.floor(at));
    return drawn[i] + (at - i) * (drawn[i + 1] - drawn[i]);
  }
  const height = (f, k) => (k ? 2 : 1) * Math.hypot(...trainer.nudft(FINE, f, k));

  function followed(now) {
    // frequencies of the sliders, or the strongest of what is drawn
    if (!now.drawn)
      return Object.keys(now.sines)
        .map(Number)
        .filter((k) => now.sines[k] > 0.05)
        .slice(0, 6);
    const f = goal(now),
      sizes = Array.from({ length: HEIGHTS + 1 }, (_, k) => height(f, k)),
      top = Math.max(...sizes, 0.05);
    return [...sizes.keys()]
      .sort((a, b) => sizes[b] - sizes[a])
      .slice(0, 4)
      .filter((k) => sizes[k] > 0.15 * top)
      .sort((a, b) => a - b);
  }

  function declared(now) {
    const {
      sines,
      drawn,
      points,
      anywhere,
      noise,
      activation,
      a,
      width,
      depth,
      start,
      factor,
      antisymmetric,
      features,
      optimizer,
      lr,
      steps,
      stop,
      seed,
    } = now;
    return {
      data: {
        points,
        low: -PI,
        high: PI,
        shift: 0.5,
        whole: true,
        fine: FINE.length,
        sines,
        drawn,
        anywhere,
        noise,
      },
      network: {
        width,
        depth,
        hidden: [width],
        activation,
        a,
        start,
        std: 1 / Math.sqrt(width),
        factor,
        antisymmetric,
        seed,
        features: Array.from({ length: features }, (_, i) => i + 1),
      },
      training: {
        name: optimizer === "adam" ? "adam" : "sgd",
        momentum: optimizer === "momentum" ? 0.9 : 0,
        lr,
        steps,
        stop,
      },
      watch: { series: [...followed(now).map((k) => `k = ${k}`), "training", "between"], bars: 1 },
    };
  }

  const column = (run, what) =>
    run.rows.map(
      (row) =>
        row[
          1 +
            (what === "training"
              ? run.follow.length
              : what === "between"
                ? run.follow.length + 1
                : run.follow.indexOf(what))
        ],
    );
  function fitted(run) {
    run.times = run.follow.map((k) => {
      const at = settled(column(run, k), THRESHOLD);
      return at < 0 ? Infinity : run.rows[at][0];
    });
  }

  // Of the pairs of frequencies whose rates differ by more than 2, how many came in that order.
  function verdict({ forecast, times, done }) {
    if (!done) return "";
    let pairs = 0,
      right = 0;
    forecast.forEach((q, i) =>
      forecast.forEach((r, j) => {
        if (q < 2 * r || times[i] === times[j]) return;
        pairs++;
        right += times[i] < times[j];
      }),
    );
    return pairs
      ? `: the order held for ${right} of ${pairs} ${pairs > 1 ? "pairs" : "pair"} whose rates differ by more than 2`
      : "";
  }

  // ---- Values from outside ----

  const check = (key, value) => trainer.check(ALL[key], value);

  const READ = {
    sines(text) {
      const pairs = text ? text.split(",").map((pair) => /^(\d{1,2}):(\d(?:\.\d{1,2})?)$/.exec(pair)) : [];
      if (pairs.some((pair) => !pair || pair[1] < 1 || pair[1] > HEIGHTS || pair[2] > 1.5))
        throw new Error(`sines are pairs of a frequency from 1 to ${HEIGHTS} and a height from 0 to 1.5`);
      return Object.fromEntries(pairs.map(([, k, size]) => [Number(k), Number(size)]));
    },
    drawn(text) {
      const values = text.split(",");
      if (values.length !== NODES || values.some((v) => !/^-?\d{1,3}$/.test(v) || Math.abs(v) > 300))
        throw new Error(`a drawn target is ${NODES} whole numbers from -300 to 300`);
      return values.map((v) => v / 100);
    },
  };

  scope.fpLessons = {
    FINE,
    HEIGHTS,
    NODES,
    THRESHOLD,
    CONTROLS,
    ALL,
    KEPT,
    LESSONS,
    READ,
    check,
    column,
    declared,
    end,
    few,
    fitted,
    followed,
    goal,
    height,
    steps,
    verdict,
  };
})(window);
