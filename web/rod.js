// The interface problem of fpbook.pde on a rod of two materials, trained as the book's PyTorch code trains it, over trainer.js: a
// network that carries its derivatives along, and two losses.
((/** @type {any} */ scope) => {
  "use strict";
  const { Net, Training, firstParameters, product, transpose } = /** @type {Trainer} */ (scope.fpTrainer);

  // A network of tanh whose rows come in threes: values, first and second derivatives along x of n points, (3 n, width).
  class Jet extends Net {
    forward(x, n) {
      const { z, h } = this.space(3 * n);
      const { widths, parameters } = this;
      const last = widths.length - 2;
      h[0] = x;
      for (let l = 0; l <= last; l++) {
        const q = widths[l + 1];
        const [Z, H, bias, N] = [z[l + 1], h[l + 1], parameters[2 * l + 1], n * q];
        product(h[l], parameters[2 * l], Z, 3 * n, q, widths[l]);
        for (let r = 0; r < N; r++) {
          Z[r] += bias[r % q];
          const [slope, bend] = [Z[r + N], Z[r + 2 * N]];
          const v = l === last ? Z[r] : Math.tanh(Z[r]);
          const d1 = l === last ? 1 : 1 - v * v;
          const d2 = l === last ? 0 : -2 * v * d1;
          H[r] = v;
          H[r + N] = d1 * slope;
          H[r + 2 * N] = d2 * slope * slope + d1 * bend;
        }
      }
      return h[last + 1];
    }
    backward(n, out) {
      // out (3 n, 1): gradient of the loss with respect to the output of forward
      const { z, h, d, w, turned } = this.space(3 * n);
      const { widths, parameters, gradients } = this;
      d[widths.length - 1] = out;
      for (let l = widths.length - 2; l >= 0; l--) {
        const [p, q, D] = [widths[l], widths[l + 1], d[l + 1]];
        const bias = gradients[2 * l + 1].fill(0);
        for (let r = 0; r < n * q; r++) bias[r % q] += D[r];
        const [left, right] = [transpose(D, 3 * n, q, turned[0]), transpose(h[l], 3 * n, p, turned[1])];
        product(left, right, gradients[2 * l], q, p, 3 * n);
        if (!l) break;
        product(D, transpose(parameters[2 * l], q, p, w[l]), d[l], 3 * n, p, q);
        this.throughTanh(d[l], z[l], h[l], n * p);
      }
    }
    throughTanh(D, Z, H, N) {
      for (let r = 0; r < N; r++) {
        const [a0, a1, a2] = [D[r], D[r + N], D[r + 2 * N]];
        const [slope, bend] = [Z[r + N], Z[r + 2 * N]];
        const d1 = 1 - H[r] * H[r];
        const d2 = -2 * H[r] * d1;
        const d3 = d1 * (6 * H[r] * H[r] - 2);
        D[r] = a0 * d1 + a1 * d2 * slope + a2 * (d3 * slope * slope + d2 * bend);
        D[r + N] = a1 * d1 + 2 * a2 * d2 * slope;
        D[r + 2 * N] = a2 * d1;
      }
    }
  }

  // The rod of two materials of fpbook.pde: u = (1 - x^2) h with a network h; the loss at a point from u, u' and u'', and its
  // derivatives with respect to them.
  const conductivity = (x) => (x >= 0 ? 1 : 0.5);
  const heat = (x) => (x >= 0 ? -2 : 0);
  const ROD_LOSSES = {
    "strong form": (x, _u, _u1, u2) => {
      const r = conductivity(x) * u2 + heat(x);
      return [r * r, 0, 0, 2 * r * conductivity(x)];
    },
    energy: (x, u, u1) => [
      conductivity(x) * u1 * u1 - 2 * heat(x) * u,
      -2 * heat(x),
      2 * conductivity(x) * u1,
      0,
    ],
  };

  class RodTraining extends Training {
    constructor(net, optimizer, { x, y }, parameters = firstParameters(net)) {
      super(net, optimizer, { x, y }, parameters);
      this.nets = [new Jet(net.widths, [], parameters)];
      this.nodes = Float64Array.from(x);
      this.inputs = net.widths[0]; // 2: x and |x|, so that the network can make a kink at 0
      this.loss = ROD_LOSSES[optimizer.loss];
    }
    enter(x) {
      const n = x.length;
      const rows = new Float64Array(3 * n * this.inputs);
      x.forEach((v, i) => {
        const [value, slope] = [this.inputs * i, this.inputs * (n + i)];
        [rows[value], rows[slope]] = [v, 1];
        if (this.inputs === 2) [rows[value + 1], rows[slope + 1]] = [Math.abs(v), Math.sign(v)];
      });
      return rows;
    }
    /** h, h' and h'' at points, (3 n,). */
    jet(x) {
      return this.nets[0].forward(this.enter(x), x.length);
    }
    output(x) {
      const h = this.jet(x);
      return Float64Array.from(x, (v, i) => (1 - v * v) * h[i]);
    }
    step() {
      const { n, nodes } = this;
      const h = this.jet(nodes);
      const gradient = new Float64Array(3 * n);
      this.h = new Float64Array(n);
      let loss = 0;
      nodes.forEach((x, i) => {
        const b = 1 - x * x;
        const [h0, h1, h2] = [h[i], h[n + i], h[2 * n + i]];
        this.h[i] = b * h0;
        const [value, a0, a1, a2] = this.loss(x, b * h0, b * h1 - 2 * x * h0, b * h2 - 4 * x * h1 - 2 * h0);
        loss += value / n;
        gradient[i] = (a0 * b - 2 * x * a1 - 2 * a2) / n;
        gradient[n + i] = (a1 * b - 4 * x * a2) / n;
        gradient[2 * n + i] = (a2 * b) / n;
      });
      this.nets[0].backward(n, gradient);
      return loss;
    }
  }

  scope.fpRod = { ROD_LOSSES: Object.keys(ROD_LOSSES), RodTraining };
})(typeof self === "undefined" ? globalThis : self);
