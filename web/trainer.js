// Fully connected networks on the line and on the cube, trained as the book's PyTorch code trains them: the same random numbers,
// initial weights, losses and updates. It knows nothing of the page; a worker runs it too.
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
      const low = float32(-bound);
      const width = float32(2 * bound);
      return Float64Array.from({ length: n }, () => float32(this.unit() * width + low));
    }
    normal(n, std = 1) {
      const out = new Float64Array(n);
      if (n < 16) {
        for (let i = 0; i < n; i++) {
          let value = this.second;
          this.second = null;
          if (value === null) {
            const angle = 2 * Math.PI * this.unit53();
            const radius = Math.sqrt(-2 * Math.log1p(-this.unit53()));
            value = radius * Math.cos(angle);
            this.second = radius * Math.sin(angle);
          }
          out[i] = float32(value * std);
        }
        return out;
      }
      const block = (from) => {
        for (let i = from; i < from + 8; i++) {
          const radius = float32(Math.sqrt(float32(-2 * float32(Math.log(1 - out[i])))));
          const angle = float32(float32(2 * Math.PI) * out[i + 8]);
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
    let sum = x;
    let term = x;
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
      const c = Math.PI ** 0.25 / (15 * a);
      const b = 1 / (a * a);
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
    const m4 = m - (m % 4);
    const n4 = n - (n % 4);
    for (let i = 0; i < m4; i += 4) for (let j = 0; j < n4; j += 4) {
      let c00 = 0;
      let c01 = 0;
      let c02 = 0;
      let c03 = 0;
      let c10 = 0;
      let c11 = 0;
      let c12 = 0;
      let c13 = 0;
      let c20 = 0;
      let c21 = 0;
      let c22 = 0;
      let c23 = 0;
      let c30 = 0;
      let c31 = 0;
      let c32 = 0;
      let c33 = 0;
      let p = i * k;
      let q = j * k;
      for (const end = p + k; p < end; p++, q++) {
        const b0 = b[q];
        const b1 = b[q + k];
        const b2 = b[q + 2 * k];
        const b3 = b[q + 3 * k];
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
      this.value = activation[0];
      this.slope = activation[1];
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
      const { z, h } = this.space(n);
      const { widths, parameters, value } = this;
      const last = widths.length - 2;
      h[0] = x;
      for (let l = 0; l <= last; l++) {
        const q = widths[l + 1];
        const bias = parameters[2 * l + 1];
        const Z = z[l + 1];
        const H = h[l + 1];
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
      } = this.space(n);
      const { widths, parameters, gradients, slope } = this;
      d[widths.length - 1] = out;
      for (let l = widths.length - 2; l >= 0; l--) {
        const p = widths[l];
        const q = widths[l + 1];
        const D = d[l + 1];
        const bias = gradients[2 * l + 1];
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
    adam(p, g, state, { lr }, t) {
      const [b1, b2, eps] = [0.9, 0.999, 1e-8];
      const m = (state.m ??= new Float64Array(p.length));
      const v = (state.v ??= new Float64Array(p.length));
      const rate = lr / (1 - b1 ** t);
      const root = Math.sqrt(1 - b2 ** t);
      for (let i = 0; i < p.length; i++) {
        m[i] += (1 - b1) * (g[i] - m[i]);
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) / root + eps);
      }
    },
  };

  // First parameters for a seed: PyTorch's default draws come first in any case, as there.
  function firstParameters({ widths, start = "default", std = 0.1, gain = 1, factor = 1, seed = 0 }) {
    const random = new Random(seed);
    const shapes = widths.slice(1).flatMap((q, l) => [
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
  function fourierFeatures(x, features) {
    const m = features?.length;
    if (!m) return Float64Array.from(x);
    return Float64Array.from({ length: 2 * m * x.length }, (_, i) =>
      (i % 2 ? Math.cos : Math.sin)(features[(i >> 1) % m] * x[Math.floor(i / (2 * m))]),
    );
  }

  // A network on its way: `step` measures the loss and its gradient, `update` moves the parameters. x (n, d), y (n,), one weight
  // per point. `parameters` in place of a seed's.
  class Training {
    constructor(net, optimizer, { x, y, weights = null }, parameters = firstParameters(net)) {
      const activation = ACTIVATIONS[net.activation](net.a);
      this.features = net.features;
      this.x = fourierFeatures(x, net.features);
      this.y = Float64Array.from(y);
      this.weights = weights;
      this.optimizer = optimizer;
      this.t = 0;
      this.signs = net.antisymmetric ? [Math.SQRT1_2, -Math.SQRT1_2] : [1];
      this.nets = this.signs.map(() => new Net(net.widths, activation, parameters));
      this.states = this.nets.map((one) => one.parameters.map(() => ({})));
      this.inputs = net.widths[0];
      this.n = this.y.length;
    }
    output(x) {
      // at any points, (m,)
      return this.forward(fourierFeatures(x, this.features));
    }
    forward(x) {
      const n = x.length / this.inputs;
      const h = new Float64Array(n);
      this.nets.forEach((net, c) => net.forward(x, n).forEach((v, i) => (h[i] += this.signs[c] * v)));
      return h;
    }
    step() {
      const { n, y, weights } = this;
      const h = this.forward(this.x);
      const gradient = new Float64Array(n);
      let loss = 0;
      for (let i = 0; i < n; i++) {
        const share = (weights ? weights[i] : 1) / n;
        const error = h[i] - y[i];
        loss += share * error * error;
        gradient[i] = 2 * share * error;
      }
      this.h = h;
      this.nets.forEach((net, c) => {
        const own = gradient.map((v) => this.signs[c] * v);
        net.backward(n, own);
      });
      return loss;
    }
    update() {
      this.t++;
      const move = UPDATES[this.optimizer.name ?? "adam"];
      this.nets.forEach((net, c) => {
        const states = this.states[c];
        net.parameters.forEach((p, i) => move(p, net.gradients[i], states[i], this.optimizer, this.t));
      });
    }
    // The tangent kernel at the training points, (n, n): of each layer the product of the inner products of what
    // goes in (and 1 for the bias) and of what comes back.
    kernel() {
      const n = this.n;
      const K = new Float64Array(n * n);
      const first = new Float64Array(n).fill(1);
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
          const into = inner(h[l - 1], net.widths[l - 1]);
          const back = inner(d[l], net.widths[l]);
          back.forEach((v, i) => (K[i] += (v * (into[i] + 1)) / this.nets.length));
        }
      });
      return K;
    }
  }

  // The same with mini-batches: each pass takes all points once, in an order of its own. The learning rate falls to zero along a
  // cosine. `h` and the loss are those of the batch.
  class BatchTraining extends Training {
    constructor(net, optimizer, { x, y }, parameters) {
      super(net, optimizer, { x, y }, parameters);
      this.all = { x: this.x, y: this.y };
      this.random = new Random(2000000 + (net.seed ?? 0));
      this.order = [];
      this.n = optimizer.batch;
      this.x = new Float64Array(this.n * this.inputs);
      this.y = new Float64Array(this.n);
    }
    step() {
      const { all, inputs, n } = this;
      if (this.order.length < n) this.order = this.random.permutation(all.y.length);
      this.order.splice(0, n).forEach((i, j) => {
        this.y[j] = all.y[i];
        this.x.set(all.x.subarray(i * inputs, (i + 1) * inputs), j * inputs);
      });
      return super.step();
    }
    update() {
      const { lr, steps } = this.optimizer;
      const now = (lr * (1 + Math.cos((Math.PI * this.t) / steps))) / 2;
      const kept = this.optimizer;
      this.optimizer = { ...kept, lr: now };
      super.update();
      this.optimizer = kept;
    }
  }

  // Transform of samples at any points, (1/n) sum f_j exp(-i k x_j): [real, imaginary].
  function nudft(x, f, k) {
    let re = 0;
    let im = 0;
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
  function energyByDegree(f) {
    const c = Float64Array.from(f);
    const energy = new Float64Array(Math.log2(c.length) + 1);
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

  scope.fpTrainer = {
    ACTIVATIONS,
    OPTIMIZERS: Object.keys(UPDATES),
    BatchTraining,
    Net,
    Random,
    Training,
    firstParameters,
    product,
    transpose,
    nudft,
    relativeError,
    energyByDegree,
  };
})(typeof self === "undefined" ? globalThis : self);
