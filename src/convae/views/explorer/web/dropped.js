import { setMade } from "./actions.js";
import { byId } from "./dom.js";
import { tell } from "./hint.js";
import { closeness, meanOf, nearestInLatentSpace, networkOf } from "./latents.js";
import { data, short } from "./page_data.js";
import { contextOf, readPixels } from "./pixels.js";
import { prepared } from "./prepared.js";
import { bringIntoView } from "./view.js";

/** So many points nearest in latent space say where an image belongs. */
const NEAREST = 10;
/** How images are prepared, by `data.fit`. @type {Record<string, string>} */
const FITS = {
  crop: "cropped about its centre, and scaled",
  pad: "scaled whole, on a background",
  stretch: "stretched to their proportions",
};

/** Take images that are dropped on the page, or chosen. */
export function listenToDrops() {
  const chosen = /** @type {HTMLInputElement} */ (byId("file"));
  byId("open").hidden = !canPlace();
  byId("open").addEventListener("click", () => chosen.click());
  chosen.addEventListener("change", () => {
    if (chosen.files?.length) void placeImage(chosen.files[0]);
    chosen.value = "";
  });
  // Without this, the browser would leave the page and show the file.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) void placeImage(file);
  });
}

/** @returns {boolean} whether the page has the encoder and what it needs to compare with all points */
function canPlace() {
  return Boolean(data.network?.encoder) && !data.sheets.beside;
}

/** Encode an image, and show where it belongs on the map. @param {File} file */
async function placeImage(file) {
  if (!canPlace()) return tell(data.left_out);
  /** @type {ImageBitmap} */
  let image;
  try {
    // Python, too, leaves colour profiles aside.
    image = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    return tell(`${file.name} is no image that this browser can read.`);
  }
  try {
    await showPlaced(file.name, fitted(image));
  } catch (error) {
    tell(/** @type {Error} */ (error).message);
  }
}

/** @param {ImageBitmap} image @returns {Uint8Array} its pixels as the network takes them */
function fitted(image) {
  const { image_shape: shape, preparation } = data.network;
  const { width, height } = image;
  const context = contextOf(width, height);
  // Transparent parts show the background, as in Python.
  context.fillStyle = `rgb(${preparation.background.join(" ")})`;
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return prepared(readPixels(context, 3), width, height, shape, preparation);
}

/** @param {string} name @param {Uint8Array} pixels */
async function showPlaced(name, pixels) {
  const { encode, decode } = networkOf();
  if (!encode) return;
  const latent = encode(pixels);
  const said = { part: -1 };
  const { points, distances } = await nearestInLatentSpace(latent, Math.min(NEAREST, data.count), (part) => {
    const tenth = Math.floor(10 * part);
    if (tenth > said.part && !data.network.latents) tell(`Encoding all images, once: ${10 * tenth} %`);
    said.part = Math.max(said.part, tenth);
  });
  const places = points.map((i) => data.positions.slice(2 * i, 2 * i + 2));
  const [x, y] = meanOf(places, closeness(distances, 1e-6));
  const far = data.distances;
  const ordinary = data.k && far ? Float32Array.from({ length: data.count }, (_, i) => far[i * data.k]).sort() : null;
  const usual = ordinary ? ` Half of the images here have another one within ${short(ordinary[data.count >> 1])}.` : "";
  tell(`${name} is shown in the panel.`);
  setMade({
    title: name,
    about:
      `Prepared like the images here: ${FITS[data.network.preparation.fit]}. Its place on the map is the mean of the places of its nearest, ` +
      `weighted by how near they are in latent space. The first lies ${short(distances[0])} away.${usual}`,
    x,
    y,
    pictures: [
      { caption: "Your image", pixels },
      { caption: "Reconstruction", pixels: decode(latent) },
    ],
    near: "Nearest in latent space",
    points,
    captions: distances.map(short),
    address: null,
  });
  bringIntoView(points[0]);
}
