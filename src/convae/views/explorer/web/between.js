"use strict";

/** An end of the way: an image, channels x height x width, and its latent vector. @typedef {{pixels: Uint8Array, latent: Float32Array}} End */

/** The second of the two points, how far from the first to it, whether what is chosen next becomes it, and both ends. */
const between = { other: -1, part: 0.5, choosing: false, ends: /** @type {Promise<End[]> | null} */ (null) };
/** @type {Network | null} */
let network = null;

/** @returns {Network | null} if the data has one */
function networkOf() {
  if (!network && data.network) network = makeNetwork(data.network);
  return network;
}

/** Select a point, or make it the other end of the way. @param {number} point @param {boolean} [asOther] as a click with Shift does */
function choose(point, asOther = false) {
  const other = (asOther || between.choosing) && state.selected >= 0 && point !== state.selected && networkOf();
  if (!other) return select(point);
  setOther(point, 0.5);
  byId("part").focus();
  say(`In between, to ${describe(point)}. The arrow keys go along the way`);
}

/** @param {number} point that the way from the selected one leads to @param {number} part how far along it */
function setOther(point, part) {
  Object.assign(between, { other: point, part, choosing: false, ends: endsOf([state.selected, point]) });
  showBetween();
  refocus();
}

/** @param {boolean} choosing whether what is chosen next becomes the other end */
function setChoosing(choosing) {
  if (state.selected < 0 || !networkOf()) return;
  const held = byId("between").contains(document.activeElement);
  between.choosing = choosing;
  showBetween();
  if (held) byId("chooser").focus();
  if (choosing) say("Choose the other image");
}

/** Show the way from the selected point to another: what the decoder makes of the latent vectors in between. */
function showBetween() {
  const section = byId("between");
  byId("map").classList.toggle("choosing", between.choosing);
  section.hidden = state.selected < 0 || !networkOf();
  section.replaceChildren();
  if (section.hidden) return;
  const text = between.choosing ? "Now choose the other image" : between.other < 0 ? "Choose another image" : "Choose another";
  const chooser = button(text, () => setChoosing(!between.choosing), {
    id: "chooser",
    title: "See what the decoder makes of the way to it (B); a click with Shift chooses it, too",
    "aria-pressed": between.choosing,
  });
  section.append(make("div", { className: "head" }, make("h3", { id: "between-title" }, "In between"), chooser));
  if (between.other < 0) return;
  section.append(...wayTo(between.other));
  showPart(between.part);
}

/** @param {number} other @returns {HTMLElement[]} both images, what is made of them, and a slider */
function wayTo(other) {
  const made = ["decoded", "faded"].map((id) => make("canvas", { id, role: "img", ...data.thumbnail }));
  const pictures = [named("images", state.selected), ...made, named("images", other)];
  const captions = [`Index ${data.rows[state.selected]}`, "Decoded", "Cross-fade", `Index ${data.rows[other]}`];
  const figures = pictures.map((picture, place) => make("figure", {}, picture, make("figcaption", {}, captions[place])));
  const slider = make("input", { id: "part", type: "range", min: "0", max: "1", step: "0.01" });
  slider.setAttribute("aria-label", "How far to the other image");
  slider.addEventListener("input", () => showPart(slider.valueAsNumber));
  return [make("div", { className: "way" }, ...figures), slider];
}

/** @param {number} part of the way, from 0, the selected point, to 1, the other */
async function showPart(part) {
  between.part = part;
  redraw("marks");
  keepAddress();
  const slider = /** @type {HTMLInputElement} */ (byId("part"));
  slider.valueAsNumber = part;
  slider.setAttribute("aria-valuetext", `${Math.round(100 * part)} per cent`);
  const { ends } = between;
  const [one, other] = (await ends) ?? [];
  // The slider, or an end, may be elsewhere by now.
  if (!one || between.ends !== ends || between.part !== part) return;
  const way = (/** @type {ArrayLike<number>} */ from, /** @type {ArrayLike<number>} */ to) =>
    Float32Array.from(from, (value, at) => value + (to[at] - value) * part);
  showPixels("decoded", "Decoded", /** @type {Network} */ (networkOf()).decode(way(one.latent, other.latent)));
  showPixels("faded", "Cross-fade of the pixels", way(one.pixels, other.pixels));
}

/** @param {string} id of a canvas @param {string} name of what it shows @param {ArrayLike<number>} values channels x height x width, of 255 */
function showPixels(id, name, values) {
  const { width, height, channels } = data.thumbnail;
  const made = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) made.data[4 * at + c] = values[(channels === 3 ? c * width * height : 0) + at];
    made.data[4 * at + 3] = 255;
  }
  canvasById(id).getContext("2d", { willReadFrequently: true })?.putImageData(made, 0, 0);
  canvasById(id).setAttribute("aria-label", `${name}, ${Math.round(100 * between.part)} per cent of the way`);
}

/** @param {number[]} points @returns {Promise<End[]>} */
async function endsOf(points) {
  await Promise.all(points.map((point) => loadSheet("images", point)));
  const { encode } = /** @type {Network} */ (networkOf());
  return points.map(pixelsOf).map((pixels) => ({ pixels, latent: encode(pixels) }));
}

/** @param {number} point whose sheet is loaded @returns {Uint8Array} its image */
function pixelsOf(point) {
  const { width, height, channels } = data.thumbnail;
  const canvas = make("canvas", { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  drawTile(context, "images", point, 0, 0, width, height);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const size = width * height;
  return Uint8Array.from({ length: channels * size }, (_, at) => rgba[4 * (at % size) + Math.floor(at / size)]);
}

/** @returns {[number, number, number, number]} the selected point's place, and the way from it to the other, in CSS pixels */
function wayOf() {
  const [[x, y], [otherX, otherY]] = [placeOf(state.selected), placeOf(between.other)];
  return [x, y, otherX - x, otherY - y];
}

/** @param {{x: number, y: number}} place on the map @returns {boolean} whether it is where on the way the slider is */
function onHandle(place) {
  if (between.other < 0 || between.choosing) return false;
  const [x, y, right, down] = wayOf();
  return Math.hypot(x + right * between.part - place.x, y + down * between.part - place.y) < 10;
}

/** @param {{x: number, y: number}} place on the map; the slider goes where on the way it is nearest */
function dragHandle(place) {
  const [x, y, right, down] = wayOf();
  const part = ((place.x - x) * right + (place.y - y) * down) / (right * right + down * down || 1);
  showPart(Math.round(100 * Math.max(0, Math.min(1, part))) / 100);
}

/** Draw the way between the two points, and where the slider is. @param {CanvasRenderingContext2D} context @param {string} colour */
function drawBetween(context, colour) {
  if (between.other < 0) return;
  const [x, y, right, down] = wayOf();
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + right, y + down);
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  spot(context, between.other, 3, colour);
  ring(context, between.other, 7, colour, 2);
  context.beginPath();
  context.arc(x + right * between.part, y + down * between.part, 6, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}
