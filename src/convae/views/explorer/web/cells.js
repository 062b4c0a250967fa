/**
 * Points sorted into square cells, so that a search looks at few of them.
 * @typedef {object} Grid
 * @property {Float32Array} positions N x 2
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 * @property {number} top
 * @property {number} cell side of a cell
 * @property {number} columns
 * @property {number} rows
 * @property {Uint32Array} starts where each cell's points start in `order`, and one end
 * @property {Uint32Array} order the points, cell after cell
 */

/** @param {Float32Array} positions @returns {Grid} with about two points a cell */
export function makeGrid(positions) {
  const count = positions.length / 2;
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i += 2) {
    left = Math.min(left, positions[i]);
    right = Math.max(right, positions[i]);
    bottom = Math.min(bottom, positions[i + 1]);
    top = Math.max(top, positions[i + 1]);
  }
  const [width, height] = [right - left, top - bottom];
  // Where all points are in one place, or on a line, cells still need a size.
  const side = Math.max(width, height) || 1;
  const cell = Math.max(Math.sqrt((width * height * 2) / count), side / 1024);
  const columns = Math.floor(width / cell) + 1;
  const rows = Math.floor(height / cell) + 1;
  const cells = new Uint32Array(count);
  const starts = new Uint32Array(columns * rows + 1);
  for (let i = 0; i < count; i++) {
    const column = Math.floor((positions[2 * i] - left) / cell);
    cells[i] = Math.floor((positions[2 * i + 1] - bottom) / cell) * columns + column;
    starts[cells[i] + 1]++;
  }
  for (let c = 0; c < columns * rows; c++) starts[c + 1] += starts[c];
  const free = starts.slice();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[free[cells[i]]++] = i;
  return { positions, left, bottom, right, top, cell, columns, rows, starts, order };
}

/**
 * @param {Grid} of @param {number} left @param {number} bottom @param {number} right @param {number} top
 * @returns {number[]} where the points of the cells that a rectangle touches are in `order`: first, end, first, end, ...
 */
export function rangesIn(of, left, bottom, right, top) {
  const first = Math.max(0, Math.floor((left - of.left) / of.cell));
  const last = Math.min(of.columns - 1, Math.floor((right - of.left) / of.cell));
  const lowest = Math.max(0, Math.floor((bottom - of.bottom) / of.cell));
  const highest = Math.min(of.rows - 1, Math.floor((top - of.bottom) / of.cell));
  const ranges = [];
  for (let row = lowest; row <= highest && first <= last; row++) {
    ranges.push(of.starts[row * of.columns + first], of.starts[row * of.columns + last + 1]);
  }
  return ranges;
}

/**
 * Call `visit` for each point of the cells that a rectangle touches.
 * @param {Grid} of @param {number} left @param {number} bottom @param {number} right @param {number} top
 * @param {(point: number) => void} visit
 */
export function visitCells(of, left, bottom, right, top, visit) {
  const ranges = rangesIn(of, left, bottom, right, top);
  for (let r = 0; r < ranges.length; r += 2) {
    for (let at = ranges[r]; at < ranges[r + 1]; at++) visit(of.order[at]);
  }
}

/**
 * @param {Grid} of @param {number} x @param {number} y @param {number} reach
 * @param {(point: number) => boolean} counts @returns {number} the nearest point that counts within reach, or -1
 */
export function nearestPoint(of, x, y, reach, counts) {
  let [best, least] = [-1, reach * reach];
  visitCells(of, x - reach, y - reach, x + reach, y + reach, (i) => {
    const distance = (of.positions[2 * i] - x) ** 2 + (of.positions[2 * i + 1] - y) ** 2;
    if (distance <= least && counts(i)) [best, least] = [i, distance];
  });
  return best;
}

/**
 * @param {Grid} of @param {number} point @param {number} k
 * @returns {{points: number[], distances: number[]}} the k others nearest on the map, nearest first; ties by index
 */
export function nearestOnMap(of, point, k) {
  return nearestTo(of, of.positions[2 * point], of.positions[2 * point + 1], Math.min(k, of.order.length - 1), point);
}

/**
 * @param {Grid} of @param {number} x @param {number} y @param {number} wanted how many; no more than there are
 * @param {number} [but] this point does not count
 * @returns {{points: number[], distances: number[]}} the points nearest to a place, nearest first; ties by index
 */
export function nearestTo(of, x, y, wanted, but = -1) {
  for (let reach = of.cell * 2; ; reach *= 2) {
    /** @type {[number, number][]} */
    const found = [];
    visitCells(of, x - reach, y - reach, x + reach, y + reach, (i) => {
      const squared = (of.positions[2 * i] - x) ** 2 + (of.positions[2 * i + 1] - y) ** 2;
      if (i !== but && squared <= reach * reach) found.push([squared, i]);
    });
    if (found.length < wanted) continue;
    found.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
    const nearest = found.slice(0, wanted);
    return { points: nearest.map(([, i]) => i), distances: nearest.map(([squared]) => Math.sqrt(squared)) };
  }
}

/**
 * @param {Float32Array} positions N x 2 @param {number[][]} polygon its corners [x, y]; closed by itself
 * @param {(point: number) => boolean} counts
 * @returns {number[]} the points that count and are inside, by the even-odd rule, rising
 */
export function insidePolygon(positions, polygon, counts) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  // A point need only be compared with the edges in its own band of heights.
  const bands = Array.from({ length: 256 }, () => /** @type {number[]} */ ([]));
  const bandOf = (/** @type {number} */ y) => Math.min(255, Math.floor(((y - bottom) / (top - bottom)) * 256));
  polygon.forEach(([, y], edge) => {
    const other = ys[(edge + 1) % ys.length];
    if (y === other) return;
    for (let b = bandOf(Math.min(y, other)); b <= bandOf(Math.max(y, other)); b++) bands[b].push(edge);
  });
  const inside = [];
  for (let i = 0; i < positions.length / 2; i++) {
    const x = positions[2 * i];
    const y = positions[2 * i + 1];
    if (x < left || x > right || y < bottom || y >= top || !counts(i)) continue;
    let odd = false;
    for (const edge of bands[bandOf(y)]) {
      const next = (edge + 1) % xs.length;
      if (ys[edge] > y === ys[next] > y) continue;
      const crossing = xs[edge] + ((xs[next] - xs[edge]) * (y - ys[edge])) / (ys[next] - ys[edge]);
      if (x < crossing) odd = !odd;
    }
    if (odd) inside.push(i);
  }
  return inside;
}
