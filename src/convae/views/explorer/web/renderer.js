import { rangesIn } from "./cells.js";
import { faint, paint, pixelOf, rgbOf } from "./colours.js";
import { canvasById, styleOf } from "./dom.js";
import { drawNames, placeNames } from "./names.js";
import { data, grid } from "./page_data.js";
import { drawn, drawPictures } from "./pictures.js";
import { shown, state } from "./state.js";
import { MANY, view, windowBox, zoomOf } from "./view.js";

/** Pixels around the window: with them, discs that are partly outside need no case of their own. */
const MARGIN = 24;
/** Close up, images take the place of discs when at most this many points are in the window. */
const FEW = 600;
/** While a map of many points moves, about so many are drawn. */
const MOVING = 150_000;
/** How many points were last drawn. */
let crowd = 0;
/** @type {ImageData} */
let image;
/** @type {Uint32Array} the image's pixels */
let pixels;

/** @returns {number} a disc's radius in CSS pixels: smaller where there are many points, larger when zoomed in */
export function radiusOf() {
  const alone = Math.min(4, Math.max(1.2, 14 / data.count ** 0.23));
  const radius = Math.min(9, alone * Math.max(1, zoomOf()) ** 0.4);
  // Of very many, each is one pixel, half covered: what is drawn is then their density.
  return crowd > MANY ? radius * Math.max(0, 1 - Math.log(crowd / MANY) / Math.log(4)) : radius;
}

/**
 * The pixels of a disc, as offsets from its centre's: those fully covered, and those of the edge with their coverage, of 256.
 * @param {number} radius in pixels @param {number} width of the image
 * @returns {{solid: Int32Array, edge: Int32Array, cover: Int32Array}}
 */
function discOf(radius, width) {
  /** @type {number[][]} */
  const [solid, edge, cover] = [[], [], []];
  const reach = Math.ceil(radius + 0.5);
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const part = Math.round(256 * Math.min(1, radius + 0.5 - Math.hypot(x, y)));
      if (part >= 256) solid.push(y * width + x);
      else if (part > 0) {
        edge.push(y * width + x);
        cover.push(part);
      }
    }
  }
  return { solid: Int32Array.from(solid), edge: Int32Array.from(edge), cover: Int32Array.from(cover) };
}

/** @param {ReturnType<typeof discOf>} disc @param {number} centre index of a pixel @param {number} colour */
function drawDisc({ solid, edge, cover }, centre, colour) {
  for (let s = 0; s < solid.length; s++) pixels[centre + solid[s]] = colour;
  const [redBlue, green] = [colour & 0xff00ff, colour & 0xff00];
  for (let e = 0; e < edge.length; e++) {
    const at = centre + edge[e];
    const [under, over] = [pixels[at], cover[e]];
    const rest = 256 - over;
    const mixedRedBlue = ((Math.imul(redBlue, over) + Math.imul(under & 0xff00ff, rest)) >>> 8) & 0xff00ff;
    const mixedGreen = ((Math.imul(green, over) + Math.imul(under & 0xff00, rest)) >>> 8) & 0xff00;
    pixels[at] = 0xff000000 | mixedRedBlue | mixedGreen;
  }
}

/** Draw every shown point of the window, the images of some, and the names of classes. */
export function drawPoints() {
  const canvas = canvasById("points");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  const [width, height] = [canvas.width + 2 * MARGIN, canvas.height + 2 * MARGIN];
  if (image?.width !== width || image.height !== height) {
    image = new ImageData(width, height);
    pixels = new Uint32Array(image.data.buffer);
  }
  const { ranges, limit } = chooseDrawn();
  const radius = Math.max(radiusOf() * view.ratio, (view.ratio - 1) / 2);
  pixels.fill(pixelOf(rgbOf(styleOf("--map"))));
  const seen = drawDiscs(discOf(Math.min(radius, MARGIN - 2), width), width, height, ranges, limit);
  context.putImageData(image, -MARGIN, -MARGIN);
  drawn.points.clear();
  const names = placeNames(context);
  if (state.pictures || (zoomOf() > 2 && seen <= FEW)) drawPictures(context, names);
  drawNames(context, names);
}

/**
 * Choose which points are drawn, and note how many these are.
 * @returns {{ranges: number[] | null, limit: number}} where in the grid's order they are, null for everywhere; only those before
 * the limit, which are a random part of all where there are many
 */
function chooseDrawn() {
  const { count } = data;
  crowd = count;
  if (count <= MANY) return { ranges: null, limit: count };
  const ranges = rangesIn(grid, ...windowBox(MARGIN));
  const inWindow = ranges.reduce((sum, place, at) => (at % 2 ? sum + place : sum - place), 0);
  const part = view.moving ? Math.min(1, MOVING / inWindow) : 1;
  crowd = inWindow * part;
  return { ranges: inWindow < count / 2 ? ranges : null, limit: count * part };
}

/**
 * @param {ReturnType<typeof discOf>} disc @param {number} width @param {number} height of the image
 * @param {number[] | null} ranges @param {number} limit as chosen
 * @returns {number} how many points are in the window
 */
function drawDiscs(disc, width, height, ranges, limit) {
  const { positions } = data;
  const { order } = grid;
  const scale = view.scale * view.ratio;
  const left = (view.width * view.ratio) / 2 + MARGIN - view.x * scale + 0.5;
  const top = (view.height * view.ratio) / 2 + MARGIN + view.y * scale + 0.5;
  const [right, bottom] = [width - MARGIN / 2, height - MARGIN / 2];
  const inFocus = state.focus;
  let seen = 0;
  // Those in focus are drawn last, and so on top.
  for (let pass = inFocus ? 0 : 1; pass < 2; pass++) {
    for (let range = 0; range < (ranges?.length ?? 2); range += 2) {
      const end = ranges ? ranges[range + 1] : limit;
      for (let at = ranges ? ranges[range] : 0; at < end; at++) {
        const i = ranges ? order[at] : at;
        if (i >= limit || !shown[i] || (inFocus && inFocus[i] !== pass)) continue;
        const x = positions[2 * i] * scale + left;
        const y = top - positions[2 * i + 1] * scale;
        if (!(x >= MARGIN / 2 && y >= MARGIN / 2 && x < right && y < bottom)) continue;
        drawDisc(disc, (y | 0) * width + (x | 0), pass ? paint[i] : faint[i]);
        seen++;
      }
    }
  }
  return seen;
}
