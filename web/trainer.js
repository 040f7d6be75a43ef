// Trains a fully connected network as the book's PyTorch code does, and measures it. It knows nothing of the page. A classic
// script that is both sides: a page gets `fpTrainer` from it, and a worker that runs it trains what the page sends.
((scope) => {
  "use strict";

  const float32 = Math.fround;

  // PyTorch's random numbers on a CPU: mt19937; floats of 24 bits; normals in blocks of 16 from 16 numbers on, else one by one.
  class Random {
    constructor(seed) {
      const s = (this.state = new Uint32Array(624));
      s[0] = seed;
      for (let i = 1; i < 624; i++) s[i] = Math.imul(1812433253, s[i - 1] ^ (s[i - 1] >>> 30)) + i;
      this.at = 624;
      this.second = null; // of a pair of single normals, also across arrays
    }
    bits() {
      const s = this.state;
      if (this.at === 624) {
        for (let i = 0; i < 624; i++) {
          const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
          s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
        }
        this.at = 0;
      }
      let y = s[this.at++];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      return (y ^ (y >>> 18)) >>> 0;
    }
    unit() {
      return (this.bits() & 0xffffff) / 0x1000000;
    }
    unit53() {
      return ((this.bits() & 0x1fffff) * 0x100000000 + this.bits()) / 2 ** 53;
    }
    uniform(n, bound) {
      const low = float32(-bound),
        width = float32(2 * bound);
      return Float64Array.from({ length: n }, () => float32(this.unit() * width + low));
    }
    normal(n, std = 1) {
      const out = new Float64Array(n);
      if (n < 16) {
        for (let i = 0; i < n; i++) {
          let value = this.second;
          this.second = null;
          if (value === null) {
            const angle = 2 * Math.PI * this.unit53(),
              radius = Math.sqrt(-2 * Math.log1p(-this.unit53()));
            value = radius * Math.cos(angle);
            this.second = radius * Math.sin(angle);
          }
          out[i] = float32(value * std);
        }
        return out;
      }
      const block = (from) => {
        for (let i = from; i < from + 8; i++) {
          const radius = float32(Math.sqrt(float32(-2 * float32(Math.log(1 - out[i]))))),
            angle = float32(float32(2 * Math.PI) * out[i + 8]);
          out[i] = float32(float32(radius * float32(Math.cos(angle))) * float32(std));
          out[i + 8] = float32(float32(radius * float32(Math.sin(angle))) * float32(std));
        }
      };
      for (let i = 0; i < n; i++) out[i] = this.unit();
      for (let i = 0; i + 16 <= n; i += 16) block(i);
      if (n % 16) {
        for (let i = n - 16; i < n; i++) out[i] = this.unit();
        block(n - 16);
      }
      return out;
    }
    permutation(n) {
      const order = Array.from({ length: n }, (_, i) => i);
      for (let i = 0; i < n - 1; i++) {
        const j = i + (this.bits() % (n - i));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    }
  }

  function erf(x) {
    // a series of positive terms, good to the last digits
    if (Math.abs(x) > 6) return Math.sign(x);
    let sum = x,
      term = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }

  // Each activation: its value at z, and its derivative at z where the value is v.
  const ACTIVATIONS = {
    tanh: () => [Math.tanh, (_z, v) => 1 - v * v],
    relu: () => [(z) => (z > 0 ? z : 0), (z) => (z > 0 ? 1 : 0)],
    sin: () => [Math.sin, Math.cos],
    sigmoid: () => [(z) => 1 / (1 + Math.exp(-z)), (_z, v) => v * (1 - v)],
    gelu: () => [
      (z) => (z / 2) * (1 + erf(z / Math.SQRT2)),
      (z) => (1 + erf(z / Math.SQRT2)) / 2 + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI),
    ],
    ricker: (a) => {
      const c = Math.PI ** 0.25 / (15 * a),
        b = 1 / (a * a);
      return [
        (z) => {
          const q = z * z * b;
          return c * (1 - q) * Math.exp(-q / 2);
        },
        (z) => {
          const q = z * z * b;
          return c * b * z * (q - 3) * Math.exp(-q / 2);
        },
      ];
    },
  };

  // c (m, n) = a (m, k) times the transpose of b (n, k), in blocks of 4 by 4 that stay in registers.
  // biome-ignore format: sixteen sums in four rows are read as a table
  function product(a, b, c, m, n, k) {
    const m4 = m - (m % 4), n4 = n - (n % 4);
    for (let i = 0; i < m4; i += 4) for (let j = 0; j < n4; j += 4) {
      let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
      let c20 = 0, c21 = 0, c22 = 0, c23 = 0, c30 = 0, c31 = 0, c32 = 0, c33 = 0;
      let p = i * k, q = j * k;
      for (const end = p + k; p < end; p++, q++) {
        const b0 = b[q], b1 = b[q + k], b2 = b[q + 2 * k], b3 = b[q + 3 * k];
        let v = a[p]; c00 += v * b0; c01 += v * b1; c02 += v * b2; c03 += v * b3;
        v = a[p + k]; c10 += v * b0; c11 += v * b1; c12 += v * b2; c13 += v * b3;
        v = a[p + 2 * k]; c20 += v * b0; c21 += v * b1; c22 += v * b2; c23 += v * b3;
        v = a[p + 3 * k]; c30 += v * b0; c31 += v * b1; c32 += v * b2; c33 += v * b3;
      }
      let r = i * n + j; c[r] = c00; c[r + 1] = c01; c[r + 2] = c02; c[r + 3] = c03;
      r += n; c[r] = c10; c[r + 1] = c11; c[r + 2] = c12; c[r + 3] = c13;
      r += n; c[r] = c20; c[r + 1] = c21; c[r + 2] = c22; c[r + 3] = c23;
      r += n; c[r] = c30; c[r + 1] = c31; c[r + 2] = c32; c[r + 3] = c33;
    }
    for (let i = 0; i < m; i++) for (let j = i < m4 ? n4 : 0; j < n; j++) {
      let sum = 0;
      for (let p = i * k, q = j * k, end = p + k; p < end; p++, q++) sum += a[p] * b[q];
      c[i * n + j] = sum;
    }
  }

  function transpose(a, m, n, out) {
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
    return out;
  }

  // One network; weights (out, in), row by row, as in PyTorch. Of layer l: w[l] weights and b[l] biases, g and e their gradients.
  class Net {
    constructor(widths, activation, parameters) {
      this.widths = widths;
      [this.value, this.slope] = activation;
      this.parameters = parameters.map((p) => Float64Array.from(p)); // weights, biases, weights, ...
      this.gradients = parameters.map((p) => new Float64Array(p.length));
      this.spaces = {};
    }
    space(n) {
      const of = (k) => this.widths.map((w) => new Float64Array(w * n * k));
      return (this.spaces[n] ??= {
        z: of(1),
        h: of(1),
        d: of(1),
        turned: [0, 1].map(() => new Float64Array(n * Math.max(...this.widths))),
        w: this.widths.slice(1).map((w, l) => new Float64Array(w * this.widths[l])),
      });
    }
    forward(x, n) {
      // x (n, first width) -> (n, last width)
      const { z, h } = this.space(n),
        { widths, parameters, value } = this,
        last = widths.length - 2;
      h[0] = x;
      for (let l = 0; l <= last; l++) {
        const q = widths[l + 1],
          bias = parameters[2 * l + 1],
          Z = z[l + 1],
          H = h[l + 1];
        product(h[l], parameters[2 * l], Z, n, q, widths[l]);
        for (let i = 0, r = 0; i < n; i++)
          for (let j = 0; j < q; j++, r++) {
            Z[r] += bias[j];
            H[r] = l === last ? Z[r] : value(Z[r]);
          }
      }
      return h[last + 1];
    }
    backward(n, out) {
      // out (n, last width): gradient of the loss with respect to the output of forward
      const {
          z,
          h,
          d,
          w,
          turned: [left, right],
        } = this.space(n),
        { widths, parameters, gradients, slope } = this;
      d[widths.length - 1] = out;
      for (let l = widths.length - 2; l >= 0; l--) {
        const p = widths[l],
          q = widths[l + 1],
          D = d[l + 1],
          bias = gradients[2 * l + 1];
        bias.fill(0);
        for (let i = 0, r = 0; i < n; i++) for (let j = 0; j < q; j++) bias[j] += D[r++];
        product(transpose(D, n, q, left), transpose(h[l], n, p, right), gradients[2 * l], q, p, n);
        if (!l) break;
        product(D, transpose(parameters[2 * l], q, p, w[l]), d[l], n, p, q);
        for (let r = 0; r < n * p; r++) d[l][r] *= slope(z[l][r], h[l][r]);
      }
    }
  }

  const UPDATES = {
    sgd(p, g, state, { lr, momentum = 0 }) {
      const kept = (state.kept ??= new Float64Array(p.length));
      for (let i = 0; i < p.length; i++) p[i] -= lr * (kept[i] = momentum * kept[i] + g[i]);
    },
    adam(p, g, state, { lr, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8 }, t) {
      const m = (state.m ??= new Float64Array(p.length)),
        v = (state.v ??= new Float64Array(p.length));
      const rate = lr / (1 - b1 ** t),
        root = Math.sqrt(1 - b2 ** t);
      for (let i = 0; i < p.length; i++) {
        m[i] += (1 - b1) * (g[i] - m[i]);
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) / root + eps);
      }
    },
  };

  // First parameters for a seed: PyTorch's default draws come first in any case, as there.
  function drawn({ widths, start = "default", std = 0.1, gain = 1, factor = 1, seed = 0 }) {
    const random = new Random(seed),
      shapes = widths.slice(1).flatMap((q, l) => [
        [q, widths[l], widths[l]],
        [q, 1, widths[l]],
      ]);
    let all = shapes.map(([q, p, fan]) => random.uniform(q * p, 1 / Math.sqrt(fan)));
    if (start === "normal") all = shapes.map(([q, p]) => random.normal(q * p, std));
    if (start === "xavier")
      all = shapes.map(([q, p], i) =>
        i % 2 ? new Float64Array(q) : random.normal(q * p, gain * Math.sqrt(2 / (p + q))),
      );
    return all.map((values, i) => (i % 2 ? values : values.map((v) => float32(v * factor))));
  }

  // Fourier features of points on the line, (n,) -> (n, 2 for each frequency): what goes in in place of the points.
  function lifted(x, features) {
    const m = features?.length;
    if (!m) return Float64Array.from(x);
    return Float64Array.from({ length: 2 * m * x.length }, (_, i) =>
      (i % 2 ? Math.cos : Math.sin)(features[(i >> 1) % m] * x[Math.floor(i / (2 * m))]),
    );
  }

  // A network on its way: `step` measures the loss and its gradient, `update` moves the parameters. x (n, d), y (n, outputs) or,
  // for cross-entropy, (n,) classes; one weight a point. `parameters` in place of a seed's.
  class Training {
    constructor(net, optimizer, { x, y, weights = null, loss = "squared" }, parameters = drawn(net)) {
      const activation = ACTIVATIONS[net.activation](net.a);
      this.features = net.features;
      Object.assign(this, {
        optimizer,
        x: lifted(x, net.features),
        y: Float64Array.from(y),
        weights,
        kind: loss,
        t: 0,
      });
      this.signs = net.antisymmetric ? [Math.SQRT1_2, -Math.SQRT1_2] : [1];
      this.nets = this.signs.map(() => new Net(net.widths, activation, parameters));
      this.states = this.nets.map((one) => one.parameters.map(() => ({})));
      this.inputs = net.widths[0];
      this.outputs = net.widths[net.widths.length - 1];
      this.n = this.x.length / this.inputs;
      this.order = optimizer.batch ? new Random(optimizer.seed ?? 0) : null;
      this.rest = [];
    }
    output(x) {
      return this.forward(x ? lifted(x, this.features) : this.x);
    } // at any points, (n, outputs)
    forward(x) {
      const n = x.length / this.inputs,
        h = new Float64Array(n * this.outputs);
      this.nets.forEach((net, c) => net.forward(x, n).forEach((v, i) => (h[i] += this.signs[c] * v)));
      return h;
    }
    rows() {
      // of the next mini-batch, each sample once an epoch
      if (!this.order) return null;
      if (!this.rest.length) this.rest = this.order.permutation(this.n);
      return this.rest.splice(0, this.optimizer.batch);
    }
    step() {
      const rows = this.rows(),
        n = rows ? rows.length : this.n,
        p = this.inputs,
        q = this.outputs,
        classes = this.kind === "entropy";
      const part = (a, k) =>
        rows ? Float64Array.from({ length: n * k }, (_, i) => a[rows[Math.floor(i / k)] * k + (i % k)]) : a;
      const y = part(this.y, classes ? 1 : q),
        w = this.weights && part(this.weights, 1);
      const h = this.forward(part(this.x, p)),
        d = new Float64Array(n * q);
      let loss = 0;
      for (let i = 0; i < n; i++) {
        const share = (w ? w[i] : 1) / n,
          row = h.subarray(i * q, (i + 1) * q);
        const top = classes && Math.max(...row),
          sum = classes && row.reduce((s, v) => s + Math.exp(v - top), 0);
        if (classes) loss += share * (top + Math.log(sum) - row[y[i]]);
        for (let j = 0; j < q; j++) {
          const error = row[j] - (classes ? 0 : y[i * q + j]);
          if (!classes) loss += (share * error * error) / q;
          d[i * q + j] = share * (classes ? Math.exp(row[j] - top) / sum - (j === y[i]) : (2 * error) / q);
        }
      }
      this.h = h;
      this.nets.forEach((net, c) =>
        net.backward(
          n,
          d.map((v) => this.signs[c] * v),
        ),
      );
      return loss;
    }
    update() {
      this.t++;
      const move = UPDATES[this.optimizer.name ?? "adam"];
      this.nets.forEach((net, c) =>
        net.parameters.forEach((p, i) =>
          move(p, net.gradients[i], this.states[c][i], this.optimizer, this.t),
        ),
      );
    }
    // The tangent kernel of the first output at the training points, (n, n): of each layer the product of the inner products of what
    // goes in (and 1 for the bias) and of what comes back.
    kernel() {
      const n = this.n,
        K = new Float64Array(n * n),
        first = Float64Array.from({ length: n * this.outputs }, (_, i) => (i % this.outputs ? 0 : 1));
      const inner = (a, k) => {
        const all = new Float64Array(n * n);
        product(a, a, all, n, n, k);
        return all;
      };
      this.nets.forEach((net) => {
        net.forward(this.x, n);
        net.backward(n, first);
        const { h, d } = net.space(n);
        for (let l = 1; l < net.widths.length; l++) {
          const into = inner(h[l - 1], net.widths[l - 1]),
            back = inner(d[l], net.widths[l]);
          back.forEach((v, i) => (K[i] += (v * (into[i] + 1)) / this.nets.length));
        }
      });
      return K;
    }
  }

  // Transform of samples at any points, (1/n) sum f_j exp(-i k x_j): [real, imaginary].
  function nudft(x, f, k) {
    let re = 0,
      im = 0;
    for (let j = 0; j < x.length; j++) {
      re += f[j] * Math.cos(k * x[j]);
      im -= f[j] * Math.sin(k * x[j]);
    }
    return [re / x.length, im / x.length];
  }

  function relativeError(h, f) {
    return Math.hypot(h[0] - f[0], h[1] - f[1]) / Math.hypot(f[0], f[1]);
  }

  // Energy of a function on the cube by degree, (d + 1); f in lexicographic order, by the fast Walsh transform.
  function degrees(f) {
    const c = Float64Array.from(f),
      energy = new Float64Array(Math.log2(c.length) + 1);
    for (let half = 1; half < c.length; half *= 2)
      for (let i = 0; i < c.length; i++) {
        if (!(i & half)) [c[i], c[i + half]] = [c[i] + c[i + half], c[i] - c[i + half]];
      }
    c.forEach((v, s) => {
      let size = 0;
      for (; s; s &= s - 1) size++;
      energy[size] += (v / c.length) ** 2;
    });
    return energy;
  }

  // ---- Experiments as `fpbook.lab` declares them: data, network, training, and what is watched. ----

  function target(data) {
    // as a function of one point on the line
    const waves = (sizes, f) =>
      Object.entries(sizes ?? {}).map(
        ([k, size]) =>
          (x) =>
            size * f(k * x),
      );
    const parts = [...waves(data.sines, Math.sin), ...waves(data.cosines, Math.cos)];
    if (data.halves) parts.push((x) => Math.sin(data.halves[x <= 0 ? 0 : 1] * x));
    if (data.drawn)
      parts.push((x) => {
        const at = ((x - data.low) / (data.high - data.low)) * (data.drawn.length - 1),
          i = Math.min(Math.floor(at), data.drawn.length - 2);
        return data.drawn[i] + (at - i) * (data.drawn[i + 1] - data.drawn[i]);
      });
    return (x) => parts.reduce((sum, part) => sum + part(x), 0);
  }

  const grid = (n, low, high, shift) =>
    Float64Array.from({ length: n }, (_, j) => low + ((high - low) * (j + shift)) / n);

  // The numbers behind a declaration: x, y at the training points; fine, where the output is drawn; held and its labels.
  function numbers(data, seed) {
    const random = new Random(1000000 + seed); // apart from the weights
    if (data.cube) {
      const d = data.cube,
        size = 2 ** d,
        sign = (c, j) => ((c >> (d - 1 - j)) & 1 ? 1 : -1);
      const corners = Float64Array.from({ length: size * d }, (_, i) => sign(Math.floor(i / d), i % d));
      const f = Float64Array.from({ length: size }, (_, c) => {
        let v = 1;
        for (let j = 0; j < data.degree; j++) v *= sign(c, j);
        return v;
      });
      const order = random.permutation(size),
        rows = order.slice(0, data.seen);
      return {
        fine: corners,
        f,
        order,
        x: Float64Array.from(rows.flatMap((c) => [...corners.subarray(c * d, (c + 1) * d)])),
        y: Float64Array.from(rows, (c) => f[c]),
      };
    }
    const { points: n, low, high, shift = 0.5, noise = 0, round = 0, held = 0, fine: m = 201 } = data,
      f = target(data);
    const x = data.anywhere
      ? Float64Array.from({ length: n }, () => low + (high - low) * random.unit()).sort()
      : grid(n, low, high, shift);
    const labels = (points) => {
      const e = noise ? random.normal(points.length) : [];
      return points.map((p, i) => {
        const v = f(p) + (noise ? noise * e[i] : 0);
        return round ? round * Math.round(v / round) : v;
      });
    };
    const y = labels(x),
      held_x = grid(held, low, high, 0.25);
    const fine = data.whole
      ? grid(m, low, high, 0.5)
      : Float64Array.from({ length: m }, (_, i) => x[0] + ((x[n - 1] - x[0]) * i) / (m - 1));
    return { x, y, fine, f: fine.map(f), held: held_x, held_y: labels(held_x) };
  }

  const meanSquare = (h, y, chosen = () => true) => {
    let sum = 0,
      n = 0;
    h.forEach((v, i) => {
      if (chosen(i)) {
        sum += (v - y[i]) ** 2;
        n++;
      }
    });
    return sum / n;
  };

  // What can be watched against the step: each takes the outputs at the fine and at the training points, and the data.
  const WATCHED = {
    training: (_h, at, data) => meanSquare(at, data.y),
    between: (h, _at, data) => meanSquare(h, data.f),
    left: (h, _at, data) => meanSquare(h, data.f, (i) => data.fine[i] <= 0),
    right: (h, _at, data) => meanSquare(h, data.f, (i) => data.fine[i] > 0),
    held: (_h, _at, data, net) => meanSquare(net.output(data.held), data.held_y),
    seen: (h, _at, data) => agreement(h, data, data.order.slice(0, data.y.length)),
    unseen: (h, _at, data) => agreement(h, data, data.order.slice(data.y.length)),
  };

  function agreement(h, data, rows) {
    return rows.filter((c) => h[c] * data.f[c] > 0).length / rows.length;
  }

  // Frequencies of the target, those whose relative error is followed.
  function peaks({ sines, cosines }) {
    return Object.entries({ ...sines, ...cosines })
      .filter(([, size]) => Math.abs(size) > 0.05)
      .map(([k]) => Number(k))
      .sort((a, b) => a - b);
  }

  function names({ data, watch }) {
    return watch.series.flatMap((name) =>
      name === "frequencies" ? peaks(data).map((k) => `k = ${k}`) : [name],
    );
  }

  function widths({ data, network: { hidden, width, depth, features = [] } }) {
    return [
      data.cube ?? (2 * features.length || 1),
      ...(depth ? Array(depth).fill(width ?? hidden[0]) : hidden),
      1,
    ];
  }

  class Run {
    constructor(declared) {
      const { data, network, training } = declared,
        seed = network.seed ?? 0;
      this.declared = declared;
      this.data = numbers(data, seed);
      const { x, y } = this.data,
        weight = training.weight ?? 1;
      let weights = null; // of the points with x <= 0, against 1 of the others; their mean is 1
      if (weight !== 1) {
        weights = x.map((v) => (v <= 0 ? weight : 1));
        const mean = weights.reduce((a, b) => a + b) / x.length;
        weights = weights.map((v) => v / mean);
      }
      this.net = new Training({ ...network, widths: widths(declared) }, training, { x, y, weights });
      this.k = names(declared).map((name) => (name.startsWith("k = ") ? Number(name.slice(4)) : null));
      this.f_hat = this.k.map((k) => k !== null && nudft(x, y, k));
      this.due = 0;
      this.rows = [];
    }
    fine() {
      // the output at the fine points, once a step
      if (this.seen !== this.net.t) [this.seen, this.h] = [this.net.t, this.net.output(this.data.fine)];
      return this.h;
    }
    at() {
      return this.net.order ? this.net.output() : this.net.h;
    } // and at the training points
    measure() {
      // the quantities that are watched, at this step
      const at = this.at(),
        fine = names(this.declared).some((name) => name in WATCHED && name !== "training")
          ? this.fine()
          : null;
      return names(this.declared).map((name, i) =>
        this.k[i] === null
          ? WATCHED[name](fine, at, this.data, this.net)
          : relativeError(nudft(this.data.x, at, this.k[i]), this.f_hat[i]),
      );
    }
    look(fresh) {
      // the loss of this step, and whether it is the last; now and then what is watched
      const { steps, stop = 0 } = this.declared.training,
        t = this.net.t;
      this.loss = this.net.step();
      if (!Number.isFinite(this.loss)) this.done = "lost";
      else if (this.loss < stop) this.done = "fitted";
      else if (t >= steps) this.done = "long";
      if (t < this.due && !this.done) return;
      fresh.push([t, ...this.measure()]);
      this.due = Math.max(t + 1, Math.ceil(t * 1.02));
    }
    // Steps for so many milliseconds, few at the beginning, where much happens; then what there is to see.
    advance(milliseconds, most = Infinity) {
      const end = performance.now() + milliseconds,
        fresh = [],
        begins = this.loss === undefined;
      most = begins ? 0 : Math.min(most, Math.max(1, this.net.t / 20));
      if (begins) this.look(fresh); // step 0 alone: code that runs for the first time is slow
      for (let taken = 0; !this.done && taken < most && (!taken || performance.now() < end); taken++) {
        this.net.update();
        this.look(fresh);
      }
      this.rows.push(...fresh);
      return { step: this.net.t, loss: this.loss, done: this.done, fresh, ...this.view() };
    }
    view() {
      const { data, watch } = this.declared,
        h = this.fine(),
        at = this.at();
      const bars = data.cube
        ? degrees(h)
        : Float64Array.from(
            { length: (watch.bars ?? 20) + 1 },
            (_, k) => 2 * Math.hypot(...nudft(this.data.x, at, k)),
          );
      return { h, at, bars };
    }
    forecast() {
      // q = s K s / s s for the wave s of each watched frequency in the labels: the larger, the sooner
      const K = this.net.kernel(),
        { x } = this.data,
        n = x.length;
      return this.k.map((k, w) => {
        if (k === null) return null;
        const [re, im] = this.f_hat[w],
          s = x.map((v) => re * Math.cos(k * v) - im * Math.sin(k * v));
        let sum = 0;
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += s[i] * s[j] * K[i * n + j];
        return sum / s.reduce((a, v) => a + v * v, 0);
      });
    }
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  // The value if the control allows it; an error with the reason if not.
  function check(control, value) {
    const refuse = (text) => {
      throw new Error(text);
    };
    if (!control) refuse("there is no such control");
    const { label, low, high, step, options, frequencies, why } = control,
      reason = why ? `: ${why}` : "";
    if (options) {
      if (!Object.values(options).some((option) => same(option, value)))
        refuse(`${label} is one of ${Object.keys(options).join(", ")}`);
    } else if (frequencies) {
      const waves = Object.entries(value ?? {}),
        whole = waves.length && waves.every(([k, size]) => /^\d+$/.test(k) && Math.abs(size) <= 10);
      if (!whole || waves.some(([k]) => k < low || k > high))
        refuse(`${label} are whole numbers from ${low} to ${high}${whole ? reason : ""}`);
    } else if (low === undefined) {
      if (typeof value !== "boolean") refuse(`${label} is on or off`);
    } else {
      const whole = Number.isInteger(step);
      if (
        !(typeof value === "number" && value >= low && value <= high) ||
        (whole && !Number.isInteger(value))
      ) {
        refuse(`${label} is ${whole ? "a whole number" : "a number"} from ${low} to ${high}${reason}`);
      }
    }
    return value;
  }

  function answer(run, { milliseconds, most, forecast }) {
    return forecast ? { forecast: run.forecast() } : run.advance(milliseconds, most);
  }

  if (typeof document === "undefined" && typeof importScripts === "function") {
    let run;
    scope.onmessage = ({ data }) => {
      if (data.declared) run = new Run(data.declared);
      scope.postMessage(data.declared ? null : answer(run, data));
    };
    return;
  }

  const address = typeof document === "undefined" ? null : document.currentScript?.src;

  // Training behind the page where the browser allows it, else on it in slices: `ask` promises one report at a time.
  function start(declared) {
    let worker = null,
      run = null;
    const waiting = []; // questions that the worker has still to answer, in their order
    const pause = () => new Promise((resume) => setTimeout(resume));
    const here = async (question) => {
      await pause();
      if (!run) {
        run = new Run(declared);
        await pause();
      }
      return answer(run, { ...question, milliseconds: 12 });
    };
    try {
      if (!/^http/.test(address)) throw new Error("no worker from disk");
      worker = new Worker(address);
      worker.postMessage({ declared });
      worker.onmessage = ({ data }) => {
        if (data) waiting.shift()[1](data);
      };
      worker.onerror = (event) => {
        // the page trains from here on
        event.preventDefault();
        worker = null;
        waiting.splice(0).forEach(([question, resolve]) => resolve(here(question)));
      };
    } catch {
      worker = null;
    }
    return {
      ask(question = {}) {
        if (!worker) return here(question);
        return new Promise((resolve) => {
          waiting.push([question, resolve]);
          worker.postMessage({ milliseconds: 25, ...question });
        });
      },
      end() {
        worker?.terminate();
      },
    };
  }

  scope.fpTrainer = {
    check,
    same,
    start,
    Run,
    WATCHED,
    Training,
    Random,
    ACTIVATIONS,
    drawn,
    numbers,
    names,
    peaks,
    nudft,
    relativeError,
    degrees,
  };
})(typeof self === "undefined" ? globalThis : self);
