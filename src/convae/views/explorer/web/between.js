"use strict";

/**
 * What decodes in the page; network.js has it. Pixels are channels x height x width, one byte each.
 * @typedef {{encode: (pixels: Uint8Array) => Float32Array, decode: (latent: Float32Array) => Uint8Array}} Network
 */

/** The second of the two points, how far from the first to it, whether the next click chooses it, and both' latent vectors. */
const between = { other: -1, part: 0.5, choosing: false, ends: /** @type {Float32Array[]} */ ([]) };
/** @type {Network | null} */
let network = null;

/** @returns {Network | null} if the data has one, and the page can compute it */
function networkOf() {
  const maker = /** @type {any} */ (globalThis).makeNetwork;
  if (!network && data.network && maker) network = maker(data.network);
  return network;
}

/** What a click on a point does. @param {number} point */
function choose(point) {
  if (!between.choosing || point === state.selected) return select(point);
  Object.assign(between, { other: point, part: 0.5, choosing: false, ends: [] });
  showBetween();
  redraw("marks");
}

/** Show the way from the selected point to another: the images that the decoder makes in between. */
function showBetween() {
  const section = byId("between");
  byId("map").classList.toggle("choosing", between.choosing);
  section.hidden = state.selected < 0 || !networkOf();
  section.replaceChildren();
  if (section.hidden) return;
  section.append(make("h3", { id: "between-title" }, "In between"));
  const begin = () => {
    between.choosing = !between.choosing;
    showBetween();
    if (between.choosing) say("Choose the other image");
  };
  const text = between.choosing ? "Now click the other image" : between.other < 0 ? "Choose another image" : "Another";
  const chooser = button(text, begin, { "aria-pressed": between.choosing });
  if (between.other < 0) return section.append(make("p", {}, "See what the decoder makes of the way to another image."), chooser);
  const made = make("canvas", { id: "decoded", role: "img", ...data.thumbnail });
  const slider = make("input", { type: "range", min: "0", max: "1", step: "0.01", "aria-label": "How far to the other image" });
  slider.valueAsNumber = between.part;
  slider.addEventListener("input", () => decodeAt(made, slider.valueAsNumber));
  section.append(
    make("div", { className: "way" }, named("images", state.selected), made, named("images", between.other)),
    slider,
    chooser,
  );
  decodeAt(made, between.part);
}

/** @param {HTMLCanvasElement} canvas @param {number} part from 0, the selected point, to 1, the other */
async function decodeAt(canvas, part) {
  between.part = part;
  redraw("marks");
  const { encode, decode } = /** @type {Network} */ (networkOf());
  const points = [state.selected, between.other];
  await Promise.all(points.map((point) => loadSheet("images", point)));
  // The slider, or the other point, may be elsewhere by now.
  if (between.part !== part || between.other !== points[1]) return;
  if (!between.ends.length) between.ends = points.map((point) => encode(pixelsOf(point)));
  const [one, other] = between.ends;
  const decoded = decode(one.map((value, at) => value + (other[at] - value) * part));
  const { width, height, channels } = data.thumbnail;
  const shownImage = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) shownImage.data[4 * at + c] = decoded[(channels === 3 ? c * width * height : 0) + at];
    shownImage.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d")?.putImageData(shownImage, 0, 0);
  canvas.setAttribute("aria-label", `Decoded, ${Math.round(100 * part)} per cent of the way`);
}

/** @param {number} point whose sheet is loaded @returns {Uint8Array} its image */
function pixelsOf(point) {
  const { width, height, channels } = data.thumbnail;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  drawTile(/** @type {any} */ (context), "images", point, 0, 0, width, height);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  return Uint8Array.from(
    { length: channels * width * height },
    (_, at) => rgba[4 * (at % (width * height)) + Math.floor(at / (width * height))],
  );
}

/** Draw the way between the two points, and where the slider is. @param {CanvasRenderingContext2D} context @param {string} colour */
function drawBetween(context, colour) {
  if (state.selected < 0 || between.other < 0) return;
  const [[x, y], [otherX, otherY]] = [placeOf(state.selected), placeOf(between.other)];
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(otherX, otherY);
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  ring(context, between.other, 9, colour, 2);
  context.beginPath();
  context.arc(x + (otherX - x) * between.part, y + (otherY - y) * between.part, 5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}
