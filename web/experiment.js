// Experiments as `fpbook.lab` declares them: data, network, training, and what is watched; the same numbers as in
// fpbook/lab/experiment.py. A page gets `fpExperiment` from it; a worker that runs it trains what the page sends.
((/** @type {any} */ scope) => {
  "use strict";
  /** @type {((...scripts: string[]) => void) | undefined} of a worker */
  const importScripts = scope.importScripts;
  const inWorker = typeof document === "undefined" && typeof importScripts === "function";
  if (inWorker) importScripts(...["trainer.js", "rod.js"].map((name) => new URL(name, scope.location).href));
  const { BatchTraining, Random, Training, energyByDegree, nudft, relativeError } = /** @type {Trainer} */ (
    scope.fpTrainer
  );
  const { RodTraining } = scope.fpRod;

  // ---- Data ----

  /** The target as a function of one point on the line. */
  function target(data) {
    const waves = (sizes, f) =>
      Object.entries(sizes ?? {}).map(
        ([k, size]) =>
          (x) =>
            size * f(Number(k) * x),
      );
    const parts = [...waves(data.sines, Math.sin), ...waves(data.cosines, Math.cos)];
    if (data.halves) parts.push((x) => Math.sin(data.halves[x <= 0 ? 0 : 1] * x));
    if (data.drawn) parts.push((x) => interpolate(data.drawn, (x - data.low) / (data.high - data.low)));
    return (x) => parts.reduce((sum, part) => sum + part(x), 0);
  }

  /** Values on a grid over [0, 1], straight lines between them. */
  function interpolate(values, position) {
    const at = position * (values.length - 1);
    const i = Math.max(0, Math.min(Math.floor(at), values.length - 2));
    return values[i] + (at - i) * (values[i + 1] - values[i]);
  }

  const grid = (n, low, high, shift) =>
    Float64Array.from({ length: n }, (_, j) => low + ((high - low) * (j + shift)) / n);

  /**
   * The numbers behind a declaration: x, y at the training points; fine, where the output is drawn, and the target f there;
   * held and its labels. Noise and subsets are drawn apart from the weights.
   * @returns {any} for each kind of data others
   */
  function numbers(data, seed) {
    const random = new Random(1000000 + seed);
    if (data.rod) return onTheRod(data);
    if (data.picture) return onThePicture(data, random);
    return data.cube ? onTheCube(data, random) : onTheLine(data, random);
  }

  /** The interface problem of fpbook.pde: the exact solution is the target, the modified one differs from it by a tent. */
  function onTheRod({ rod: n, fine: m = 200 }) {
    const exact = (x) => (x < 0 ? (-2 * x - 2) / 3 : x * x - x / 3 - 2 / 3);
    const tent = (x) => (1 - Math.abs(x)) / 6;
    const [x, fine] = [grid(n, -1, 1, 0.5), grid(m, -1, 1, 0.5)];
    const modified = fine.map((v) => exact(v) + tent(v));
    return { x, y: x.map(exact), fine, f: fine.map(exact), modified, tent: fine.map(tent) };
  }

  /** How much of the tent a function on the rod has at k = 1, 3, 5, ...: 1 as the exact solution, 0 as the modified one. */
  function shareOfTent(u, { fine, modified, tent }) {
    return Float64Array.from({ length: 15 }, (_, j) => {
      const wave = fine.map((x) => Math.sin(((2 * j + 1) * Math.PI * (x + 1)) / 2));
      const along = (value) => wave.reduce((sum, v, i) => sum + v * value(i), 0);
      return along((i) => modified[i] - u[i]) / along((i) => tent[i]);
    });
  }

  function onTheCube({ cube: d, degree, seen }, random) {
    const size = 2 ** d;
    const sign = (corner, j) => ((corner >> (d - 1 - j)) & 1 ? 1 : -1);
    const corners = Float64Array.from({ length: size * d }, (_, i) => sign(Math.floor(i / d), i % d));
    const f = Float64Array.from({ length: size }, (_, corner) => {
      let product = 1;
      for (let j = 0; j < degree; j++) product *= sign(corner, j);
      return product;
    });
    const order = random.permutation(size);
    const rows = order.slice(0, seen);
    const x = Float64Array.from(rows.flatMap((c) => [...corners.subarray(c * d, (c + 1) * d)]));
    return { fine: corners, f, order, x, y: Float64Array.from(rows, (c) => f[c]) };
  }

  /**
   * A square picture, row by row, in pages only: every second pixel, as on a chessboard, is trained on. What goes in are the
   * coordinates on [-pi, pi]^2, or with a `scale` cosines and sines of b.x for so many random vectors b.
   */
  function onThePicture({ picture, scale, features }, random) {
    const side = Math.sqrt(picture.length);
    const axis = grid(side, -Math.PI, Math.PI, 0.5);
    const b = random.normal(2 * features, scale);
    const input = (_, i) => {
      const [down, across] = [axis[Math.floor(i / side)], axis[i % side]];
      if (!scale) return [down, across];
      const phases = Array.from({ length: features }, (_, j) => b[j] * down + b[j + features] * across);
      return [...phases.map(Math.cos), ...phases.map(Math.sin)];
    };
    const inputs = Array.from(picture, input);
    const given = picture.map((_, i) => (Math.floor(i / side) + i) % 2 === 0);
    const x = Float64Array.from(inputs.filter((_, i) => given[i]).flat());
    const y = Float64Array.from(picture.filter((_, i) => given[i]));
    return { x, y, fine: Float64Array.from(inputs.flat()), f: Float64Array.from(picture), given };
  }

  /**
   * Mean modulus of the waves of a square picture about its mean brightness, under a Hann window, at each rounded |k| = 1, 2, ...,
   * half its side.
   */
  function ringsOf(h) {
    const side = Math.sqrt(h.length);
    const fade = Array.from({ length: side }, (_, i) => Math.sin((Math.PI * (i + 1)) / (side + 1)) ** 2);
    const half = side / 2;
    const sums = new Float64Array(half);
    const counts = new Float64Array(half);
    const window = Float64Array.from(h, (_, i) => fade[Math.floor(i / side)] * fade[i % side]);
    const sum = (values) => values.reduce((total, v) => total + v, 0);
    const mean = sum(window.map((w, i) => w * h[i])) / sum(window);
    const faded = window.map((w, i) => w * (h[i] - mean));
    wavesOf(faded, side).forEach(([k, l, size]) => {
      const ring = Math.round(Math.hypot(k, l));
      if (ring < 1 || ring > half) return;
      sums[ring - 1] += size / side ** 2;
      counts[ring - 1]++;
    });
    return sums.map((total, ring) => total / counts[ring]);
  }

  /** [k, l, modulus] of all waves, k and l from minus half the side on. */
  function wavesOf(values, side) {
    const whole = Array.from({ length: side }, (_, i) => i);
    const turn = whole.map((i) => [Math.cos((2 * Math.PI * i) / side), Math.sin((2 * Math.PI * i) / side)]);
    const along = (at, k) => {
      let [re, im] = [0, 0];
      for (const i of whole) {
        const [c, s] = turn[(i * k) % side];
        const [a, b] = at(i);
        re += a * c + b * s;
        im += b * c - a * s;
      }
      return [re, im];
    };
    const rows = whole.map((r) => whole.map((l) => along((i) => [values[r * side + i], 0], l)));
    const signed = (k) => (k < side / 2 ? k : k - side);
    return whole.flatMap((l) =>
      whole.map((k) => [signed(k), signed(l), Math.hypot(...along((r) => rows[r][l], k))]),
    );
  }

  function onTheLine(data, random) {
    const { points: n, low, high, shift = 0.5, noise = 0, round = 0, held = 0, fine: m = 201 } = data;
    const f = target(data);
    const anywhere = () => low + (high - low) * random.unit();
    if (data.own)
      return { ...ownPoints(data.own), fine: grid(m, low, high, 0.5), f: grid(m, low, high, 0.5).map(f) };
    const x = data.anywhere ? Float64Array.from({ length: n }, anywhere).sort() : grid(n, low, high, shift);
    const labels = (points) => {
      const e = noise ? random.normal(points.length) : [];
      const noisy = points.map((p, i) => f(p) + (noise ? noise * e[i] : 0));
      return round ? noisy.map((v) => round * Math.round(v / round)) : noisy;
    };
    const y = labels(x);
    const heldOut = grid(held, low, high, 0.25);
    const inner = (_, i) => x[0] + ((x[n - 1] - x[0]) * i) / (m - 1);
    const fine = data.whole ? grid(m, low, high, 0.5) : Float64Array.from({ length: m }, inner);
    return { x, y, fine, f: fine.map(f), held: heldOut, held_y: labels(heldOut) };
  }

  /** Points that the reader has put there, [[x, y], ...]. */
  function ownPoints(points) {
    const [x, y] = [0, 1].map((c) => Float64Array.from(points, (point) => point[c]));
    return { x, y };
  }

  // ---- What is watched ----

  function meanSquare(h, y, chosen = (/** @type {number} */ _i) => true) {
    const squares = [...h].map((v, i) => (v - y[i]) ** 2).filter((_, i) => chosen(i));
    return squares.reduce((sum, square) => sum + square, 0) / squares.length;
  }

  const largestDistance = (h, f) => h.reduce((most, v, i) => Math.max(most, Math.abs(v - f[i])), 0);

  function agreement(h, data, rows) {
    return rows.filter((c) => h[c] * data.f[c] > 0).length / rows.length;
  }

  /** Each takes the outputs at the fine and at the training points, the data and the network. */
  const WATCHED = {
    training: (_h, at, data) => meanSquare(at, data.y),
    between: (h, _at, data) => meanSquare(h, data.f),
    left: (h, _at, data) => meanSquare(h, data.f, (i) => data.fine[i] <= 0),
    right: (h, _at, data) => meanSquare(h, data.f, (i) => data.fine[i] > 0),
    held: (_h, _at, data, net) => meanSquare(net.output(data.held), data.held_y),
    exact: (h, _at, data) => largestDistance(h, data.f),
    modified: (h, _at, data) => largestDistance(h, data.modified),
    seen: (h, _at, data) => agreement(h, data, data.order.slice(0, data.y.length)),
    unseen: (h, _at, data) => agreement(h, data, data.order.slice(data.y.length)),
  };

  /** Frequencies of the target, those whose relative error is followed. */
  function peaks({ sines, cosines }) {
    const large = Object.entries({ ...sines, ...cosines }).filter(([, size]) => Math.abs(size) > 0.05);
    return large.map(([k]) => Number(k)).sort((a, b) => a - b);
  }

  /** What is watched, by name: "k = 1", ... for "frequencies". */
  function names({ data, watch }) {
    const all = peaks(data).map((k) => `k = ${k}`);
    return watch.series.flatMap((name) => (name === "frequencies" ? all : [name]));
  }

  const frequencyOf = (name) => (name.startsWith("k = ") ? Number(name.slice(4)) : null);

  /** Amplitudes at k = 0, 1, ..., n of values at points: 2 |f_hat|, and the mean at 0. */
  function amplitudes(x, f, n) {
    return Float64Array.from({ length: n + 1 }, (_, k) => (k ? 2 : 1) * Math.hypot(...nudft(x, f, k)));
  }

  // ---- A run ----

  function widths({ data, network: { hidden, width, depth, kink, features = [] } }) {
    const layers = depth ? Array(depth).fill(width ?? hidden[0]) : hidden;
    if (data.rod) return [1 + Number(Boolean(kink)), ...layers, 1];
    if (data.picture) return [data.scale ? 2 * data.features : 2, ...layers, 1];
    return [data.cube ?? (2 * features.length || 1), ...layers, 1];
  }

  /** One weight per point: `weight` where x <= 0 against 1 elsewhere; their mean is 1. */
  function pointWeights(x, weight = 1) {
    if (weight === 1) return null;
    const weights = x.map((v) => (v <= 0 ? weight : 1));
    const mean = weights.reduce((a, b) => a + b) / x.length;
    return weights.map((v) => v / mean);
  }

  class Run {
    /** @param {Declared} declared */
    constructor(declared) {
      const { data, network, training } = declared;
      this.declared = declared;
      this.data = numbers(data, network.seed ?? 0);
      const { x, y } = this.data;
      const net = { ...network, widths: widths(declared) };
      const Kind = data.rod ? RodTraining : data.picture ? BatchTraining : Training;
      this.net = new Kind(net, training, { x, y, weights: pointWeights(x, training.weight) });
      this.names = names(declared);
      this.k = this.names.map(frequencyOf);
      this.f_hat = this.k.map((k) => k !== null && nudft(x, y, k));
      this.needsFine = this.names.some((name) => name in WATCHED && name !== "training");
      this.nextRecord = 0;
      this.rows = [];
    }

    /** The output at the fine points, computed once per step. */
    fine() {
      if (this.fineStep === this.net.t) return this.h;
      this.fineStep = this.net.t;
      this.h = this.net.output(this.data.fine);
      return this.h;
    }

    measure() {
      const at = this.net.h;
      const fine = this.needsFine ? this.fine() : null;
      return this.names.map((name, i) =>
        this.k[i] === null
          ? WATCHED[name](fine, at, this.data, this.net)
          : relativeError(nudft(this.data.x, at, this.k[i]), this.f_hat[i]),
      );
    }

    /** The loss at this step, and whether it is the last; every two per cent of the steps what is watched. */
    look(fresh) {
      const { steps, stop = Number.NEGATIVE_INFINITY } = this.declared.training;
      const t = this.net.t;
      this.loss = this.net.step();
      if (!Number.isFinite(this.loss)) this.done = "lost";
      else if (this.loss < stop) this.done = "fitted";
      else if (t >= steps) this.done = "long";
      if (t < this.nextRecord && !this.done) return;
      fresh.push([t, ...this.measure()]);
      this.nextRecord = Math.max(t + 1, Math.ceil(t * 1.02));
    }

    /** Steps for so many milliseconds, few at the beginning, where much happens; then what there is to see. */
    advance(milliseconds, most = Infinity) {
      const end = performance.now() + milliseconds;
      const fresh = [];
      const begins = this.loss === undefined;
      const limit = begins ? 0 : Math.min(most, Math.max(1, this.net.t / 20));
      if (begins) this.look(fresh); // step 0 alone: code that runs for the first time is slow
      for (let taken = 0; !this.done && taken < limit && (!taken || performance.now() < end); taken++) {
        this.net.update();
        this.look(fresh);
      }
      this.rows.push(...fresh);
      return { step: this.net.t, loss: this.loss, done: this.done, fresh, ...this.view() };
    }

    /** Another learning rate for the updates from this step on, or labels with other noise from the next step on. */
    retune({ lr, noise }) {
      if (noise !== undefined) return this.relabel(noise);
      this.net.optimizer = { ...this.net.optimizer, lr };
      return { step: this.net.t };
    }

    /** The weights stay; what is measured from now on is measured against the new labels. */
    relabel(noise) {
      const { data, network } = this.declared;
      this.declared = { ...this.declared, data: { ...data, noise } };
      this.data = numbers(this.declared.data, network.seed ?? 0);
      this.net.y = Float64Array.from(this.data.y);
      this.f_hat = this.k.map((k) => k !== null && nudft(this.data.x, this.data.y, k));
      return { step: this.net.t + 1 };
    }

    view() {
      const { data, watch } = this.declared;
      const h = this.fine();
      const at = this.net.h;
      if (data.rod) return { h, at, bars: shareOfTent(h, this.data) };
      if (data.picture) return { h, at: [], bars: ringsOf(h) };
      const bars = data.cube ? energyByDegree(h) : amplitudes(this.data.x, at, watch.bars ?? 20);
      return { h, at, bars };
    }

    /** q = s K s / s s for the wave s of each watched frequency in the labels: the larger, the sooner. */
    forecast() {
      const K = this.net.kernel();
      const { x } = this.data;
      const n = x.length;
      return this.k.map((k, w) => {
        if (k === null) return null;
        const [re, im] = this.f_hat[w];
        const s = x.map((v) => re * Math.cos(k * v) - im * Math.sin(k * v));
        let sum = 0;
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += s[i] * s[j] * K[i * n + j];
        return sum / s.reduce((a, v) => a + v * v, 0);
      });
    }
  }

  function answer(run, { milliseconds, most, forecast, change }) {
    if (change) return run.retune(change);
    return forecast ? { forecast: run.forecast() } : run.advance(milliseconds, most);
  }

  if (inWorker) {
    let run;
    scope.onmessage = ({ data }) => {
      if (data.declared) run = new Run(data.declared);
      else scope.postMessage(answer(run, data));
    };
    return;
  }

  const script = typeof document === "undefined" ? null : document.currentScript;
  const address = script instanceof HTMLScriptElement ? script.src : null;
  scope.fpExperiment = {
    Run,
    WATCHED,
    address,
    amplitudes,
    answer,
    frequencyOf,
    names,
    numbers,
    nudft,
    peaks,
    relativeError,
    ringsOf,
    target,
  };
})(typeof self === "undefined" ? globalThis : self);
