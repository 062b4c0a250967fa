import { setMade } from "./actions.js";
import { nearestTo } from "./cells.js";
import { tell } from "./hint.js";
import { closeness, latentsOf, meanOf, networkOf } from "./latents.js";
import { data, grid } from "./page_data.js";

/** So many points around a place decide what is decoded there. */
const NEAREST = 8;
let asked = 0;

/** Decode the latent vector that a place on the map stands for. @param {number} x @param {number} y in map units */
export async function decodeAt(x, y) {
  if (!data.network) return;
  asked++;
  const own = asked;
  const { points, distances } = nearestTo(grid, x, y, Math.min(NEAREST, data.count));
  const weights = closeness(distances, grid.cell / 1000);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  try {
    const latent = meanOf(await latentsOf(points), weights);
    // By now the place may be another.
    if (own !== asked) return;
    setMade({
      title: "Decoded here",
      about:
        `No image of the data: what the decoder makes of the mean of the latents of the ${points.length} points nearest to this ` +
        "place on the map, weighted by how near they are.",
      x,
      y,
      pictures: [{ caption: "Decoded", pixels: networkOf().decode(latent) }],
      near: "Nearest to this place on the map",
      points,
      captions: weights.map((weight) => `${Math.round((100 * weight) / total)} %`),
      address: ["at", `${x}_${y}`],
    });
  } catch (error) {
    tell(/** @type {Error} */ (error).message);
  }
}
